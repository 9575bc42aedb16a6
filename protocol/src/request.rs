//! Requests: the sixteen things a client may ask.

mod lenient;
mod members;
mod parse;

use serde::{Deserialize, Serialize};

use crate::{AttachmentId, ItemId, JsonMap, Malformed, Order, StructuredAnswers, ThreadId, UserMessageInput, Value};

/// A request with the free-form metadata that came along.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Envelope {
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
    /// Anything; no request depends on it.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "crate::schema::object_or_null"))]
    pub metadata: JsonMap,
}

impl Envelope {
    /// Reads the body of a request.
    ///
    /// Unknown members are ignored, the last of two equal ones counts, and whole numbers may come as texts.
    ///
    /// ```
    /// use chatkit_protocol::{Envelope, Order, Request};
    ///
    /// let asked = Envelope::parse(br#"{"type":"threads.list","params":{"limit":"5"}}"#).unwrap();
    /// let Request::ThreadsList(list) = asked.request else { panic!("it is a list") };
    /// assert_eq!((list.limit, list.order), (Some(5), Order::Desc));
    ///
    /// let wrong = Envelope::parse(br#"{"type":"threads.list","params":{"order":"ASC"}}"#).unwrap_err();
    /// assert_eq!(wrong.to_string(), "`params.order` must be `asc` or `desc`, not `ASC`");
    /// ```
    ///
    /// # Errors
    /// The body is not JSON, not an object, of an unknown type, or a member of it is missing or wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        parse::envelope(body)
    }
}

impl From<Request> for Envelope {
    fn from(request: Request) -> Self {
        Self { request, metadata: JsonMap::new() }
    }
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident = $type:literal, streams $streams:literal;)*) => {
        /// What a client may ask.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::titled_request))]
        #[serde(tag = "type", content = "params")]
        pub enum Request {
            $($(#[$doc])* #[serde(rename = $type)] $name($name),)*
        }

        impl Request {
            /// The `type` of every request there is.
            pub const KINDS: &[&str] = &[$($type),*];

            /// The `type` on the wire.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $type,)* }
            }

            /// Whether it is answered by a stream of events rather than by one value.
            pub fn streams(&self) -> bool {
                match self { $(Self::$name(_) => $streams,)* }
            }

            /// Reads the params of a request of type `kind`; `None` for a type that is not known.
            fn read(kind: &str, params: Value) -> Option<Result<Self, Malformed>> {
                match kind {
                    $($type => Some(parse::params(kind, params).map(Self::$name)),)*
                    _ => None,
                }
            }
        }
    };
}

requests! {
    /// Begin a thread with a message.
    ThreadsCreate = "threads.create", streams true;
    /// Write another message in a thread.
    ThreadsAddUserMessage = "threads.add_user_message", streams true;
    /// Bring the answer of the page to a tool call.
    ThreadsAddClientToolOutput = "threads.add_client_tool_output", streams true;
    /// Bring the reader's answers to a form.
    ThreadsAddStructuredInput = "threads.add_structured_input", streams true;
    /// Answer a message again.
    ThreadsRetryAfterItem = "threads.retry_after_item", streams true;
    /// Do what a widget or a page asks for, and answer in the thread.
    ThreadsCustomAction = "threads.custom_action", streams true;
    /// Do what a widget or a page asks for, and answer at once.
    ThreadsSyncCustomAction = "threads.sync_custom_action", streams false;
    /// Show a thread with its items.
    ThreadsGetById = "threads.get_by_id", streams false;
    /// List threads.
    ThreadsList = "threads.list", streams false;
    /// Rename a thread.
    ThreadsUpdate = "threads.update", streams false;
    /// Delete a thread.
    ThreadsDelete = "threads.delete", streams false;
    /// List the items of a thread.
    ItemsList = "items.list", streams false;
    /// Say how good an answer was.
    ItemsFeedback = "items.feedback", streams false;
    /// Announce an attachment.
    AttachmentsCreate = "attachments.create", streams false;
    /// Take an attachment away.
    AttachmentsDelete = "attachments.delete", streams false;
    /// Turn a recording into text.
    InputTranscribe = "input.transcribe", streams false;
}

/// Params of `threads.create`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsCreate {
    /// The first message.
    pub input: UserMessageInput,
}

/// Params of `threads.add_user_message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsAddUserMessage {
    /// Where.
    pub thread_id: ThreadId,
    /// The message.
    pub input: UserMessageInput,
}

/// Params of `threads.add_client_tool_output`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsAddClientToolOutput {
    /// Where.
    pub thread_id: ThreadId,
    /// What the page's handler gave; must be there, may be null.
    pub result: Value,
}

/// Params of `threads.add_structured_input`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsAddStructuredInput {
    /// Where.
    pub thread_id: ThreadId,
    /// The form.
    pub item_id: ItemId,
    /// The answers.
    pub input: StructuredAnswers,
}

/// Params of `threads.retry_after_item`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsRetryAfterItem {
    /// Where.
    pub thread_id: ThreadId,
    /// The message to answer again, or any item after it.
    pub item_id: ItemId,
}

/// Params of `threads.custom_action`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsCustomAction {
    /// Where.
    pub thread_id: ThreadId,
    /// The widget it comes from, if any.
    #[serde(default, deserialize_with = "lenient::item_id", skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
    /// What to do.
    pub action: Action,
}

/// Params of `threads.sync_custom_action`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsSyncCustomAction {
    /// Where.
    pub thread_id: ThreadId,
    /// The widget it comes from, if any.
    #[serde(default, deserialize_with = "lenient::item_id", skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
    /// What to do.
    pub action: Action,
}

/// What a widget or a page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Action {
    /// What.
    #[serde(rename = "type")]
    pub kind: String,
    /// With what; untrusted. Null when nothing came along.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payload: Value,
}

/// Params of `threads.get_by_id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsGetById {
    /// Which.
    pub thread_id: ThreadId,
}

/// Params of `threads.list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsList {
    /// Rows at most; none and 0 leave it to the server.
    #[serde(default, deserialize_with = "lenient::limit", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::limit"))]
    pub limit: Option<u32>,
    /// Which end first.
    #[serde(default)]
    pub order: Order,
    /// The id of the last row of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Params of `threads.update`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsUpdate {
    /// Which.
    pub thread_id: ThreadId,
    /// Its new title; may be empty.
    pub title: String,
}

/// Params of `threads.delete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadsDelete {
    /// Which.
    pub thread_id: ThreadId,
}

/// Params of `items.list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ItemsList {
    /// Of which thread.
    pub thread_id: ThreadId,
    /// Rows at most; none and 0 leave it to the server.
    #[serde(default, deserialize_with = "lenient::limit", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::limit"))]
    pub limit: Option<u32>,
    /// Which end first.
    #[serde(default)]
    pub order: Order,
    /// The id of the last row of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Params of `items.feedback`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ItemsFeedback {
    /// Where.
    pub thread_id: ThreadId,
    /// The items of the answer.
    pub item_ids: Vec<ItemId>,
    /// How good it was.
    pub kind: FeedbackKind,
}

/// How good an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FeedbackKind {
    /// Good.
    Positive,
    /// Not good.
    Negative,
}

impl FeedbackKind {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

/// Params of `attachments.create`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentsCreate {
    /// The file's name.
    pub name: String,
    /// How large the client says it is, in bytes; not to be relied on.
    #[serde(deserialize_with = "lenient::size")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::size"))]
    pub size: i64,
    /// What the client says it is; not to be relied on.
    pub mime_type: String,
}

/// Params of `attachments.delete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentsDelete {
    /// Which.
    pub attachment_id: AttachmentId,
}

/// Params of `input.transcribe`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InputTranscribe {
    /// The recording, in standard base64.
    pub audio_base64: String,
    /// What it is, such as `audio/webm;codecs=opus`.
    pub mime_type: String,
}
