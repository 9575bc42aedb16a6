//! What there is to search before anything is searched: a collection that fits the settings, made if it is missing.

use super::client::Patience;
use super::collections::{Looks, numbered};
use super::failure::Failure;
use super::points::{CollectionRecord, Kind};
use super::settings::Shape;
use super::{Place, QdrantKnowledge};
use crate::embedding::EmbeddingSpace;
use crate::knowledge::KnowledgeError;

/// A collection as it was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// What its points look like.
    pub(super) shape: Shape,
    /// Whether the configured model's vectors can be compared with those stored.
    pub(super) dense: bool,
    /// The space of its vectors, if it has any and knows.
    pub(super) space: Option<EmbeddingSpace>,
    /// What is near enough in a collection that cannot keep it itself.
    pub(super) near_floor: Option<f32>,
}

impl Standing {
    /// What a collection that keeps no record would have in it.
    pub(super) fn record(&self) -> CollectionRecord {
        CollectionRecord { near_floor: self.near_floor, ..CollectionRecord::of(self.space.clone()) }
    }
}

impl QdrantKnowledge {
    /// Looks at the collection, makes what is missing, and refuses what does not fit.
    pub(super) async fn stand(&self) -> Result<Standing, KnowledgeError> {
        let patience = Patience::Start;
        let target = self.target();
        let Some(looks) = self.client.look(patience, target).await? else {
            return self.begin().await;
        };
        let shape = self.settled_shape(&looks)?;
        if shape != Shape::Gateway {
            let standing = self.stand_on_others(shape, &looks)?;
            let near_floor = self.learned(&standing).await;
            return Ok(Standing { near_floor, ..standing });
        }
        self.client.complete(patience, target, &looks).await?;
        let record = self.client.record(patience, target).await?;
        let record = match record {
            Some(record) => record,
            // Whoever made it was interrupted; a collection without its record holds no document yet.
            None => {
                let own = self.space().filter(|space| looks.dimensions == Some(u64::from(space.dimensions)));
                let record = CollectionRecord::of(own.cloned());
                self.client.write_record(patience, target, &record).await?;
                record
            }
        };
        let is_other = record.space.as_ref() != self.space();
        if is_other
            && self.client.count(patience, target, Some(Kind::Document)).await? == 0
            && let Some(standing) = self.begin_anew().await?
        {
            return Ok(standing);
        }
        Ok(self.compared(record))
    }

    /// What can be done with what is stored: vectors of another space than the configured one are no help to a search.
    fn compared(&self, record: CollectionRecord) -> Standing {
        let name = &self.name;
        let dense = match (&record.space, self.space()) {
            (Some(stored), Some(configured)) => stored == configured,
            (Some(stored), None) => {
                tracing::warn!(
                    "`{name}` has vectors of {stored}, and no embedding model is set up: it is searched by words alone"
                );
                false
            }
            (None, Some(_)) => {
                tracing::warn!(
                    "`{name}` has no vectors: it is searched by words alone until `ingest --reembed` was run"
                );
                false
            }
            (None, None) => false,
        };
        Standing { shape: Shape::Gateway, dense, space: record.space, near_floor: None }
    }

    /// Refuses vectors that cannot be compared with those that are stored.
    pub(super) fn of_one_space(&self, standing: &Standing) -> Result<(), KnowledgeError> {
        match &standing.space {
            Some(stored) if Some(stored) != self.space() => Err(KnowledgeError::OtherSpace {
                collection: self.name.clone(),
                stored: stored.clone(),
                configured: self.space().cloned(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn settled_shape(&self, looks: &Looks) -> Result<Shape, KnowledgeError> {
        let name = &self.name;
        match (self.shape, looks.shape) {
            (None, Some(shape)) => Ok(shape),
            (Some(wanted), Some(shape)) if (wanted == Shape::Gateway) == (shape == Shape::Gateway) => Ok(wanted),
            (Some(wanted), None) if wanted != Shape::Gateway && looks.dimensions.is_some() => Ok(wanted),
            (Some(_), Some(_)) => Err(KnowledgeError::Unusable(format!(
                "`{name}` does not look as QDRANT_SHAPE says: leave QDRANT_SHAPE out, or name another collection in \
                 KNOWLEDGE_COLLECTION"
            ))),
            (_, None) => Err(KnowledgeError::Unusable(format!(
                "`{name}` is a collection of another program, or an empty one: name one in KNOWLEDGE_COLLECTION that is \
                 not there yet, or say in QDRANT_SHAPE what this one looks like"
            ))),
        }
    }

    /// A collection that another program made: it can be read, by meaning.
    fn stand_on_others(&self, shape: Shape, looks: &Looks) -> Result<Standing, KnowledgeError> {
        let name = &self.name;
        let stored = looks.dimensions.unwrap_or_default();
        match self.space() {
            None => Err(KnowledgeError::Unusable(format!(
                "`{name}` can be searched by meaning only: set EMBEDDING_PROVIDER and EMBEDDING_MODEL to the model its \
                 vectors of {stored} dimensions were made with, or ingest the book into another KNOWLEDGE_COLLECTION"
            ))),
            Some(space) if u64::from(space.dimensions) != stored => Err(KnowledgeError::Unusable(format!(
                "the vectors of `{name}` have {stored} dimensions, and the embedding model makes {}: set \
                 EMBEDDING_MODEL and EMBEDDING_DIMENSIONS to what they were made with",
                space.dimensions
            ))),
            Some(space) => Ok(Standing { shape, dense: true, space: Some(space.clone()), near_floor: None }),
        }
    }

    /// The first collection under its name.
    async fn begin(&self) -> Result<Standing, KnowledgeError> {
        let patience = Patience::Start;
        if self.shape.is_some_and(|shape| shape != Shape::Gateway) {
            return Err(KnowledgeError::Unusable(format!(
                "there is no collection `{}` at {}: check KNOWLEDGE_COLLECTION, or leave QDRANT_SHAPE out to make one",
                self.name, self.client.around.uri
            )));
        }
        let record = CollectionRecord::of(self.space().cloned());
        match &self.place {
            Place::Named => {
                let first = numbered(&self.name, 1);
                self.client.make(patience, &first, &record).await?;
                self.client.name(patience, &self.name, &first).await?;
            }
            Place::Beside(number) => {
                self.client.make(patience, &numbered(&self.name, *number), &record).await?;
            }
        }
        Ok(self.compared(record))
    }

    /// Puts an empty collection of the configured space in place of an empty one; none where that cannot be done.
    async fn begin_anew(&self) -> Result<Option<Standing>, KnowledgeError> {
        let Place::Named = self.place else { return Ok(None) };
        let Some(current) = self.client.current_number(&self.name).await? else { return Ok(None) };
        let record = CollectionRecord::of(self.space().cloned());
        let next = self.fresh(current).await?;
        self.client.make(Patience::Start, &numbered(&self.name, next), &record).await?;
        self.take(next).await?;
        Ok(Some(self.compared(record)))
    }

    /// The number of a collection beside the current one that can be made anew.
    pub(super) async fn fresh(&self, current: u32) -> Result<u32, Failure> {
        let next = current + 1;
        for number in self.client.numbers(&self.name).await?.into_iter().filter(|number| *number > current) {
            self.client.delete(&numbered(&self.name, number)).await?;
        }
        Ok(next)
    }

    /// Lets the collection of a number go by the name, and removes those before it.
    pub(super) async fn take(&self, number: u32) -> Result<(), Failure> {
        self.client.name(Patience::Work, &self.name, &numbered(&self.name, number)).await?;
        for old in self.client.numbers(&self.name).await?.into_iter().filter(|old| *old < number) {
            if let Err(failure) = self.client.delete(&numbered(&self.name, old)).await {
                tracing::warn!("`{}` could not be removed: {}", numbered(&self.name, old), failure.sentence);
            }
        }
        Ok(())
    }
}
