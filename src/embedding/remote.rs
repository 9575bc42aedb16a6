//! An embedding model behind somebody's door: any number of texts become requests of a bearable size.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::batches::batches;
use super::endpoint::{EmbeddingEndpoint, Limits};
use super::requests::{Asker, Trouble};
use super::{Embedder, EmbeddingError, EmbeddingSpace, Role};
use crate::llm::address::EndpointError;

/// Requests for documents that are under way at the same time, whoever wants them.
const REQUESTS_TOGETHER_MAX: usize = 4;

/// A text that was cut to fewer bytes than this, and is still too long, is not what is wrong.
const TEXT_BYTES_MIN: usize = 200;

/// An embedding model behind an endpoint.
pub struct RemoteEmbedder {
    asker: Asker,
    space: EmbeddingSpace,
    /// Queries do not stand in this line: a reader waits for them.
    documents: Semaphore,
}

impl RemoteEmbedder {
    /// A client for `endpoint`; nothing is sent yet.
    ///
    /// # Errors
    /// The address, the key or the model's name cannot be used.
    pub fn new(http: reqwest::Client, endpoint: EmbeddingEndpoint, limits: Limits) -> Result<Self, EndpointError> {
        let space = endpoint.space();
        let asker = Asker::new(http, endpoint, limits)?;
        Ok(Self { asker, space, documents: Semaphore::new(REQUESTS_TOGETHER_MAX) })
    }

    /// The vectors of texts that were meant for one request.
    async fn batch(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let _turn = match role {
            Role::Query => None,
            Role::Document => Some(self.documents.acquire().await.expect("nobody closes it")),
        };
        let mut vectors = Vec::with_capacity(texts.len());
        // What is left to do, the first of it last; and how long a text may be.
        let mut left = vec![(texts, usize::MAX)];
        while let Some((part, text_bytes_max)) = left.pop() {
            let sent = part.iter().map(|text| self.asker.endpoint.as_sent(text, role, text_bytes_max));
            match self.asker.ask(&sent.collect::<Vec<_>>(), role).await {
                Ok(more) => vectors.extend(more),
                Err(Trouble::TooLarge(said)) => {
                    let shorter = part[0].len().min(text_bytes_max) / 2;
                    match part.split_at(part.len() / 2) {
                        ([], _) if shorter < TEXT_BYTES_MIN => return Err(EmbeddingError::Refused(said)),
                        ([], one) => left.push((one, shorter)),
                        (first, second) => left.extend([(second, text_bytes_max), (first, text_bytes_max)]),
                    }
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Ok(vectors)
    }
}

#[async_trait]
impl Embedder for RemoteEmbedder {
    async fn embed(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let batches = batches(texts.iter().map(String::len), self.asker.endpoint.batch);
        let requests = batches.into_iter().map(|batch| self.batch(&texts[batch], role));
        let vectors: Vec<Vec<Vec<f32>>> = stream::iter(requests).buffered(REQUESTS_TOGETHER_MAX).try_collect().await?;
        Ok(vectors.into_iter().flatten().collect())
    }

    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }
}
