//! Queries over a collection in memory: nearest by cosine or by words, and fusion of both.

use std::collections::{BTreeSet, HashMap};

use qdrant_client::qdrant::vector_input::Variant as Input;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions as PayloadOptions;
use qdrant_client::qdrant::with_vectors_selector::SelectorOptions as VectorOptions;
use qdrant_client::qdrant::{
    Fusion, NamedVectorsOutput, PrefetchQuery, Query, QueryPoints, ScoredPoint, Value, VectorOutput, VectorsOutput,
    WithPayloadSelector, WithVectorsSelector, query::Variant, vector_output, vectors_output,
};
use tonic::Status;

use super::engine::{Collection, Stored};

/// What the real one adds to ranks when it fuses them.
const FUSION_SOFTNESS: f32 = 2.0;
/// How many points come when nobody says.
const LIMIT_DEFAULT: u64 = 10;

type Ranking = Vec<(String, f32)>;

impl Collection {
    pub(crate) fn query(&self, asked: &QueryPoints) -> Result<Vec<ScoredPoint>, Status> {
        let limit = asked.limit.unwrap_or(LIMIT_DEFAULT) as usize;
        if limit == 0 || asked.prefetch.iter().any(|prefetch| prefetch.limit == Some(0)) || asked.timeout == Some(0) {
            return Err(Status::invalid_argument("Validation error in body: [limit, timeout: must be 1 or larger]"));
        }
        if let Some(VectorOptions::Include(only)) =
            asked.with_vectors.as_ref().and_then(|with| with.selector_options.as_ref())
        {
            self.has_vectors(&only.names)?;
        }
        let passing = self.passing(asked.filter.as_ref())?;
        let mut ranking = match asked.query.as_ref().and_then(|query| query.variant.as_ref()) {
            Some(Variant::Fusion(fusion)) if *fusion == Fusion::Rrf as i32 => {
                if asked.using.is_some() {
                    return Err(Status::invalid_argument("Bad request: a fusion is of no vector"));
                }
                if asked.prefetch.is_empty() {
                    return Err(Status::invalid_argument("Bad request: Fusion query cannot be used without prefetch"));
                }
                let rankings = asked.prefetch.iter().map(|prefetch| self.prefetched(prefetch));
                fused(rankings.collect::<Result<_, _>>()?)
            }
            Some(variant) => self.nearest(variant, asked.using.as_deref().unwrap_or_default())?,
            None => return Err(Status::unimplemented("the fake wants a query")),
        };
        ranking.retain(|(key, _)| passing.contains(key));
        ranking.truncate(limit);
        let scored = ranking.into_iter().map(|(key, score)| {
            let point = &self.points[&key];
            ScoredPoint {
                id: Some(point.id.clone()),
                payload: shown(point, asked.with_payload.as_ref()),
                score,
                version: 0,
                vectors: vectors(point, asked.with_vectors.as_ref()),
                shard_key: None,
                order_value: None,
            }
        });
        Ok(scored.collect())
    }

    fn prefetched(&self, prefetch: &PrefetchQuery) -> Result<Ranking, Status> {
        let Some(Query { variant: Some(variant) }) = &prefetch.query else {
            return Err(Status::unimplemented("the fake wants a query"));
        };
        let passing: BTreeSet<String> = self.passing(prefetch.filter.as_ref())?;
        let mut ranking = self.nearest(variant, prefetch.using.as_deref().unwrap_or_default())?;
        ranking.retain(|(key, _)| passing.contains(key));
        ranking.truncate(prefetch.limit.unwrap_or(LIMIT_DEFAULT) as usize);
        Ok(ranking)
    }

    fn nearest(&self, variant: &Variant, using: &str) -> Result<Ranking, Status> {
        let Variant::Nearest(input) = variant else { return Err(Status::unimplemented("the fake knows nearest")) };
        let mut ranking: Ranking = match input.variant.as_ref() {
            Some(Input::Dense(asked)) => {
                self.vector_size(using, asked.data.len())?;
                let near = |(key, point): (&String, &Stored)| {
                    Some((key.clone(), cosine(&asked.data, point.dense.get(using)?)))
                };
                self.points.iter().filter_map(near).collect()
            }
            Some(Input::Sparse(asked)) => {
                let by_rarity = self.sparse_is_right(using, asked)?;
                let weight = |index: u32, value: f32| if by_rarity { value * self.rarity(using, index) } else { value };
                let words: HashMap<u32, f32> =
                    asked.indices.iter().zip(&asked.values).map(|(i, v)| (*i, weight(*i, *v))).collect();
                let score = |(key, point): (&String, &Stored)| {
                    let own = point.sparse.get(using)?;
                    let shared = own.indices.iter().zip(&own.values).filter(|(index, _)| words.contains_key(index));
                    let scores: Vec<f32> = shared.map(|(index, value)| words[index] * value).collect();
                    (!scores.is_empty()).then(|| (key.clone(), scores.iter().sum()))
                };
                self.points.iter().filter_map(score).collect()
            }
            _ => return Err(Status::unimplemented("the fake knows vectors")),
        };
        ranking.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Ok(ranking)
    }
}

fn fused(rankings: Vec<Ranking>) -> Ranking {
    let mut scores: HashMap<String, f32> = HashMap::new();
    for ranking in rankings {
        for (rank, (key, _)) in ranking.into_iter().enumerate() {
            *scores.entry(key).or_default() += 1.0 / (rank as f32 + FUSION_SOFTNESS);
        }
    }
    let mut fused: Ranking = scores.into_iter().collect();
    fused.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    fused
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt().max(f32::EPSILON)
}

/// What of a point's members is shown.
pub(crate) fn shown(point: &Stored, selector: Option<&WithPayloadSelector>) -> HashMap<String, Value> {
    match selector.and_then(|selector| selector.selector_options.as_ref()) {
        Some(PayloadOptions::Enable(true)) => point.payload.clone(),
        Some(PayloadOptions::Include(only)) => point
            .payload
            .iter()
            .filter(|(name, _)| only.fields.contains(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
        _ => HashMap::new(),
    }
}

fn vectors(point: &Stored, selector: Option<&WithVectorsSelector>) -> Option<VectorsOutput> {
    let Some(VectorOptions::Include(only)) = selector.and_then(|selector| selector.selector_options.as_ref()) else {
        return None;
    };
    let named = point.sparse.iter().filter(|(name, _)| only.names.contains(name)).map(|(name, vector)| {
        let vector = Some(vector_output::Vector::Sparse(vector.clone()));
        (name.clone(), VectorOutput { vector, ..VectorOutput::default() })
    });
    let named = NamedVectorsOutput { vectors: named.collect() };
    Some(VectorsOutput { vectors_options: Some(vectors_output::VectorsOptions::Vectors(named)) })
}
