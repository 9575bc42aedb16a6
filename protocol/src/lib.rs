//! The ChatKit wire as plain data: what may be asked, what may be answered, and how it is framed.
//!
//! No I/O, no clock, no randomness: bytes go in, values come out, and the other way round.
//!
//! ```
//! use chatkit_protocol::{Envelope, Request};
//!
//! let body = br#"{"type":"threads.get_by_id","params":{"thread_id":"thr_1"}}"#;
//! let asked = Envelope::parse(body).unwrap();
//! assert!(matches!(asked.request, Request::ThreadsGetById(asked) if asked.thread_id.as_str() == "thr_1"));
//! ```
//!
//! Whoever answers makes events with the constructors of [`ThreadEvent`] and [`ItemKind`]:
//!
//! ```
//! use chatkit_protocol::{ItemKind, ThreadEvent, ThreadItem, Timestamp};
//!
//! let item = ThreadItem {
//!     id: "msg_1".into(),
//!     thread_id: "thr_1".into(),
//!     created_at: Timestamp::parse("2026-01-02T12:00:00Z").unwrap(),
//!     kind: ItemKind::message("Robots sense."),
//! };
//! let json = serde_json::to_string(&ThreadEvent::done(item)).unwrap();
//! assert!(json.starts_with(r#"{"type":"thread.item.done","item":{"id":"msg_1","thread_id":"thr_1","#));
//! ```
//!
//! What the server sends never holds a null for something absent: the member is left out. Nulls inside free-form JSON
//! (tool arguments, tag data, effects) stay; inside widgets they are taken out at any depth.

mod apply;
mod attachment;
mod content;
mod event;
mod icon;
mod id;
mod item;
mod malformed;
mod page;
mod request;
mod response;
#[cfg(feature = "schema")]
pub mod schema;
pub mod sse;
mod structured_input;
mod thread;
mod timestamp;
mod update;
mod widget;
mod workflow;

pub use serde_json::Value;

/// A JSON object of free form; keeps the order of its members.
pub type JsonMap = serde_json::Map<String, Value>;

/// An object of these members.
fn object<K: Into<String>, V: Into<Value>>(members: impl IntoIterator<Item = (K, V)>) -> JsonMap {
    members.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

pub use apply::{CannotApply, apply};
pub use attachment::{Attachment, AttachmentKind, StoredAttachment, UploadDescriptor, UploadMethod};
pub use content::{
    Annotation, AssistantContent, InferenceOptions, Source, SourceKind, ToolChoice, UserContent, UserMessageInput,
};
pub use event::{ErrorCode, NoticeLevel, StreamOptions, ThreadEvent};
pub use icon::{Icon, UnknownIcon};
pub use id::{AttachmentId, ItemId, ThreadId};
pub use item::{
    AssistantMessage, ClientToolCall, GeneratedImage, HiddenContext, Image, ItemKind, SdkHiddenContext,
    StructuredInputItem, TaskItem, ThreadItem, ToolCallStatus, UserMessage, WidgetItem, WorkflowItem,
};
pub use malformed::Malformed;
pub use page::{Order, Page};
pub use request::{
    Action, AttachmentsCreate, AttachmentsDelete, Envelope, FeedbackKind, InputTranscribe, ItemsFeedback, ItemsList,
    Request, ThreadsAddClientToolOutput, ThreadsAddStructuredInput, ThreadsAddUserMessage, ThreadsCreate,
    ThreadsCustomAction, ThreadsDelete, ThreadsGetById, ThreadsList, ThreadsRetryAfterItem, ThreadsSyncCustomAction,
    ThreadsUpdate,
};
pub use response::Response;
pub use structured_input::{
    Answer, InputStatus, StructuredAnswers, StructuredInput, StructuredInputKind, StructuredOption, SubmittedAnswer,
    SubmittedStatus,
};
pub use thread::{Thread, ThreadRecord, ThreadStatus};
pub use timestamp::Timestamp;
pub use update::ItemUpdate;
pub use widget::{NotAWidget, Widget};
pub use workflow::{StatusIndicator, Summary, Task, TaskKind, Workflow, WorkflowKind};
