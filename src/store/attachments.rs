//! Rows of attachments: what is known of readers' files, and of bytes that wait to be deleted.
//!
//! An attachment that its reader deleted, or whose thread is gone, is not there any more for anybody, though its row
//! waits for the sweep.

use async_trait::async_trait;
use chatkit_protocol::{AttachmentId, StoredAttachment, Timestamp};

use super::{StoreError, rows};
use crate::identity::OwnerId;

/// Where the bytes of an attachment lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Their name in the object store.
    pub key: String,
    /// How many there are.
    pub size_bytes: u64,
}

/// An attachment as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAttachment {
    /// Whose it is: the text of an [`OwnerId`].
    pub owner: String,
    /// What is shown and what is private, without an upload descriptor.
    pub stored: StoredAttachment,
    /// Its bytes, once they are there.
    pub object: Option<StoredObject>,
}

/// How much one owner may have without any message that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Attachments at most.
    pub count_max: u32,
    /// Bytes at most, all of them together.
    pub bytes_max: u64,
    /// Attachments that were announced before and whose bytes never came take no room.
    pub announced_after: Timestamp,
}

/// What became of bytes that somebody wanted kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// They are the attachment's from now on.
    Now,
    /// The attachment has its bytes already.
    Before,
    /// The owner has no room for them.
    NoRoom,
    /// They were due to be deleted meanwhile.
    TooLate,
}

/// Attachments. A method without an owner is for callers whose right was proven by a signature.
#[async_trait]
pub trait AttachmentStore: Send + Sync + 'static {
    /// Keeps an attachment whose bytes are to come. Whether its owner had room for it.
    async fn announce(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        room: &Room,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Attachments in the order of their ids. [`StoreError::NoAttachment`] names the first that is not there or not
    /// theirs.
    async fn attachments(&self, owner: &OwnerId, ids: &[AttachmentId]) -> Result<Vec<KeptAttachment>, StoreError>;

    /// An attachment, whosever it is.
    async fn attachment(&self, id: &AttachmentId) -> Result<KeptAttachment, StoreError>;

    /// Writes down that bytes will lie under a key, before the first of them does. They are deleted when due, unless
    /// an attachment takes them.
    async fn expect_bytes(&self, key: &str, due: Timestamp) -> Result<(), StoreError>;

    /// Gives expected bytes to an attachment that was announced.
    async fn keep_bytes(&self, id: &AttachmentId, object: &StoredObject, room: &Room) -> Result<Kept, StoreError>;

    /// Keeps an attachment together with its expected bytes.
    async fn keep_whole(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        object: &StoredObject,
        room: &Room,
        now: Timestamp,
    ) -> Result<Kept, StoreError>;

    /// Deletes an attachment; nothing happens when it is not there or not theirs.
    async fn delete_attachment(&self, owner: &OwnerId, id: &AttachmentId) -> Result<(), StoreError>;

    /// Gives attachments that no message names yet to another owner; what is not there, or not theirs, is left alone.
    async fn hand_over(&self, from: &OwnerId, to: &OwnerId, ids: &[AttachmentId]) -> Result<(), StoreError>;

    /// Removes rows of attachments that were deleted, whose thread is gone, or that were announced before
    /// `unused_before` and named by no message: at most `limit`. Their bytes become leftovers that are due now.
    /// How many there were.
    async fn let_go(&self, now: Timestamp, unused_before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Keys of leftovers that are due, the oldest first.
    async fn leftovers(&self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError>;

    /// Forgets leftovers whose bytes are gone.
    async fn forget_leftovers(&self, keys: &[String]) -> Result<(), StoreError>;
}

/// An attachment as it is selected.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct AttachmentRow {
    pub(super) id: String,
    pub(super) owner: String,
    /// JSON.
    pub(super) document: String,
    pub(super) object_key: Option<String>,
    pub(super) size_bytes: Option<i64>,
}

impl AttachmentRow {
    /// The attachment of a row.
    pub(super) fn kept(&self) -> Result<KeptAttachment, StoreError> {
        let size = |bytes| u64::try_from(bytes).unwrap_or(0);
        let object = self.object_key.clone().zip(self.size_bytes);
        Ok(KeptAttachment {
            owner: self.owner.clone(),
            stored: rows::read(&self.document)?,
            object: object.map(|(key, bytes)| StoredObject { key, size_bytes: size(bytes) }),
        })
    }
}

/// The attachments of rows in the order of their ids, or the first that is missing.
pub(super) fn in_order(rows: &[AttachmentRow], ids: &[AttachmentId]) -> Result<Vec<KeptAttachment>, StoreError> {
    let find = |id: &AttachmentId| rows.iter().find(|row| row.id == id.as_str());
    ids.iter().map(|id| find(id).ok_or_else(|| StoreError::NoAttachment(id.clone()))?.kept()).collect()
}

/// A number of bytes as databases count.
pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What is kept of an attachment: an address for its bytes is nobody else's business, and does not last.
pub(super) fn document(attachment: &StoredAttachment) -> Result<String, StoreError> {
    let mut kept = attachment.clone();
    kept.attachment.upload_descriptor = None;
    rows::json(&kept)
}
