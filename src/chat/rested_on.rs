//! What is noted of an answer that rests on passages: which they were, so that doors can show them with it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::ItemNote;

/// A passage that was found for an answer, as it is noted under `sources` of what the answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestedOn {
    /// The passage's name in the knowledge base.
    pub id: String,
    /// The file it comes from.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// Where it is read.
    pub url: String,
    /// The beginning of what it says.
    pub text: String,
    /// How well it fits the question, from 0 to 1.
    pub score: f64,
    /// Whether the answer cites it.
    pub cited: bool,
}

impl RestedOn {
    /// The passages that are noted of an answer, in the order in which they were found.
    pub fn all_of(note: &ItemNote) -> Vec<Self> {
        let noted = note.grounding.as_ref().and_then(|grounding| grounding.get("sources"));
        noted.and_then(|sources| Vec::deserialize(sources).ok()).unwrap_or_default()
    }
}

/// Whether an answer only says that what is known does not cover the question.
pub fn is_refusal(note: &ItemNote) -> bool {
    note.grounding.as_ref().and_then(|grounding| grounding.get("refused")) == Some(&Value::Bool(true))
}
