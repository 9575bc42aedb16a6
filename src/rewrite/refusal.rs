//! Why a text is not written anew, by what whoever asked can do about it.

use super::RewriteError;
use crate::llm::LlmError;
use crate::quota::{DayStatus, Reached};
use crate::store::StoreError;

/// Why nothing was begun.
#[derive(Debug)]
pub enum Refusal {
    /// The day's number is used up.
    QuotaExceeded(DayStatus),
    /// The caller's answers have cost as much as they may, or as many are on their way as there may be.
    Reached(Reached),
    /// It cannot be done.
    Failure(Failure),
    /// The database.
    Store(StoreError),
}

/// Why a text was not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server has no model that could do it.
    NoModel,
    /// The model did not get to the end in time.
    TooSlow,
    /// The model damaged code, links or formulas, twice.
    Damaged,
    /// The model has too much to do, or its quota is used up.
    Busy {
        /// How long to wait, in seconds, where its provider says so.
        retry_after_s: Option<u32>,
    },
    /// The model failed.
    Failed,
    /// The server is stopping.
    Stopped,
}

impl Failure {
    /// What an error comes to. It is logged here.
    pub(super) fn of(error: &RewriteError) -> Self {
        tracing::warn!(error = error as &dyn std::error::Error, "A text could not be written anew");
        match error {
            RewriteError::NoModel => Self::NoModel,
            RewriteError::TooSlow => Self::TooSlow,
            RewriteError::Damaged => Self::Damaged,
            RewriteError::Model(LlmError::Silent(_)) => Self::TooSlow,
            RewriteError::Model(LlmError::Busy { retry_after } | LlmError::QuotaExhausted { retry_after }) => {
                Self::Busy { retry_after_s: retry_after.map(seconds) }
            }
            RewriteError::Model(LlmError::Resting(wait)) => Self::Busy { retry_after_s: Some(seconds(*wait)) },
            RewriteError::Model(
                LlmError::NoQuota
                | LlmError::Unauthorized
                | LlmError::NoModel(_)
                | LlmError::Refused(_)
                | LlmError::Filtered(_)
                | LlmError::ProviderFailed(_)
                | LlmError::Unreachable(_)
                | LlmError::Cut
                | LlmError::Garbled(_)
                | LlmError::Nothing,
            ) => Self::Failed,
        }
    }
}

fn seconds(wait: std::time::Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
