//! Models that turn texts into vectors: what is asked of them, and what can go wrong.

mod batches;
pub mod cache;
pub mod choice;
mod cohere;
mod endpoint;
mod gemini;
pub mod models;
mod openai;
pub mod remote;
mod requests;
pub mod retired;
mod vectors;
mod wire;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use batches::BatchLimits;
pub use endpoint::{EmbeddingEndpoint, Limits, Patience};
pub use wire::Wire;

/// What a text is to a search; most models place the two kinds differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Something that is looked for.
    Query,
    /// Something that may be found.
    Document,
}

/// Which vectors may be compared with each other: those of one model, of one length, asked for in one way.
///
/// Vectors of the same length are not comparable for that: every model has a space of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmbeddingSpace {
    /// The model, by the provider's name for it.
    pub model: String,
    /// Numbers in a vector.
    pub dimensions: u32,
    /// How the model is told the role of a text.
    pub task_style: TaskStyle,
}

/// How a model is told the role of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStyle {
    /// Not at all.
    None,
    /// By a member of the request: `task_type`, `input_type`.
    Parameter,
    /// By words before the text.
    Prefix,
}

impl fmt::Display for EmbeddingSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = match self.task_style {
            TaskStyle::None => "",
            TaskStyle::Parameter => ", with task types",
            TaskStyle::Prefix => ", with task prefixes",
        };
        write!(f, "`{}` with {} dimensions{style}", self.model, self.dimensions)
    }
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// Too many requests for the moment, after all the waiting that was worth it.
    #[error("the embedding model is busy")]
    Busy {
        /// How long the provider says to wait.
        retry_after: Option<Duration>,
    },
    /// It cannot be reached, is silent, or failed on its side; later it may work.
    #[error("the embedding model cannot be used at the moment: {0}")]
    Away(String),
    /// The same request will be refused again: the key, the model's name, the dimensions, the quota.
    #[error("the embedding model refused: {0}")]
    Refused(String),
    /// What came back is not what was asked for: another number of vectors, another length, no numbers.
    #[error("the embedding model's answer makes no sense: {0}")]
    Garbled(String),
}

/// Something that turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// A vector for each text, in their order, each of length one and with the dimensions of the space.
    ///
    /// Any number of texts may be given at once: how many go into one request, how many requests run together and how
    /// long a busy provider is waited for is decided within.
    async fn embed(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError>;

    /// The space its vectors are in.
    fn space(&self) -> &EmbeddingSpace;
}
