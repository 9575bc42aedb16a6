//! Getting a book in: the Markdown files of a folder become passages, and only what changed is stored again.

mod addresses;
mod anchors;
mod chunk;
mod dialect;
mod document;
mod folder;
mod frontmatter;
#[cfg(test)]
mod hostile;
mod html;
mod kind;
mod mdx;
mod page;
mod passages;
mod pdf;
mod pipeline;
mod reembed;
mod route;
mod site;
mod slug;
mod source;
#[cfg(test)]
mod tests;
mod told;
mod walk;
mod web;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Document, KnowledgeBase, KnowledgeError};
use kind::{Around, Kind};
use source::Ready;

pub use addresses::Addresses;
pub use chunk::PASSAGE_CHARS_MAX;
pub use folder::Folder;
pub use kind::FILE_BYTES_MAX;
pub use mdx::{Markdown, to_markdown};
pub use reembed::{reembed, take_over};
pub use site::{Generator, Site};
pub use source::{End, Page, Read, Source};
pub use walk::{DEPTH_MAX, FILES_MAX};
pub use web::{Web, WebOptions};

/// How a book is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The site the book is published on (`https://x.dev`); none asks the configuration of its generator.
    pub site_url: Option<String>,
    /// The route of its pages (`/docs`); none asks the same file, and is the generator's own in the end.
    pub base: Option<String>,
    /// What makes the site; none asks which configuration lies beside the folder or in it.
    pub generator: Option<Generator>,
    /// Names or patterns (`README.md`, `drafts`, `**/old-*.md`) of what is left out.
    pub exclude: Vec<String>,
    /// How a site is read.
    pub web: WebOptions,
    /// For how long a knowledge base that is away is tried again; none is [`PATIENCE`].
    pub patience: Option<Duration>,
    /// Nothing is stored or forgotten; the report says what would be.
    pub dry_run: bool,
    /// Cancelled by whoever wants it to end early; what is on its way is stored first.
    pub stop: CancellationToken,
}

/// For how long a knowledge base that is away during an ingestion is tried again: a restart of it, a deployment, a
/// provider's minute of too many requests.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Something wrong with a file. Shows as `path:line: sentence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, below the folder.
    pub path: String,
    /// The line, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong, and what becomes of the file.
    pub sentence: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.sentence),
            None => write!(f, "{}: {}", self.path, self.sentence),
        }
    }
}

/// What an ingestion did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Documents that were not there before.
    pub added: usize,
    /// Documents that were stored again.
    pub changed: usize,
    /// Documents that were left alone.
    pub unchanged: usize,
    /// Documents that were forgotten.
    pub removed: usize,
    /// Pages left out because they are drafts or unlisted.
    pub hidden: usize,
    /// Passages of the book as it now is, as far as it was read.
    pub passages: usize,
    /// Passages that were stored, those of unchanged documents not among them.
    pub passages_stored: usize,
    /// Documents whose address is only a path, because nobody said where the site is.
    pub without_site: usize,
    /// The source could not give everything, so nothing was forgotten.
    pub incomplete: bool,
    /// What was wrong, by file and line; at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: usize,
}

/// Problems that a report names; the rest is counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// What happens to one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is new.
    Added,
    /// It is stored again.
    Changed,
    /// It stays as it is.
    Unchanged,
    /// It is forgotten.
    Removed,
}

/// Hears how an ingestion goes on.
pub trait Progress: Send + Sync {
    /// It begins; so many pages will be gone through, if that is known.
    fn begin(&self, pages: Option<usize>);
    /// A document is done; so many passages were stored for it.
    fn advance(&self, path: &str, step: Step, passages: usize);
    /// A page is done of which nothing is stored: a draft, or one that cannot be read.
    fn leave_out(&self, path: &str);
    /// The knowledge base is away; it is tried again after the pause.
    fn wait(&self, why: &KnowledgeError, pause: Duration);
}

/// Nobody listens.
impl Progress for () {
    fn begin(&self, _: Option<usize>) {}
    fn advance(&self, _: &str, _: Step, _: usize) {}
    fn leave_out(&self, _: &str) {}
    fn wait(&self, _: &KnowledgeError, _: Duration) {}
}

/// Why a book was not ingested to its end.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is nothing to ingest; the sentence says why.
    #[error("{0}")]
    Source(String),
    /// The knowledge base cannot be used; nothing was stored.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// The knowledge base failed on the way. What was stored before stays.
    #[error("{}; {}", with_causes(why), so_far(report))]
    BrokenOff {
        /// What it said last. Its causes are in the sentence of this error, so it is none itself.
        why: KnowledgeError,
        /// What was done until then.
        report: Box<Report>,
    },
    /// It was told to stop. What was stored before stays.
    #[error("stopped; {}", so_far(report))]
    Stopped {
        /// What was done until then.
        report: Box<Report>,
    },
}

fn with_causes(error: &KnowledgeError) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

fn so_far(report: &Report) -> String {
    format!(
        "{} documents with {} passages were stored, {} were stored before; run the same command again to go on from there",
        report.added + report.changed,
        report.passages_stored,
        report.unchanged
    )
}

/// Reads a folder of pages into the knowledge base.
///
/// Pages that did not change are not stored again; documents whose page is gone are forgotten.
/// A page that cannot be read is named in the report, and what is stored of it is kept.
///
/// # Errors
/// When there is no such folder or no page in it, and when the knowledge base fails.
pub async fn ingest(
    folder: &Path,
    options: &Options,
    knowledge: &dyn KnowledgeBase,
    progress: &dyn Progress,
) -> Result<Report, IngestError> {
    let mut source = Folder::open(folder, options).await?;
    ingest_from(&mut source, options, knowledge, progress).await
}

/// Reads what a source gives into the knowledge base: like [`ingest`], wherever the pages come from.
///
/// A page is stored while the next ones are read, and neither ever holds more than a few batches of passages in memory.
/// What was stored stays whatever happens, so an ingestion that broke off goes on where it was when it is run again.
///
/// # Errors
/// When the source has no page that can be read, when the knowledge base fails for longer than the options' patience,
/// and when it is told to stop.
pub async fn ingest_from(
    source: &mut dyn Source,
    options: &Options,
    knowledge: &dyn KnowledgeBase,
    progress: &dyn Progress,
) -> Result<Report, IngestError> {
    pipeline::run(source, options, knowledge, progress).await
}

/// Puts these documents in place of all that the knowledge base holds; those that did not change are not stored again.
///
/// # Errors
/// The knowledge base fails; it is not tried again. What was stored before the error stays.
pub async fn put_all(documents: Vec<Document>, knowledge: &dyn KnowledgeBase) -> Result<Report, KnowledgeError> {
    let options = Options { patience: Some(Duration::ZERO), ..Options::default() };
    match pipeline::run(&mut Ready::new(documents), &options, knowledge, &()).await {
        Ok(report) => Ok(report),
        Err(IngestError::Knowledge(error) | IngestError::BrokenOff { why: error, .. }) => Err(error),
        // Documents in memory have nothing to fail, and nobody to stop them.
        Err(IngestError::Source(_) | IngestError::Stopped { .. }) => Ok(Report::default()),
    }
}

/// Reads pages in memory, without storing anything: pairs of path (with `/`) and content, such as the book that ships
/// with the program.
pub fn read<C: Into<Vec<u8>>>(pages: impl IntoIterator<Item = (String, C)>, options: &Options) -> Vec<Document> {
    let (pages, around) = in_memory(pages, options);
    let document = |(path, content): (String, Vec<u8>)| match kind::read(
        Kind::of(&path)?,
        &path,
        &content,
        &around,
        &mut Vec::new(),
    ) {
        Read::Document(document) => Some(document),
        Read::Hidden | Read::Broken => None,
    };
    pages.into_iter().filter_map(document).collect()
}

fn in_memory<C: Into<Vec<u8>>>(
    pages: impl IntoIterator<Item = (String, C)>,
    options: &Options,
) -> (BTreeMap<String, Vec<u8>>, Around) {
    let site = chosen(Site::of(options.generator.unwrap_or_default()), options);
    let mut around = Around { site, ..Around::default() };
    let mut kept = BTreeMap::new();
    for (path, content) in pages {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if walk::excluded(&path, &options.exclude) {
            continue;
        }
        if name.starts_with("_category_.") {
            if let Some(label) = walk::category_label(name, &content.into()) {
                around.labels.insert(folder.to_owned(), label);
            }
        } else if walk::is_page(&path) {
            kept.insert(path, content.into());
        }
    }
    (kept, around)
}

/// The site as the operator gave it, completed from the configuration beside the folder or in it. A folder that nothing
/// generates is Docusaurus' if it has Markdown in it.
fn site_of(folder: &Path, has_markdown: bool, options: &Options) -> Site {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let places: Vec<PathBuf> = folder.parent().map(PathBuf::from).into_iter().chain([folder.clone()]).collect();
    let configured = site::configured(options.generator, |name| {
        let small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= FILE_BYTES_MAX);
        let path = places.iter().map(|place| place.join(name)).find(small)?;
        std::fs::read_to_string(path).ok()
    });
    let unknown = if has_markdown { Generator::Docusaurus } else { Generator::Generic };
    chosen(configured.unwrap_or_else(|| Site::of(options.generator.unwrap_or(unknown))), options)
}

fn chosen(site: Site, options: &Options) -> Site {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    Site { url: given(&options.site_url).or(site.url), base: given(&options.base).unwrap_or(site.base), ..site }
}
