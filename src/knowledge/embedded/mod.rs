//! The embedded knowledge base: passages in the house's own database, found by their words, with nothing else running.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::arrange::arrange;
use super::lexical::{Hit, Index};
use super::{Description, Document, DocumentState, Found, KnowledgeBase, KnowledgeError, Search, hybrid};
use crate::embedding::Embedder;
use crate::store::{PassageStore, StoreError};

/// How often at most the store is asked whether somebody else changed the collection.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From this many passages on a search leaves the thread it was asked on; below, the way there costs more.
const LARGE_PASSAGES: usize = 5_000;

/// Passages of one collection, in rows of a store and in an index in memory.
pub struct EmbeddedKnowledge {
    store: Arc<dyn PassageStore>,
    collection: String,
    current: ArcSwap<Current>,
    /// Held while the index is renewed, so that it is built once.
    renewal: Mutex<Option<Instant>>,
}

/// An index and the revision of the rows it was built from.
#[derive(Default)]
struct Current {
    revision: Option<i64>,
    index: Index,
}

impl EmbeddedKnowledge {
    /// Opens a collection. Nothing is read until it is first asked something.
    ///
    /// Without an embedder passages are found by their words alone.
    pub fn open(store: Arc<dyn PassageStore>, collection: &str, embedder: Option<Arc<dyn Embedder>>) -> Self {
        let _ = embedder;
        Self {
            store,
            collection: collection.to_owned(),
            current: ArcSwap::from_pointee(Current::default()),
            renewal: Mutex::new(None),
        }
    }

    /// The index as of the store's present revision, or as of a second ago.
    async fn current(&self) -> Result<Arc<Current>, KnowledgeError> {
        let mut looked = match self.renewal.try_lock() {
            Ok(looked) => looked,
            // Somebody renews it; what there is will do, unless there is nothing yet.
            Err(_) if self.current.load().revision.is_some() => return Ok(self.current.load_full()),
            Err(_) => self.renewal.lock().await,
        };
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            match self.renew().await {
                Err(why) if self.current.load().revision.is_some() => tracing::warn!(
                    knowledge.collection = %self.collection,
                    error = %why,
                    "Searching `{}` as it was, its rows cannot be read", self.collection
                ),
                renewed => renewed?,
            }
            *looked = Some(Instant::now());
        }
        Ok(self.current.load_full())
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let revision = self.store.revision(&self.collection).await?;
        if self.current.load().revision == Some(revision) {
            return Ok(());
        }
        // A change between the two reads gives newer rows under the older number, and the next look mends that.
        let passages = self.store.passages(&self.collection).await?;
        let built = tokio::task::spawn_blocking(move || Index::build(passages)).await;
        let index = built.map_err(|_| StoreError::Unreadable("the passages cannot be indexed".to_owned()))?;
        tracing::info!(
            knowledge.collection = %self.collection,
            knowledge.passages = index.len(),
            "Indexed {} passages of `{}`", index.len(), self.collection
        );
        self.current.store(Arc::new(Current { revision: Some(revision), index }));
        Ok(())
    }

    /// The next question sees what was just written here.
    async fn forget_look(&self) {
        *self.renewal.lock().await = None;
    }
}

#[async_trait]
impl KnowledgeBase for EmbeddedKnowledge {
    async fn prepare(&self) -> Result<(), KnowledgeError> {
        Ok(())
    }

    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError> {
        let current = self.current().await?;
        let hits = if current.index.len() < LARGE_PASSAGES {
            hybrid::best(&current.index, asked, &[], None)
        } else {
            let (current, query) = (Arc::clone(&current), asked.query.to_owned());
            let (earlier, limit, strict) = (asked.earlier.to_vec(), asked.limit, asked.strict);
            let searched = tokio::task::spawn_blocking(move || {
                let asked = Search { query: &query, earlier: &earlier, limit, strict };
                hybrid::best(&current.index, &asked, &[], None)
            });
            searched.await.map_err(|_| StoreError::Unreadable("the search was broken off".to_owned()))?
        };
        let ranked = |hit: Hit| (Arc::clone(current.index.passage(hit.passage)), hit.score);
        Ok(arrange(hits.into_iter().map(ranked).collect(), asked.limit))
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), KnowledgeError> {
        for document in &documents {
            self.store.put_document(&self.collection, document).await?;
        }
        self.forget_look().await;
        Ok(())
    }

    async fn remove(&self, path: &str) -> Result<(), KnowledgeError> {
        self.store.remove_document(&self.collection, path).await?;
        self.forget_look().await;
        Ok(())
    }

    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError> {
        Ok(self.store.documents(&self.collection).await?)
    }

    async fn document(&self, path: &str) -> Result<Option<Document>, KnowledgeError> {
        Err(KnowledgeError::Unusable(format!("{path} cannot be read back yet")))
    }

    async fn settle(&self) -> Result<(), KnowledgeError> {
        Ok(())
    }

    async fn beside(&self) -> Result<Arc<dyn KnowledgeBase>, KnowledgeError> {
        Err(KnowledgeError::Unusable("there is only one collection yet".to_owned()))
    }

    async fn take_place(&self) -> Result<(), KnowledgeError> {
        Err(KnowledgeError::Unusable("there is only one collection yet".to_owned()))
    }

    async fn describe(&self) -> Result<Description, KnowledgeError> {
        let documents = self.store.documents(&self.collection).await?;
        Ok(Description {
            kind: "embedded",
            retrieval: "lexical",
            space: None,
            collection: self.collection.clone(),
            documents: documents.len(),
            passages: documents.iter().map(|document| document.passages as usize).sum(),
        })
    }
}
