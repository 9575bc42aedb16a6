//! Sentences that readers see when something takes time or goes wrong.

use std::time::Duration;

use chatkit_protocol::{Icon, ThreadEvent};

use super::tools::knowledge_base::BOOK_AWAY;
use super::workflow::query_of;
use crate::chat::TurnError;
use crate::llm::passages::KNOWLEDGE_TOOL;
use crate::llm::transcription::TranscriptionError;
use crate::llm::{LlmError, ToolCall};

/// A query is shown up to so many characters.
const QUERY_SHOWN_CHARS: usize = 120;

/// What the reader sees while the book is searched.
pub(super) fn searching(calls: &[ToolCall]) -> Option<ThreadEvent> {
    let queries: Vec<String> = calls.iter().filter(|call| call.name == KNOWLEDGE_TOOL).map(query_of).collect();
    let query = queries.first()?.chars().take(QUERY_SHOWN_CHARS).collect::<String>();
    let text = format!("Looking in the book for “{}”", query.trim());
    Some(ThreadEvent::ProgressUpdate { icon: Some(Icon::SEARCH), text })
}

/// What the reader is told when the model said nothing at all.
pub(super) fn no_answer() -> TurnError {
    custom("The model gave no answer to this. Please try again, or ask in other words.".to_owned(), true)
}

/// What the reader is told when an answer must rest on the book and the book cannot be looked into.
pub(super) fn book_away() -> TurnError {
    custom(format!("{BOOK_AWAY} Please try again in a moment."), true)
}

/// What the reader is told when the model failed.
pub(super) fn of(error: &LlmError) -> TurnError {
    match error {
        LlmError::Busy { retry_after } => {
            custom(format!("The model is busy at the moment. Please try again {}.", when(*retry_after)), true)
        }
        LlmError::QuotaExhausted { retry_after: Some(wait) } => custom(
            format!("This site's quota for its model is used up for today. Please come back {}.", when(Some(*wait))),
            true,
        ),
        LlmError::QuotaExhausted { retry_after: None } => custom(
            "This site's quota for its model is used up for today. Please come back tomorrow.".to_owned(),
            true,
        ),
        LlmError::NoQuota => custom(
            "This site has no quota left for its model, and waiting will not help. Please tell whoever runs the site."
                .to_owned(),
            false,
        ),
        LlmError::Filtered(_) => custom(
            "The model's provider does not allow an answer to this. Asking in other words may help.".to_owned(),
            false,
        ),
        LlmError::Nothing => no_answer(),
        LlmError::Resting(wait) => custom(
            format!(
                "The model has failed several times in a row, so it is given a rest. Please try again {}.",
                when(Some(*wait))
            ),
            true,
        ),
        LlmError::Unauthorized => custom(
            "This site cannot use its model: the provider does not accept the site's key. Please tell whoever runs the site."
                .to_owned(),
            false,
        ),
        LlmError::NoModel(_) => custom(
            "This site cannot use its model: the provider does not know it. Please tell whoever runs the site.".to_owned(),
            false,
        ),
        LlmError::Refused(_) => {
            custom("The model refused this request. Asking in other words may help.".to_owned(), false)
        }
        LlmError::ProviderFailed(_) => {
            custom("The model's provider has a problem at the moment. Please try again in a minute.".to_owned(), true)
        }
        LlmError::Unreachable(_) => {
            custom("The model cannot be reached at the moment. Please try again in a minute.".to_owned(), true)
        }
        LlmError::Silent(_) => {
            custom("The model took too long to go on with its answer. Please try again.".to_owned(), true)
        }
        LlmError::Cut => custom("The model's answer broke off. Please try again.".to_owned(), true),
        LlmError::Garbled(_) => {
            custom("The model sent something that is not an answer. Please try again.".to_owned(), true)
        }
    }
}

/// What the reader is told of a recording that did not become text.
pub(super) fn of_transcription(error: &TranscriptionError) -> TurnError {
    match error {
        TranscriptionError::Model(error) => of(error),
        TranscriptionError::UnknownType(_) | TranscriptionError::Empty | TranscriptionError::TooLarge(_) => {
            custom(error.to_string(), false)
        }
    }
}

fn custom(message: String, allow_retry: bool) -> TurnError {
    TurnError::Custom { message, allow_retry }
}

fn when(wait: Option<Duration>) -> String {
    match wait.map(|wait| wait.as_secs_f64().ceil()) {
        None => "in a minute".to_owned(),
        Some(seconds) if seconds <= 1.0 => "in a second".to_owned(),
        Some(seconds) if seconds < 90.0 => format!("in {seconds} seconds"),
        Some(seconds) if seconds < 5400.0 => format!("in about {} minutes", (seconds / 60.0).ceil()),
        Some(seconds) => format!("in about {} hours", (seconds / 3600.0).ceil()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_the_unit_a_reader_would_use() {
        let told = |seconds| when(Some(Duration::from_secs_f64(seconds)));
        assert_eq!(told(0.4), "in a second");
        assert_eq!(told(55.57), "in 56 seconds");
        assert_eq!(told(600.0), "in about 10 minutes");
        assert_eq!(told(7200.0), "in about 2 hours");
        assert_eq!(when(None), "in a minute");
    }
}
