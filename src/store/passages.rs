//! Rows of passages: what the embedded knowledge base keeps in the database.

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

/// Passages by collection. A collection belongs to the operator, not to a reader, so there is no owner.
#[async_trait]
pub trait PassageStore: Send + Sync + 'static {
    /// Stores a document in place of what was stored under its path.
    async fn put_document(&self, collection: &str, document: &Document) -> Result<(), StoreError>;

    /// Forgets a document; nothing happens when it is not there.
    async fn remove_document(&self, collection: &str, path: &str) -> Result<(), StoreError>;

    /// All documents of a collection, by path.
    async fn documents(&self, collection: &str) -> Result<Vec<DocumentState>, StoreError>;

    /// All passages of a collection, by path and position.
    async fn passages(&self, collection: &str) -> Result<Vec<Arc<Passage>>, StoreError>;

    /// A number that is another one after every change of the collection; 0 for a collection that never was.
    async fn revision(&self, collection: &str) -> Result<i64, StoreError>;
}
