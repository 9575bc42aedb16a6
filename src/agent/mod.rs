//! The tutor: asks the model, runs the tools it calls, asks again, and writes the answer with its citations.

mod attachments;
pub mod citations;
mod markdown;
mod marks;
mod message;
mod prompt;
mod sentences;
mod sources;
pub mod tools;
mod workflow;

use std::sync::Arc;

use async_stream::stream;
use async_trait::async_trait;
use bytes::Bytes;
use chatkit_protocol::AttachmentId;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};

use self::attachments::NotFetched;
use self::message::MessageWriter;
use self::sources::Sources;
use self::tools::{Tool, ToolOutput};
use self::workflow::SearchWorkflow;
use crate::attachments::AttachmentError;
use crate::chat::{EventStream, Recording, Responder, Turn, TurnError};
use crate::config::TutorSettings;
use crate::identity::Identity;
use crate::llm::transcription::Transcriber;
use crate::llm::{ChatModel, Chunk, LlmError, Message, Prompt, ToolCall, Usage};

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
    settings: TutorSettings,
    transcriber: Option<Transcriber>,
    files: Option<Files>,
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
        Self { model, tools: Arc::new([]), settings, transcriber: None, files: None, site: None }
    }

    /// Adds a tool that the model may call.
    #[must_use]
    pub fn with(mut self, tool: impl Tool) -> Self {
        let mut tools = self.tools.to_vec();
        tools.push(Arc::new(tool));
        self.tools = tools.into();
        self
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

    /// Says that addresses which are only a path, and lie below `base`, are served at `site`.
    #[must_use]
    pub fn serving(mut self, base: impl Into<String>, site: impl Into<String>) -> Self {
        self.site = Some((base.into(), site.into()));
        self
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
        let tutor = self.clone();
        Box::pin(stream! {
            let specs: Vec<_> = tutor.tools.iter().map(|tool| tool.spec()).collect();
            let conversation = prompt::conversation(&turn.history, &tutor.settings);
            let messages = conversation.iter().map(|(item, _)| *item);
            let mut files = attachments::gather(messages, tutor.model.sees(), |id| tutor.open(&turn, id)).await;
            if let Some(notice) = files.notice() {
                yield Ok(notice);
            }
            let mut prompt = prompt::build(&conversation, &files, &tutor.settings);
            let mut sources = Sources::new(tutor.site.clone());
            let mut found: Option<SearchWorkflow> = None;
            for round in 1..=ROUNDS_MAX {
                prompt.tools = if round == ROUNDS_MAX { Vec::new() } else { specs.clone() };
                let mut asked = tutor.model.stream(prompt.clone());
                // The model is already at work while the finished search is written and shown.
                let early = futures_util::poll!(&mut asked);
                if let Some(workflow) = found.take() {
                    yield Ok(workflow.done());
                }
                let chunks = match early {
                    std::task::Poll::Ready(chunks) => chunks,
                    std::task::Poll::Pending => asked.await,
                };
                let chunks = match chunks {
                    // One picture that a model does not take would silence it for the rest of the conversation.
                    Err(LlmError::Refused(_) | LlmError::Filtered(_)) if round == 1 && files.has_pictures() => {
                        tracing::warn!("The model refused a question with pictures; it is asked again without them");
                        if let Some(notice) = files.without_pictures() {
                            yield Ok(notice);
                        }
                        prompt = Prompt { tools: prompt.tools, ..prompt::build(&conversation, &files, &tutor.settings) };
                        tutor.model.stream(prompt.clone()).await
                    }
                    chunks => chunks,
                };
                let mut chunks = match chunks {
                    Ok(chunks) => chunks,
                    Err(error) => { yield Err(failed(&error)); return; }
                };
                let mut message = MessageWriter::new(&turn, &sources);
                let mut calls = Vec::new();
                let mut usage = Usage::default();
                while let Some(chunk) = chunks.next().await {
                    match chunk {
                        Ok(Chunk::Text(delta)) => for event in message.write(&delta) { yield Ok(event) },
                        Ok(Chunk::ToolCalls(called)) => calls = called,
                        Ok(Chunk::Usage(spent)) => usage = spent,
                        Ok(Chunk::Model(name)) => {
                            tracing::debug!(llm.provider = name.provider, llm.model = name.model, "The model answers");
                        }
                        Err(error) => {
                            for event in message.rest() { yield Ok(event) }
                            yield Err(failed(&error));
                            return;
                        }
                    }
                    if message.bytes() > ANSWER_BYTES_MAX {
                        tracing::warn!("An answer was cut at {ANSWER_BYTES_MAX} bytes");
                        break;
                    }
                }
                drop(chunks);
                tracing::info!(
                    round, tool_calls = calls.len(), tokens.input = usage.input_tokens, tokens.output = usage.output_tokens,
                    "The model finished a round"
                );
                let said = message.text().to_owned();
                if calls.is_empty() && !said.trim().is_empty() {
                    turn.last_word();
                }
                for event in message.done() { yield Ok(event) }
                if calls.is_empty() {
                    if said.trim().is_empty() {
                        yield Err(sentences::no_answer());
                    }
                    return;
                }
                if let Some(text) = sentences::searching(&calls) {
                    yield Ok(text);
                }
                let mut workflow = SearchWorkflow::new(&turn, &calls);
                if let Some(workflow) = &workflow {
                    yield Ok(workflow.added());
                }
                let outputs = tutor.run_tools(&calls, &turn).await;
                prompt.messages.push(Message::Assistant { text: said, tool_calls: calls.clone() });
                for (call, output) in calls.iter().zip(outputs) {
                    let cited = sources.admit(output.passages);
                    if let Some(event) = workflow.as_mut().and_then(|workflow| workflow.found(&call.id, &cited, &sources)) {
                        yield Ok(event);
                    }
                    prompt.messages.push(Message::Tool {
                        call_id: call.id.clone(),
                        name: call.name.clone(),
                        output: sources.tell(&cited, output.note),
                    });
                }
                found = workflow;
            }
            yield Err(sentences::no_answer());
        })
    }

    async fn transcribe(&self, _: &Identity, recording: Recording) -> Result<String, TurnError> {
        let Some(transcriber) = &self.transcriber else { return Err(TurnError::NotSupported) };
        let heard = transcriber.transcribe(recording.bytes, &recording.mime_type).await;
        heard.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "A recording did not become text");
            sentences::of_transcription(&error)
        })
    }
}

/// What the reader is told of a model that failed; the log gets the reason.
fn failed(error: &LlmError) -> TurnError {
    tracing::warn!(error = error as &dyn std::error::Error, "The model did not answer");
    sentences::of(error)
}
