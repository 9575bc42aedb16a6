//! Settings of the tutor: what it sees and says.

use std::time::Duration;

use super::variables::*;
use super::{Reader, size};

/// What an answer of the tutor may rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounding {
    /// The book, and where it has nothing, general knowledge that is marked as such.
    Prefer,
    /// The book alone: what it does not cover is not answered.
    Strict,
}

/// What a new conversation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Titles {
    /// What the model finds, or else the reader's words.
    Model,
    /// The reader's words.
    Question,
    /// Nothing.
    Off,
}

/// A model that has found no title by then need not look any longer: the reader's words will do.
const TITLE_TIME_MAX: Duration = Duration::from_secs(5);

/// What the tutor sees and says.
#[derive(Clone, Debug)]
pub struct TutorSettings {
    /// What its answers may rest on.
    pub grounding: Grounding,
    /// Passages per search.
    pub passages: usize,
    /// Earlier messages the model sees.
    pub history_messages_max: usize,
    /// Bytes of earlier messages the model sees.
    pub history_bytes_max: usize,
    /// Where a selected text is cut, in bytes.
    pub selection_bytes_max: usize,
    /// Where an answer is cut, in tokens.
    pub answer_tokens_max: Option<u32>,
    /// How long a model may be silent.
    pub model_silence: Duration,
    /// How long a text may take to be written anew.
    pub rewrite_time: Duration,
    /// The pause between two words of the offline model.
    pub offline_pace: Duration,
    /// What a new conversation is called.
    pub titles: Titles,
    /// How long the model may look for a title.
    pub title_time_max: Duration,
}

pub(super) fn read(reader: &mut Reader<'_>) -> TutorSettings {
    TutorSettings {
        grounding: grounding(reader),
        passages: size(reader, &PASSAGES, 1..=20),
        history_messages_max: size(reader, &HISTORY_MESSAGES, 0..=200),
        history_bytes_max: size(reader, &HISTORY_BYTES, 0..=1 << 24),
        selection_bytes_max: size(reader, &SELECTED_TEXT_BYTES, 200..=16_000),
        answer_tokens_max: answer_tokens(reader),
        model_silence: Duration::from_secs(reader.number(&MODEL_SILENCE, 1..=3600)),
        rewrite_time: Duration::from_secs(reader.number(&REWRITE_TIME, 1..=3600)),
        offline_pace: Duration::from_millis(reader.number(&OFFLINE_PACE, 0..=1000)),
        titles: titles(reader),
        title_time_max: TITLE_TIME_MAX,
    }
}

fn grounding(reader: &mut Reader<'_>) -> Grounding {
    match reader.text(&GROUNDING).as_deref() {
        Some("prefer") => Grounding::Prefer,
        Some("strict") => Grounding::Strict,
        _ => {
            reader.mistake(GROUNDING.name, "must be `prefer` or `strict`");
            Grounding::Strict
        }
    }
}

fn titles(reader: &mut Reader<'_>) -> Titles {
    match reader.text(&TITLES).as_deref() {
        Some("model") => Titles::Model,
        Some("question") => Titles::Question,
        Some("off") => Titles::Off,
        _ => {
            reader.mistake(TITLES.name, "must be `model`, `question` or `off`");
            Titles::Off
        }
    }
}

fn answer_tokens(reader: &mut Reader<'_>) -> Option<u32> {
    if !reader.is_given(&ANSWER_TOKENS) {
        return None;
    }
    u32::try_from(reader.number(&ANSWER_TOKENS, 1..=1_000_000)).ok()
}
