//! Threads: as they are kept, and as they are shown.

use serde::{Deserialize, Serialize};

use crate::{JsonMap, Page, ThreadId, ThreadItem, Timestamp};

/// Whether a reader may go on writing in a thread. Only shown; a server that means it must refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ThreadStatus {
    /// Yes.
    #[default]
    Active,
    /// Not now.
    Locked {
        /// Why, for the reader.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Not any more.
    Closed {
        /// Why, for the reader.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// A thread as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// Its name.
    pub id: ThreadId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// What the reader sees it called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether it is open.
    #[serde(default)]
    pub status: ThreadStatus,
    /// Hosts whose images the widget may show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_image_domains: Option<Vec<String>>,
    /// Private to the server: never shown.
    #[serde(default)]
    pub metadata: JsonMap,
}

impl ThreadRecord {
    /// An open thread without a title.
    pub fn new(id: ThreadId, created_at: Timestamp) -> Self {
        Self {
            id,
            created_at,
            title: None,
            status: ThreadStatus::Active,
            allowed_image_domains: None,
            metadata: JsonMap::new(),
        }
    }
}

/// A thread as it is shown: without its metadata, with a page of its items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thread {
    /// What the reader sees it called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its name.
    pub id: ThreadId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Whether it is open.
    #[serde(default)]
    pub status: ThreadStatus,
    /// Hosts whose images the widget may show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_image_domains: Option<Vec<String>>,
    /// Always empty.
    #[serde(default, deserialize_with = "ignored")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::nothing"))]
    metadata: JsonMap,
    /// Some of its items, none of them hidden. An empty page does not mean that there are none.
    #[serde(default = "Page::<ThreadItem>::empty")]
    pub items: Page<ThreadItem>,
}

impl Thread {
    /// The thread with an empty page of items.
    pub fn without_items(record: &ThreadRecord) -> Self {
        Self::with_items(record, Page::empty())
    }

    /// The thread with these items; hidden ones are left out.
    pub fn with_items(record: &ThreadRecord, mut items: Page<ThreadItem>) -> Self {
        items.data.retain(|item| !item.is_hidden());
        Self {
            title: record.title.clone(),
            id: record.id.clone(),
            created_at: record.created_at,
            status: record.status.clone(),
            allowed_image_domains: record.allowed_image_domains.clone(),
            metadata: JsonMap::new(),
            items,
        }
    }
}

fn ignored<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<JsonMap, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| JsonMap::new())
}
