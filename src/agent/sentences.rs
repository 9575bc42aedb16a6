//! Sentences that readers see when something takes time or goes wrong.

use std::time::Duration;

use chatkit_protocol::{Icon, ThreadEvent};

use super::workflow::query_of;
use crate::chat::TurnError;
use crate::language::Language;
use crate::llm::passages::KNOWLEDGE_TOOL;
use crate::llm::transcription::{AUDIO_BYTES_MAX, TranscriptionError};
use crate::llm::{LlmError, ToolCall};

/// A query is shown up to so many characters.
const QUERY_SHOWN_CHARS: usize = 120;

/// What the reader sees while the book is searched.
pub(super) fn searching(calls: &[ToolCall], language: Language) -> Option<ThreadEvent> {
    let queries: Vec<String> = calls.iter().filter(|call| call.name == KNOWLEDGE_TOOL).map(query_of).collect();
    let query = queries.first()?.chars().take(QUERY_SHOWN_CHARS).collect::<String>();
    let text = language.say_with("search-looking", &[("query", query.trim().into())]);
    Some(ThreadEvent::ProgressUpdate { icon: Some(Icon::SEARCH), text })
}

/// What the reader is told when the model said nothing at all.
pub(super) fn no_answer(language: Language) -> TurnError {
    custom(language.say("model-no-answer"), true)
}

/// What the reader is told when an answer must rest on the book and the book cannot be looked into.
pub(super) fn book_away(language: Language) -> TurnError {
    custom(language.say("search-away-again"), true)
}

/// What the reader is told when the model failed.
pub(super) fn of(error: &LlmError, language: Language) -> TurnError {
    let at = |wait: Option<Duration>| [("when", when(wait, language).into())];
    match error {
        LlmError::Busy { retry_after } => custom(language.say_with("model-busy", &at(*retry_after)), true),
        LlmError::QuotaExhausted { retry_after: None } => custom(language.say("model-quota-tomorrow"), true),
        LlmError::QuotaExhausted { retry_after } => custom(language.say_with("model-quota", &at(*retry_after)), true),
        LlmError::NoQuota => custom(language.say("model-no-quota"), false),
        LlmError::Filtered(_) => custom(language.say("model-filtered"), false),
        LlmError::Nothing => no_answer(language),
        LlmError::Resting(wait) => custom(language.say_with("model-resting", &at(Some(*wait))), true),
        LlmError::Unauthorized => custom(language.say("model-key"), false),
        LlmError::NoModel(_) => custom(language.say("model-unknown"), false),
        LlmError::Refused(_) => custom(language.say("model-refused"), false),
        LlmError::ProviderFailed(_) => custom(language.say("model-failed"), true),
        LlmError::Unreachable(_) => custom(language.say("model-unreachable"), true),
        LlmError::Silent(_) => custom(language.say("model-silent"), true),
        LlmError::Cut => custom(language.say("model-cut"), true),
        LlmError::Garbled(_) => custom(language.say("model-garbled"), true),
    }
}

/// What the reader is told of a recording that did not become text.
pub(super) fn of_transcription(error: &TranscriptionError, language: Language) -> TurnError {
    let message = match error {
        TranscriptionError::Model(error) => return of(error, language),
        TranscriptionError::UnknownType(kind) => language.say_with("transcription-type", &[("type", kind.into())]),
        TranscriptionError::Empty => language.say("transcription-empty"),
        TranscriptionError::TooLarge(bytes) => {
            let places = [("bytes", (*bytes).into()), ("max", AUDIO_BYTES_MAX.into())];
            language.say_with("transcription-too-large", &places)
        }
    };
    custom(message, false)
}

fn custom(message: String, allow_retry: bool) -> TurnError {
    TurnError::Custom { message, allow_retry }
}

fn when(wait: Option<Duration>, language: Language) -> String {
    let in_units = |unit_s: f64, seconds: f64| [("count", ((seconds / unit_s).ceil() as u64).into())];
    match wait.map(|wait| wait.as_secs_f64().ceil()) {
        None => language.say("wait-minute"),
        Some(seconds) if seconds <= 1.0 => language.say("wait-second"),
        Some(seconds) if seconds < 90.0 => language.say_with("wait-seconds", &in_units(1.0, seconds)),
        Some(seconds) if seconds < 5400.0 => language.say_with("wait-minutes", &in_units(60.0, seconds)),
        Some(seconds) => language.say_with("wait-hours", &in_units(3600.0, seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_the_unit_a_reader_would_use() {
        let told = |seconds| when(Some(Duration::from_secs_f64(seconds)), Language::default());
        assert_eq!(told(0.4), "in a second");
        assert_eq!(told(55.57), "in 56 seconds");
        assert_eq!(told(600.0), "in about 10 minutes");
        assert_eq!(told(7200.0), "in about 2 hours");
        assert_eq!(when(None, Language::default()), "in a minute");
    }

    #[test]
    fn of_a_recording_the_catalogue_says_in_english_what_the_error_does() {
        let kind = "audio/x-odd".to_owned();
        for error in
            [TranscriptionError::UnknownType(kind), TranscriptionError::Empty, TranscriptionError::TooLarge(1 << 26)]
        {
            let TurnError::Custom { message, .. } = of_transcription(&error, Language::default()) else { panic!() };
            assert_eq!(message, error.to_string());
        }
    }
}
