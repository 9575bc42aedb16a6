//! Where bytes lie: a folder, or a bucket of any store that speaks S3.
//!
//! Each object has a folder of its own, so that whatever an interrupted write left beside it can be cleared away too.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::time::timeout;

use super::AttachmentError;

/// One call of the object store may take so long.
const CALL_TIME_MAX: Duration = Duration::from_secs(60);
/// Uploads that were cut off and wait for the sweep; of more than these, the bucket's own rules take care.
const ABANDONED_MAX: usize = 1_024;
/// So much is gathered before it is written to a folder, in bytes.
const FOLDER_PART_BYTES: usize = 256 * 1024;
/// The same for a bucket: no part but the last may be smaller.
const BUCKET_PART_BYTES: usize = 5 * 1024 * 1024;
/// The name of an object in its folder.
const OBJECT: &str = "bytes";

/// The object store.
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    folder: Option<PathBuf>,
    part_bytes: usize,
    /// Uploads to a bucket whose request went away: their parts cost money until somebody says that they are not wanted.
    abandoned: Mutex<Vec<Box<dyn MultipartUpload>>>,
}

impl Objects {
    /// Below a folder that is there.
    pub(super) fn in_folder(folder: PathBuf) -> Result<Self, Error> {
        let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
        Ok(Self::of(Arc::new(store), Path::default(), Some(folder), FOLDER_PART_BYTES))
    }

    /// In a bucket, below a prefix.
    pub(super) fn in_bucket(bucket: AmazonS3, prefix: &str) -> Self {
        Self::of(Arc::new(bucket), Path::from(prefix), None, BUCKET_PART_BYTES)
    }

    fn of(store: Arc<dyn ObjectStore>, prefix: Path, folder: Option<PathBuf>, part_bytes: usize) -> Self {
        Self { store, prefix, folder, part_bytes, abandoned: Mutex::default() }
    }

    fn path(&self, key: &str) -> Path {
        self.prefix.clone().join(key).join(OBJECT)
    }

    /// Begins an object. Nobody sees it before [`Writing::finish`].
    pub(super) fn write(&self, key: &str) -> Writing<'_> {
        Writing { objects: self, path: self.path(key), gathered: BytesMut::new(), parts: None }
    }

    /// The bytes of an object, piece by piece; none when it is not there.
    pub(super) async fn open(
        &self,
        key: &str,
    ) -> Result<Option<BoxStream<'static, Result<Bytes, AttachmentError>>>, AttachmentError> {
        let mut pieces = match in_time(self.store.get(&self.path(key))).await {
            Ok(found) => found.into_stream(),
            Err(AttachmentError::Bytes(Error::NotFound { .. })) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Box::pin(async_stream::try_stream! {
            while let Some(piece) = in_time(async { pieces.next().await.transpose() }).await? {
                yield piece;
            }
        })))
    }

    /// Deletes an object and whatever lies beside it; fine when there is nothing.
    pub(super) async fn forget(&self, key: &str) -> Result<(), AttachmentError> {
        match in_time(self.store.delete(&self.path(key))).await {
            Ok(()) | Err(AttachmentError::Bytes(Error::NotFound { .. })) => {}
            Err(error) => return Err(error),
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        // Keys are minted here, of letters, digits and `_`; another one would name some other folder.
        let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match tokio::fs::remove_dir_all(folder.join(if plain { key } else { OBJECT })).await {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                Err(AttachmentError::Bytes(Error::Generic { store: "folder", source: Box::new(why) }))
            }
            _ => Ok(()),
        }
    }

    /// Tells the bucket which uploads were cut off. How many there were.
    pub(super) async fn clear_abandoned(&self) -> usize {
        let abandoned = std::mem::take(&mut *self.lock());
        let count = abandoned.len();
        for mut parts in abandoned {
            if let Err(error) = in_time(parts.abort()).await {
                tracing::debug!(%error, "An upload that was cut off could not be taken back");
            }
        }
        count
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn MultipartUpload>>> {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object that is being written.
pub(super) struct Writing<'a> {
    objects: &'a Objects,
    path: Path,
    gathered: BytesMut,
    /// Only an object that is larger than one part comes in parts.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Writing<'_> {
    /// Adds a piece.
    pub(super) async fn add(&mut self, mut piece: &[u8]) -> Result<(), AttachmentError> {
        while self.gathered.len() + piece.len() >= self.objects.part_bytes {
            let (fits, rest) = piece.split_at(self.objects.part_bytes - self.gathered.len());
            self.gathered.extend_from_slice(fits);
            self.flush().await?;
            piece = rest;
        }
        self.gathered.extend_from_slice(piece);
        Ok(())
    }

    /// Writes what was gathered as the next part.
    async fn flush(&mut self) -> Result<(), AttachmentError> {
        let payload = PutPayload::from(self.gathered.split().freeze());
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => self.parts.insert(in_time(self.objects.store.put_multipart(&self.path)).await?),
        };
        in_time(parts.put_part(payload)).await
    }

    /// Makes the object visible, whole.
    pub(super) async fn finish(mut self) -> Result<(), AttachmentError> {
        if self.parts.is_none() {
            let payload = PutPayload::from(self.gathered.split().freeze());
            in_time(self.objects.store.put(&self.path, payload)).await?;
            return Ok(());
        }
        if !self.gathered.is_empty() {
            self.flush().await?;
        }
        if let Some(parts) = &mut self.parts {
            in_time(parts.complete()).await?;
        }
        self.parts = None;
        Ok(())
    }

    /// Takes back what was written.
    pub(super) async fn abort(mut self) {
        if let Some(parts) = &mut self.parts
            && in_time(parts.abort()).await.is_ok()
        {
            self.parts = None;
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // In a folder the parts go with their handle.
        if let (Some(parts), None) = (self.parts.take(), &self.objects.folder) {
            let mut abandoned = self.objects.lock();
            if abandoned.len() < ABANDONED_MAX {
                abandoned.push(parts);
            }
        }
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, AttachmentError> {
    match timeout(CALL_TIME_MAX, call).await {
        Ok(told) => told.map_err(AttachmentError::Bytes),
        Err(_) => Err(AttachmentError::BytesSlow(CALL_TIME_MAX)),
    }
}
