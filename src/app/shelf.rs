//! The knowledge base made ready, with the bundled book in one that is empty, whatever becomes of vectors.
//!
//! A key for answers brings a model for vectors with it. Nobody asked for that one, so nothing that worked without it
//! may fail because of it.

use std::time::Duration;

use anyhow::Result;
use tokio::time::timeout;

use super::{Database, Providers, knowledge};
use crate::book;
use crate::config::Settings;
use crate::embedding::EmbeddingError;
use crate::embedding::choice::EmbeddingSettings;
use crate::knowledge::{KnowledgeBase, KnowledgeError};

/// A start waits so long for the vectors of the bundled book.
const BOOK_VECTORS_WAIT: Duration = Duration::from_secs(10);

/// The providers, without a model for vectors that nobody asked for where those that are stored are of another one: the
/// book is found by its words then, until somebody decides.
///
/// # Errors
/// The settings of the knowledge base cannot be used.
pub async fn fitting(settings: &Settings, providers: &Providers, database: &Database) -> Result<Providers> {
    let unasked = providers.embedding.endpoint.as_ref().filter(|_| !providers.embedding.chosen);
    let Some(configured) = unasked.map(|endpoint| endpoint.space()) else { return Ok(providers.clone()) };
    let described = knowledge(settings, providers, database)?.describe().await;
    // Whatever else may be wrong is told when it is used.
    let Some(stored) = described.ok().and_then(|described| described.space) else { return Ok(providers.clone()) };
    if stored == configured {
        return Ok(providers.clone());
    }
    tracing::warn!(
        "Finding by words alone: the stored vectors are of {stored}, and the key for answers brings {configured}; set \
         EMBEDDING_PROVIDER and EMBEDDING_MODEL to keep the one, or run `ingest --reembed` for the other"
    );
    Ok(without_vectors(providers))
}

/// Makes the knowledge base ready, and puts the bundled book into one that is empty; by words alone where its texts do
/// not become vectors for a reason that may pass, or with a model that nobody asked for.
///
/// # Errors
/// The knowledge base cannot be used.
pub async fn shelve(
    settings: &Settings,
    providers: &Providers,
    database: &Database,
    shelf: &dyn KnowledgeBase,
) -> Result<(), KnowledgeError> {
    shelf.prepare().await?;
    let put = match &providers.embedding.endpoint {
        None => put_book(shelf).await,
        Some(_) => timeout(BOOK_VECTORS_WAIT, put_book(shelf)).await.unwrap_or_else(|_| Err(late().into())),
    };
    let error = match put {
        Err(KnowledgeError::Embedding(error)) => error,
        other => return other,
    };
    let may_pass = matches!(error, EmbeddingError::Busy { .. } | EmbeddingError::Away(_));
    if providers.embedding.chosen && !may_pass {
        return Err(error.into());
    }
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "The bundled book is found by words alone, its texts did not become vectors; `ingest --reembed` makes them"
    );
    match knowledge(settings, &without_vectors(providers), database) {
        Ok(plain) => put_book(&*plain).await,
        Err(_) => Err(error.into()),
    }
}

async fn put_book(shelf: &dyn KnowledgeBase) -> Result<(), KnowledgeError> {
    if let Some(report) = book::ingest_if_alone(shelf).await? {
        tracing::info!(
            passages = report.passages,
            "The bundled book is in the knowledge base; `ingest DIR` puts yours in its place"
        );
    }
    Ok(())
}

fn late() -> EmbeddingError {
    EmbeddingError::Away(format!("there were no vectors within {} s", BOOK_VECTORS_WAIT.as_secs()))
}

fn without_vectors(providers: &Providers) -> Providers {
    Providers { embedding: EmbeddingSettings::NONE, ..providers.clone() }
}
