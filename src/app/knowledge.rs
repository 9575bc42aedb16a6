//! The knowledge base of the settings, whichever it is.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::{CLIENT_ADVICE, Database, Providers};
use crate::config::Settings;
use crate::embedding::cache::Cached;
use crate::embedding::remote::RemoteEmbedder;
use crate::embedding::{Embedder, Limits};
use crate::knowledge::KnowledgeBase;
use crate::knowledge::embedded::EmbeddedKnowledge;
use crate::knowledge::ingest::Addresses;
use crate::knowledge::qdrant::QdrantKnowledge;
use crate::llm::http;

/// The knowledge base of the settings. Nothing is asked of it yet.
///
/// # Errors
/// The settings of the knowledge base or of the embedding model cannot be used; the sentence names the variable.
pub fn knowledge(settings: &Settings, providers: &Providers, database: &Database) -> Result<Arc<dyn KnowledgeBase>> {
    let embedder = embedder(providers)?;
    let set = &settings.knowledge;
    if let Some(qdrant) = &providers.qdrant {
        if qdrant.address.was_rest {
            tracing::info!("QDRANT_URL names the port of REST; Qdrant is asked over gRPC at {}", qdrant.address.uri);
        }
        let pages = Addresses::new(set.site_url.as_deref(), set.site_base.as_deref());
        return Ok(Arc::new(QdrantKnowledge::open(qdrant, &set.collection, embedder, pages)?));
    }
    Ok(Arc::new(EmbeddedKnowledge::open(database.passages(), &set.collection, embedder)))
}

/// What makes vectors, if anything does.
fn embedder(providers: &Providers) -> Result<Option<Arc<dyn Embedder>>> {
    let Some(endpoint) = &providers.embedding.endpoint else { return Ok(None) };
    let client = http::client(providers.model.proxy.as_deref()).context(CLIENT_ADVICE)?;
    let embedder = RemoteEmbedder::new(client, endpoint.clone(), Limits::default());
    let embedder = embedder.context("check EMBEDDING_MODEL, EMBEDDING_BASE_URL and EMBEDDING_API_KEY")?;
    Ok(Some(Arc::new(Cached::new(embedder))))
}
