//! Items: what a thread is made of.

use serde::{Deserialize, Serialize};

use crate::{
    AssistantContent, Attachment, InferenceOptions, InputStatus, ItemId, JsonMap, StructuredInput, Task, ThreadId,
    Timestamp, UserContent, Value, Widget, Workflow, object,
};

/// One item of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// A message of the assistant: one part of Markdown, without sources.
    ///
    /// ```
    /// use chatkit_protocol::{ItemKind, Widget};
    ///
    /// let json = |kind| serde_json::to_string::<ItemKind>(&kind).unwrap();
    /// let message = r#"{"type":"assistant_message","content":[{"type":"output_text","annotations":[],"text":"Hi"}]}"#;
    /// assert_eq!(json(ItemKind::message("Hi")), message);
    ///
    /// let card = Widget::new(serde_json::json!({"type": "Card", "children": []})).unwrap();
    /// assert_eq!(json(ItemKind::widget(card)), r#"{"type":"widget","widget":{"type":"Card","children":[]}}"#);
    /// ```
    pub fn message(text: impl Into<String>) -> Self {
        Self::AssistantMessage(AssistantMessage { content: vec![AssistantContent::text(text)] })
    }

    /// A widget whose copy button copies nothing of its own.
    pub fn widget(widget: Widget) -> Self {
        Self::Widget(WidgetItem { widget, copy_text: None })
    }

    /// A picture that was made.
    pub fn generated_image(image: Image) -> Self {
        Self::GeneratedImage(GeneratedImage { image: Some(image) })
    }

    /// A form that waits for the reader.
    pub fn structured_input(inputs: Vec<StructuredInput>) -> Self {
        Self::StructuredInput(StructuredInputItem { status: InputStatus::Pending, inputs })
    }

    /// Steps on the way to an answer.
    pub fn workflow(workflow: Workflow) -> Self {
        Self::Workflow(WorkflowItem { workflow })
    }

    /// A single step.
    pub fn task(task: Task) -> Self {
        Self::Task(TaskItem { task })
    }

    /// A note for the model that no reader sees.
    pub fn hidden_context(content: impl Into<Value>) -> Self {
        Self::HiddenContext(HiddenContext { content: content.into() })
    }

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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl ClientToolCall {
    /// A call that waits for its answer; the arguments are the members of an object, as pairs or as a [`JsonMap`].
    ///
    /// ```
    /// use chatkit_protocol::{ClientToolCall, ItemKind};
    ///
    /// let call = ItemKind::ClientToolCall(ClientToolCall::pending("call_1", "scroll_to", [("heading", "Sensors")]));
    /// let json = r#"{"type":"client_tool_call","status":"pending","call_id":"call_1","name":"scroll_to","arguments":{"heading":"Sensors"}}"#;
    /// assert_eq!(serde_json::to_string(&call).unwrap(), json);
    /// ```
    pub fn pending<K: Into<String>, V: Into<Value>>(
        call_id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self {
            status: ToolCallStatus::Pending,
            call_id: call_id.into(),
            name: name.into(),
            arguments: object(arguments),
            output: Value::Null,
        }
    }
}

/// Whether the answer to a call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WidgetItem {
    /// The widget.
    pub widget: Widget,
    /// What the copy button puts on the clipboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_text: Option<String>,
}

/// A picture that was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GeneratedImage {
    /// The picture; absent while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// Its name.
    pub id: String,
    /// Its address, perhaps a `data:` one.
    pub url: String,
}

/// A form in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StructuredInputItem {
    /// How far it is.
    #[serde(default)]
    pub status: InputStatus,
    /// Its questions.
    pub inputs: Vec<StructuredInput>,
}

/// A workflow in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkflowItem {
    /// The workflow.
    pub workflow: Workflow,
}

/// A step in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskItem {
    /// The step.
    pub task: Task,
}

/// A note for the model, by the server's own code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HiddenContext {
    /// Anything.
    pub content: Value,
}

/// A note for the model, by the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SdkHiddenContext {
    /// The note.
    pub content: String,
}
