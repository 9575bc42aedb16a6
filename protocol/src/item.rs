//! Items: what a thread is made of.

use serde::{Deserialize, Serialize};

use crate::{
    AssistantContent, Attachment, InferenceOptions, InputStatus, ItemId, JsonMap, StructuredInput, Task, ThreadId,
    Timestamp, UserContent, Value, Widget, Workflow,
};

/// One item of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadItem {
    /// Its name; the same from its announcement to its end.
    pub id: ItemId,
    /// The thread it belongs to.
    pub thread_id: ThreadId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// What it is.
    #[serde(flatten)]
    pub kind: ItemKind,
}

impl ThreadItem {
    /// Whether the reader must never see it.
    pub fn is_hidden(&self) -> bool {
        matches!(self.kind, ItemKind::HiddenContext(_) | ItemKind::SdkHiddenContext(_))
    }
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemKind {
    /// A message of the reader.
    UserMessage(UserMessage),
    /// A message of the assistant.
    AssistantMessage(AssistantMessage),
    /// A call that the reader's page is to answer.
    ClientToolCall(ClientToolCall),
    /// A widget.
    Widget(WidgetItem),
    /// A picture that was made.
    GeneratedImage(GeneratedImage),
    /// A form.
    StructuredInput(StructuredInputItem),
    /// Steps on the way to an answer.
    Workflow(WorkflowItem),
    /// A single step.
    Task(TaskItem),
    /// The assistant has nothing more to say for now.
    EndOfTurn,
    /// A note for the model, by the server's own code.
    #[serde(rename = "hidden_context_item")]
    HiddenContext(HiddenContext),
    /// A note for the model, by the protocol.
    SdkHiddenContext(SdkHiddenContext),
}

impl ItemKind {
    /// The `type` on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UserMessage(_) => "user_message",
            Self::AssistantMessage(_) => "assistant_message",
            Self::ClientToolCall(_) => "client_tool_call",
            Self::Widget(_) => "widget",
            Self::GeneratedImage(_) => "generated_image",
            Self::StructuredInput(_) => "structured_input",
            Self::Workflow(_) => "workflow",
            Self::Task(_) => "task",
            Self::EndOfTurn => "end_of_turn",
            Self::HiddenContext(_) => "hidden_context_item",
            Self::SdkHiddenContext(_) => "sdk_hidden_context",
        }
    }
}

/// A message of the reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserMessage {
    /// Its parts.
    pub content: Vec<UserContent>,
    /// Its files, whole.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// What the reader marked before writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_text: Option<String>,
    /// What the reader chose in the composer; untrusted.
    #[serde(default)]
    pub inference_options: InferenceOptions,
}

impl UserMessage {
    /// The parts as one text; see [`UserContent::text_of`].
    pub fn text(&self) -> String {
        UserContent::text_of(&self.content)
    }
}

/// A message of the assistant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Its parts.
    pub content: Vec<AssistantContent>,
}

impl AssistantMessage {
    /// The texts of all parts, one after the other.
    pub fn text(&self) -> String {
        self.content.iter().map(|part| part.text.as_str()).collect()
    }

    /// Whether there is nothing in it to read.
    pub fn is_blank(&self) -> bool {
        self.content.iter().all(|part| part.text.trim().is_empty())
    }
}

/// A call that the reader's page is to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientToolCall {
    /// Whether the answer has come.
    #[serde(default)]
    pub status: ToolCallStatus,
    /// The model's name for the call.
    pub call_id: String,
    /// What is called.
    pub name: String,
    /// With what.
    pub arguments: JsonMap,
    /// The answer; absent until it has come, and when it is null.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
}

/// Whether the answer to a call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolCallStatus {
    /// Not yet.
    #[default]
    Pending,
    /// Yes.
    Completed,
}

/// A widget in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WidgetItem {
    /// The widget.
    pub widget: Widget,
    /// What the copy button puts on the clipboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_text: Option<String>,
}

/// A picture that was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratedImage {
    /// The picture; absent while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its name.
    pub id: String,
    /// Its address, perhaps a `data:` one.
    pub url: String,
}

/// A form in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructuredInputItem {
    /// How far it is.
    #[serde(default)]
    pub status: InputStatus,
    /// Its questions.
    pub inputs: Vec<StructuredInput>,
}

/// A workflow in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkflowItem {
    /// The workflow.
    pub workflow: Workflow,
}

/// A step in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskItem {
    /// The step.
    pub task: Task,
}

/// A note for the model, by the server's own code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HiddenContext {
    /// Anything.
    pub content: Value,
}

/// A note for the model, by the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdkHiddenContext {
    /// The note.
    pub content: String,
}
