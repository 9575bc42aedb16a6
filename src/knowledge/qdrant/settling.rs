//! What can only be known of a whole collection: how near is near enough.

use std::time::Duration;

use qdrant_client::qdrant::{
    Query, QueryBatchPoints, QueryPoints, QueryPointsBuilder, ScrollPointsBuilder, VectorInput,
};

use super::QdrantKnowledge;
use super::client::Patience;
use super::others;
use super::points::{self, CollectionRecord, DENSE, Kind};
use super::settings::Shape;
use super::standing::Standing;
use crate::knowledge::{KnowledgeError, Passage, floor};

/// Passages whose headings are asked for. Names of points are as good as drawn by lot, so the first ones are a sample.
const SAMPLE_PASSAGES: u32 = 400;
/// Questions in one request.
const BATCH_QUESTIONS: usize = 32;
/// Finding out what is near enough may take so long; after that it stays as it was.
const LEARNING_TIME_MAX: Duration = Duration::from_secs(60);

impl QdrantKnowledge {
    /// Finds out what is near enough, and stores it with the collection, unless that is known of the documents it has.
    pub(super) async fn learn(&self, standing: &Standing) -> Result<(), KnowledgeError> {
        if !standing.dense {
            return Ok(());
        }
        let record = self.client.record(Patience::Work, self.target()).await?.unwrap_or_default();
        let edition = points::edition(&self.client.states(self.target()).await?);
        if record.space != standing.space || record.learned_of.as_ref() == Some(&edition) {
            return Ok(());
        }
        let Some(near_floor) = self.learned(standing).await else { return Ok(()) };
        let record = CollectionRecord { near_floor: Some(near_floor), learned_of: Some(edition), ..record };
        self.client.write_record(Patience::Work, self.target(), &record).await?;
        tracing::info!(
            knowledge.collection = %self.name,
            knowledge.near_floor = near_floor,
            "Passages of `{}` count as near from a cosine of {near_floor:.3} on", self.name
        );
        Ok(())
    }

    /// What is near enough in this collection; none when that cannot be found out, which is no reason to fail.
    pub(super) async fn learned(&self, standing: &Standing) -> Option<f32> {
        let embedder = self.embedder.as_ref().filter(|_| standing.dense)?;
        let learning = async {
            let own = floor::own_questions(self.sample(standing.shape).await?.iter());
            floor::learn(&**embedder, own, |vectors| self.nearest(standing.shape, vectors)).await
        };
        match tokio::time::timeout(LEARNING_TIME_MAX, learning).await {
            Ok(Ok(near_floor)) => near_floor,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "What is near enough in `{}` stays as it was",
                    self.name
                );
                None
            }
            Err(_) => {
                tracing::warn!("What is near enough in `{}` was not found out in time", self.name);
                None
            }
        }
    }

    async fn sample(&self, shape: Shape) -> Result<Vec<Passage>, KnowledgeError> {
        let mut request = ScrollPointsBuilder::new(self.target()).limit(SAMPLE_PASSAGES).with_payload(true).build();
        request.filter = (shape == Shape::Gateway).then(|| points::of_kind(Kind::Passage));
        let page = self.client.ask(Patience::Work, |qdrant| {
            let request = request.clone();
            async move { qdrant.scroll(request).await }
        });
        let read = page.await?.result.into_iter().filter_map(|point| match shape {
            Shape::Gateway => points::read(point.payload),
            Shape::Tutor | Shape::Book => others::passage(shape, point.id.as_ref(), &point.payload, &self.pages),
        });
        Ok(read.collect())
    }

    /// For each vector the cosine of the nearest passage.
    async fn nearest(&self, shape: Shape, vectors: Vec<Vec<f32>>) -> Result<Vec<f32>, KnowledgeError> {
        let name = self.target();
        let nearest = |vector: &Vec<f32>| -> QueryPoints {
            let query = QueryPointsBuilder::new(name).query(Query::from(VectorInput::from(vector.clone()))).limit(1);
            if shape == Shape::Gateway { query.using(DENSE).build() } else { query.build() }
        };
        let mut cosines = Vec::with_capacity(vectors.len());
        for batch in vectors.chunks(BATCH_QUESTIONS) {
            let request = QueryBatchPoints {
                collection_name: name.to_owned(),
                query_points: batch.iter().map(nearest).collect(),
                read_consistency: None,
                timeout: Some(Patience::Work.seconds()),
            };
            let answered = self.client.ask(Patience::Work, |qdrant| {
                let request = request.clone();
                async move { qdrant.query_batch(request).await }
            });
            let best =
                answered.await?.result.into_iter().map(|batch| batch.result.first().map_or(0.0, |hit| hit.score));
            cosines.extend(best);
        }
        Ok(cosines)
    }
}
