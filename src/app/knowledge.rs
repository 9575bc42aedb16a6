//! The knowledge base of the settings, whichever it is.

use std::sync::Arc;

use anyhow::Result;

use super::{Database, Providers};
use crate::config::Settings;
use crate::embedding::Embedder;
use crate::knowledge::KnowledgeBase;
use crate::knowledge::embedded::EmbeddedKnowledge;

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
    let _ = &providers.embedding;
    Ok(None)
}
