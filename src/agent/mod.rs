//! The tutor: answers readers from a book, with whatever model and tools it is given.
//!
//! How an answer comes about is in `answer.rs`; what it may rest on, in `ground.rs`.

mod addresses;
mod answer;
mod attachments;
pub mod citations;
mod claims;
mod ground;
mod links;
mod markdown;
mod marks;
mod message;
mod meter;
mod prompt;
mod selection;
mod sentences;
mod sources;
mod title;
pub mod tools;
mod verdict;
mod workflow;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chatkit_protocol::AttachmentId;
use futures_util::future::{BoxFuture, join_all};

use self::attachments::NotFetched;
use self::tools::knowledge_base::QueryKnowledgeBase;
use self::tools::{Tool, ToolOutput};
use crate::attachments::AttachmentError;
use crate::chat::{EventStream, Recording, Responder, Turn, TurnError};
use crate::config::{Grounding, TutorSettings};
use crate::identity::Identity;
use crate::llm::transcription::Transcriber;
use crate::llm::{ChatModel, ToolCall, ToolSpec};
use crate::profile::{Profile, Profiles};

/// How often the model is asked in one turn; the last time it gets no tools and must answer.
pub const ROUNDS_MAX: usize = 4;
/// How many tools the model may call in one round; further calls are told so.
pub const TOOL_CALLS_MAX: usize = 4;
/// An answer is cut after so many bytes: no reader reads on, and no model should.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Gives the bytes of what was attached under a name, or nothing when they never came.
pub type Files = Arc<dyn Fn(AttachmentId) -> BoxFuture<'static, Option<Bytes>> + Send + Sync>;

/// Answers readers from a book, with whatever model and tools it is given.
#[derive(Clone)]
pub struct Tutor {
    model: Arc<dyn ChatModel>,
    tools: Arc<[Arc<dyn Tool>]>,
    book: Option<QueryKnowledgeBase>,
    settings: TutorSettings,
    transcriber: Option<Transcriber>,
    files: Option<Files>,
    profiles: Option<Profiles>,
    site: Option<(String, String)>,
}

impl std::fmt::Debug for Tutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tutor").field("model", &self.model.name()).finish_non_exhaustive()
    }
}

impl Tutor {
    /// A tutor without tools.
    pub fn new(model: Arc<dyn ChatModel>, settings: TutorSettings) -> Self {
        let (tools, book, transcriber): (Arc<[Arc<dyn Tool>]>, _, _) = (Arc::new([]), None, None);
        Self { model, tools, book, settings, transcriber, files: None, profiles: None, site: None }
    }

    /// Adds a tool that the model may call.
    #[must_use]
    pub fn with(mut self, tool: impl Tool) -> Self {
        let mut tools = self.tools.to_vec();
        tools.push(Arc::new(tool));
        self.tools = tools.into();
        self
    }

    /// Adds the search of the book, which the house uses too: for selected texts, and in the strict mode, where without
    /// it every question is refused.
    #[must_use]
    pub fn reading(self, book: QueryKnowledgeBase) -> Self {
        let book = book.strictly(self.settings.grounding == Grounding::Strict);
        Self { book: Some(book.clone()), ..self.with(book) }
    }

    /// Says how the files that readers attach are opened, where the house does not keep them itself.
    #[must_use]
    pub fn opening(mut self, files: Files) -> Self {
        self.files = Some(files);
        self
    }

    /// Gives it ears; without them it hears nothing.
    #[must_use]
    pub fn hearing(mut self, transcriber: Option<Transcriber>) -> Self {
        self.transcriber = transcriber;
        self
    }

    /// Lets it explain to users as their profiles say; without them it explains to everybody alike.
    #[must_use]
    pub fn knowing(mut self, profiles: Profiles) -> Self {
        self.profiles = Some(profiles);
        self
    }

    /// Says that addresses which are only a path, and lie below `base`, are served at `site`.
    #[must_use]
    pub fn serving(mut self, base: impl Into<String>, site: impl Into<String>) -> Self {
        self.site = Some((base.into(), site.into()));
        self
    }

    /// What is known of whoever asks.
    async fn reader(&self, turn: &Turn) -> Option<Arc<Profile>> {
        self.profiles.as_ref()?.reader(&turn.who).await
    }

    /// The bytes of an attached file.
    fn open(&self, turn: &Turn, id: AttachmentId) -> BoxFuture<'static, Result<Bytes, NotFetched>> {
        if let Some(files) = &self.files {
            let opening = files(id);
            return Box::pin(async move { opening.await.ok_or(NotFetched::Missing) });
        }
        let turn = turn.clone();
        Box::pin(async move {
            let bytes_max = attachments::FILE_BYTES_MAX as u64;
            turn.attachment_bytes(&id, bytes_max).await.map_err(|error| match error {
                AttachmentError::TooLarge { .. } => NotFetched::TooLarge,
                AttachmentError::NoAttachment(_) | AttachmentError::NotArrived(_) => NotFetched::Missing,
                error => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "An attached file could not be opened");
                    NotFetched::Missing
                }
            })
        })
    }

    /// What the model is told of the tools.
    fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.spec()).collect()
    }

    /// Runs the calls of one round together; each gets an answer, if only that it did not work.
    async fn run_tools(&self, calls: &[ToolCall], turn: &Turn) -> Vec<ToolOutput> {
        join_all(calls.iter().enumerate().map(async |(position, call)| {
            if position >= TOOL_CALLS_MAX {
                return ToolOutput::note(format!("Only {TOOL_CALLS_MAX} tools may be called at once."));
            }
            match self.tools.iter().find(|tool| tool.spec().name == call.name) {
                Some(tool) => tool.call(&call.arguments, turn).await,
                None => ToolOutput::note("There is no tool of this name."),
            }
        }))
        .await
    }
}

#[async_trait]
impl Responder for Tutor {
    fn respond(&self, turn: Turn) -> EventStream {
        let answer = answer::answer(self.clone(), turn.clone());
        title::beside(self, turn, answer)
    }

    async fn transcribe(&self, _: &Identity, recording: Recording) -> Result<String, TurnError> {
        let Some(transcriber) = &self.transcriber else { return Err(TurnError::NotSupported) };
        let Recording { bytes, mime_type, language } = recording;
        let heard = transcriber.transcribe(bytes, &mime_type).await;
        heard.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "A recording did not become text");
            sentences::of_transcription(&error, language)
        })
    }
}
