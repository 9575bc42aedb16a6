//! What can go wrong with an attachment, by what its sender can do about it.

use std::time::Duration;

use chatkit_protocol::AttachmentId;

use crate::store::StoreError;

/// What in the bytes of a file speaks against what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// It begins as a PDF does.
    #[error("it is a PDF")]
    IsPdf,
    /// It begins as something else does.
    #[error("its first bytes are those of something else")]
    IsOther,
    /// It is said to be text.
    #[error("it holds bytes that no text holds")]
    NoText,
    /// It may be text in another encoding.
    #[error("it is not text in UTF-8; save it as UTF-8")]
    NoUtf8,
}

/// Why a file was not taken, found or handed out. After a refusal nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// It has more bytes than are accepted.
    #[error("the file is larger than {max} bytes; send a smaller one")]
    TooLarge {
        /// Bytes that would have been accepted.
        max: u64,
    },
    /// It has no bytes.
    #[error("the file is empty; send one that has something in it")]
    Empty,
    /// Files of this type are not taken here.
    #[error("files of type `{mime_type}` are not accepted; these are: {accepted}")]
    TypeNotAccepted {
        /// What the client says it is, shortened.
        mime_type: String,
        /// The types that are, separated by commas.
        accepted: String,
    },
    /// The bytes are not what the client says they are.
    #[error("the file is not what it says it is, `{mime_type}`: {why}")]
    NotWhatItSays {
        /// What the client says it is.
        mime_type: String,
        /// What speaks against it.
        why: Contradiction,
    },
    /// Somebody was first.
    #[error("this attachment has its file already; create another attachment for another file")]
    AlreadyUploaded,
    /// The owner has no room for more.
    #[error("too many files wait to be sent with a message; send or delete some of them, or try again tomorrow")]
    TooMany,
    /// This server takes as many uploads as it can.
    #[error("too many uploads are running; try again in a few seconds")]
    Busy,
    /// Nobody gave out this link.
    #[error("this link is not one of this server, or was changed")]
    LinkWrong,
    /// The link is too old.
    #[error("this link has expired; ask for a new one")]
    LinkExpired,
    /// No such attachment for this caller.
    #[error("there is no attachment `{0}`")]
    NoAttachment(AttachmentId),
    /// It was announced, and its bytes did not come yet.
    #[error("the file of attachment `{0}` has not been uploaded yet")]
    NotArrived(AttachmentId),
    /// The bytes stopped coming.
    #[error("the upload broke off before its end; send the file again")]
    BrokenOff,
    /// The bytes came too slowly.
    #[error("the file did not arrive in time: it may be silent for {} s and take {} s in all", silence.as_secs(), whole.as_secs())]
    TooSlow {
        /// How long it may be silent.
        silence: Duration,
        /// How long it may take.
        whole: Duration,
    },
    /// The database did not do its part.
    #[error("the store of attachments failed")]
    Store(#[source] StoreError),
    /// The object store did not do its part.
    #[error("the object store failed")]
    Bytes(#[source] object_store::Error),
    /// The object store did not answer in time.
    #[error("the object store did not answer within {} s", .0.as_secs())]
    BytesSlow(Duration),
}

impl From<StoreError> for AttachmentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoAttachment(id) => Self::NoAttachment(id),
            other => Self::Store(other),
        }
    }
}
