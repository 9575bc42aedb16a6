//! Which sentences of the passages answer a question, and how they are put together.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::plain::plain;
use super::sentences::{self, Unit};
use super::words;
use crate::llm::passages::CitedPassage;

/// Sentences of one answer, those that only lead up to others aside.
const SENTENCES_MAX: usize = 4;

/// A single sentence gets company of its own paragraph up to this.
const SENTENCES_MIN: usize = 2;

/// All sentences of one answer together.
const ANSWER_CHARS_MAX: usize = 1_200;

const SENTENCE_CHARS_MAX: usize = 500;

const SENTENCE_WORDS_MIN: usize = 4;

/// A longer block is a file, not an answer.
const CODE_CHARS_MAX: usize = 1_500;

/// A sentence far behind the best one is about something else.
const SHARE_OF_BEST_MIN: f64 = 0.5;

/// Two sentences that share so many of their words say the same.
const SAMENESS_MAX: f64 = 0.7;

/// What introduces code that stood alone.
const CODE_LEAD: &str = "The book gives this code:";

/// The answer as short Markdown paragraphs with marks; empty when the passages hold nothing to quote.
pub(super) fn answer(question: &str, passages: &[&CitedPassage]) -> String {
    let read: Vec<Vec<Unit>> = passages.iter().map(|passage| sentences::units(&beginning(&passage.text))).collect();
    let asked = Asked::new(question, &read);
    let mut picked = asked.sentences(passages, &read);
    if asked.wants_code
        && let Some((passage, unit)) = asked.code(passages, &read)
    {
        picked.insert((passage, unit));
        if unit > 0 && matches!(read[passage][unit - 1], Unit::Sentence { .. }) {
            picked.insert((passage, unit - 1));
        }
    }
    written(&picked, passages, &read)
}

fn beginning(text: &str) -> String {
    text.chars().take(super::PASSAGE_CHARS_MAX).collect()
}

/// A sentence or code block by its passage and its place there: sorts in reading order.
type Spot = (usize, usize);

struct Asked {
    /// The informative words of the question, the rarer the heavier.
    weights: HashMap<String, f64>,
    subject: Option<String>,
    wants_definition: bool,
    wants_code: bool,
}

struct Candidate {
    spot: Spot,
    score: f64,
    stems: HashSet<String>,
    length: usize,
}

impl Asked {
    fn new(question: &str, read: &[Vec<Unit>]) -> Self {
        let units: Vec<HashSet<String>> = read.iter().flatten().map(|unit| words::stems(text_of(unit))).collect();
        let informative = words::informative(question);
        let weigh = |word: &String| {
            let having = units.iter().filter(|stems| stems.contains(word)).count();
            (word.clone(), (1.0 + units.len() as f64 / (1.0 + having as f64)).ln())
        };
        let all: Vec<String> = words::each(question).collect();
        let has = |list: &str| all.iter().any(|word| list.split_whitespace().any(|known| known == word));
        // Who goes on with a conversation says so first.
        let joins =
            |word: &&str| matches!(*word, "and" | "but" | "so" | "or" | "then" | "also" | "ok" | "okay" | "well");
        let opening: Vec<&str> = all.iter().map(String::as_str).skip_while(joins).take(2).collect();
        let weights: HashMap<String, f64> = informative.iter().map(weigh).collect();
        // Of "a topic in ROS 2" the topic is asked for, and of "a ROS 2 action" the action: what stands before the first
        // preposition, and of several words the rarest one.
        let places = ["in", "of", "for", "with", "on", "at", "from", "by"];
        let named: Vec<String> = all.iter().take_while(|word| !places.contains(&word.as_str())).cloned().collect();
        let named = words::informative(&named.join(" "));
        let subjects = if named.is_empty() { &informative } else { &named };
        let rarity = |word: &String| weights.get(word).copied().unwrap_or(0.0);
        let subject = subjects.iter().rev().max_by(|one, other| rarity(one).total_cmp(&rarity(other))).cloned();
        Self {
            weights,
            subject,
            wants_definition: has("define definition meaning mean مراد تعریف")
                || ["is", "are", "s"].iter().any(|verb| opening == ["what", verb])
                || all.ends_with(&["کیا".into(), "ہے".into()]),
            wants_code: has(
                "code command commands snippet script syntax install example examples write implement program python کوڈ کمانڈ",
            ),
        }
    }

    /// How much of the question a text covers, from 0 to 1.
    fn coverage(&self, stems: &HashSet<String>) -> f64 {
        let whole: f64 = self.weights.values().sum();
        let covered: f64 =
            self.weights.iter().filter(|(word, _)| stems.contains(*word)).map(|(_, weight)| weight).sum();
        if whole > 0.0 { covered / whole } else { 0.0 }
    }

    fn sentences(&self, passages: &[&CitedPassage], read: &[Vec<Unit>]) -> BTreeSet<Spot> {
        let mut candidates = self.candidates(passages, read);
        candidates.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.spot.cmp(&other.spot)));
        let best = candidates.first().map_or(0.0, |candidate| candidate.score);
        let mut taken: Vec<&Candidate> = Vec::new();
        let mut length = 0;
        for candidate in &candidates {
            let fits = taken.is_empty() || length + candidate.length <= ANSWER_CHARS_MAX;
            let far_behind = candidate.score < best * SHARE_OF_BEST_MIN;
            if taken.len() == SENTENCES_MAX || far_behind {
                break;
            }
            if fits && !taken.iter().any(|earlier| sameness(&earlier.stems, &candidate.stems) > SAMENESS_MAX) {
                length += candidate.length;
                taken.push(candidate);
            }
        }
        let mut picked: BTreeSet<Spot> = taken.iter().map(|candidate| candidate.spot).collect();
        self.complete(&mut picked, read);
        picked
    }

    fn candidates(&self, passages: &[&CitedPassage], read: &[Vec<Unit>]) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut leads = Vec::new();
        for (rank, units) in read.iter().enumerate() {
            let heading = words::stems(&format!("{} {}", passages[rank].title, passages[rank].heading));
            let about = self.coverage(&heading);
            for (at, unit) in units.iter().enumerate() {
                let Unit::Sentence { text, .. } = unit else { continue };
                if !is_quotable(text) {
                    continue;
                }
                let stems = words::stems(text);
                let covered = self.coverage(&stems);
                let closeness = 0.1 / (1.0 + rank as f64);
                let score =
                    covered + 0.2 * about + closeness + self.bonus(text) - if leans_back(text) { 0.15 } else { 0.0 };
                let candidate = Candidate { spot: (rank, at), score, stems, length: text.chars().count() };
                match covered > 0.0 {
                    true => candidates.push(candidate),
                    false if rank == 0 && leads.len() < SENTENCES_MIN => leads.push(candidate),
                    false => {}
                }
            }
        }
        // The search knows more than shared words: what it found first is worth quoting even so.
        if candidates.is_empty() { leads } else { candidates }
    }

    fn bonus(&self, text: &str) -> f64 {
        let defines =
            self.wants_definition && self.subject.as_ref().is_some_and(|subject| is_definition(text, subject));
        if defines { 0.5 } else { 0.0 }
    }

    /// Adds what the picked sentences need to be understood: the one before a `this`, and company for a single one.
    fn complete(&self, picked: &mut BTreeSet<Spot>, read: &[Vec<Unit>]) {
        for (passage, unit) in picked.clone() {
            if unit > 0 && leans_back(text_of(&read[passage][unit])) && together(&read[passage], unit - 1) {
                picked.insert((passage, unit - 1));
            }
        }
        if let Some(&(passage, unit)) = picked.first().filter(|_| picked.len() < SENTENCES_MIN)
            && together(&read[passage], unit)
            && is_quotable(text_of(&read[passage][unit + 1]))
        {
            picked.insert((passage, unit + 1));
        }
    }

    fn code(&self, passages: &[&CitedPassage], read: &[Vec<Unit>]) -> Option<Spot> {
        let mut best: Option<(f64, Spot)> = None;
        for (rank, units) in read.iter().enumerate() {
            let mut stems = words::stems(&format!("{} {}", passages[rank].title, passages[rank].heading));
            for (at, unit) in units.iter().enumerate() {
                let Unit::Code(code) = unit else {
                    stems = words::stems(text_of(unit));
                    continue;
                };
                stems.extend(words::stems(code));
                let score = self.coverage(&stems) + 0.15 / (1.0 + rank as f64);
                let relevant = rank == 0 || self.coverage(&stems) > 0.0;
                if relevant && code.chars().count() <= CODE_CHARS_MAX && best.is_none_or(|(other, _)| score > other) {
                    best = Some((score, (rank, at)));
                }
            }
        }
        best.map(|(_, spot)| spot)
    }
}

fn text_of(unit: &Unit) -> &str {
    match unit {
        Unit::Sentence { text, .. } | Unit::Code(text) => text,
    }
}

/// Whether a unit and the next are sentences of one paragraph.
fn together(units: &[Unit], at: usize) -> bool {
    match (units.get(at), units.get(at + 1)) {
        (Some(Unit::Sentence { paragraph: one, .. }), Some(Unit::Sentence { paragraph: other, .. })) => one == other,
        _ => false,
    }
}

fn is_quotable(text: &str) -> bool {
    let ends = text
        .trim_end_matches([')', ']', '"', '\'', '”', '’', '»', '*', '_'])
        .ends_with(['.', '!', '…', '۔', '。', '！']);
    ends && text.chars().count() <= SENTENCE_CHARS_MAX && words::each(text).nth(SENTENCE_WORDS_MIN - 1).is_some()
}

/// Whether a sentence speaks of something the one before has named.
fn leans_back(text: &str) -> bool {
    const BACKWARD: &str =
        "this these that those it its they their he she such however therefore thus also then یہ اس ان وہ";
    words::each(text).next().is_some_and(|first| BACKWARD.split_whitespace().any(|word| word == first))
}

fn is_definition(text: &str, subject: &str) -> bool {
    const VERBS: [&str; 11] = [
        " is a",
        " is the ",
        " are ",
        " means ",
        " refers to ",
        " is called ",
        " stands for ",
        " is defined ",
        " describes ",
        "کہتے ہیں",
        "سے مراد",
    ];
    let lower = text.to_lowercase();
    let verb = VERBS.iter().filter_map(|verb| lower.find(verb)).min();
    verb.is_some_and(|at| {
        let before: Vec<String> = words::each(&lower[..at]).collect();
        before.len() <= 8 && words::stems(&before.join(" ")).contains(subject)
    })
}

fn sameness(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let shared = one.intersection(other).count() as f64;
    shared / (one.len() + other.len()) as f64 * 2.0
}

fn written(picked: &BTreeSet<Spot>, passages: &[&CitedPassage], read: &[Vec<Unit>]) -> String {
    let mut answer = String::new();
    let mut before: Option<(usize, usize, Option<usize>)> = None;
    for &(passage, at) in picked {
        let number = passages[passage].number;
        match &read[passage][at] {
            Unit::Sentence { text, paragraph } => {
                if !answer.is_empty() {
                    let goes_on = before.is_some_and(|(p, _, of)| p == passage && of == Some(*paragraph));
                    answer.push_str(if goes_on { " " } else { "\n\n" });
                }
                answer.push_str(&format!("{} [{number}]", plain(text)));
                before = Some((passage, at, Some(*paragraph)));
            }
            Unit::Code(code) => {
                let introduced = before.is_some_and(|(p, unit, of)| p == passage && unit + 1 == at && of.is_some());
                if !answer.is_empty() {
                    answer.push_str("\n\n");
                }
                if !introduced {
                    answer.push_str(&format!("{CODE_LEAD} [{number}]\n\n"));
                }
                answer.push_str(code);
                before = Some((passage, at, None));
            }
        }
    }
    answer
}
