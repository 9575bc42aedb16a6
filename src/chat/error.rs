//! What can be wrong with a request, by what its sender can do about it.

use chatkit_protocol::Malformed;

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
    NoAttachment(String),
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
    /// The protocol has this request, this server does not.
    #[error("requests of type `{0}` are not supported by this server yet")]
    NotSupported(&'static str),
    /// The store did not do its part.
    #[error("the conversation store failed")]
    Store(#[source] StoreError),
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoThread => Self::NoThread,
            StoreError::NoItem => Self::NoItem,
            StoreError::UnknownCursor => Self::UnknownCursor,
            other => Self::Store(other),
        }
    }
}
