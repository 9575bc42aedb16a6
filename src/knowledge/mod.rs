//! What the house knows: passages of documents, how they get in, and how they are found.

pub mod embedded;
pub mod eval;
pub mod ingest;

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::StoreError;

pub use crate::store::passages::{Document, DocumentState, Passage};

/// A question put to the knowledge base.
#[derive(Clone, Debug, Default)]
pub struct Search<'a> {
    /// What is looked for, in the reader's or the model's words.
    pub query: &'a str,
    /// What the reader asked before, oldest first; helps with "and in Python?".
    pub earlier: &'a [String],
    /// Passages at most.
    pub limit: usize,
}

/// A passage that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The passage.
    pub passage: Arc<Passage>,
    /// How well it fits, from 0 to 1; comparable between searches.
    pub score: f32,
}

/// Why a search or an ingestion did not work.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The store behind it did not answer.
    #[error("the knowledge base cannot be reached")]
    Away(#[from] StoreError),
}

/// What a knowledge base says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `embedded`, `qdrant`.
    pub kind: &'static str,
    /// How it compares texts: `lexical`, `hybrid`.
    pub retrieval: &'static str,
    /// The collection's name.
    pub collection: String,
    /// Documents in it.
    pub documents: usize,
    /// Passages in it.
    pub passages: usize,
}

/// Where passages are kept and found.
#[async_trait]
pub trait KnowledgeBase: Send + Sync + 'static {
    /// The best passages, best first; none when nothing is good enough to answer from.
    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError>;

    /// Stores a document in place of what was stored under its path.
    async fn put(&self, document: Document) -> Result<(), KnowledgeError>;

    /// Forgets a document.
    async fn remove(&self, path: &str) -> Result<(), KnowledgeError>;

    /// The documents there are, by path.
    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError>;

    /// What it is and how much it holds.
    async fn describe(&self) -> Result<Description, KnowledgeError>;
}
