//! Pure: whether the sentences of an answer lean on the passages that were retrieved.
//!
//! It compares words, so it is a check of honesty and not of truth: a sentence leans on a passage that has most of its
//! telling words, all of its numbers and names in code, and does not say the opposite. An answer in another script than
//! the book's shares no words with it; there a sentence leans on what it cites.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Value, json};

use super::citations::utf16_units;
use super::claims::{Claim, claims, denies};
use crate::knowledge::lexical::telling::{self, Kind, Told};
use crate::llm::sentences_of;

/// So much of a sentence's telling words must be in what it leans on.
const COVERED_MIN: f64 = 0.6;
/// A sentence of a passage that has so much of them speaks of the same, and must not say the opposite.
const SAME_SUBJECT_MIN: f64 = 0.75;
/// Numbers and names in code are met by so many words that stand together: `ROS2` by `ROS 2`.
const JOINED_WORDS: usize = 3;
/// So many sentences that lean on nothing are named; all are counted.
const UNSUPPORTED_MAX: usize = 64;

/// What the check of one answer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Sentences that claim something.
    pub(super) sentences: usize,
    /// Those that lean on a passage.
    pub(super) supported: usize,
    /// Where the others stand, in UTF-16 code units; the first so many.
    pub(super) unsupported: Vec<Range<usize>>,
}

impl Verdict {
    /// Whether every sentence leans on a passage.
    pub(super) fn is_grounded(&self) -> bool {
        self.supported == self.sentences
    }

    /// `{"grounded","sentences","supported","unsupported":[[from,to],…]}`, without any text.
    pub(super) fn to_json(&self) -> Value {
        let places: Vec<[usize; 2]> = self.unsupported.iter().map(|place| [place.start, place.end]).collect();
        json!({
            "grounded": self.is_grounded(),
            "sentences": self.sentences,
            "supported": self.supported,
            "unsupported": places,
        })
    }
}

/// Judges an answer by the texts of the passages 1, 2, …; `cited` are the places of its citations, in UTF-16 code units,
/// each with the number of its passage.
pub(super) fn judge(answer: &str, cited: &[(usize, u32)], passages: &[&str]) -> Verdict {
    let known: Vec<Known> = passages.iter().map(|text| Known::new(text)).collect();
    let mut verdict = Verdict::default();
    let (mut counted, mut units) = (0, 0);
    for claim in claims(answer) {
        units += utf16_units(&answer[counted..claim.at.start]);
        let from = units;
        units += utf16_units(claim.text);
        counted = claim.at.end;
        let here = cited.iter().filter(|(at, _)| (from..=units).contains(at));
        let named: Vec<&Known> = here.filter_map(|(_, number)| known.get(*number as usize - 1)).collect();
        verdict.sentences += 1;
        // What a claim says matters only where there is something that it can lean on.
        if !known.is_empty() && leans(&claim, &named, &known) {
            verdict.supported += 1;
        } else if verdict.unsupported.len() < UNSUPPORTED_MAX {
            verdict.unsupported.push(from..units);
        }
    }
    verdict
}

/// Whether a claim leans on the passages it names, taken together, or on any single one, and none says the opposite.
fn leans(claim: &Claim<'_>, named: &[&Known], known: &[Known]) -> bool {
    let told = claim.told();
    let together = !named.is_empty() && covers(claim, &told, named, true);
    let leans = together || known.iter().any(|passage| covers(claim, &told, &[passage], false));
    leans && !contradicts(claim, &told, known)
}

fn covers(claim: &Claim<'_>, told: &[Told], passages: &[&Known], is_cited: bool) -> bool {
    let has = |term: &Told| passages.iter().any(|passage| passage.has(term));
    if claim.is_code {
        return share(told, has) >= COVERED_MIN;
    }
    if !told.iter().filter(|term| term.kind != Kind::Word).all(has) {
        return false;
    }
    if passages.iter().all(|passage| passage.is_latin != is_latin(claim.text)) {
        return is_cited;
    }
    share(told.iter().filter(|term| term.kind == Kind::Word), has) >= COVERED_MIN
}

/// Whether what speaks most clearly of the same subject says the opposite.
fn contradicts(claim: &Claim<'_>, told: &[Told], known: &[Known]) -> bool {
    if claim.is_code {
        return false;
    }
    let nearest = |denies: bool| {
        let sentences = known.iter().flat_map(|passage| &passage.sentences).filter(|said| said.denies == denies);
        let words = || told.iter().filter(|term| term.kind == Kind::Word);
        sentences.map(|said| share(words(), |term| meets(&said.stems, &term.stem))).fold(0.0, f64::max)
    };
    let denied = denies(claim.text);
    let opposite = nearest(!denied);
    opposite >= SAME_SUBJECT_MIN && nearest(denied) < opposite
}

/// The share of terms for which something holds; all of none.
fn share<'a>(terms: impl IntoIterator<Item = &'a Told>, holds: impl Fn(&Told) -> bool) -> f64 {
    let (mut all, mut held) = (0_u32, 0_u32);
    for term in terms {
        all += 1;
        held += u32::from(holds(term));
    }
    if all == 0 { 1.0 } else { f64::from(held) / f64::from(all) }
}

/// What is known of a passage.
struct Known {
    stems: HashSet<String>,
    /// Words as they are written, alone and joined with those after them.
    forms: HashSet<String>,
    numbers: HashSet<String>,
    sentences: Vec<Sentence>,
    is_latin: bool,
}

/// A sentence of a passage.
struct Sentence {
    stems: HashSet<String>,
    denies: bool,
}

impl Known {
    fn new(text: &str) -> Self {
        let words: Vec<String> = telling::forms(text).collect();
        let runs = (1..=JOINED_WORDS).flat_map(|length| words.windows(length).map(<[String]>::concat));
        let numbers = telling::telling(text).filter(|term| term.kind == Kind::Number);
        let sentence = |text: &str| Sentence { stems: telling::stems(text).collect(), denies: denies(text) };
        Self {
            stems: telling::stems(text).collect(),
            forms: runs.collect(),
            numbers: numbers.map(|term| term.stem).collect(),
            sentences: text.split("\n\n").flat_map(sentences_of).map(sentence).collect(),
            is_latin: is_latin(text),
        }
    }

    fn has(&self, term: &Told) -> bool {
        match term.kind {
            Kind::Word => meets(&self.stems, &term.stem),
            Kind::Number => self.numbers.contains(&term.stem),
            Kind::Identifier => self.forms.contains(&term.stem),
        }
    }
}

fn meets(stems: &HashSet<String>, stem: &str) -> bool {
    stems.contains(stem) || telling::alike(stem).iter().any(|other| stems.contains(other))
}

/// Whether most letters of a text are Latin ones.
fn is_latin(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (latin, other): (Vec<char>, Vec<char>) = letters.partition(|c| *c < '\u{250}');
    latin.len() >= other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIDAR: &str = "## Lidar\n\nA lidar measures distance with pulses of light. The LD19 spins 10 times a second and sees up to 12 m. \
        A lidar does not see colour.\n\nIn ROS 2 call `create_subscription` with a queue of 10.";
    const MOTOR: &str = "A motor turns current into torque. It needs 24 V.";

    #[track_caller]
    fn check(answer: &str, cited: &[(usize, u32)], unsupported: &[&str]) {
        let verdict = judge(answer, cited, &[LIDAR, MOTOR]);
        let units: Vec<u16> = answer.encode_utf16().collect();
        let texts: Vec<String> =
            verdict.unsupported.iter().map(|place| String::from_utf16(&units[place.clone()]).unwrap()).collect();
        assert_eq!(texts, unsupported);
        assert_eq!(verdict.sentences - verdict.supported, unsupported.len());
    }

    #[test]
    fn a_sentence_leans_on_a_passage_that_says_the_same() {
        check("A lidar measures distances using light pulses. Motors turn currents into torque.", &[], &[]);
        check(
            "Lidars were invented by Hughes Aircraft engineers.",
            &[],
            &["Lidars were invented by Hughes Aircraft engineers."],
        );
    }

    #[test]
    fn numbers_and_names_in_code_must_be_in_the_passage() {
        check("The LD19 sees up to 12 m.", &[], &[]);
        check("The LD19 sees up to 30 m.", &[], &["The LD19 sees up to 30 m."]);
        check("A motor needs 12 V.", &[], &["A motor needs 12 V."]);
        check("In ROS2, call `create_subscription`.", &[], &[]);
        check("In ROS 2, call `create_publisher`.", &[], &["In ROS 2, call `create_publisher`."]);
        check("The lidar spins ten times a second.", &[], &[]);
    }

    #[test]
    fn the_opposite_of_a_passage_leans_on_nothing() {
        check("A lidar does not see colour.", &[], &[]);
        check("A lidar sees colour.", &[], &["A lidar sees colour."]);
        check("A motor does not turn current into torque.", &[], &["A motor does not turn current into torque."]);
    }

    #[test]
    fn a_sentence_may_join_what_it_cites_and_nothing_else() {
        let joined = "A lidar measures distance with pulses of light while a motor turns current into torque at 24 V.";
        let end = joined.len() - 1;
        check(joined, &[(end, 1), (end, 2)], &[]);
        check(joined, &[(end, 1)], &[joined]);
    }

    #[test]
    fn another_script_leans_on_what_it_cites() {
        let urdu = "لیڈار 🤖 روشنی سے فاصلہ ناپتا ہے۔";
        let end = urdu.encode_utf16().count() - 1;
        check(urdu, &[(end, 1)], &[]);
        check(urdu, &[], &[urdu]);
        let more = "لیڈار 99 میٹر دیکھتا ہے۔";
        check(more, &[(more.encode_utf16().count(), 1)], &[more]);
    }

    #[test]
    fn places_count_as_a_browser_counts() {
        let verdict = judge("🤖 A lidar measures distance. Washing machines spin laundry.", &[], &[LIDAR]);
        assert_eq!(verdict.unsupported, vec![Range { start: 30, end: 60 }]);
        assert_eq!(
            verdict.to_json(),
            json!({"grounded": false, "sentences": 2, "supported": 1, "unsupported": [[30, 60]]})
        );
    }

    #[test]
    fn code_is_judged_as_a_whole() {
        check("```py\nself.create_subscription(queue=10)\n```", &[], &[]);
        check("```py\nself.launch_rocket(fuel=90)\n```", &[], &["self.launch_rocket(fuel=90)\n"]);
    }

    #[test]
    fn an_answer_without_claims_is_grounded() {
        assert!(judge("Hello! How can I help?", &[], &[]).is_grounded());
        assert!(!judge("Robots sense.", &[], &[]).is_grounded());
    }
}
