//! The sentences of an answer that claim something, with their places in it: headings, courtesies and what merely leads
//! over are none.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use crate::knowledge::lexical::telling::{Told, telling};
use crate::llm::sentences_of;

/// A sentence that ends in a colon and says no more than this only leads over to what follows.
const LEAD_TERMS: usize = 3;

/// Stems that say nothing in an answer, though they might in a book.
static COURTESIES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "sure certain cours absolut hello welcom sorri pleas glad happi hope feel free follow summari \
    short brief overal final note conclus above below let ask step simpl clear basic addit furthermor moreov \
    therefor thus henc howev accord passag sourc inform"
        .split_whitespace()
        .collect()
});

/// Whether a word denies; a sentence with one says the opposite of the same sentence without.
fn is_denial(word: &str) -> bool {
    let known = matches!(word, "not" | "no" | "never" | "none" | "nothing" | "neither" | "nor" | "without" | "cannot");
    known || matches!(word, "cant" | "نہیں" | "نہ" | "nicht" | "kein" | "keine") || word.ends_with("n't")
}

/// Whether a word is what a book is called.
fn is_book(word: &str) -> bool {
    matches!(word, "book" | "textbook" | "passage" | "passages" | "کتاب")
}

/// Whether a word is what a book that does not cover something does not do.
fn is_covering(word: &str) -> bool {
    let known = word.strip_suffix('s').unwrap_or(word);
    let says = matches!(known, "cover" | "mention" | "say" | "contain" | "answer" | "describe" | "include" | "provide");
    says || matches!(word, "discuss" | "discusses" | "explain" | "explains" | "nothing" | "anything" | "کچھ")
}

/// Whether a word lets a sentence go on to claim something after all.
fn goes_on(word: &str) -> bool {
    let known = matches!(word, "but" | "however" | "although" | "though" | "yet" | "because");
    known || matches!(word, "لیکن" | "مگر" | "البتہ" | "تاہم" | "کیونکہ")
}

/// A sentence, or a block of code.
#[derive(Clone, Debug)]
pub(super) struct Claim<'a> {
    /// Where it stands, in bytes.
    pub(super) at: Range<usize>,
    pub(super) text: &'a str,
    pub(super) is_code: bool,
}

impl Claim<'_> {
    /// What it says, each once.
    pub(super) fn told(&self) -> Vec<Told> {
        let mut seen = HashSet::new();
        told(&without_targets(self.text)).filter(|term| seen.insert(term.clone())).collect()
    }
}

/// The claims of an answer in Markdown, in order.
pub(super) fn claims(answer: &str) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    for (block, is_code) in blocks(answer) {
        let sentences = if is_code { vec![&answer[block]] } else { sentences_of(&answer[block]) };
        let saying = sentences.into_iter().filter(|text| claims_something(text, is_code));
        claims.extend(saying.map(|text| {
            let start = text.as_ptr() as usize - answer.as_ptr() as usize;
            Claim { at: start..start + text.len(), text, is_code }
        }));
    }
    claims
}

/// Whether a text denies something.
pub(super) fn denies(text: &str) -> bool {
    words(text).any(|word| is_denial(&word))
}

/// The words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let separates = |c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’');
    let is_lower = |word: &str| word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let lowered = move |word| match is_lower(word) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(word.to_lowercase().replace('’', "'")),
    };
    text.split(separates).filter(|word| !word.is_empty()).map(lowered)
}

/// What a text without targets of links says, as often as it does.
fn told(text: &str) -> impl Iterator<Item = Told> {
    telling(text).filter(|term| !COURTESIES.contains(term.stem.as_str()))
}

/// Whether a sentence is more than a courtesy, a question, or what leads over to the next. It looks at no more of it than
/// it must.
fn claims_something(text: &str, is_code: bool) -> bool {
    let bare = text.trim_end_matches(['*', '_', ' ']);
    if !is_code && (bare.ends_with(['?', '؟', '？']) || says_the_book_is_silent(text)) {
        return false;
    }
    let plain = without_targets(text);
    let mut terms = told(&plain);
    if is_code || !bare.ends_with(':') {
        return terms.next().is_some();
    }
    let mut different = HashSet::new();
    terms.any(|term| different.insert(term) && different.len() > LEAD_TERMS)
}

/// Whether a sentence says no more than that the book does not cover something.
fn says_the_book_is_silent(text: &str) -> bool {
    let has = |is_one: fn(&str) -> bool| words(text).any(|word| is_one(&word));
    has(is_book) && has(is_denial) && has(is_covering) && !has(goes_on)
}

/// The text without the targets of its links, which are addresses and no words.
pub(super) fn without_targets(text: &str) -> Cow<'_, str> {
    if !text.contains("](") {
        return text.into();
    }
    let mut kept = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find("](") {
        kept.push_str(&left[..=at]);
        left = &left[at + 1..];
        left = left.find(')').map_or("", |end| &left[end + 1..]);
    }
    kept.push_str(left);
    kept.into()
}

/// Paragraphs, items of lists and rows of tables as prose, and fenced blocks as code; headings are left out.
fn blocks(answer: &str) -> Vec<(Range<usize>, bool)> {
    let mut blocks: Vec<(Range<usize>, bool)> = Vec::new();
    let mut fence: Option<(&str, usize)> = None;
    let mut goes_on = false;
    let mut begins = 0;
    for line in answer.split_inclusive('\n') {
        let (at, ends) = (begins, begins + line.len());
        begins = ends;
        let bare = line.trim();
        if let Some((mark, from)) = fence {
            if bare.starts_with(mark) && bare.trim_start_matches(&mark[..1]).is_empty() {
                blocks.push((from..at, true));
                fence = None;
            }
            continue;
        }
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        if let Some(mark) = mark {
            fence = Some((mark, ends));
            goes_on = false;
            continue;
        }
        let is_row = bare.starts_with('|');
        if bare.is_empty() || is_heading(bare) || is_rule(bare) {
            if is_row && let Some(header) = blocks.pop() {
                // The row above the line that divides a table is its heading.
                blocks.extend((!answer[header.0.clone()].trim_start().starts_with('|')).then_some(header));
            }
            goes_on = false;
            continue;
        }
        let start = at + (line.len() - unmarked(line).len());
        match blocks.last_mut().filter(|_| goes_on && start == at + indent(line) && !is_row) {
            Some((range, _)) => range.end = ends,
            None => blocks.push((start..ends, false)),
        }
        goes_on = !is_row;
    }
    // A block that nothing closes is code to the end.
    blocks.extend(fence.map(|(_, from)| (from..answer.len(), true)));
    blocks
}

fn is_heading(line: &str) -> bool {
    let bold = line.strip_prefix("**").and_then(|rest| rest.trim_end_matches(':').strip_suffix("**"));
    line.starts_with('#') || bold.is_some_and(|title| !title.contains("**") && !title.ends_with(['.', '!', '۔']))
}

fn is_rule(line: &str) -> bool {
    line.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' ' | '|' | ':'))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line without what marks it as a quotation, an item of a list, or a task.
fn unmarked(line: &str) -> &str {
    let line = line.trim_start_matches([' ', '\t', '>']);
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = match digits {
        0 => line.strip_prefix(['-', '*', '+']),
        1..=3 => line[digits..].strip_prefix(['.', ')']),
        _ => None,
    };
    let Some(rest) = rest.filter(|rest| rest.starts_with([' ', '\t'])) else { return line };
    let rest = rest.trim_start();
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|task| rest.strip_prefix(task)).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, expected: &[&str]) {
        let found = claims(answer);
        let texts: Vec<&str> = found.iter().map(|claim| claim.text.trim()).collect();
        assert_eq!(texts, expected);
        for claim in found {
            assert_eq!(&answer[claim.at], claim.text);
        }
    }

    #[test]
    fn sentences_are_found_wherever_markdown_puts_them() {
        check(
            "# Sensors\n\nA lidar measures distance.\nIt spins. **Both are sensors.**\n\n- A camera sees colour\n- [x] An IMU feels turns\n\
             1. Motors turn\n\n> Gears slow a motor down.\n",
            &[
                "A lidar measures distance.",
                "It spins.",
                "**Both are sensors.**",
                "A camera sees colour",
                "An IMU feels turns",
                "Motors turn",
                "Gears slow a motor down.",
            ],
        );
    }

    #[test]
    fn a_table_is_its_rows_and_code_is_one_claim() {
        check(
            "| sensor | range |\n|---|---|\n| lidar | 30 m |\n| sonar | 4 m |\n\nRun `colcon build`:\n\n```sh\ncolcon build\nros2 run\n```\nDone.",
            &["| lidar | 30 m |", "| sonar | 4 m |", "colcon build\nros2 run"],
        );
        check("```py\nlaser = 1\n", &["laser = 1"]);
    }

    #[test]
    fn courtesies_headings_and_questions_claim_nothing() {
        check(
            "Sure! Here is a short summary:\n\n**Sensors**\n\nI hope this helps. Would you like to see a motor?",
            &[],
        );
        check("The book does not cover washing machines.", &[]);
        check(
            "The book does not cover it, but a drum turns clothes.",
            &["The book does not cover it, but a drum turns clothes."],
        );
    }

    #[test]
    fn other_scripts_have_sentences_too() {
        check("لیڈار فاصلہ ناپتا ہے۔ یہ گھومتا ہے۔", &["لیڈار فاصلہ ناپتا ہے۔", "یہ گھومتا ہے۔"]);
    }

    #[test]
    fn a_denial_is_told_from_an_assertion() {
        assert!(denies("A lidar doesn’t see colour") && denies("It cannot turn") && denies("یہ نہیں چلتا"));
        assert!(!denies("A lidar sees notes and knots"));
    }
}
