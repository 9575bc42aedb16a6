//! Opening the place where bytes lie.

use std::io;
use std::path::{Path, PathBuf};

use super::objects::Objects;
use super::{AttachmentOptions, Attachments, Surroundings, bucket};
use crate::config::BucketSettings;

/// Why there is no place for bytes. Each sentence is for the operator; none holds a key.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or entered.
    #[error("the folder `{}` cannot be used: {why}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The settings of the bucket do not fit together.
    #[error("the bucket cannot be used: {0}")]
    Bucket(#[source] object_store::Error),
}

impl Attachments {
    /// Attachments whose bytes lie in a folder, which is made if need be.
    ///
    /// # Errors
    /// The folder cannot be made, or not be written to.
    pub fn in_folder(folder: &Path, options: AttachmentOptions, house: Surroundings<'_>) -> Result<Self, OpenError> {
        let failed = |why: io::Error| OpenError::Folder { folder: folder.to_owned(), why };
        make(folder).map_err(failed)?;
        // What the first reader would otherwise be told is told to the operator.
        probe(folder).map_err(failed)?;
        let whole = folder.canonicalize().map_err(failed)?;
        let objects = Objects::in_folder(whole).map_err(|why| failed(io::Error::other(why)))?;
        Ok(Self::new(house, objects, options))
    }

    /// Attachments whose bytes lie in a bucket. Whether it is there is seen when the first file comes.
    ///
    /// # Errors
    /// The settings do not fit together.
    pub fn in_bucket(
        settings: &BucketSettings,
        client: reqwest::Client,
        options: AttachmentOptions,
        house: Surroundings<'_>,
    ) -> Result<Self, OpenError> {
        let bucket = bucket::open(settings, client).map_err(OpenError::Bucket)?;
        Ok(Self::new(house, Objects::in_bucket(bucket, &settings.prefix), options))
    }
}

/// Makes the folder; what lies in it is for the server alone.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file and takes it away again.
fn probe(folder: &Path) -> io::Result<()> {
    let probe = folder.join(".writable");
    std::fs::write(&probe, b"")?;
    match std::fs::remove_file(&probe) {
        // Another instance that starts on the same folder was quicker.
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}
