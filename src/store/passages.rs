//! Rows of passages: what the embedded knowledge base keeps in the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// A piece of a document that stands on its own: what is found, shown to the model, and cited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Names the passage; the same text at the same place has the same id.
    pub id: String,
    /// The document's path below the ingested folder, with `/`.
    pub path: String,
    /// The document's title.
    pub title: String,
    /// The text of the nearest heading; the title before the first one.
    pub heading: String,
    /// Headings from the top of the page down to `heading`, the title left out.
    pub heading_path: Vec<String>,
    /// Where the passage is read: the page's address with the heading's anchor. A path (`/docs/…`) when the site is not known.
    pub url: String,
    /// The module or part of the book, as its author calls it.
    pub module: Option<String>,
    /// The week of the course, from 1.
    pub week: Option<u32>,
    /// Counts the passages of a document from 0, in reading order.
    pub position: u32,
    /// What it says, as plain text and Markdown; code is kept.
    pub text: String,
}

/// A document and the passages it was cut into.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The path below the ingested folder, with `/`.
    pub path: String,
    /// Changes when the passages would: a hash of the text and of how it was cut.
    pub fingerprint: String,
    /// In reading order.
    pub passages: Vec<Passage>,
}

/// What is known of a stored document without reading its passages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentState {
    /// The path below the ingested folder.
    pub path: String,
    /// As it was when the document was stored.
    pub fingerprint: String,
    /// How many passages it has.
    pub passages: u32,
}

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDocument {
    /// The document.
    pub document: Document,
    /// The vectors of its passages, in their order; an empty one where there is none.
    pub vectors: Vec<Vec<f32>>,
}

/// All passages of a collection, by path and position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shelf {
    /// The passages.
    pub passages: Vec<Arc<Passage>>,
    /// Their vectors, one after the other in the same order, all of one length; zeros where there is none. Empty when
    /// there is not a single one.
    pub vectors: Vec<f32>,
    /// Numbers in a vector, 0 when there are none.
    pub dimensions: usize,
}

/// Where the rows of a collection are, and what is known of it as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The name of the rows: what an alias stands for, and otherwise the name itself.
    pub name: String,
    /// Another number after every change of its documents; 0 for a collection that never was.
    pub revision: i64,
    /// What whoever writes it keeps with it, as JSON.
    pub record: Option<String>,
    /// Whether there is no document in it.
    pub is_empty: bool,
}

/// Passages by collection. A collection belongs to the operator, not to a reader, so there is no owner.
///
/// Names are those of rows; only [`PassageStore::collection`] knows of aliases.
#[async_trait]
pub trait PassageStore: Send + Sync + 'static {
    /// What a name stands for, and how it is.
    async fn collection(&self, name: &str) -> Result<Collection, StoreError>;

    /// Makes an empty collection; nothing happens when it is there.
    async fn begin_collection(&self, collection: &str) -> Result<(), StoreError>;

    /// Keeps something with a collection in place of what was kept before. The revision stays.
    async fn keep_record(&self, collection: &str, record: &str) -> Result<(), StoreError>;

    /// Forgets a collection with all its documents; nothing happens when it is not there.
    async fn remove_collection(&self, collection: &str) -> Result<(), StoreError>;

    /// From now on `name` stands for `to`, and what it stood for before is forgotten. Nothing happens when it stands
    /// for that already. [`StoreError::NoCollection`] when there is no `to`.
    async fn switch_alias(&self, name: &str, to: &str) -> Result<(), StoreError>;

    /// Stores documents, each in place of what was stored under its path; of two with one path the last one counts.
    ///
    /// `vectors` has one for each passage of all documents, in their order, or is empty.
    /// [`StoreError::NoCollection`] when nobody began the collection, or somebody removed it.
    async fn put_documents(
        &self,
        collection: &str,
        documents: &[Document],
        vectors: &[Vec<f32>],
    ) -> Result<(), StoreError>;

    /// Forgets a document; nothing happens when it is not there.
    async fn remove_document(&self, collection: &str, path: &str) -> Result<(), StoreError>;

    /// All documents of a collection, by path.
    async fn documents(&self, collection: &str) -> Result<Vec<DocumentState>, StoreError>;

    /// A document with its passages, if it is there.
    async fn document(&self, collection: &str, path: &str) -> Result<Option<StoredDocument>, StoreError>;

    /// All passages of a collection, by path and position.
    async fn passages(&self, collection: &str) -> Result<Shelf, StoreError>;
}

/// A document as both homes write it.
pub(super) struct Written<'a> {
    pub(super) document: &'a Document,
    /// One for each passage, or none at all.
    vectors: &'a [Vec<f32>],
}

impl<'a> Written<'a> {
    /// What is to be written of a call: each path once.
    pub(super) fn of(documents: &'a [Document], vectors: &'a [Vec<f32>]) -> Vec<Self> {
        let mut written: BTreeMap<&str, Self> = BTreeMap::new();
        let mut rest = vectors;
        for document in documents {
            let (vectors, after) = rest.split_at(document.passages.len().min(rest.len()));
            rest = after;
            written.insert(&document.path, Self { document, vectors });
        }
        written.into_values().collect()
    }

    /// The vector of a passage by its place, as bytes.
    pub(super) fn vector(&self, place: usize) -> Option<Vec<u8>> {
        let vector = self.vectors.get(place).filter(|vector| !vector.is_empty())?;
        Some(vector.iter().flat_map(|number| number.to_le_bytes()).collect())
    }
}

/// The numbers of a vector; bytes that are left over are none.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk))
}

impl Shelf {
    /// Adds the next passage, with the bytes of its vector if it has one.
    pub(super) fn push(&mut self, passage: Passage, vector: Option<&[u8]>) {
        self.passages.push(Arc::new(passage));
        let vector = vector.unwrap_or_default();
        if self.dimensions == 0 {
            self.dimensions = vector.len() / size_of::<f32>();
        }
        let end = self.passages.len() * self.dimensions;
        if vector.len() == self.dimensions * size_of::<f32>() {
            // Those before it had none.
            self.vectors.resize(end - self.dimensions, 0.0);
            self.vectors.extend(numbers(vector));
        }
        self.vectors.resize(end, 0.0);
    }
}
