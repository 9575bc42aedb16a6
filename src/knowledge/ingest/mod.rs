//! Getting a book in: the Markdown files of a folder become passages, and only what changed is stored again.

mod chunk;
mod document;
mod frontmatter;
mod load;
mod mdx;
mod page;
mod reembed;
mod route;
mod site;
mod slug;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::{Document, KnowledgeBase, KnowledgeError};
use document::Read;
use load::Files;

pub use chunk::PASSAGE_CHARS_MAX;
pub use load::{DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX};
pub use mdx::{Markdown, to_markdown};
pub use reembed::{Copied, keep, reembed};
pub use site::Site;

/// How a book is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The site the book is published on (`https://x.dev`); none asks the `docusaurus.config` beside the folder.
    pub site_url: Option<String>,
    /// The route of its pages (`/docs`); none asks the same file, and is `/docs` in the end.
    pub base: Option<String>,
    /// Names or patterns (`README.md`, `drafts`, `**/old-*.md`) of what is left out.
    pub exclude: Vec<String>,
}

/// Something wrong with a file. Shows as `path:line: sentence`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Passages of the book as it now is.
    pub passages: usize,
    /// Documents whose address is only a path, because nobody said where the site is.
    pub without_site: usize,
    /// What was wrong, by file and line.
    pub problems: Vec<Problem>,
}

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
    /// The files are read; so many documents will be gone through.
    fn begin(&self, documents: usize);
    /// A document is done.
    fn advance(&self, path: &str, step: Step);
}

/// Nobody listens.
impl Progress for () {
    fn begin(&self, _: usize) {}
    fn advance(&self, _: &str, _: Step) {}
}

/// Why a book could not be ingested.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The folder is not one to ingest; the sentence says why.
    #[error("{0}")]
    Folder(String),
    /// The knowledge base did not take it. What was stored before the error stays.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
}

/// Reads a folder of `.md` and `.mdx` pages into the knowledge base.
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
    let (folder, options) = (folder.to_path_buf(), options.clone());
    let plan = off_thread(move || {
        let files = load::load(&folder, &options.exclude)?;
        let plan = plan(files, &site_of(&folder, &options));
        // Going on would forget everything that is stored.
        if plan.documents.is_empty() && plan.hidden == 0 {
            let first = plan.problems.first().map_or(String::new(), |problem| format!(": {problem}"));
            return Err(IngestError::Folder(format!("no page in {} can be read{first}", folder.display())));
        }
        Ok(plan)
    })
    .await?;
    Ok(carry_out(plan, knowledge, progress).await?)
}

/// Puts these documents in place of all that the knowledge base holds; those that did not change are not stored again.
///
/// # Errors
/// The knowledge base fails. What was stored before the error stays.
pub async fn put_all(documents: Vec<Document>, knowledge: &dyn KnowledgeBase) -> Result<Report, KnowledgeError> {
    carry_out(Plan { documents, ..Plan::default() }, knowledge, &()).await
}

/// Reads pages in memory, without storing anything: pairs of path (with `/`) and content, such as the book that ships
/// with the program.
pub fn read<C: Into<Vec<u8>>>(pages: impl IntoIterator<Item = (String, C)>, options: &Options) -> Vec<Document> {
    plan(in_memory(pages, options), &chosen(Site::default(), options)).documents
}

fn in_memory<C: Into<Vec<u8>>>(pages: impl IntoIterator<Item = (String, C)>, options: &Options) -> Files {
    let mut files = Files::default();
    for (path, content) in pages {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if load::excluded(&path, &options.exclude) {
            continue;
        }
        if name.starts_with("_category_.") {
            if let Some(label) = load::category_label(name, &content.into()) {
                files.labels.insert(folder.to_owned(), label);
            }
        } else if load::is_page(&path) {
            files.pages.insert(path, content.into());
        }
    }
    files
}

/// What a set of files comes to.
#[derive(Debug, Default)]
struct Plan {
    documents: Vec<Document>,
    /// Paths whose stored passages are kept although there is nothing new.
    kept: BTreeSet<String>,
    hidden: usize,
    problems: Vec<Problem>,
}

fn plan(files: Files, site: &Site) -> Plan {
    let mut plan = Plan { kept: files.unread.into_iter().collect(), problems: files.problems, ..Plan::default() };
    for (path, content) in &files.pages {
        match document::document(path, content, site, &files.labels, &mut plan.problems) {
            Read::Document(document) => plan.documents.push(document),
            Read::Hidden => plan.hidden += 1,
            Read::Broken => drop(plan.kept.insert(path.clone())),
        }
    }
    plan.problems.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    plan
}

async fn carry_out(
    plan: Plan,
    knowledge: &dyn KnowledgeBase,
    progress: &dyn Progress,
) -> Result<Report, KnowledgeError> {
    let mut stored: BTreeMap<String, String> =
        knowledge.documents().await?.into_iter().map(|state| (state.path, state.fingerprint)).collect();
    stored.retain(|path, _| {
        !plan.kept.iter().any(|kept| path == kept || (kept.ends_with('/') && path.starts_with(kept.as_str())))
    });
    progress.begin(plan.documents.len());
    let mut report = Report { hidden: plan.hidden, problems: plan.problems, ..Report::default() };
    for document in plan.documents {
        let path = document.path.clone();
        report.passages += document.passages.len();
        let without_site = document.passages.first().is_some_and(|passage| passage.url.starts_with('/'));
        report.without_site += usize::from(without_site);
        let step = match stored.remove(&path) {
            Some(fingerprint) if fingerprint == document.fingerprint => Step::Unchanged,
            Some(_) => Step::Changed,
            None => Step::Added,
        };
        match step {
            Step::Added => report.added += 1,
            Step::Changed => report.changed += 1,
            Step::Unchanged | Step::Removed => report.unchanged += 1,
        }
        if step != Step::Unchanged {
            knowledge.put(vec![document]).await?;
        }
        progress.advance(&path, step);
    }
    for path in stored.into_keys() {
        knowledge.remove(&path).await?;
        report.removed += 1;
        progress.advance(&path, Step::Removed);
    }
    knowledge.settle().await?;
    Ok(report)
}

/// The site as the operator gave it, completed from the configuration beside the folder.
fn site_of(folder: &Path, options: &Options) -> Site {
    let beside = folder.canonicalize().ok().and_then(|folder| folder.parent().map(PathBuf::from));
    let config = beside.and_then(|beside| {
        let small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= FILE_BYTES_MAX);
        site::CONFIG_NAMES.iter().map(|name| beside.join(name)).find(small)
    });
    let read = config.and_then(|path| std::fs::read_to_string(path).ok());
    chosen(read.map_or_else(Site::default, |source| site::read_config(&source)), options)
}

fn chosen(site: Site, options: &Options) -> Site {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    Site {
        url: given(&options.site_url).or(site.url),
        base: given(&options.base).unwrap_or(site.base),
        trailing_slash: site.trailing_slash,
    }
}

/// Reading and cutting files would hold up the other tasks of this thread.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(IngestError::Folder("reading the pages was broken off".to_owned())),
    }
}
