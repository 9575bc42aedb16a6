//! Texts of a book written anew for one reader: personalized, or in another language.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;

use crate::llm::LlmError;
use crate::profile::Profile;

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

/// A text as it is written anew: pieces to be put one behind the other. Every piece has been checked: what was shielded
/// in it is there. It ends with the text, or after its first error.
pub type Rewriting = Pin<Box<dyn Stream<Item = Result<String, RewriteError>> + Send>>;

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
