//! What can be wrong with a request, by what its sender can do about it.

use chatkit_protocol::{AttachmentId, Malformed};

use crate::attachments::AttachmentError;
use crate::quota::Reached;
use crate::store::StoreError;

/// Why a request was not carried out; nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// A member of the request is wrong.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No such thread for this caller.
    #[error("there is no thread with this `thread_id`; list the threads to see which there are")]
    NoThread,
    /// No such item in the thread.
    #[error("the thread has no item with this `item_id`, or nothing of the reader before it")]
    NoItem,
    /// No such attachment for this caller.
    #[error("there is no attachment with the id `{0}` in `params.input.attachments`")]
    NoAttachment(AttachmentId),
    /// A file could not be taken or found.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// The cursor belongs to no row of the list.
    #[error("`params.after` is not the id of a row of this list; begin again without it")]
    UnknownCursor,
    /// The message is larger than the limit.
    #[error("`params.input.content` holds {bytes} bytes of text; at most {max} are accepted")]
    MessageTooLarge {
        /// Bytes that came.
        bytes: usize,
        /// Bytes that would have been accepted.
        max: usize,
    },
    /// Nothing in the thread waits for the output of a client tool.
    #[error(
        "no client tool call of this thread is pending; its output has been brought already, or nobody asked for it"
    )]
    NoPendingCall,
    /// Answers are for forms.
    #[error("`params.item_id` is not a `structured_input` item")]
    NotAForm,
    /// The form was answered or passed over before.
    #[error("this form has been answered or skipped already")]
    FormIsDone,
    /// Actions come from widgets, or from no item at all.
    #[error("`params.item_id` is not a `widget` item; leave it out for an action of the page itself")]
    NotAWidget,
    /// Somebody else changes the same items all the time.
    #[error("the items of this thread were changed meanwhile; read the thread again and retry")]
    Changed,
    /// The caller has done as much as they may for now.
    #[error(transparent)]
    Reached(Box<Reached>),
    /// The responder has a sentence for the caller.
    #[error("{0}")]
    Refused(String),
    /// The protocol has this request, this server does not do it; says what is missing.
    #[error("this server {0}")]
    NotSupported(&'static str),
    /// The responder failed; nothing of it was stored.
    #[error("the request could not be carried out; try again")]
    Failed,
    /// The responder took too long; nothing of it was stored.
    #[error("the request took too long; try again")]
    TooSlow,
    /// The store did not do its part.
    #[error("the conversation store failed")]
    Store(#[source] StoreError),
}

impl ChatError {
    /// Whether the caller has no such thing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::NoThread | Self::NoItem | Self::NoAttachment(_))
    }

    /// Whether the same request may succeed later: nothing is wrong with it.
    pub(super) fn is_our_fault(&self) -> bool {
        match self {
            Self::Store(_) | Self::Failed | Self::TooSlow => true,
            Self::Attachment(error) => {
                matches!(error, AttachmentError::Store(_) | AttachmentError::Bytes(_) | AttachmentError::BytesSlow(_))
            }
            Self::Malformed(_)
            | Self::NoThread
            | Self::NoItem
            | Self::NoAttachment(_)
            | Self::UnknownCursor
            | Self::MessageTooLarge { .. }
            | Self::NoPendingCall
            | Self::NotAForm
            | Self::FormIsDone
            | Self::NotAWidget
            | Self::Changed
            | Self::Reached(_)
            | Self::Refused(_)
            | Self::NotSupported(_) => false,
        }
    }
}

impl From<Reached> for ChatError {
    fn from(reached: Reached) -> Self {
        Self::Reached(Box::new(reached))
    }
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoThread => Self::NoThread,
            StoreError::NoItem => Self::NoItem,
            StoreError::NoAttachment(id) => Self::NoAttachment(id),
            StoreError::UnknownCursor => Self::UnknownCursor,
            StoreError::Changed => Self::Changed,
            other => Self::Store(other),
        }
    }
}
