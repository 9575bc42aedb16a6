//! Tools that the model may call while it answers.

pub mod knowledge_base;

use async_trait::async_trait;

use crate::chat::Turn;
use crate::knowledge::Found;
use crate::llm::ToolSpec;

/// What a tool gives back to the model.
#[derive(Clone, Debug, Default)]
pub struct ToolOutput {
    /// Passages the model may cite.
    pub passages: Vec<Found>,
    /// Anything else the model should know, as text.
    pub note: Option<String>,
    /// Whether the book could not be looked into: then the reader is told so.
    pub book_is_away: bool,
}

impl ToolOutput {
    /// Text without passages: a result, or why there is none.
    pub fn note(text: impl Into<String>) -> Self {
        Self { note: Some(text.into()), ..Self::default() }
    }
}

/// Something the model may call. A tool that fails says so in a note, so that the model can go on without it.
#[async_trait]
pub trait Tool: Send + Sync + 'static {
    /// What the model is told of it.
    fn spec(&self) -> ToolSpec;

    /// Does it. `arguments` is what the model wrote: JSON, if the model is well-behaved.
    async fn call(&self, arguments: &str, turn: &Turn) -> ToolOutput;
}
