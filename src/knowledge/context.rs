//! The texts that become vectors: a passage as it stands in its book, and a question as it was meant.

use super::{Passage, Search};

/// Longest question that becomes a vector, in bytes; a pasted page says what it is about long before.
const ASKED_BYTES_MAX: usize = 4_000;
/// Up to so many words a question may lean on the one before.
const SHORT_WORDS: usize = 4;

/// A passage with what surrounds it: its page and the headings it stands under, without which "It is made of three
/// parts" could be about anything.
pub(super) fn of_passage(passage: &Passage) -> String {
    let mut context = passage.title.clone();
    for heading in passage.heading_path.iter().filter(|heading| **heading != passage.title) {
        context.push_str(" > ");
        context.push_str(heading);
    }
    format!("{context}\n\n{}", passage.text)
}

/// A question, after the one before if it leans on that.
pub(super) fn of_question(asked: &Search<'_>) -> String {
    let query = asked.query.trim();
    let text = match asked.earlier.last().filter(|_| leans_back(query)) {
        Some(before) => format!("{}\n{query}", before.trim()),
        None => query.to_owned(),
    };
    text[..text.floor_char_boundary(ASKED_BYTES_MAX)].to_owned()
}

/// Whether a question can hardly be understood alone.
fn leans_back(query: &str) -> bool {
    let words: Vec<String> =
        query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let points = |word: &String| {
        matches!(word.as_str(), "it" | "its" | "they" | "them" | "their" | "that" | "this" | "these" | "those" | "one")
    };
    let begins =
        words.first().is_some_and(|word| matches!(word.as_str(), "and" | "but" | "or" | "so" | "then" | "also"));
    words.len() <= SHORT_WORDS || begins || words.iter().any(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_carries_its_page_and_its_headings_once() {
        let passage = Passage {
            id: String::new(),
            path: "a.md".into(),
            title: "Sensors".into(),
            heading: "Drift".into(),
            heading_path: vec!["Sensors".into(), "Gyroscopes".into(), "Drift".into()],
            url: String::new(),
            module: None,
            week: None,
            position: 0,
            text: "It grows with time.".into(),
        };
        assert_eq!(of_passage(&passage), "Sensors > Gyroscopes > Drift\n\nIt grows with time.");
    }

    #[test]
    fn only_a_question_that_leans_on_another_brings_it_along() {
        let earlier = ["What is a gyroscope?".to_owned(), "How is a topic published in C++?".to_owned()];
        let text = |query| of_question(&Search { query, earlier: &earlier, limit: 3, strict: false });
        assert_eq!(text("and in Python?"), "How is a topic published in C++?\nand in Python?");
        assert_eq!(
            text("Who invented it, and when was that?"),
            "How is a topic published in C++?\nWho invented it, and when was that?"
        );
        assert_eq!(
            text("Which motors move the knees of a walking robot?"),
            "Which motors move the knees of a walking robot?"
        );
        let alone = Search { query: "  why? ", earlier: &[], limit: 3, strict: false };
        assert_eq!(of_question(&alone), "why?");
    }

    #[test]
    fn a_pasted_page_is_cut_between_letters() {
        let query = "é".repeat(ASKED_BYTES_MAX);
        let text = of_question(&Search { query: &query, earlier: &[], limit: 3, strict: false });
        assert!(text.len() <= ASKED_BYTES_MAX && text.chars().all(|c| c == 'é'));
    }
}
