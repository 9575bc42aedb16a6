//! One question to Qdrant: it finds what comes into question, and tells how rare the question's words are in all of the
//! book; which of the found answers the question is judged here, by the rules of every home.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::qdrant::{
    BatchResult, Fusion, PrefetchQueryBuilder, Query, QueryBatchPoints, QueryPoints, QueryPointsBuilder, ScoredPoint,
    VectorInput, VectorsSelector, point_id::PointIdOptions, vector_output,
};

use super::QdrantKnowledge;
use super::client::Patience;
use super::failure::{Failure, Kind as FailureKind};
use super::others;
use super::points::{self, CollectionRecord, DENSE, WORDS};
use super::settings::Shape;
use super::sparse::{self, COLLECTION_MARK, DOCUMENT_MARK};
use super::standing::Standing;
use crate::embedding::Role;
use crate::knowledge::arrange::arrange;
use crate::knowledge::hybrid::{self, Near};
use crate::knowledge::lexical::{Census, Hit, Index, Wanted, wanted};
use crate::knowledge::{Found, KnowledgeError, Passage, Search, StoreError, context};

/// Passages that come into question by their vectors, and as many by their words.
const CANDIDATES: u64 = 64;
/// Passages of both rankings together that are brought here.
const FUSED: u64 = 96;
/// Words a question is looked for by.
const WORDS_MAX: usize = 200;
/// Words of a question that are counted in the whole collection.
const COUNTED_WORDS_MAX: usize = 48;
/// A question that does not become a vector in this time is looked for by its words.
const EMBEDDING_TIME_MAX: Duration = Duration::from_secs(3);

/// What came back for a question.
struct Answer {
    candidates: Vec<(Arc<Passage>, String)>,
    /// Cosines by the names of points.
    cosines: Vec<(String, f32)>,
    census: Option<Census>,
    record: CollectionRecord,
}

impl QdrantKnowledge {
    pub(super) async fn found(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError> {
        if asked.query.trim().is_empty() || asked.limit == 0 {
            return Ok(Vec::new());
        }
        let standing = self.standing().await?;
        let vector = if standing.dense { self.question_vector(asked).await } else { None };
        let mut answer = match self.ask(asked, &standing, vector).await {
            Ok(answer) => answer,
            // The collection was replaced by one with other vectors, or in this very moment: once more, as it is now.
            Err(Failure { kind: FailureKind::OtherVectors | FailureKind::Missing, sentence }) => {
                tracing::warn!("Searching again by words alone: {sentence}");
                self.forget();
                if standing.shape != Shape::Gateway {
                    return Err(KnowledgeError::Unusable(sentence));
                }
                self.ask(asked, &Standing { dense: false, ..(*standing).clone() }, None).await?
            }
            Err(failure) => return Err(failure.into()),
        };
        if standing.shape == Shape::Gateway && (answer.census.is_none() || answer.record.space != standing.space) {
            self.forget();
            // What is near in another model's space is near by accident.
            answer.cosines.clear();
        }
        self.judged(asked, answer).await
    }

    /// The question as a vector; none when the model does not give one, which costs nothing but its help.
    async fn question_vector(&self, asked: &Search<'_>) -> Option<Vec<f32>> {
        let embedder = self.embedder.as_ref()?;
        let texts = [context::of_question(asked)];
        let why = match tokio::time::timeout(EMBEDDING_TIME_MAX, embedder.embed(&texts, Role::Query)).await {
            Ok(Ok(vectors)) => return vectors.into_iter().next(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the embedding model did not answer within {} s", EMBEDDING_TIME_MAX.as_secs()),
        };
        if self.complaints.may_speak() {
            tracing::warn!(error = why, "Searching by words alone, the question did not become a vector");
        }
        None
    }

    async fn ask(&self, asked: &Search<'_>, standing: &Standing, vector: Option<Vec<f32>>) -> Result<Answer, Failure> {
        let words = match standing.shape {
            Shape::Gateway => wanted(asked.query, asked.earlier),
            Shape::Tutor | Shape::Book => Vec::new(),
        };
        let words = &words[..words.len().min(WORDS_MAX)];
        let with_vector = vector.is_some();
        let queries = self.queries(standing.shape, words, vector);
        if queries.is_empty() {
            return Ok(Answer::nothing());
        }
        let request = QueryBatchPoints {
            collection_name: self.target().to_owned(),
            query_points: queries,
            read_consistency: None,
            timeout: Some(Patience::Search.seconds()),
        };
        let answered = self.client.ask(Patience::Search, |qdrant| {
            let request = request.clone();
            async move { qdrant.query_batch(request).await }
        });
        let results = answered.await?.result;
        Ok(match standing.shape {
            Shape::Gateway => Answer::of_ours(results, with_vector, words),
            shape @ (Shape::Tutor | Shape::Book) => {
                let read = |point: ScoredPoint| others::passage(shape, point.id.as_ref(), &point.payload, &self.pages);
                Answer { record: standing.record(), ..Answer::of_others(results, read) }
            }
        })
    }

    /// All that is asked in the one request. Where there is a vector, the second query gives its cosines, which fusing
    /// swallows; then one for each word that is counted.
    fn queries(&self, shape: Shape, words: &[Wanted], vector: Option<Vec<f32>>) -> Vec<QueryPoints> {
        let name = self.target();
        let nearest = |vector: Vec<f32>| Query::from(VectorInput::from(vector));
        if shape != Shape::Gateway {
            let dense = |vector| {
                QueryPointsBuilder::new(name).query(nearest(vector)).limit(CANDIDATES).with_payload(true).build()
            };
            return vector.into_iter().map(dense).collect();
        }
        let sparse = Query::from(sparse_input(sparse::question(words)));
        let mut queries = Vec::with_capacity(words.len() + 4);
        match vector {
            Some(vector) => {
                let of_words = PrefetchQueryBuilder::default().query(sparse).using(WORDS).limit(CANDIDATES);
                let of_meaning =
                    PrefetchQueryBuilder::default().query(nearest(vector.clone())).using(DENSE).limit(CANDIDATES);
                let fused = QueryPointsBuilder::new(name).add_prefetch(of_words).add_prefetch(of_meaning);
                queries.push(fused.query(Query::from(Fusion::Rrf)).limit(FUSED).with_payload(true).build());
                let alone = QueryPointsBuilder::new(name).query(nearest(vector)).using(DENSE).limit(CANDIDATES);
                queries.push(alone.with_payload(false).build());
            }
            None => {
                let alone = QueryPointsBuilder::new(name).query(sparse).using(WORDS).limit(CANDIDATES);
                queries.push(alone.with_payload(true).build());
            }
        }
        queries.push(counting(name, COLLECTION_MARK, true));
        queries.push(counting(name, DOCUMENT_MARK, false));
        queries.extend(words.iter().take(COUNTED_WORDS_MAX).map(|word| counting(name, &word.stem, false)));
        queries
    }

    /// Which of the candidates answer the question.
    async fn judged(&self, asked: &Search<'_>, answer: Answer) -> Result<Vec<Found>, KnowledgeError> {
        let (query, earlier) = (asked.query.to_owned(), asked.earlier.to_vec());
        let (limit, strict) = (asked.limit, asked.strict);
        let judging = move || {
            let asked = Search { query: &query, earlier: &earlier, limit, strict };
            answer.judged(&asked)
        };
        let judged = tokio::task::spawn_blocking(judging).await;
        Ok(judged.map_err(|_| StoreError::Unreadable("the search was broken off".to_owned()))?)
    }
}

impl Answer {
    fn nothing() -> Self {
        Self { candidates: Vec::new(), cosines: Vec::new(), census: None, record: CollectionRecord::default() }
    }

    fn of_ours(results: Vec<BatchResult>, with_vector: bool, words: &[Wanted]) -> Self {
        let mut results = results.into_iter().map(|batch| batch.result);
        let mut next = || results.next().unwrap_or_default();
        let candidates = next()
            .into_iter()
            .filter_map(|point| Some((Arc::new(points::read(point.payload)?), id_of(point.id.as_ref()?)?)));
        let candidates: Vec<_> = candidates.collect();
        let cosines = if with_vector { next() } else { Vec::new() };
        let cosines = cosines.into_iter().filter_map(|point| Some((id_of(point.id.as_ref()?)?, point.score))).collect();
        let of_collection = next().into_iter().next();
        let of_documents = next().into_iter().next();
        let all = of_collection.as_ref().and_then(|point| rarity_in(point, COLLECTION_MARK)).map(sparse::points);
        let census = all.map(|all| {
            let spread = |point: Option<ScoredPoint>, stem: &str| {
                point.and_then(|point| rarity_in(&point, stem)).map_or(0, |rarity| sparse::spread(rarity, all))
            };
            let documents = spread(of_documents, DOCUMENT_MARK);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a count, and not below 1"
            )]
            let passages = (all.round() as usize).saturating_sub(documents + 1);
            let counted = words.iter().take(COUNTED_WORDS_MAX);
            let spread = counted.map(|word| (word.stem.clone(), spread(next().into_iter().next(), &word.stem)));
            Census { passages, spread: spread.collect() }
        });
        let record = of_collection.and_then(|point| points::read(point.payload)).unwrap_or_default();
        Self { candidates, cosines, census, record }
    }

    fn of_others(results: Vec<BatchResult>, read: impl Fn(ScoredPoint) -> Option<Passage>) -> Self {
        let mut answer = Self::nothing();
        for point in results.into_iter().flat_map(|batch| batch.result) {
            let score = point.score;
            let Some(id) = point.id.as_ref().and_then(id_of) else { continue };
            let Some(passage) = read(point) else { continue };
            answer.candidates.push((Arc::new(passage), id.clone()));
            answer.cosines.push((id, score));
        }
        answer
    }

    fn judged(mut self, asked: &Search<'_>) -> Vec<Found> {
        // Passages of one document stand together in an index, in their order.
        self.candidates.sort_by(|(one, _), (other, _)| {
            (&one.path, one.position, &one.id).cmp(&(&other.path, other.position, &other.id))
        });
        let places: HashMap<&String, u32> = self.candidates.iter().map(|(_, id)| id).zip(0..).collect();
        let near =
            self.cosines.iter().filter_map(|(id, cosine)| Some(Near { passage: *places.get(id)?, cosine: *cosine }));
        let near: Vec<Near> = near.collect();
        let passages: Vec<_> = self.candidates.iter().map(|(passage, _)| Arc::clone(passage)).collect();
        let index = match &self.census {
            Some(census) => Index::build_within(passages, census),
            None => Index::build(passages),
        };
        let ranked = |hit: Hit| (Arc::clone(index.passage(hit.passage)), hit.score);
        let hits = hybrid::best(&index, asked, &near, self.record.near_floor);
        arrange(&hits.into_iter().map(ranked).collect::<Vec<_>>(), asked.limit)
    }
}

/// The best point for one word, with the words it has: from both follows how rare the word is.
fn counting(name: &str, stem: &str, with_payload: bool) -> QueryPoints {
    let query = QueryPointsBuilder::new(name).query(Query::from(sparse_input(sparse::vector([(stem, 1.0)]))));
    query
        .using(WORDS)
        .limit(1)
        .with_payload(with_payload)
        .with_vectors(VectorsSelector { names: vec![WORDS.to_owned()] })
        .build()
}

fn sparse_input(vector: qdrant_client::qdrant::SparseVector) -> VectorInput {
    VectorInput { variant: Some(qdrant_client::qdrant::vector_input::Variant::Sparse(vector)) }
}

fn rarity_in(point: &ScoredPoint, stem: &str) -> Option<f32> {
    match point.vectors.as_ref()?.get_vector_by_name(WORDS)? {
        vector_output::Vector::Sparse(vector) => sparse::rarity(point.score, &vector, sparse::number(stem)),
        vector_output::Vector::Dense(_) | vector_output::Vector::MultiDense(_) => None,
    }
}

fn id_of(id: &qdrant_client::qdrant::PointId) -> Option<String> {
    match id.point_id_options.as_ref()? {
        PointIdOptions::Uuid(uuid) => Some(uuid.clone()),
        PointIdOptions::Num(number) => Some(number.to_string()),
    }
}
