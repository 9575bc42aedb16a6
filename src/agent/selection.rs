//! The text that a reader selected on the page and asks about: where it comes from, and whether it stands in the book.

use chatkit_protocol::UserMessage;

use super::claims::without_targets;
use crate::chat::{RestsOn, Turn};
use crate::knowledge::lexical::telling::forms;
use crate::llm::sentences_of;

/// What a page writes before a selection when the message has no other place for it.
const EXPLAIN: &str = "explain this context:";
/// Opening quotation marks, and those that close what they open.
const QUOTATION_MARKS: [(char, &str); 6] =
    [('"', "\"”"), ('“', "”\"“"), ('„', "“”\""), ('«', "»"), ('‘', "’'"), ('\'', "'’")];

/// So many words that stand together tell one text from another.
const RUN_WORDS: usize = 3;
/// A passage with so much of a selection, or a selection with so much of a passage, is where it was selected.
const SAME_TEXT_MIN: f64 = 0.8;

/// A text that the reader selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    /// What was selected, without what was beyond the limit.
    pub(super) text: String,
    /// What the reader says beside it.
    pub(super) question: String,
    /// The answer rests on it and on the message alone, without the conversation and without the book.
    pub(super) alone: bool,
}

impl Selection {
    /// The selection that a turn is about, if it is about one: its first bytes, so many.
    pub(super) fn of(turn: &Turn, bytes_max: usize) -> Option<Self> {
        let message = turn.question()?;
        let (text, question) = selected(message)?;
        let text = cut(text.trim(), bytes_max);
        (!text.is_empty()).then(|| Self { text, question, alone: turn.rests_on() == RestsOn::SelectionAlone })
    }

    /// How much of it stands in a passage, from 0 to 1: as a run of words, whatever stands between the words.
    fn share_in(&self, passage: &str) -> f64 {
        let (own, others): (Vec<String>, Vec<String>) = (words(&self.text), words(passage));
        let (short, long) = if own.len() <= others.len() { (own, others) } else { (others, own) };
        let length = RUN_WORDS.min(short.len());
        if length == 0 {
            return 0.0;
        }
        let known: std::collections::HashSet<&[String]> = long.windows(length).collect();
        let (mut all, mut found) = (0_u32, 0_u32);
        for run in short.windows(length) {
            all += 1;
            found += u32::from(known.contains(run));
        }
        f64::from(found) / f64::from(all)
    }

    /// Which of some passages it was selected in, if it was in one: the one with most of it.
    pub(super) fn place_among<'a>(&self, passages: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let shares = passages.into_iter().map(|text| self.share_in(text)).enumerate();
        let (best, share) = shares.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best });
        (share >= SAME_TEXT_MIN).then_some(best)
    }
}

fn words(text: &str) -> Vec<String> {
    forms(&without_targets(text)).filter(|word| !word.is_empty()).collect()
}

/// The selected text of a message and the words beside it.
fn selected(message: &UserMessage) -> Option<(String, String)> {
    let text = message.text();
    match &message.quoted_text {
        Some(quoted) if !quoted.trim().is_empty() => Some((quoted.clone(), text)),
        _ => in_quotation_marks(&text),
    }
}

/// The text in `Explain this context: "…"`, and the words around that.
fn in_quotation_marks(message: &str) -> Option<(String, String)> {
    // Lower case of ASCII alone keeps every byte in its place.
    let at = message.to_ascii_lowercase().find(EXPLAIN)?;
    let rest = message[at + EXPLAIN.len()..].trim_start();
    let (opening, closing) = QUOTATION_MARKS.into_iter().find(|(opening, _)| rest.starts_with(*opening))?;
    let inside = &rest[opening.len_utf8()..];
    // Quotation marks may be part of what was selected, so the last one closes it.
    let end = inside.rfind(|c| closing.contains(c)).unwrap_or(inside.len());
    let after = inside[end..].trim_start_matches(|c| closing.contains(c));
    let around = format!("{} {}", message[..at].trim(), after.trim());
    Some((inside[..end].to_owned(), around.trim().to_owned()))
}

/// As many whole sentences of a text as there is room for; of a single long one, its beginning.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let beginning = &text[..text.floor_char_boundary(bytes_max)];
    let last = sentences_of(beginning).pop().unwrap_or_default();
    let whole = beginning[..beginning.len() - last.len()].trim_end();
    let kept = if whole.is_empty() { beginning } else { whole };
    tracing::info!(bytes = text.len(), kept_bytes = kept.len(), "A selected text was cut");
    kept.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT_BYTES: usize = 8_000;

    fn selection(text: &str) -> Selection {
        Selection { text: text.to_owned(), question: String::new(), alone: false }
    }

    #[track_caller]
    fn check(message: &str, text: &str, question: &str) {
        assert_eq!(in_quotation_marks(message), Some((text.to_owned(), question.to_owned())));
    }

    #[test]
    fn a_selection_is_read_out_of_a_message() {
        check("Explain this context: \"Robots sense.\"", "Robots sense.", "");
        check("Explain this context: “Robots sense.”", "Robots sense.", "");
        check("explain THIS context:\n«Robots»\nin Urdu", "Robots", "in Urdu");
        check("Please! Explain this context: \"A \"robot\" moves\" briefly", "A \"robot\" moves", "Please! briefly");
        check("Explain this context: \"never closed", "never closed", "");
        check("Explain this context: \"روبوٹ 🤖\" کیا ہے", "روبوٹ 🤖", "کیا ہے");
        assert_eq!(in_quotation_marks("Explain this context: no marks"), None);
        assert_eq!(in_quotation_marks("What is \"context\"?"), None);
    }

    #[test]
    fn a_selection_is_found_in_the_passage_it_was_selected_in() {
        let passages =
            ["Motors turn.", "A **lidar** [measures](./x.md) distance with `light`. It spins fast, all day long."];
        assert_eq!(selection("A lidar measures distance with light.").place_among(passages), Some(1));
        assert_eq!(selection("Lidar").place_among(passages), Some(1));
        assert_eq!(selection("A sonar measures distance with sound.").place_among(passages), None);
        assert_eq!(selection("🤖").place_among(passages), None);
        assert_eq!(selection("x").place_among([]), None);
    }

    #[test]
    fn a_long_selection_is_cut_at_a_sentence() {
        let text = "Robots sense and act. ".repeat(500);
        let kept = cut(&text, KEPT_BYTES);
        assert!(kept.len() <= KEPT_BYTES && kept.len() > KEPT_BYTES - 50 && kept.ends_with("act."));
        let endless = "ہ".repeat(KEPT_BYTES);
        assert_eq!(cut(&endless, KEPT_BYTES).len(), KEPT_BYTES);
    }
}
