//! Attachments: announced, taken away, and found again for the message that names them.

use chatkit_protocol::{Attachment, AttachmentId, AttachmentsCreate, AttachmentsDelete, Response, ThreadId};

use super::{Chat, ChatError};
use crate::identity::Identity;

pub(super) async fn create(chat: &Chat, who: &Identity, asked: AttachmentsCreate) -> Result<Response, ChatError> {
    let _ = (chat, who, asked);
    Err(ChatError::NotSupported)
}

pub(super) async fn delete(chat: &Chat, who: &Identity, asked: AttachmentsDelete) -> Result<Response, ChatError> {
    let _ = (chat, who, asked);
    Err(ChatError::NotSupported)
}

/// The attachments that a message names, as the message carries them.
pub(super) async fn of_message(
    chat: &Chat,
    who: &Identity,
    thread_id: &ThreadId,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>, ChatError> {
    let _ = (chat, who, thread_id);
    match ids.first() {
        Some(id) => Err(ChatError::NoAttachment(id.clone())),
        None => Ok(Vec::new()),
    }
}
