//! A folder as a source: its pages are listed first and then read one after the other, off the async threads.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use super::kind::{self, Around, Kind};
use super::source::{End, Page, Read, Source};
use super::walk::{self, Listing};
use super::{Generator, IngestError, Options, Problem, dialect, site_of};

/// How often a file that changes while it is read is read anew.
const READINGS_MAX: usize = 3;

/// The file in which an mdBook lists its pages.
const SUMMARY: &str = "SUMMARY.md";

/// The pages of a folder.
pub struct Folder {
    name: String,
    shared: Arc<Shared>,
    paths: std::vec::IntoIter<String>,
    kept: Vec<String>,
    problems: Vec<Problem>,
}

/// What every reading of a page needs.
struct Shared {
    root: PathBuf,
    around: Around,
}

impl Folder {
    /// Lists the pages of a folder; none of them is read yet.
    ///
    /// # Errors
    /// There is no such folder, it has no pages, or too many.
    pub async fn open(folder: &Path, options: &Options) -> Result<Self, IngestError> {
        let (folder, options) = (folder.to_path_buf(), options.clone());
        off_thread(move || {
            let Listing { root, mut pages, labels, unread, problems } = walk::walk(&folder, &options.exclude)?;
            let has_markdown = pages.iter().any(|path| !matches!(Kind::of(path), Some(Kind::Html | Kind::Pdf)));
            let around = Around { site: site_of(&folder, has_markdown, &options), labels };
            if around.site.generator == Generator::Mdbook {
                let summary = content(&root, SUMMARY, Kind::Markdown.bytes_max());
                let listed = summary.map(|summary| dialect::listed(&String::from_utf8_lossy(&summary)));
                pages.retain(|path| listed.as_ref().map_or(path != SUMMARY, |listed| listed.contains(path)));
            }
            Ok(Self {
                name: folder.display().to_string(),
                shared: Arc::new(Shared { root, around }),
                paths: pages.into_iter(),
                kept: unread,
                problems,
            })
        })
        .await
    }
}

#[async_trait]
impl Source for Folder {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn expected(&self) -> Option<usize> {
        Some(self.paths.len())
    }

    async fn next(&mut self) -> Result<Option<Page>, IngestError> {
        let Some(path) = self.paths.next() else { return Ok(None) };
        let (shared, read) = (Arc::clone(&self.shared), path.clone());
        let page = tokio::task::spawn_blocking(move || page(&shared, read)).await;
        Ok(Some(
            page.unwrap_or_else(|_| broken(path, "reading it failed; please report it; it is left out".to_owned())),
        ))
    }

    fn end(&mut self) -> End {
        End { whole: true, kept: std::mem::take(&mut self.kept), problems: std::mem::take(&mut self.problems) }
    }
}

fn page(shared: &Shared, path: String) -> Page {
    let mut problems = Vec::new();
    // The listing has only paths with a kind.
    let kind = Kind::of(&path).unwrap_or(Kind::Markdown);
    let read = match content(&shared.root, &path, kind.bytes_max()) {
        Ok(content) => kind::read(kind, &path, &content, &shared.around, &mut problems),
        Err(sentence) => return broken(path, sentence),
    };
    Page { path, read, problems }
}

fn broken(path: String, sentence: String) -> Page {
    Page { problems: vec![Problem { path: path.clone(), line: None, sentence }], path, read: Read::Broken }
}

/// The bytes of a file as they were at one time, or a sentence that says why not.
fn content(root: &Path, path: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = root.join(path);
    for _ in 0..READINGS_MAX {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "it vanished while the folder was read".to_owned(),
            kind => format!("it cannot be read ({kind})"),
        };
        // Looked at again: since the folder was listed another file may have taken its place.
        let target = file.canonicalize().map_err(failed)?;
        if !target.starts_with(root) {
            return Err("it is a link that leaves the folder; it is left out".to_owned());
        }
        let before = fs::metadata(&target).map_err(failed)?;
        if !before.is_file() {
            return Err("it is no longer a file; it is left out".to_owned());
        }
        let too_large = || format!("it is larger than {} MiB; it is left out", bytes_max / 1024 / 1024);
        if before.len() > bytes_max {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0));
        let opened = File::open(&target).map_err(failed)?;
        (&opened).take(bytes_max + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > bytes_max {
            return Err(too_large());
        }
        let after = opened.metadata().map_err(failed)?;
        if state(&before) == state(&after) && after.len() == bytes.len() as u64 {
            return Ok(bytes);
        }
    }
    Err("it changes while it is read; it is left out".to_owned())
}

fn state(metadata: &fs::Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

/// Reading and cutting files would hold up the other tasks of this thread.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(IngestError::Source("reading the pages was broken off".to_owned())),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Files of the system that no one can read whole, not even its administrator.
    #[track_caller]
    fn check(path: &str, told: &str) {
        let process = Path::new("/proc/self").canonicalize().expect("there are processes");
        assert_eq!(content(&process, path, Kind::Markdown.bytes_max()), Err(told.to_owned()));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_to_be_so() {
        // Nothing is mapped at address 0.
        check("mem", "it cannot be read (uncategorized error)");
    }

    #[test]
    fn a_file_that_is_never_as_long_as_it_was_is_said_to_change() {
        check("status", "it changes while it is read; it is left out");
    }
}
