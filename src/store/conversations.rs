//! Conversations as their readers look back on them: newest talk first, counted, and a stretch of the list at a time.

use async_trait::async_trait;
use chatkit_protocol::{ThreadId, ThreadRecord, Timestamp};
use chrono::{DateTime, Utc};

use super::rows::ThreadRow;
use super::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, StoreError};
use crate::identity::OwnerId;

/// A thread with what a list of conversations says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// The thread.
    pub thread: ThreadRecord,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
    /// Messages of the reader, and answers.
    pub messages: u64,
}

/// A part of a list that is counted off from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Rows at most; 0 means [`PAGE_ROWS_DEFAULT`], more than [`PAGE_ROWS_MAX`] means that.
    pub limit: u32,
    /// Rows that are passed over.
    pub offset: u32,
}

impl Stretch {
    /// The number of rows really read, between 1 and [`PAGE_ROWS_MAX`].
    pub fn rows(&self) -> u32 {
        match self.limit {
            0 => PAGE_ROWS_DEFAULT,
            limit => limit.min(PAGE_ROWS_MAX),
        }
    }
}

/// Threads, looked back on.
#[async_trait]
pub trait ConversationStore: Send + Sync + 'static {
    /// A stretch of the owner's threads, the one that changed last first, and how many there are all together.
    async fn conversations(&self, owner: &OwnerId, asked: Stretch) -> Result<(Vec<Conversation>, u64), StoreError>;

    /// One of them. [`StoreError::NoThread`] when it is not there or not theirs.
    async fn conversation(&self, owner: &OwnerId, id: &ThreadId) -> Result<Conversation, StoreError>;
}

/// A conversation as it is selected.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct ConversationRow {
    #[sqlx(flatten)]
    thread: ThreadRow,
    updated_at: DateTime<Utc>,
    messages: i64,
}

impl ConversationRow {
    /// The conversation of a row.
    pub(super) fn conversation(self) -> Result<Conversation, StoreError> {
        Ok(Conversation {
            thread: self.thread.record()?,
            updated_at: Timestamp::new(self.updated_at),
            messages: counted(self.messages),
        })
    }
}

/// A count as the database gives it.
pub(super) fn counted(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
