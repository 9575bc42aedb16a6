//! Attachments: announced, taken away, and found again for the message that names them.

use chatkit_protocol::{
    Attachment, AttachmentId, AttachmentsCreate, AttachmentsDelete, Malformed, Response, StoredAttachment, ThreadId,
};

use super::{Chat, ChatError};
use crate::attachments::AttachmentError;
use crate::identity::Identity;

/// What a caller is told where there is no place for files.
const KEEPS_NONE: ChatError =
    ChatError::NotSupported("keeps no attachments; whoever runs it can give them a place with ATTACHMENTS_URL");

pub(super) async fn create(chat: &Chat, who: &Identity, asked: AttachmentsCreate) -> Result<Response, ChatError> {
    let attachments = chat.attachments.as_ref().ok_or(KEEPS_NONE)?;
    Ok(Response::Attachment(attachments.create(&who.owner(), &asked).await?))
}

pub(super) async fn delete(chat: &Chat, who: &Identity, asked: AttachmentsDelete) -> Result<Response, ChatError> {
    let attachments = chat.attachments.as_ref().ok_or(KEEPS_NONE)?;
    attachments.delete(&who.owner(), &asked.attachment_id).await?;
    Ok(Response::Empty)
}

/// A visitor's message names files that were uploaded while the visitor was a stranger: from now on they are the
/// visitor's. Whether there are such files is found out by carrying out the request again.
pub(super) async fn take_over(chat: &Chat, visitor: &Identity, ids: &[AttachmentId]) -> Result<(), ChatError> {
    match &chat.attachments {
        Some(attachments) => Ok(attachments.hand_over(&Identity::Stranger.owner(), &visitor.owner(), ids).await?),
        None => Ok(()),
    }
}

/// The attachments that a message names, as the message carries them. Their bytes may still be on their way.
pub(super) async fn of_message(
    chat: &Chat,
    who: &Identity,
    thread_id: &ThreadId,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>, ChatError> {
    let Some(first) = ids.first() else { return Ok(Vec::new()) };
    let Some(attachments) = &chat.attachments else { return Err(ChatError::NoAttachment(first.clone())) };
    let most = attachments.options().per_message_max;
    if ids.len() > most {
        let problem = format!("names {} files; at most {most} are accepted", ids.len());
        return Err(Malformed { member: "params.input.attachments".to_owned(), problem }.into());
    }
    let found = attachments.find(&who.owner(), ids).await.map_err(|error| match error {
        AttachmentError::NoAttachment(id) => ChatError::NoAttachment(id),
        other => other.into(),
    })?;
    let carried = found.into_iter().map(|StoredAttachment { attachment, .. }| Attachment {
        thread_id: Some(thread_id.clone()),
        upload_descriptor: None,
        ..attachment
    });
    Ok(carried.collect())
}
