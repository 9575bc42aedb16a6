//! What the house knows: passages of documents, how they get in, and how they are found.

mod arrange;
mod context;
pub mod embedded;
pub mod eval;
mod floor;
mod hybrid;
pub mod ingest;
pub mod lexical;
pub mod qdrant;

use std::sync::Arc;

use async_trait::async_trait;

use crate::embedding::{EmbeddingError, EmbeddingSpace};
use crate::store::StoreError;

pub use crate::store::passages::{Document, DocumentState, Passage};
pub use hybrid::Near;

/// A question put to the knowledge base.
#[derive(Clone, Debug, Default)]
pub struct Search<'a> {
    /// What is looked for, in the reader's or the model's words.
    pub query: &'a str,
    /// What the reader asked before, oldest first; helps with "and in Python?".
    pub earlier: &'a [String],
    /// Passages at most.
    pub limit: usize,
    /// Whether nothing is better than something doubtful: the answer may rest on nothing but what is found.
    pub strict: bool,
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
    /// The store behind it did not answer; later it may.
    #[error("the knowledge base cannot be reached")]
    Store(#[from] StoreError),
    /// The server behind it did not answer; later it may. The sentence says what happened.
    #[error("the knowledge base cannot be reached: {0}")]
    Away(String),
    /// The operator has to change something; the sentence says what.
    #[error("{0}")]
    Unusable(String),
    /// The vectors that are stored cannot be compared with those of the configured model.
    #[error("{}", other_space(collection, stored, configured.as_ref()))]
    OtherSpace {
        /// The collection.
        collection: String,
        /// The space of its vectors.
        stored: EmbeddingSpace,
        /// The space of the configured model; none when no model is configured.
        configured: Option<EmbeddingSpace>,
    },
    /// The texts did not become vectors.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
}

impl KnowledgeError {
    /// Whether it may go away by itself, so that a server may start, and answer without the book until it does.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Store(_) | Self::Away(_) => true,
            Self::Embedding(error) => matches!(error, EmbeddingError::Busy { .. } | EmbeddingError::Away(_)),
            Self::Unusable(_) | Self::OtherSpace { .. } => false,
        }
    }
}

fn other_space(collection: &str, stored: &EmbeddingSpace, configured: Option<&EmbeddingSpace>) -> String {
    let now = match configured {
        Some(space) => format!("the settings say {space}"),
        None => "the settings name no embedding model".to_owned(),
    };
    format!(
        "the vectors of `{collection}` are of {stored}, and {now}: put EMBEDDING_MODEL and EMBEDDING_DIMENSIONS back as \
         they were, or run `ingest --reembed`, which builds new vectors beside the old ones and then takes their place"
    )
}

/// What a knowledge base says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `embedded`, `qdrant`.
    pub kind: &'static str,
    /// How it compares texts: `lexical` by words alone, `hybrid` by words and vectors.
    pub retrieval: &'static str,
    /// The space of the vectors that are stored, if there are any.
    pub space: Option<EmbeddingSpace>,
    /// The collection's name.
    pub collection: String,
    /// Documents in it.
    pub documents: usize,
    /// Passages in it.
    pub passages: usize,
}

/// Where passages are kept and found.
///
/// The collection goes by a name that never changes; what lies under that name does, when a collection that was built
/// beside it takes its place.
#[async_trait]
pub trait KnowledgeBase: Send + Sync + 'static {
    /// Makes what is missing, so that it can be written to and searched, and refuses what does not fit the settings.
    async fn prepare(&self) -> Result<(), KnowledgeError>;

    /// The best passages, best first; none when nothing is good enough to answer from.
    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError>;

    /// Stores documents, each in place of what was stored under its path, and each as a whole or not at all.
    async fn put(&self, documents: Vec<Document>) -> Result<(), KnowledgeError>;

    /// Forgets a document.
    async fn remove(&self, path: &str) -> Result<(), KnowledgeError>;

    /// The documents there are, by path. One whose storing was broken off has a fingerprint that no page has.
    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError>;

    /// A document with its passages, if it is there.
    async fn document(&self, path: &str) -> Result<Option<Document>, KnowledgeError>;

    /// An ingestion is over: works out and stores what can only be known of the whole.
    async fn settle(&self) -> Result<(), KnowledgeError>;

    /// A collection beside this one, in the space of the configured model: empty, or as far as somebody came before.
    async fn beside(&self) -> Result<Arc<dyn KnowledgeBase>, KnowledgeError>;

    /// Takes the place of the collection that this one was built beside, in one step, and removes the old one.
    async fn take_place(&self) -> Result<(), KnowledgeError>;

    /// What it is and how much it holds.
    async fn describe(&self) -> Result<Description, KnowledgeError>;
}
