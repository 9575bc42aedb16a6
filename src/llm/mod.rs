//! Models that answer: what is asked of them, what comes back, and what can go wrong.

pub(crate) mod address;
mod answer;
mod breaker;
pub mod choice;
mod discreet;
pub(crate) mod errors;
mod events;
pub mod extractive;
pub mod http;
pub mod openai;
mod openai_wire;
pub mod passages;
mod patience;
pub mod presets;
pub mod resilient;
mod retold;
mod sse;
mod thoughts;
mod tool_calls;
pub mod transcription;

pub use extractive::{is_small_talk, sentences_of};

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatkit_protocol::JsonMap;
use futures_util::Stream;
use serde_json::Value;

use crate::language::Language;

/// What a model is asked.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    pub tools: Vec<ToolSpec>,
    /// The answer is cut after so many tokens; the provider's limit when there is none.
    pub answer_tokens_max: Option<u32>,
    /// What the reader is spoken to in. It is for models of the house, which have sentences of their own; others are told
    /// in words what to answer in.
    pub language: Language,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// What the operator tells the model.
    System(String),
    /// What the reader wrote.
    User {
        /// The reader's own words; perhaps none, when there is something else.
        text: String,
        /// What the reader attached, as text that says of itself where it begins and ends.
        material: Vec<String>,
        /// Pictures the reader attached; empty for a model that does not see.
        images: Vec<Image>,
    },
    /// What the model said before.
    Assistant {
        /// Its words, perhaps none.
        text: String,
        /// The tools it called then.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool gave back.
    Tool {
        /// The id of the call.
        call_id: String,
        /// The tool.
        name: String,
        /// The result, as text.
        output: String,
    },
}

impl Message {
    /// Words of a reader, and nothing else.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into(), material: Vec::new(), images: Vec::new() }
    }
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What its bytes are, such as `image/png`.
    pub mime_type: String,
    /// The file as it is.
    pub bytes: Bytes,
}

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// What the model calls it.
    pub name: String,
    /// When to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// A call of a tool, put together from its pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Never empty: minted when the provider gave none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them; JSON if the model is well-behaved.
    pub arguments: String,
    /// Whatever else came with the call (a thought signature); goes back verbatim to the model that made it.
    pub extra: JsonMap,
    /// Which model made it, when that is known; another model is told of it as plain text.
    pub made_by: Option<ModelName>,
}

/// Tokens a request cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// More text.
    Text(String),
    /// The complete calls of this round: comes at most once, after the text.
    ToolCalls(Vec<ToolCall>),
    /// What it cost so far: comes at most once, as the last chunk, also when an error follows.
    Usage(Usage),
    /// Which model really answers, by the provider's name for it, or by the name it was asked under when the provider
    /// gives none: comes exactly once, before the text, the calls and the usage. Only an answer that failed before it
    /// brought any of those goes without.
    Model(ModelName),
}

/// An answer as it is written. It ends after the last chunk, or after the first error.
pub type ChunkStream = Pin<Box<dyn Stream<Item = Result<Chunk, LlmError>> + Send>>;

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// Too many requests for the moment.
    #[error("the model is busy")]
    Busy {
        /// How long the provider says to wait.
        retry_after: Option<Duration>,
    },
    /// The quota of a day is used up; waiting a little does not help, waiting until tomorrow does.
    #[error("the model's quota for the day is used up")]
    QuotaExhausted {
        /// How long the provider says to wait, where that can be believed.
        retry_after: Option<Duration>,
    },
    /// There is no quota, or nobody pays for one: no wait helps.
    #[error("there is no quota for the model, or its bill is not paid")]
    NoQuota,
    /// The provider does not accept the key.
    #[error("the model's provider does not accept the key")]
    Unauthorized,
    /// The provider has nothing by the model's name, or nothing at all at the address.
    #[error("the provider has no such model: {0}")]
    NoModel(String),
    /// The provider understood and does not want to; the same request will be refused again.
    #[error("the model refused the request: {0}")]
    Refused(String),
    /// What was asked or answered is something the provider does not let pass; another model is not asked either.
    #[error("the provider's filter stopped the answer: {0}")]
    Filtered(String),
    /// The provider failed on its side.
    #[error("the model's provider failed with status {0}")]
    ProviderFailed(u16),
    /// No connection.
    #[error("the model cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Connected, but silent for longer than the limit.
    #[error("the model was silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// The answer broke off in the middle.
    #[error("the model's answer broke off")]
    Cut,
    /// What came is not an answer.
    #[error("the model's answer makes no sense: {0}")]
    Garbled(String),
    /// An answer came to its end without a word and without a call.
    #[error("the model gave no answer")]
    Nothing,
    /// It failed so often that it is left alone for a while; nothing was sent.
    #[error("the model is left alone for another {} s", .0.as_secs_f64().ceil())]
    Resting(Duration),
}

/// Which model answers, for logs and for `/health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// The provider, by its preset's name.
    pub provider: String,
    /// The model, by the provider's name for it.
    pub model: String,
}

impl ModelName {
    /// Whether it is the offline model, which answers questions about a book and nothing else.
    pub fn is_offline(&self) -> bool {
        self.provider == extractive::PROVIDER
    }
}

/// Something that answers prompts.
#[async_trait]
pub trait ChatModel: Send + Sync + 'static {
    /// Asks, and gives the answer as it is written. An error here means that nothing was shown yet.
    async fn stream(&self, prompt: Prompt) -> Result<ChunkStream, LlmError>;

    /// Which model it is.
    fn name(&self) -> ModelName;

    /// Whether it may be given pictures.
    fn sees(&self) -> bool {
        false
    }

    /// Whether tool calls that another model made are as good to it as its own.
    fn takes_over(&self) -> bool {
        false
    }

    /// How many other models stand in for it.
    fn fallbacks(&self) -> usize {
        0
    }
}
