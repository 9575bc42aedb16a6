//! Vectors that were asked for before, and texts that are asked for several times at once.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::{Embedder, EmbeddingError, EmbeddingSpace, Role};

/// All vectors of queries that are kept, in bytes.
const QUERIES_BYTES_MAX: u64 = 32 << 20;

/// All vectors of documents that are kept, in bytes: an ingestion that is tried again is not paid for twice.
const DOCUMENTS_BYTES_MAX: u64 = 32 << 20;

/// What an entry takes beside its numbers, roughly.
const ENTRY_BYTES: u32 = 200;

/// A hash of a space, a role and a text.
type Key = [u8; 32];

/// A vector, or the place where whoever came first will put it.
type Place = Arc<OnceCell<Vec<f32>>>;

/// An embedder that remembers.
pub struct Cached<E> {
    inner: E,
    /// Of each role its own, so that a book does not push out what readers ask.
    queries: Cache<Key, Place>,
    documents: Cache<Key, Place>,
}

impl<E: Embedder> Cached<E> {
    /// Remembers what this one says.
    pub fn new(inner: E) -> Self {
        let entry_bytes = inner.space().dimensions.saturating_mul(4).saturating_add(ENTRY_BYTES);
        let cache =
            |bytes_max| Cache::builder().max_capacity(bytes_max).weigher(move |_: &Key, _: &Place| entry_bytes).build();
        Self { inner, queries: cache(QUERIES_BYTES_MAX), documents: cache(DOCUMENTS_BYTES_MAX) }
    }

    fn place(&self, role: Role, key: Key) -> Place {
        let cache = match role {
            Role::Query => &self.queries,
            Role::Document => &self.documents,
        };
        cache.get_with(key, Place::default)
    }

    fn key(&self, role: Role, text: &str) -> Key {
        let mut hash = Sha256::new();
        // Lengths in front, so that no name runs into the next.
        let space = self.inner.space().to_string();
        hash.update(space.len().to_le_bytes());
        hash.update(space);
        hash.update([match role {
            Role::Query => 0,
            Role::Document => 1,
        }]);
        hash.update(text);
        hash.finalize().into()
    }

    /// One text: whoever asks for the same meanwhile waits for the same answer.
    async fn one(&self, text: &str, role: Role) -> Result<Vec<f32>, EmbeddingError> {
        let place = self.place(role, self.key(role, text));
        let vector = place.get_or_try_init(|| async {
            let vectors = self.inner.embed(&[text.to_owned()], role).await?;
            vectors.into_iter().next().ok_or_else(|| EmbeddingError::Garbled("no vector for a text".to_owned()))
        });
        vector.await.cloned()
    }
}

#[async_trait]
impl<E: Embedder> Embedder for Cached<E> {
    async fn embed(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        if let [text] = texts {
            return Ok(vec![self.one(text, role).await?]);
        }
        let places: Vec<Place> = texts.iter().map(|text| self.place(role, self.key(role, text))).collect();
        let (mut numbers, mut missing) = (HashMap::new(), Vec::new());
        for (place, text) in places.iter().zip(texts) {
            if place.get().is_none() && !numbers.contains_key(text.as_str()) {
                numbers.insert(text.as_str(), missing.len());
                missing.push(text.clone());
            }
        }
        let fresh = if missing.is_empty() { Vec::new() } else { self.inner.embed(&missing, role).await? };
        let vectors = places.iter().zip(texts).map(|(place, text)| {
            let fresh = numbers.get(text.as_str()).and_then(|number| fresh.get(*number));
            if let Some(vector) = fresh {
                // Fails only where somebody else was quicker, with the same.
                let _ = place.set(vector.clone());
            }
            fresh.or_else(|| place.get()).cloned()
        });
        let vectors: Option<Vec<Vec<f32>>> = vectors.collect();
        vectors.ok_or_else(|| EmbeddingError::Garbled("fewer vectors than texts".to_owned()))
    }

    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }
}
