//! The embedded knowledge base: passages in the house's own database, found by words and by vectors in memory, with
//! nothing else running.

mod matrix;
mod record;
mod writing;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::arrange::arrange;
use super::hybrid::Near;
use super::lexical::{Hit, Index};
use super::{
    Description, Document, DocumentState, Found, KnowledgeBase, KnowledgeError, Search, context, floor, hybrid,
};
use crate::embedding::{Embedder, EmbeddingError, Role};
use crate::store::passages::Collection;
use crate::store::{PassageStore, StoreError};
pub use matrix::Matrix;
use record::{Learned, Record};

/// How often at most the store is asked whether somebody else changed the collection.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From this many passages on a search leaves the thread it was asked on; below, the way there costs more.
const LARGE_PASSAGES: usize = 5_000;
/// The same for the numbers in all vectors.
const LARGE_NUMBERS: usize = 2_000_000;
/// How long a question may take to become a vector; after that it is searched for by its words alone.
const QUERY_VECTOR_WAIT_MAX: Duration = Duration::from_secs(4);
/// How often a question that did not become a vector is told of.
const WARN_EVERY: Duration = Duration::from_secs(60);
/// How long finding out what is near enough may take.
const LEARNING_TIME_MAX: Duration = Duration::from_secs(60);

/// Passages of one collection, in rows of a store and in an index in memory.
pub struct EmbeddedKnowledge {
    store: Arc<dyn PassageStore>,
    /// What the collection is called, whatever lies under that name.
    name: String,
    /// The rows, when they are those of a collection that is built beside the one of that name.
    beside: Option<String>,
    embedder: Option<Arc<dyn Embedder>>,
    current: ArcSwap<Current>,
    /// Held while the index is renewed, so that it is built once.
    renewal: Mutex<Option<Instant>>,
    /// When it was last said that a question did not become a vector.
    warned: Mutex<Option<Instant>>,
    /// Whether it was said that there are no vectors.
    told: AtomicBool,
}

/// What is searched, as of a revision of the rows.
#[derive(Default)]
struct Current {
    /// The name of the rows and their revision.
    of: Option<(String, i64)>,
    held: Arc<Held>,
    record: Record,
}

/// Passages by their words and by their vectors, under the same numbers.
#[derive(Default)]
struct Held {
    index: Index,
    matrix: Matrix,
}

impl EmbeddedKnowledge {
    /// Opens a collection. Nothing is read until it is first asked something.
    ///
    /// Without an embedder passages are found by their words alone.
    pub fn open(store: Arc<dyn PassageStore>, collection: &str, embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self {
            store,
            name: collection.to_owned(),
            beside: None,
            embedder,
            current: ArcSwap::from_pointee(Current::default()),
            renewal: Mutex::new(None),
            warned: Mutex::new(None),
            told: AtomicBool::new(false),
        }
    }

    /// Where the rows are at present.
    async fn collection(&self) -> Result<Collection, StoreError> {
        self.store.collection(self.beside.as_ref().unwrap_or(&self.name)).await
    }

    /// What is searched, as of the store's present revision, or as of a second ago.
    async fn current(&self) -> Result<Arc<Current>, KnowledgeError> {
        let mut looked = match self.renewal.try_lock() {
            Ok(looked) => looked,
            // Somebody renews it; what there is will do, unless there is nothing yet.
            Err(_) if self.current.load().of.is_some() => return Ok(self.current.load_full()),
            Err(_) => self.renewal.lock().await,
        };
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            match self.renew().await {
                Err(why) if self.current.load().of.is_some() => tracing::warn!(
                    knowledge.collection = %self.name,
                    error = %why,
                    "Searching `{}` as it was, its rows cannot be read", self.name
                ),
                renewed => renewed?,
            }
            *looked = Some(Instant::now());
        }
        Ok(self.current.load_full())
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let there = self.collection().await?;
        let (record, of) = (Record::read(there.record.as_deref())?, Some((there.name.clone(), there.revision)));
        let before = self.current.load_full();
        if before.of == of {
            if before.record != record {
                self.current.store(Arc::new(Current { of, held: Arc::clone(&before.held), record }));
            }
            return Ok(());
        }
        // A change between the two reads gives newer rows under the older number, and the next look mends that.
        let mut shelf = self.store.passages(&there.name).await?;
        if self.collection().await?.name != there.name {
            // Other rows have taken their place meanwhile, and these may have been gone already.
            return Box::pin(self.renew()).await;
        }
        let built = tokio::task::spawn_blocking(move || {
            let matrix = Matrix::of(&mut shelf);
            Held { index: Index::build(shelf.passages), matrix }
        });
        let held = built.await.map_err(|_| StoreError::Unreadable("the passages cannot be indexed".to_owned()))?;
        tracing::info!(
            knowledge.collection = %self.name,
            knowledge.passages = held.index.len(),
            "Indexed {} passages of `{}`", held.index.len(), self.name
        );
        self.current.store(Arc::new(Current { of, held: Arc::new(held), record }));
        Ok(())
    }

    /// The next question sees what was just written here.
    async fn forget_look(&self) {
        *self.renewal.lock().await = None;
    }

    /// The model whose vectors can be compared with those that are stored.
    fn comparable(&self, record: &Record) -> Option<&Arc<dyn Embedder>> {
        self.embedder.as_ref().filter(|embedder| record.space.as_ref() == Some(embedder.space()))
    }

    /// The question as a vector; none when it is to be searched for by its words alone.
    async fn vector(&self, asked: &Search<'_>, current: &Current) -> Option<Vec<f32>> {
        let embedder = self.comparable(&current.record).filter(|_| current.held.matrix.len() > 0)?;
        let text = [context::of_question(asked)];
        if text[0].is_empty() {
            return None;
        }
        let failed = match timeout(QUERY_VECTOR_WAIT_MAX, embedder.embed(&text, Role::Query)).await {
            Ok(Ok(mut vectors)) => return vectors.pop(),
            Ok(Err(error)) => error,
            Err(_) => EmbeddingError::Away(format!("no vector within {} s", QUERY_VECTOR_WAIT_MAX.as_secs())),
        };
        let mut warned = self.warned.lock().await;
        if warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(
                knowledge.collection = %self.name,
                error = %failed,
                "Searching `{}` by words alone, a question did not become a vector", self.name
            );
        }
        None
    }

    /// Finds out how near is near enough, unless that is known for the collection as it is.
    async fn learn(&self) -> Result<(), KnowledgeError> {
        let there = self.collection().await?;
        let record = Record::read(there.record.as_deref())?;
        let Some(embedder) = self.comparable(&record) else { return Ok(()) };
        if there.is_empty || record.near.is_some_and(|near| near.revision == there.revision) {
            return Ok(());
        }
        self.forget_look().await;
        let current = self.current().await?;
        let Some(revision) = current.of.as_ref().filter(|(name, _)| *name == there.name).map(|(_, revision)| *revision)
        else {
            return Ok(());
        };
        let held = Arc::clone(&current.held);
        let own = floor::own_questions(
            (0..held.index.len())
                .map(|number| &**held.index.passage(u32::try_from(number).expect("passages are numbered in u32"))),
        );
        let nearest = |asked: Vec<Vec<f32>>| async move {
            let compared = tokio::task::spawn_blocking(move || {
                let cosine = |asked: &Vec<f32>| held.matrix.nearest(asked, 1).first().map_or(0.0, |near| near.cosine);
                asked.iter().map(cosine).collect()
            });
            Ok(compared.await.map_err(|_| StoreError::Unreadable("comparing was broken off".to_owned()))?)
        };
        let Some(floor) = floor::learn(&**embedder, own, nearest).await? else { return Ok(()) };
        let record = Record { near: Some(Learned { floor, revision }), ..record };
        self.store.keep_record(&there.name, &record.json()?).await?;
        self.forget_look().await;
        tracing::info!(
            knowledge.collection = %self.name,
            knowledge.near_floor = floor,
            "Passages of `{}` count as near from a cosine of {floor:.3} on", self.name
        );
        Ok(())
    }
}

/// The best passages of what is held.
fn best(held: &Held, asked: &Search<'_>, vector: Option<&[f32]>, near_floor: Option<f32>) -> Vec<Hit> {
    let near: Vec<Near> = vector.map_or_else(Vec::new, |vector| held.matrix.nearest(vector, hybrid::NEAR_MAX));
    hybrid::best(&held.index, asked, &near, near_floor)
}

#[async_trait]
impl KnowledgeBase for EmbeddedKnowledge {
    async fn prepare(&self) -> Result<(), KnowledgeError> {
        let there = self.collection().await?;
        let record = Record::read(there.record.as_deref())?;
        let configured = self.embedder.as_ref().map(|embedder| embedder.space());
        match (record.space, configured) {
            // It takes the space of the settings with the first document.
            _ if there.is_empty => {}
            (Some(stored), Some(configured)) if stored != *configured => {
                let (collection, configured) = (self.name.clone(), Some(configured.clone()));
                return Err(KnowledgeError::OtherSpace { collection, stored, configured });
            }
            (Some(stored), None) => tracing::warn!(
                knowledge.collection = %self.name,
                "Searching `{}` by words alone: its vectors are of {stored}, and the settings name no embedding model",
                self.name
            ),
            (None, Some(_)) => self.tell_of_no_vectors(),
            (Some(_), Some(_)) | (None, None) => {}
        }
        Ok(())
    }

    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError> {
        let current = self.current().await?;
        let vector = self.vector(asked, &current).await;
        let (held, near_floor) = (Arc::clone(&current.held), current.record.near.map(|near| near.floor));
        let is_large = held.index.len() >= LARGE_PASSAGES || (vector.is_some() && held.matrix.len() >= LARGE_NUMBERS);
        let hits = if is_large {
            let (held, query) = (Arc::clone(&held), asked.query.to_owned());
            let (earlier, limit, strict) = (asked.earlier.to_vec(), asked.limit, asked.strict);
            let searched = tokio::task::spawn_blocking(move || {
                let asked = Search { query: &query, earlier: &earlier, limit, strict };
                best(&held, &asked, vector.as_deref(), near_floor)
            });
            searched.await.map_err(|_| StoreError::Unreadable("the search was broken off".to_owned()))?
        } else {
            best(&held, asked, vector.as_deref(), near_floor)
        };
        let ranked = |hit: Hit| (Arc::clone(held.index.passage(hit.passage)), hit.score);
        Ok(arrange(&hits.into_iter().map(ranked).collect::<Vec<_>>(), asked.limit))
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), KnowledgeError> {
        if documents.is_empty() {
            return Ok(());
        }
        match self.write(&documents).await {
            // Another collection has taken its place meanwhile, and that is where the documents belong.
            Err(KnowledgeError::Store(StoreError::NoCollection)) => self.write(&documents).await?,
            written => written?,
        }
        self.forget_look().await;
        Ok(())
    }

    async fn remove(&self, path: &str) -> Result<(), KnowledgeError> {
        self.store.remove_document(&self.collection().await?.name, path).await?;
        self.forget_look().await;
        Ok(())
    }

    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError> {
        let rows = self.collection().await?.name;
        let documents = self.store.documents(&rows).await?;
        let is_steady = self.collection().await?.name == rows;
        // Rows whose place others took meanwhile may have been gone already, and nobody should think the book is empty.
        if is_steady { Ok(documents) } else { self.documents().await }
    }

    async fn document(&self, path: &str) -> Result<Option<Document>, KnowledgeError> {
        let stored = self.store.document(&self.collection().await?.name, path).await?;
        Ok(stored.map(|stored| stored.document))
    }

    async fn settle(&self) -> Result<(), KnowledgeError> {
        let learned = timeout(LEARNING_TIME_MAX, self.learn()).await;
        let why = match learned {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {} s", LEARNING_TIME_MAX.as_secs()),
        };
        tracing::warn!(
            knowledge.collection = %self.name,
            error = why,
            "What is near enough in `{}` stays as it was, it could not be learned anew", self.name
        );
        Ok(())
    }

    async fn beside(&self) -> Result<Arc<dyn KnowledgeBase>, KnowledgeError> {
        let rows = self.begin_beside().await?;
        let beside = Self::open(Arc::clone(&self.store), &self.name, self.embedder.clone());
        Ok(Arc::new(Self { beside: Some(rows), ..beside }))
    }

    async fn take_place(&self) -> Result<(), KnowledgeError> {
        let Some(rows) = &self.beside else {
            return Err(KnowledgeError::Unusable(format!("`{}` was not built beside another collection", self.name)));
        };
        Ok(self.store.switch_alias(&self.name, rows).await?)
    }

    async fn describe(&self) -> Result<Description, KnowledgeError> {
        let there = self.collection().await?;
        let record = Record::read(there.record.as_deref())?;
        let documents = self.store.documents(&there.name).await?;
        let is_hybrid = self.comparable(&record).is_some() || (there.is_empty && self.embedder.is_some());
        Ok(Description {
            kind: "embedded",
            retrieval: if is_hybrid { "hybrid" } else { "lexical" },
            space: record.space,
            collection: self.name.clone(),
            documents: documents.len(),
            passages: documents.iter().map(|document| document.passages as usize).sum(),
        })
    }
}
