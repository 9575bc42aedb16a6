//! Answers to requests that do not stream.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{Attachment, Page, Thread, ThreadItem};

/// The answer to a request that does not stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// A thread.
    Thread(Thread),
    /// Threads, each with an empty page of items.
    Threads(Page<Thread>),
    /// Items, none of them hidden.
    Items(Page<ThreadItem>),
    /// An attachment.
    Attachment(Attachment),
    /// What was said in a recording.
    Transcript {
        /// The words.
        text: String,
    },
    /// The item that an action changed, if it did.
    UpdatedItem {
        /// The whole item.
        updated_item: Option<ThreadItem>,
    },
    /// Done: `{}`.
    Empty,
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Thread(thread) => thread.serialize(serializer),
            Self::Threads(page) => page.serialize(serializer),
            Self::Items(page) => page.serialize(serializer),
            Self::Attachment(attachment) => attachment.serialize(serializer),
            Self::Transcript { text } => one(serializer, "text", text),
            Self::UpdatedItem { updated_item: Some(item) } if !item.is_hidden() => {
                one(serializer, "updated_item", item)
            }
            Self::UpdatedItem { .. } | Self::Empty => serializer.serialize_struct("Empty", 0)?.end(),
        }
    }
}

fn one<S: Serializer, T: Serialize>(serializer: S, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Response", 1)?;
    object.serialize_field(name, value)?;
    object.end()
}
