//! New vectors for a book that is there already: its documents are read back and stored in a collection beside it.

use std::collections::BTreeMap;

use super::{Progress, Step};
use crate::knowledge::{Document, KnowledgeBase, KnowledgeError};

/// Passages that are stored together: a document more makes a batch full.
const BATCH_PASSAGES: usize = 256;
/// How often what changed meanwhile is brought after; somebody who never stops writing is not waited for.
const ROUNDS_MAX: usize = 5;

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Documents that were stored anew.
    pub stored: usize,
    /// Documents that somebody who was interrupted had stored before.
    pub before: usize,
    /// Documents that were forgotten, because they are gone.
    pub removed: usize,
    /// Passages of the documents that were stored anew.
    pub passages: usize,
}

/// Builds the vectors of a knowledge base anew in a collection beside it, which then takes its place.
///
/// Searches go on in the old one until then. Interrupted, it is gone on with where it stopped when it is run again.
///
/// # Errors
/// The knowledge base fails. What was stored beside it stays there for the next time.
pub async fn reembed(knowledge: &dyn KnowledgeBase, progress: &dyn Progress) -> Result<Copied, KnowledgeError> {
    let beside = knowledge.beside().await?;
    let mut copied = copy(knowledge, &*beside, progress).await?;
    for _ in 1..ROUNDS_MAX {
        let after = copy(knowledge, &*beside, &()).await?;
        if (after.stored, after.removed) == (0, 0) {
            break;
        }
        copied.stored += after.stored;
        copied.removed += after.removed;
        copied.passages += after.passages;
    }
    beside.settle().await?;
    beside.take_place().await?;
    Ok(copied)
}

/// Stores in `to` what `from` holds, and forgets there what it does not hold.
async fn copy(
    from: &dyn KnowledgeBase,
    to: &dyn KnowledgeBase,
    progress: &dyn Progress,
) -> Result<Copied, KnowledgeError> {
    let mut stored: BTreeMap<String, String> =
        to.documents().await?.into_iter().map(|state| (state.path, state.fingerprint)).collect();
    let wanted = from.documents().await?;
    progress.begin(wanted.len());
    let mut copied = Copied::default();
    let mut batch: Vec<Document> = Vec::new();
    for state in wanted {
        if stored.remove(&state.path).is_some_and(|fingerprint| fingerprint == state.fingerprint) {
            copied.before += 1;
            progress.advance(&state.path, Step::Unchanged);
            continue;
        }
        // One that was forgotten meanwhile is none to copy.
        batch.extend(from.document(&state.path).await?);
        if batch.iter().map(|document| document.passages.len()).sum::<usize>() >= BATCH_PASSAGES {
            put(&mut batch, to, progress, &mut copied).await?;
        }
    }
    put(&mut batch, to, progress, &mut copied).await?;
    for path in stored.into_keys() {
        to.remove(&path).await?;
        copied.removed += 1;
    }
    Ok(copied)
}

async fn put(
    batch: &mut Vec<Document>,
    to: &dyn KnowledgeBase,
    progress: &dyn Progress,
    copied: &mut Copied,
) -> Result<(), KnowledgeError> {
    let documents = std::mem::take(batch);
    let paths: Vec<String> = documents.iter().map(|document| document.path.clone()).collect();
    copied.passages += documents.iter().map(|document| document.passages.len()).sum::<usize>();
    to.put(documents).await?;
    copied.stored += paths.len();
    for path in paths {
        progress.advance(&path, Step::Added);
    }
    Ok(())
}

/// Stores in `to` the pages of `paths` (with `/` at the end, all below) that `from` holds and `to` does not.
///
/// For pages that could not be read again: what was stored of them is better than nothing.
///
/// # Errors
/// Either of them fails.
pub async fn keep(from: &dyn KnowledgeBase, to: &dyn KnowledgeBase, paths: &[&str]) -> Result<usize, KnowledgeError> {
    let there: Vec<String> = to.documents().await?.into_iter().map(|state| state.path).collect();
    let is_meant =
        |path: &str| paths.iter().any(|meant| path == *meant || (meant.ends_with('/') && path.starts_with(meant)));
    let mut kept = 0;
    for state in from.documents().await? {
        if is_meant(&state.path) && !there.contains(&state.path) {
            to.put(from.document(&state.path).await?.into_iter().collect()).await?;
            kept += 1;
        }
    }
    Ok(kept)
}
