//! Events: what a stream is made of.

use serde::{Deserialize, Serialize};

use crate::{Icon, ItemId, ItemUpdate, JsonMap, Thread, ThreadItem, Value, content, object};

/// One event of a stream.
///
/// ```
/// use chatkit_protocol::ThreadEvent;
///
/// let event: ThreadEvent = serde_json::from_str(r#"{"type":"error","message":"Too long."}"#).unwrap();
/// assert_eq!(event, ThreadEvent::custom_error("Too long.", false));
///
/// let delta = ThreadEvent::text_delta(&"msg_1".into(), 0, "Hi".to_owned());
/// let json = r#"{"type":"thread.item.updated","item_id":"msg_1","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Hi"}}"#;
/// assert_eq!(serde_json::to_string(&delta).unwrap(), json);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::titled_event))]
#[serde(tag = "type")]
pub enum ThreadEvent {
    /// A thread was begun.
    #[serde(rename = "thread.created")]
    ThreadCreated {
        /// The thread, with an empty page of items.
        thread: Thread,
    },
    /// A thread was changed.
    #[serde(rename = "thread.updated")]
    ThreadUpdated {
        /// The thread, with an empty page of items.
        thread: Thread,
    },
    /// An item begins.
    #[serde(rename = "thread.item.added")]
    ItemAdded {
        /// How it begins.
        item: ThreadItem,
    },
    /// An item changes.
    #[serde(rename = "thread.item.updated")]
    ItemUpdated {
        /// Which item.
        item_id: ItemId,
        /// How it changes.
        update: ItemUpdate,
    },
    /// An item is complete, and kept.
    #[serde(rename = "thread.item.done")]
    ItemDone {
        /// The whole item.
        item: ThreadItem,
    },
    /// An item is gone.
    #[serde(rename = "thread.item.removed")]
    ItemRemoved {
        /// Which item.
        item_id: ItemId,
    },
    /// Another item stands in the place of one with the same id.
    #[serde(rename = "thread.item.replaced")]
    ItemReplaced {
        /// The whole item.
        item: ThreadItem,
    },
    /// What the reader may do meanwhile.
    #[serde(rename = "stream_options")]
    StreamOptions {
        /// What the reader may do.
        stream_options: StreamOptions,
    },
    /// What is being done; shown until something else is, never kept.
    #[serde(rename = "progress_update")]
    ProgressUpdate {
        /// A picture before the words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<Icon>,
        /// The words.
        text: String,
    },
    /// Something the page is to do.
    #[serde(rename = "client_effect")]
    ClientEffect {
        /// What.
        name: String,
        /// With what.
        #[serde(default, deserialize_with = "content::object_or_null")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::object_or_null"))]
        data: JsonMap,
    },
    /// Something went wrong.
    #[serde(rename = "error")]
    Error {
        /// Whose sentence the reader sees.
        #[serde(default)]
        code: ErrorCode,
        /// The server's sentence; none where the widget has its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Whether the reader is offered to try again.
        #[serde(default)]
        allow_retry: bool,
    },
    /// Something the reader should know.
    #[serde(rename = "notice")]
    Notice {
        /// How serious it is.
        level: NoticeLevel,
        /// The sentence; Markdown.
        message: String,
        /// A line above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

impl ThreadEvent {
    /// An item begins.
    pub fn added(item: ThreadItem) -> Self {
        Self::ItemAdded { item }
    }

    /// An item changes.
    pub fn updated(item_id: &ItemId, update: ItemUpdate) -> Self {
        Self::ItemUpdated { item_id: item_id.clone(), update }
    }

    /// An item is complete, and kept. One that needs no beginning may be told by this alone.
    pub fn done(item: ThreadItem) -> Self {
        Self::ItemDone { item }
    }

    /// An item is gone.
    pub fn removed(item_id: &ItemId) -> Self {
        Self::ItemRemoved { item_id: item_id.clone() }
    }

    /// Another item stands in the place of one with the same id.
    pub fn replaced(item: ThreadItem) -> Self {
        Self::ItemReplaced { item }
    }

    /// More text of a part of a message.
    pub fn text_delta(item_id: &ItemId, content_index: u32, delta: String) -> Self {
        Self::updated(item_id, ItemUpdate::TextDelta { content_index, delta })
    }

    /// What is being done; shown until something else is, never kept.
    ///
    /// ```
    /// use chatkit_protocol::{Icon, ThreadEvent};
    ///
    /// let json = |event| serde_json::to_string::<ThreadEvent>(&event).unwrap();
    /// let looking = ThreadEvent::progress("Looking it up", Icon::SEARCH);
    /// assert_eq!(json(looking), r#"{"type":"progress_update","icon":"search","text":"Looking it up"}"#);
    /// let thinking = ThreadEvent::progress("Thinking", None);
    /// assert_eq!(json(thinking), r#"{"type":"progress_update","text":"Thinking"}"#);
    /// ```
    pub fn progress(text: impl Into<String>, icon: impl Into<Option<Icon>>) -> Self {
        Self::ProgressUpdate { icon: icon.into(), text: text.into() }
    }

    /// Something the page is to do; `data` are the members of an object, as pairs or as a [`JsonMap`].
    ///
    /// ```
    /// use chatkit_protocol::ThreadEvent;
    ///
    /// let event = ThreadEvent::effect("open_page", [("page", 7)]);
    /// let json = r#"{"type":"client_effect","name":"open_page","data":{"page":7}}"#;
    /// assert_eq!(serde_json::to_string(&event).unwrap(), json);
    /// ```
    pub fn effect<K: Into<String>, V: Into<Value>>(
        name: impl Into<String>,
        data: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::ClientEffect { name: name.into(), data: object(data) }
    }

    /// Something the reader should know, in Markdown.
    ///
    /// ```
    /// use chatkit_protocol::{NoticeLevel, ThreadEvent};
    ///
    /// let event = ThreadEvent::notice(NoticeLevel::Warning, "The list is **full**.");
    /// let json = r#"{"type":"notice","level":"warning","message":"The list is **full**."}"#;
    /// assert_eq!(serde_json::to_string(&event).unwrap(), json);
    /// ```
    pub fn notice(level: NoticeLevel, message: impl Into<String>) -> Self {
        Self::Notice { level, message: message.into(), title: None }
    }

    /// An error with a sentence of the server's own.
    pub fn custom_error(message: impl Into<String>, allow_retry: bool) -> Self {
        Self::Error { code: ErrorCode::Custom, message: Some(message.into()), allow_retry }
    }

    /// An error for which the widget has a sentence of its own.
    pub fn stream_error(allow_retry: bool) -> Self {
        Self::Error { code: ErrorCode::StreamError, message: None, allow_retry }
    }
}

/// What a reader may do while an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamOptions {
    /// Whether the stop button is shown.
    pub allow_cancel: bool,
}

/// Whose sentence about an error the reader sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ErrorCode {
    /// The server's.
    #[default]
    #[serde(rename = "custom")]
    Custom,
    /// The widget's, about a broken answer.
    #[serde(rename = "stream.error")]
    StreamError,
}

/// How serious a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Better to know.
    Warning,
    /// Must be known.
    Danger,
}
