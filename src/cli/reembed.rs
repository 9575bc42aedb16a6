//! `ingest --reembed`: new vectors beside the old ones, which then take their place.

use std::sync::Arc;

use anyhow::Result;

use super::output;
use crate::app::{Database, Providers};
use crate::config::Settings;
use crate::knowledge::ingest::{self, Progress, Report};
use crate::knowledge::{KnowledgeBase, KnowledgeError};

/// The knowledge base of the settings, whatever space its vectors are of.
pub(super) async fn opened(settings: &Settings, providers: &Providers) -> Result<(Database, Arc<dyn KnowledgeBase>)> {
    let database = Database::prepared(settings).await?;
    let knowledge = crate::app::knowledge(settings, providers, &database)?;
    match knowledge.prepare().await {
        Err(KnowledgeError::OtherSpace { .. }) => {}
        prepared => prepared?,
    }
    Ok((database, knowledge))
}

/// Makes new vectors of what is stored.
pub(super) async fn run(knowledge: &dyn KnowledgeBase, progress: &dyn Progress, collection: &str) -> Result<()> {
    let copied = ingest::reembed(knowledge, progress).await?;
    output::line(format_args!(
        "{} documents with {} passages embedded, {} were before; they are `{collection}` now",
        copied.stored, copied.passages, copied.before
    ))?;
    Ok(())
}

/// A folder was read into the collection beside: that takes the place of the old one, with what could not be read again.
pub(super) async fn finish(stored: &dyn KnowledgeBase, beside: &dyn KnowledgeBase, report: &Report) -> Result<()> {
    let unread: Vec<&str> = report.problems.iter().map(|problem| problem.path.as_str()).collect();
    ingest::keep(stored, beside, &unread).await?;
    beside.settle().await?;
    beside.take_place().await?;
    Ok(())
}
