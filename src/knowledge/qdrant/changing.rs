//! Changes to whichever collection goes by the name, made again where another one took its place meanwhile.
//!
//! A change names the collection itself and not its alias: a document in several batches would else begin in one
//! collection and end in another, and be whole in neither.

use std::sync::Arc;

use super::client::Patience;
use super::collections::numbered;
use super::failure::{Failure, Kind};
use super::standing::Standing;
use super::{Place, QdrantKnowledge};
use crate::embedding::{EmbeddingError, Role};
use crate::knowledge::{Document, KnowledgeError, context};

/// How often a change follows a name that goes on to another collection; each time somebody ends a `--reembed`.
const MOVES_MAX: usize = 5;

/// What is changed.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// These documents, each in place of what was under its path.
    Put(&'a [Document]),
    /// This path is forgotten.
    Remove(&'a str),
}

impl QdrantKnowledge {
    /// Carries a change out where the name leads, until it still leads there afterwards.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<(), KnowledgeError> {
        for _ in 0..MOVES_MAX {
            let standing = self.writable().await?;
            let there = self.lies_at().await?;
            let done = match self.changed(&there, &standing, change).await? {
                Ok(is_done) => is_done,
                // It was removed, by hand or because another took its place.
                Err(Failure { kind: Kind::Missing, .. }) if self.place == Place::Named => false,
                Err(failure) => return Err(failure.into()),
            };
            if done && self.lies_at().await? == there {
                return Ok(());
            }
            self.forget();
        }
        Err(KnowledgeError::Away(format!("`{}` goes on to another collection all the time", self.name)))
    }

    /// Whether the collection is as it was found, and the change therefore made.
    async fn changed(
        &self,
        there: &str,
        standing: &Standing,
        change: Change<'_>,
    ) -> Result<Result<bool, Failure>, KnowledgeError> {
        let documents = match change {
            Change::Remove(path) => return Ok(self.client.remove(there, path).await.map(|()| true)),
            Change::Put(documents) => documents,
        };
        match self.client.record(Patience::Work, there).await {
            Ok(Some(record)) if record.space == standing.space => {}
            Ok(_) => return Ok(Ok(false)),
            Err(failure) => return Ok(Err(failure)),
        }
        self.of_one_space(standing)?;
        let vectors = self.vectors(standing, documents).await?;
        Ok(self.client.put(there, documents, vectors.map(Vec::into_iter)).await.map(|()| true))
    }

    /// The collection that the name leads to.
    async fn lies_at(&self) -> Result<Arc<str>, Failure> {
        let number = match self.place {
            Place::Named => self.client.current_number(&self.name).await?,
            Place::Beside(number) => Some(number),
        };
        Ok(number.map_or_else(|| self.name.as_str().into(), |number| numbered(&self.name, number).into()))
    }

    /// The vectors of documents' passages, in their order; none where the collection has no use for them.
    async fn vectors(
        &self,
        standing: &Standing,
        documents: &[Document],
    ) -> Result<Option<Vec<Vec<f32>>>, KnowledgeError> {
        let Some(embedder) = self.embedder.as_ref().filter(|_| standing.dense) else { return Ok(None) };
        let passages = documents.iter().flat_map(|document| &document.passages);
        let texts: Vec<String> = passages.map(context::of_passage).collect();
        if texts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let vectors = embedder.embed(&texts, Role::Document).await?;
        if vectors.len() != texts.len() {
            let told = format!("{} vectors for {} texts", vectors.len(), texts.len());
            return Err(EmbeddingError::Garbled(told).into());
        }
        Ok(Some(vectors))
    }
}
