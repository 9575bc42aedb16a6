//! Conformance: cases that show what a ChatKit server does, and the runner that replays them over HTTP against any server.
//!
//! `protocol/conformance/README.md` is about the cases, for people who write servers in other languages.

mod answer;
mod case;
mod corpus;
mod exchange;
mod fill;
mod framing;
mod matcher;
mod moment;
mod pattern;
mod report;
mod run;
mod target;
mod walk;

use serde_json::Value;

pub use case::Case;
pub use corpus::{Corpus, CorpusError};
pub use exchange::{ANSWER_BYTES_MAX, ANSWER_SILENCE_MAX, ANSWER_TIME_MAX, Answer, Limits};
pub use report::{Counts, DIFFERENCES_TOLD_MAX, Failure, Outcome, Report, Verdict};
pub use run::{NotTested, Runner};
pub use target::{Feature, Features, Policy, Target, Unknown};
pub use walk::WALK_PAGES_MAX;

/// A value is shown up to so many characters.
const SHOWN_CHARS: usize = 300;

/// A value as it is shown in a sentence: compact, and not longer than a reader reads.
fn show(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The beginning of some bytes, with what cannot be seen written out.
fn quoted(bytes: &[u8], most_bytes: usize) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(most_bytes)]);
    let more = if bytes.len() > most_bytes { "…" } else { "" };
    let visible = shown.chars().flat_map(|char| match char {
        '"' | '\'' => char.to_string().chars().collect(),
        _ => char.escape_debug().collect::<Vec<_>>(),
    });
    format!("`{}{more}`", visible.collect::<String>())
}
