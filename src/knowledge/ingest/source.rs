//! Where documents come from: one after the other, and at the end whether that was all of them.

use async_trait::async_trait;

use super::{IngestError, Problem};
use crate::knowledge::Document;

/// Something to ingest: a folder, pages in memory, a site.
///
/// Whoever asks keeps what is being stored and what is read ahead within bounds, so a source reads no further than it
/// is asked, and holds names rather than pages.
#[async_trait]
pub trait Source: Send {
    /// What it is called in a sentence: the folder, the address.
    fn name(&self) -> String;

    /// How many pages will be given, as far as is known.
    fn expected(&self) -> Option<usize>;

    /// The next page; none after the last one. A page that cannot be read is given as [`Read::Broken`], and the rest
    /// goes on.
    ///
    /// # Errors
    /// There is nothing to go on with. What was given before is stored, and nothing is forgotten.
    async fn next(&mut self) -> Result<Option<Page>, IngestError>;

    /// Asked once, after the last page.
    fn end(&mut self) -> End;
}

/// A page of a source.
#[derive(Debug)]
pub struct Page {
    /// Names it among the pages of its source, with `/`.
    pub path: String,
    /// What became of it.
    pub read: Read,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// What became of a page.
#[derive(Debug)]
pub enum Read {
    /// It can be searched.
    Document(Document),
    /// Its author does not want it found, such as a draft; what is stored of it is forgotten.
    Hidden,
    /// It cannot be read now; what is stored of it is kept.
    Broken,
}

/// What a source says when it has given everything.
#[derive(Debug, Default)]
pub struct End {
    /// Whether this was all: only then is what was not given forgotten.
    pub whole: bool,
    /// Paths of pages that were not given and are kept all the same; one that ends with `/` stands for all below it.
    pub kept: Vec<String>,
    /// What is wrong with none of the pages that were given.
    pub problems: Vec<Problem>,
}

/// Documents that are there already, all of a book.
pub(super) struct Ready {
    documents: std::vec::IntoIter<Document>,
}

impl Ready {
    pub(super) fn new(documents: Vec<Document>) -> Self {
        Self { documents: documents.into_iter() }
    }
}

#[async_trait]
impl Source for Ready {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn expected(&self) -> Option<usize> {
        Some(self.documents.len())
    }

    async fn next(&mut self) -> Result<Option<Page>, IngestError> {
        let page = |document: Document| Page {
            path: document.path.clone(),
            read: Read::Document(document),
            problems: Vec::new(),
        };
        Ok(self.documents.next().map(page))
    }

    fn end(&mut self) -> End {
        End { whole: true, ..End::default() }
    }
}
