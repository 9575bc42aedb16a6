//! Bytes on their way in: measured, looked at and written while they arrive, never held as a whole.

use std::time::Duration;

use bytes::Bytes;
use chatkit_protocol::{Attachment, StoredAttachment, Timestamp};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use super::kinds::{self, Check};
use super::links::{Link, Purpose};
use super::objects::Writing;
use super::{AttachmentError, Attachments, names};
use crate::identity::OwnerId;
use crate::store::attachments::{Kept, StoredObject};

/// An upload may take so long in all.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(10 * 60);
/// An upload may be silent for so long.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Bytes that nobody took by then are left over. Longer than any upload takes with all that belongs to it.
const LEFT_OVER_AFTER: Duration = Duration::from_secs(30 * 60);

/// A file on its way in.
pub struct Incoming<S> {
    /// How many bytes the client says there are, if it does: more than are accepted is refused at once.
    pub announced_bytes: Option<u64>,
    /// The bytes; an error means that they broke off.
    pub pieces: S,
}

/// What a client says of a file that it sends without having announced it.
#[derive(Clone, Debug)]
pub struct Description {
    /// The file's name; may be empty.
    pub name: String,
    /// What it is; may be empty.
    pub mime_type: String,
}

impl Attachments {
    /// Takes the bytes of an attachment that was announced; the link is its descriptor's.
    ///
    /// # Errors
    /// Any refusal; nothing of the bytes is kept, and the link is as good as before.
    pub async fn upload<E: Send>(
        &self,
        link: &Link,
        incoming: Incoming<impl Stream<Item = Result<Bytes, E>> + Send + Unpin>,
    ) -> Result<Attachment, AttachmentError> {
        self.0.links.check(Purpose::Upload, link, self.0.clock.now())?;
        let announced = self.0.store.attachment(&link.id).await?;
        if announced.object.is_some() {
            return Err(AttachmentError::AlreadyUploaded);
        }
        let attachment = announced.stored.attachment;
        let object = self.receive(&attachment.mime_type, incoming).await?;
        let room = self.room(&announced.owner);
        let kept = self.0.store.keep_bytes(&link.id, &object, &room).await;
        self.settle(&object.key, kept).await?;
        Ok(attachment)
    }

    /// Takes a file that was not announced.
    ///
    /// # Errors
    /// Any refusal; nothing is kept.
    pub async fn take<E: Send>(
        &self,
        owner: &OwnerId,
        told: &Description,
        incoming: Incoming<impl Stream<Item = Result<Bytes, E>> + Send + Unpin>,
    ) -> Result<Attachment, AttachmentError> {
        let name = names::clean(&told.name);
        let mime_type = kinds::accept(&told.mime_type, &name, &self.0.options.types)?;
        let attachment = self.attachment(name, mime_type);
        let object = self.receive(&attachment.mime_type, incoming).await?;
        let stored = StoredAttachment { attachment, metadata: Default::default() };
        let (now, room) = (self.0.clock.now(), self.room(owner.as_str()));
        let kept = self.0.store.keep_whole(owner, &stored, &object, &room, now).await;
        self.settle(&object.key, kept).await?;
        Ok(stored.attachment)
    }

    /// Writes the bytes of a file under a new key.
    async fn receive<E: Send>(
        &self,
        mime_type: &str,
        incoming: Incoming<impl Stream<Item = Result<Bytes, E>> + Send + Unpin>,
    ) -> Result<StoredObject, AttachmentError> {
        let bytes_max = self.0.options.bytes_max;
        if incoming.announced_bytes.is_some_and(|bytes| bytes > bytes_max) {
            return Err(AttachmentError::TooLarge { max: bytes_max });
        }
        let _place = self.0.uploads.try_acquire().map_err(|_| AttachmentError::Busy)?;
        self.look_soon();
        let key = self.0.ids.mint("obj");
        let due = Timestamp::new(self.0.clock.now().utc() + LEFT_OVER_AFTER);
        self.0.store.expect_bytes(&key, due).await?;
        let mut writing = self.0.objects.write(&key);
        let passed = timeout(UPLOAD_TIME_MAX, pass(incoming.pieces, mime_type, bytes_max, &mut writing)).await;
        let written = match passed.unwrap_or_else(|_| Err(too_slow())) {
            Ok(size_bytes) => writing.finish().await.map(|()| size_bytes),
            Err(error) => {
                writing.abort().await;
                Err(error)
            }
        };
        match written {
            Ok(size_bytes) => Ok(StoredObject { key, size_bytes }),
            Err(error) => {
                self.clear(&key).await;
                Err(error)
            }
        }
    }

    /// Clears away bytes that were not kept after all.
    async fn settle(&self, key: &str, kept: Result<Kept, crate::store::StoreError>) -> Result<(), AttachmentError> {
        let refusal = match kept {
            Ok(Kept::Now) => return Ok(()),
            Ok(Kept::Before) => AttachmentError::AlreadyUploaded,
            Ok(Kept::NoRoom) => AttachmentError::TooMany,
            Ok(Kept::TooLate) => too_slow(),
            // Whether it was kept is not known: what the rows say later decides.
            Err(error @ (crate::store::StoreError::Away(_) | crate::store::StoreError::Slow(_))) => {
                return Err(error.into());
            }
            Err(error) => error.into(),
        };
        self.clear(key).await;
        Err(refusal)
    }

    /// Deletes bytes that nobody names; what cannot be deleted now is left for the sweep.
    async fn clear(&self, key: &str) {
        let cleared = async {
            self.0.objects.forget(key).await?;
            Ok::<_, AttachmentError>(self.0.store.forget_leftovers(&[key.to_owned()]).await?)
        };
        if let Err(error) = cleared.await {
            tracing::debug!(%error, "Bytes of a refused upload are left for the sweep");
        }
    }
}

/// Passes bytes on as they arrive. How many there were.
async fn pass<E>(
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    mime_type: &str,
    bytes_max: u64,
    writing: &mut Writing<'_>,
) -> Result<u64, AttachmentError> {
    let mut check = Check::new(mime_type);
    let mut size_bytes = 0;
    while let Some(piece) = timeout(SILENCE_MAX, pieces.next()).await.map_err(|_| too_slow())? {
        let piece = piece.map_err(|_| AttachmentError::BrokenOff)?;
        size_bytes += piece.len() as u64;
        if size_bytes > bytes_max {
            return Err(AttachmentError::TooLarge { max: bytes_max });
        }
        check.hear(&piece)?;
        writing.add(&piece).await?;
    }
    if size_bytes == 0 {
        return Err(AttachmentError::Empty);
    }
    check.finish()?;
    Ok(size_bytes)
}

fn too_slow() -> AttachmentError {
    AttachmentError::TooSlow { silence: SILENCE_MAX, whole: UPLOAD_TIME_MAX }
}
