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
use crate::llm::http;

/// The knowledge base of the settings. Nothing is asked of it yet.
///
/// # Errors
/// The settings of the knowledge base or of the embedding model cannot be used; the sentence names the variable.
pub fn knowledge(settings: &Settings, providers: &Providers, database: &Database) -> Result<Arc<dyn KnowledgeBase>> {
    let embedder = embedder(providers)?;
    Ok(Arc::new(EmbeddedKnowledge::open(database.passages(), &settings.knowledge.collection, embedder)))
}

/// What makes vectors, if anything does.
fn embedder(providers: &Providers) -> Result<Option<Arc<dyn Embedder>>> {
    let Some(endpoint) = &providers.embedding.endpoint else { return Ok(None) };
    let client = http::client(providers.model.proxy.as_deref()).context(CLIENT_ADVICE)?;
    let embedder = RemoteEmbedder::new(client, endpoint.clone(), Limits::default());
    let embedder = embedder.context("check EMBEDDING_MODEL, EMBEDDING_BASE_URL and EMBEDDING_API_KEY")?;
    Ok(Some(Arc::new(Cached::new(embedder))))
}
