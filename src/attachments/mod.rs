//! Files of readers: announced, uploaded, shown, read by the model, and cleared away.
//!
//! What is known of a file is a row of the store; its bytes lie in an object store. Bytes belong to an attachment from
//! the moment its row says so, and never before they are whole and have been looked at.

mod bucket;
mod error;
mod kinds;
mod links;
mod names;
mod objects;
mod open;
mod sweep;
mod upload;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chatkit_protocol::{
    Attachment, AttachmentId, AttachmentKind, AttachmentsCreate, JsonMap, StoredAttachment, Timestamp,
    UploadDescriptor, UploadMethod,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::identity::{Ids, OwnerId};
use crate::store::AttachmentStore;
use crate::store::attachments::{KeptAttachment, Room, StoredObject};
use links::Links;
use objects::Objects;

pub use error::{AttachmentError, Contradiction};
pub use links::{Link, Purpose};
pub use open::OpenError;
pub use sweep::Swept;
pub use upload::{Description, Incoming};

/// Uploads that are received at the same time; each may hold a part of a file in memory.
const UPLOADS_TOGETHER_MAX: usize = 32;
/// Attachments that all strangers together, who have one owner, may have without any message that names them.
const STRANGERS_UNUSED_MAX: u32 = 1_000;
/// Full-sized files' worth of bytes that one owner may have without any message that names them.
const UNUSED_FILES_MAX: u64 = 20;
/// The same for all strangers together.
const STRANGERS_UNUSED_FILES_MAX: u64 = 100;

/// Limits of attachments.
#[derive(Clone, Debug)]
pub struct AttachmentOptions {
    /// The largest file, in bytes.
    pub bytes_max: u64,
    /// Attachments of one message at most.
    pub per_message_max: usize,
    /// Attachments that one owner may have without any message that names them.
    pub unused_max: u32,
    /// The types that are accepted, such as `image/png`, `text/*` and `*/*`, in lower case.
    pub types: Vec<String>,
    /// How long the address for an upload, or for a download, is good.
    pub link_lifetime: Duration,
}

/// Attachments. Cheap to clone.
#[derive(Clone)]
pub struct Attachments(Arc<Inner>);

struct Inner {
    store: Arc<dyn AttachmentStore>,
    objects: Objects,
    links: Links,
    options: AttachmentOptions,
    clock: Clock,
    ids: Ids,
    uploads: Semaphore,
    /// Whether something happened here since the last sweep.
    busy: AtomicBool,
}

/// What attachments need of the house.
pub struct Surroundings<'a> {
    /// Where their rows are kept.
    pub store: Arc<dyn AttachmentStore>,
    /// The server's secrets, at least one: links are signed with a key made of the first, and believed with one of any.
    pub secrets: &'a [SecretString],
    /// Where readers reach this server, without a slash at the end.
    pub base_url: &'a str,
    /// The time.
    pub clock: Clock,
    /// Names.
    pub ids: Ids,
}

/// A file that somebody may fetch.
pub struct Opened {
    /// What it is.
    pub mime_type: String,
    /// Its name.
    pub name: String,
    /// How large it is, in bytes.
    pub size_bytes: u64,
    /// Whether a browser may show it in place: only pictures, which can hold no script.
    pub is_picture: bool,
    /// Its bytes.
    pub pieces: BoxStream<'static, Result<Bytes, AttachmentError>>,
}

impl Attachments {
    fn new(house: Surroundings<'_>, objects: Objects, options: AttachmentOptions) -> Self {
        Self(Arc::new(Inner {
            store: house.store,
            objects,
            links: Links::new(house.secrets, house.base_url),
            options,
            clock: house.clock,
            ids: house.ids,
            uploads: Semaphore::new(UPLOADS_TOGETHER_MAX),
            busy: AtomicBool::new(false),
        }))
    }

    /// The limits.
    pub fn options(&self) -> &AttachmentOptions {
        &self.0.options
    }

    /// Announces a file: the answer says where its bytes are to be sent.
    ///
    /// # Errors
    /// Its type is not accepted, the client itself says that it is too large, or the owner has no room for it.
    pub async fn create(&self, owner: &OwnerId, asked: &AttachmentsCreate) -> Result<Attachment, AttachmentError> {
        let AttachmentOptions { bytes_max, types, link_lifetime, .. } = &self.0.options;
        if u64::try_from(asked.size).is_ok_and(|bytes| bytes > *bytes_max) {
            return Err(AttachmentError::TooLarge { max: *bytes_max });
        }
        let name = names::clean(&asked.name);
        let mime_type = kinds::accept(&asked.mime_type, &name, types)?;
        let attachment = self.attachment(name, mime_type);
        let mut stored = StoredAttachment { attachment, metadata: JsonMap::new() };
        let now = self.0.clock.now();
        self.look_soon();
        if !self.0.store.announce(owner, &stored, &self.room(owner.as_str()), now).await? {
            return Err(AttachmentError::TooMany);
        }
        let expires = Timestamp::new(now.utc() + *link_lifetime);
        stored.attachment.upload_descriptor = Some(UploadDescriptor {
            url: self.0.links.url(Purpose::Upload, &stored.attachment.id, Some(expires)),
            method: UploadMethod::Put,
            headers: JsonMap::new(),
        });
        Ok(stored.attachment)
    }

    /// Attachments for a message, in the order of their ids and without descriptors. Their bytes may still be missing.
    ///
    /// # Errors
    /// [`AttachmentError::NoAttachment`] with the first that is not there, deleted, or somebody else's.
    pub async fn find(&self, owner: &OwnerId, ids: &[AttachmentId]) -> Result<Vec<StoredAttachment>, AttachmentError> {
        let kept = self.0.store.attachments(owner, ids).await?;
        Ok(kept.into_iter().map(|kept| kept.stored).collect())
    }

    /// Gives files that no message names yet to another owner; what is not there, or not theirs, is left alone.
    ///
    /// # Errors
    /// The database.
    pub async fn hand_over(&self, from: &OwnerId, to: &OwnerId, ids: &[AttachmentId]) -> Result<(), AttachmentError> {
        Ok(self.0.store.hand_over(from, to, ids).await?)
    }

    /// Deletes an attachment: nobody finds it any more, and its bytes go with the next sweep. Fine when there is none.
    ///
    /// # Errors
    /// The database.
    pub async fn delete(&self, owner: &OwnerId, id: &AttachmentId) -> Result<(), AttachmentError> {
        self.0.store.delete_attachment(owner, id).await?;
        self.look_soon();
        Ok(())
    }

    /// The whole file, for a model.
    ///
    /// # Errors
    /// It is not there, not theirs, not uploaded yet, or larger than `bytes_max`.
    pub async fn read(&self, owner: &OwnerId, id: &AttachmentId, bytes_max: u64) -> Result<Bytes, AttachmentError> {
        let kept = self.0.store.attachments(owner, std::slice::from_ref(id)).await?;
        let object = kept.into_iter().next().and_then(|kept| kept.object);
        let object = object.ok_or_else(|| AttachmentError::NotArrived(id.clone()))?;
        if object.size_bytes > bytes_max {
            return Err(AttachmentError::TooLarge { max: bytes_max });
        }
        let mut pieces = self.pieces(id, &object).await?;
        let mut whole = BytesMut::with_capacity(usize::try_from(object.size_bytes).unwrap_or_default());
        while let Some(piece) = pieces.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }

    /// Opens a file for whoever brings a link that allows it.
    ///
    /// # Errors
    /// The link is wrong or has expired, the attachment is gone, or its bytes are not there yet.
    pub async fn open(&self, purpose: Purpose, link: &Link) -> Result<Opened, AttachmentError> {
        self.0.links.check(purpose, link, self.0.clock.now())?;
        let KeptAttachment { stored, object, .. } = self.0.store.attachment(&link.id).await?;
        let object = object.ok_or_else(|| AttachmentError::NotArrived(link.id.clone()))?;
        let pieces = self.pieces(&link.id, &object).await?;
        let Attachment { name, mime_type, .. } = stored.attachment;
        let is_picture = kinds::is_picture(&mime_type);
        Ok(Opened { mime_type, name, size_bytes: object.size_bytes, is_picture, pieces })
    }

    /// Where whoever is given this address can fetch the file, for a while. Whose it is must have been asked before.
    pub fn download_url(&self, id: &AttachmentId) -> String {
        let expires = Timestamp::new(self.0.clock.now().utc() + self.0.options.link_lifetime);
        self.0.links.url(Purpose::Download, id, Some(expires))
    }

    async fn pieces(
        &self,
        id: &AttachmentId,
        object: &StoredObject,
    ) -> Result<BoxStream<'static, Result<Bytes, AttachmentError>>, AttachmentError> {
        let pieces = self.0.objects.open(&object.key).await?;
        pieces.ok_or_else(|| {
            tracing::error!(attachment.id = %id, "The bytes of an attachment are gone; is ATTACHMENTS_URL the same as before?");
            AttachmentError::NoAttachment(id.clone())
        })
    }

    /// A new attachment. Pictures are shown in old conversations too, so their address lasts as long as they do.
    fn attachment(&self, name: String, mime_type: String) -> Attachment {
        let id = AttachmentId::new(self.0.ids.mint("atc"));
        let kind = match mime_type.starts_with("image/") {
            true => AttachmentKind::Image { preview_url: self.0.links.url(Purpose::Preview, &id, None) },
            false => AttachmentKind::File,
        };
        Attachment { id, name, mime_type, upload_descriptor: None, thread_id: None, kind }
    }

    /// The room that an owner has.
    fn room(&self, owner: &str) -> Room {
        let (count_max, files_max) = match owner == OwnerId::stranger().as_str() {
            true => (STRANGERS_UNUSED_MAX.max(self.0.options.unused_max), STRANGERS_UNUSED_FILES_MAX),
            false => (self.0.options.unused_max, UNUSED_FILES_MAX),
        };
        let AttachmentOptions { bytes_max, link_lifetime, .. } = &self.0.options;
        let announced_after = Timestamp::new(self.0.clock.now().utc() - *link_lifetime);
        Room { count_max, bytes_max: files_max.saturating_mul(*bytes_max), announced_after }
    }
}
