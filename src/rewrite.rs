//! Texts of a book written anew for one reader: personalized, or in another language.

mod cut;
mod desk;
mod flight;
mod hashes;
mod marks;
mod meter;
mod places;
mod prompt;
mod refusal;
mod rewriter;
mod scan;
mod shield;
mod sweep;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;

pub use desk::{Order, RewriteDesk, Surroundings};
pub use flight::Listening;
pub use hashes::{content_hash, profile_hash};
pub use meter::{Meter, Spent};
pub use refusal::{Failure, Refusal};
pub use rewriter::Rewriter;

use crate::llm::LlmError;
use crate::profile::Profile;
pub use crate::store::rewrites::{NotedPage, RewriteKind};

/// What is to be made of a text.
#[derive(Clone, Debug)]
pub enum Task {
    /// The same content in the same language, for this reader.
    Personalize {
        /// Who reads.
        profile: Arc<Profile>,
    },
    /// The same content in another language.
    Translate {
        /// The BCP 47 tag of the language it is in; the model finds out when there is none.
        from: Option<String>,
        /// The BCP 47 tag of the language it is to be in.
        to: String,
        /// What the text is about, in the words of whoever asks.
        context: Option<String>,
    },
}

/// A text as it is written anew: a stream of pieces, to be put one behind the other. Every piece has been checked: what
/// was shielded in it is there. It ends with the text, or after its first error. Whoever drops it stops the model.
pub struct Rewriting {
    pieces: Pin<Box<dyn Stream<Item = Result<String, RewriteError>> + Send>>,
    meter: Meter,
}

impl Rewriting {
    /// These pieces; `meter` counts what they cost.
    pub fn new(pieces: impl Stream<Item = Result<String, RewriteError>> + Send + 'static, meter: Meter) -> Self {
        Self { pieces: Box::pin(pieces), meter }
    }

    /// What it costs: counts on as pieces come, and stays when the stream is gone.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

impl Stream for Rewriting {
    type Item = Result<String, RewriteError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Rewriting {
    /// Shows nothing of the text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriting").field("spent", &self.meter.spent()).finish_non_exhaustive()
    }
}

/// Why a text was not written anew.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The server has no model that could do it.
    #[error("this server has no model that can rewrite a text")]
    NoModel,
    /// The model did not get to the end in time.
    #[error("the model took too long")]
    TooSlow,
    /// The model damaged code, links or formulas, twice.
    #[error("the model did not keep the code, the links and the formulas of the text as they are")]
    Damaged,
    /// The model failed.
    #[error("the model failed")]
    Model(#[source] LlmError),
}
