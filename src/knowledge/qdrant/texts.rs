//! The texts that become vectors.

use crate::knowledge::{Passage, Search};

pub(super) fn of_passage(passage: &Passage) -> String {
    format!("{} > {}\n\n{}", passage.title, passage.heading_path.join(" > "), passage.text)
}

pub(super) fn of_question(asked: &Search<'_>) -> String {
    asked.query.to_owned()
}
