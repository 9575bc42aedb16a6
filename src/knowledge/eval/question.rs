//! A file of questions, one JSON object a line, and how a passage is told to be the right one.

use std::fmt;

use serde::Deserialize;

use crate::knowledge::Passage;

/// Longest line of a file of questions, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A question and where its answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// Names the question in reports.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// What makes it easy or hard: `keyword`, `paraphrase`, `typo`, …
    #[serde(default = "plain")]
    pub kind: String,
    /// The sections that answer it, any one of them; none when the book has no answer.
    #[serde(default)]
    pub relevant: Vec<Place>,
    /// Phrases of which a right passage contains one.
    #[serde(default)]
    pub must_contain: Vec<String>,
    /// What was asked before, oldest first.
    #[serde(default)]
    pub history: Vec<String>,
    /// A section that only sounds right.
    #[serde(default)]
    pub lure: Option<Place>,
}

/// A section of the book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The page's path below the folder.
    pub path: String,
    /// The section's heading.
    pub heading: String,
    /// Where it is read; a citation must lead exactly there.
    #[serde(default)]
    pub url: Option<String>,
}

fn plain() -> String {
    "plain".to_owned()
}

impl Question {
    /// Whether the book has an answer.
    pub fn is_answerable(&self) -> bool {
        !self.relevant.is_empty() || !self.must_contain.is_empty()
    }

    /// Whether a text has one of the required phrases, however lines are broken and words are marked.
    pub(super) fn has_phrase(&self, text: &str) -> bool {
        let text = plain_text(text);
        self.must_contain.iter().any(|phrase| text.contains(&plain_text(phrase)))
    }

    /// Whether a right passage has the address that is given for its section; none when none is given.
    pub(super) fn is_cited_by(&self, passage: &Passage) -> Option<bool> {
        let mut given = self.relevant.iter().filter(|place| place.is_of(passage)).filter_map(|p| p.url.as_deref());
        let first = given.next()?;
        Some(first == passage.url || given.any(|url| url == passage.url))
    }
}

impl Place {
    /// Whether a passage is of this section: by its heading, or, where a page has a heading twice, by its address.
    pub(in crate::knowledge) fn is_of(&self, passage: &Passage) -> bool {
        passage.path == self.path
            && (passage.heading == self.heading || self.url.as_ref().is_some_and(|url| *url == passage.url))
    }
}

fn plain_text(text: &str) -> String {
    let unmarked: String = text.chars().filter(|c| !matches!(c, '`' | '*')).collect();
    unmarked.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A line that is no question: its number from 1 and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub sentence: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.sentence)
    }
}

/// Reads questions, one JSON object a line; empty lines are passed over.
pub fn questions(jsonl: &str) -> (Vec<Question>, Vec<BadLine>) {
    let (mut questions, mut bad) = (Vec::<Question>::new(), Vec::new());
    for (index, line) in jsonl.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut refuse = |sentence: String| bad.push(BadLine { line: index + 1, sentence });
        if line.len() > LINE_BYTES_MAX {
            refuse(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        match serde_json::from_str::<Question>(line.trim_start_matches('\u{feff}')) {
            Ok(question) if question.question.trim().is_empty() => refuse("the question is empty".to_owned()),
            Ok(question) => questions.push(question),
            Err(error) => refuse(format!("it is not a question ({error})")),
        }
    }
    (questions, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_lines_are_named_with_their_number() {
        let (questions, bad) = questions(concat!(
            r#"{"id":"q1","question":"a?"}"#,
            "\n\nnot json\n",
            r#"{"id":"q2","question":"b?","relevant":[]}"#,
            "\n",
            r#"{"id":"q3","question":"  "}"#,
        ));
        assert_eq!(questions.iter().map(|q| q.id.as_str()).collect::<Vec<_>>(), ["q1", "q2"]);
        assert_eq!(bad.iter().map(|b| b.line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(bad[1].to_string(), "line 5: the question is empty");
    }

    #[test]
    fn a_phrase_is_found_however_it_is_broken_and_marked() {
        let (questions, _) = questions(r#"{"id":"q","question":"a?","must_contain":["The  phrase"]}"#);
        assert!(questions[0].has_phrase("So `the`\n**phrase** goes"));
        assert!(!questions[0].has_phrase("so the other phrase goes"));
    }
}
