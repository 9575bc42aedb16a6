//! Qdrant as the home of the knowledge base: passages as points, found there, judged here by the rules of every home.

pub mod address;
mod changing;
mod client;
mod collections;
mod failure;
mod others;
mod points;
mod search;
pub mod settings;
mod settling;
mod sparse;
mod standing;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ingest::Addresses;
use super::{Description, Document, DocumentState, Found, KnowledgeBase, KnowledgeError, Search};
use crate::embedding::{Embedder, EmbeddingSpace};
use changing::Change;
use client::{Client, Patience};
use collections::numbered;
use points::{CollectionRecord, Kind};
use settings::{QdrantSettings, Shape};
use standing::Standing;

/// The same trouble with the embedding model is told so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Passages of one collection in Qdrant.
pub struct QdrantKnowledge {
    client: Arc<Client>,
    /// The name that never changes.
    name: String,
    place: Place,
    target: String,
    shape: Option<Shape>,
    embedder: Option<Arc<dyn Embedder>>,
    /// Where pages of collections of other programs are read.
    pages: Arc<Addresses>,
    standing: ArcSwapOption<Standing>,
    /// Held while the collection is looked at, so that it is made once.
    looking: Mutex<()>,
    complaints: Complaints,
}

/// Which of the collections of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Whichever goes by the name.
    Named,
    /// The one of this number, which does not yet.
    Beside(u32),
}

impl QdrantKnowledge {
    /// Opens a collection. Nothing is asked of Qdrant until this knowledge base is.
    ///
    /// # Errors
    /// The address cannot be used; the sentence names the variable.
    pub fn open(
        settings: &QdrantSettings,
        collection: &str,
        embedder: Option<Arc<dyn Embedder>>,
        pages: Addresses,
    ) -> Result<Self, KnowledgeError> {
        let client = Client::new(settings, collection).map_err(KnowledgeError::Unusable)?;
        let place = Place::Named;
        Ok(Self::at(Arc::new(client), collection, place, settings.shape, embedder, Arc::new(pages)))
    }

    fn at(
        client: Arc<Client>,
        name: &str,
        place: Place,
        shape: Option<Shape>,
        embedder: Option<Arc<dyn Embedder>>,
        pages: Arc<Addresses>,
    ) -> Self {
        let target = match place {
            Place::Named => name.to_owned(),
            Place::Beside(number) => numbered(name, number),
        };
        let (standing, looking, complaints) = (ArcSwapOption::empty(), Mutex::new(()), Complaints::default());
        Self { client, name: name.to_owned(), place, target, shape, embedder, pages, standing, looking, complaints }
    }

    /// What requests name.
    fn target(&self) -> &str {
        &self.target
    }

    /// The space of the configured model.
    fn space(&self) -> Option<&EmbeddingSpace> {
        self.embedder.as_ref().map(|embedder| embedder.space())
    }

    /// The collection as it was found, looked at now if it was not yet: Qdrant may have been away when the server began.
    async fn standing(&self) -> Result<Arc<Standing>, KnowledgeError> {
        if let Some(standing) = self.standing.load_full() {
            return Ok(standing);
        }
        let _looking = self.looking.lock().await;
        if let Some(standing) = self.standing.load_full() {
            return Ok(standing);
        }
        let standing = Arc::new(self.stand().await?);
        self.standing.store(Some(Arc::clone(&standing)));
        Ok(standing)
    }

    /// The next question looks at the collection anew.
    fn forget(&self) {
        self.standing.store(None);
    }

    /// A collection that can be written to.
    async fn writable(&self) -> Result<Arc<Standing>, KnowledgeError> {
        let standing = self.standing().await?;
        let name = &self.name;
        match standing.shape {
            Shape::Gateway => Ok(standing),
            Shape::Tutor | Shape::Book => Err(KnowledgeError::Unusable(format!(
                "`{name}` was made by another program and is only read: put a name that is not there yet into \
                 KNOWLEDGE_COLLECTION, and ingest the book into that"
            ))),
        }
    }
}

#[async_trait]
impl KnowledgeBase for QdrantKnowledge {
    async fn prepare(&self) -> Result<(), KnowledgeError> {
        self.forget();
        let standing = self.standing().await?;
        // Without a model the words still find, so that a book is not taken away with a setting.
        if self.embedder.is_some() { self.of_one_space(&standing) } else { Ok(()) }
    }

    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError> {
        self.found(asked).await
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), KnowledgeError> {
        if documents.is_empty() { Ok(()) } else { self.change(Change::Put(&documents)).await }
    }

    async fn remove(&self, path: &str) -> Result<(), KnowledgeError> {
        self.change(Change::Remove(path)).await
    }

    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError> {
        let standing = self.standing().await?;
        match standing.shape {
            Shape::Gateway => Ok(self.client.states(self.target()).await?),
            shape @ (Shape::Tutor | Shape::Book) => {
                let member = vec![others::path_member(shape).to_owned()];
                let points = self.client.read_all(self.target(), None, Some(member)).await?;
                Ok(others::documents(shape, points.into_iter().map(|point| point.payload)))
            }
        }
    }

    async fn document(&self, path: &str) -> Result<Option<Document>, KnowledgeError> {
        self.writable().await?;
        Ok(self.client.document(self.target(), path).await?)
    }

    async fn settle(&self) -> Result<(), KnowledgeError> {
        let standing = self.writable().await?;
        self.learn(&standing).await
    }

    async fn beside(&self) -> Result<Arc<dyn KnowledgeBase>, KnowledgeError> {
        self.writable().await?;
        let name = &self.name;
        let current = self.client.current_number(name).await?.ok_or_else(|| {
            KnowledgeError::Unusable(format!(
                "`{name}` is a collection's own name, so that no other can take its place: put a name that is not there \
                 yet into KNOWLEDGE_COLLECTION, and ingest the book into that"
            ))
        })?;
        let numbers = self.client.numbers(name).await?;
        let begun = numbers.into_iter().rfind(|number| *number > current);
        let record = CollectionRecord::of(self.space().cloned());
        let goes_on = match begun {
            Some(number) => {
                let found = self.client.record(Patience::Work, &numbered(name, number)).await?;
                found.is_some_and(|found| found.space == record.space).then_some(number)
            }
            None => None,
        };
        let number = match goes_on {
            Some(number) => number,
            None => self.fresh(current).await?,
        };
        self.client.make(Patience::Work, &numbered(name, number), &record).await?;
        let (client, pages) = (Arc::clone(&self.client), Arc::clone(&self.pages));
        let place = Place::Beside(number);
        Ok(Arc::new(Self::at(client, name, place, Some(Shape::Gateway), self.embedder.clone(), pages)))
    }

    async fn take_place(&self) -> Result<(), KnowledgeError> {
        match self.place {
            Place::Beside(number) => Ok(self.take(number).await?),
            Place::Named => Err(KnowledgeError::Unusable(format!("`{}` has its place already", self.name))),
        }
    }

    async fn describe(&self) -> Result<Description, KnowledgeError> {
        let standing = self.standing().await?;
        let patience = Patience::Search;
        let (documents, passages) = match standing.shape {
            Shape::Gateway => (
                self.client.count(patience, self.target(), Some(Kind::Document)).await?,
                self.client.count(patience, self.target(), Some(Kind::Passage)).await?,
            ),
            Shape::Tutor | Shape::Book => (0, self.client.count(patience, self.target(), None).await?),
        };
        Ok(Description {
            kind: "qdrant",
            retrieval: match (standing.shape, standing.dense) {
                (Shape::Gateway, false) => "lexical",
                (Shape::Gateway, true) => "hybrid",
                (Shape::Tutor | Shape::Book, _) => "dense",
            },
            space: standing.space.clone(),
            collection: self.name.clone(),
            documents,
            passages,
        })
    }
}

/// Says a thing once in a while instead of every time.
#[derive(Default)]
struct Complaints(Mutex<Option<Instant>>);

impl Complaints {
    fn may_speak(&self) -> bool {
        let Ok(mut last) = self.0.try_lock() else { return false };
        let speaks = last.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
        if speaks {
            *last = Some(Instant::now());
        }
        speaks
    }
}
