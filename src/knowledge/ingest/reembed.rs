//! New vectors for a book: documents are stored in a collection beside the one that is searched, which then takes its
//! place.

use std::vec;

use async_trait::async_trait;

use super::{End, IngestError, Options, Page, Progress, Read, Report, Source, ingest_from};
use crate::knowledge::{DocumentState, KnowledgeBase, KnowledgeError};

/// How often what changed meanwhile is brought after; somebody who never stops writing is not waited for.
const ROUNDS_MAX: usize = 5;

/// Builds the vectors of what is stored anew, beside the old ones, which are searched until the new ones take their place.
///
/// Interrupted, it is gone on with where it stopped when it is run again.
///
/// # Errors
/// As for [`super::ingest_from`]. What was stored beside the old collection stays there for the next time.
pub async fn reembed(
    knowledge: &dyn KnowledgeBase,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Report, IngestError> {
    let beside = knowledge.beside().await?;
    let first = Stored::of(knowledge).await?.copy(options, &*beside, progress).await?;
    for _ in 1..ROUNDS_MAX {
        let after = Stored::of(knowledge).await?.copy(options, &*beside, &()).await?;
        if after.added + after.changed + after.removed == 0 {
            break;
        }
    }
    beside.take_place().await?;
    Ok(first)
}

/// Lets the collection beside, into which a source was read, take the place of the old one.
///
/// Pages that could not be read again keep what was stored of them; when not all pages could be listed, so do all.
///
/// # Errors
/// Either of the two fails; the old one is still searched then.
pub async fn take_over(
    knowledge: &dyn KnowledgeBase,
    beside: &dyn KnowledgeBase,
    report: &Report,
) -> Result<(), KnowledgeError> {
    let there: Vec<String> = beside.documents().await?.into_iter().map(|state| state.path).collect();
    let all = report.incomplete || report.more_problems > 0;
    let is_kept = |path: &str| {
        let named = report.problems.iter().map(|problem| problem.path.as_str());
        all || named.into_iter().any(|named| {
            path.strip_prefix(named)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || named.ends_with('/'))
        })
    };
    let mut kept = false;
    for state in knowledge.documents().await? {
        if is_kept(&state.path) && there.binary_search(&state.path).is_err() {
            beside.put(knowledge.document(&state.path).await?.into_iter().collect()).await?;
            kept = true;
        }
    }
    if kept {
        beside.settle().await?;
    }
    beside.take_place().await
}

/// The documents that a knowledge base holds, as a source.
struct Stored<'a> {
    knowledge: &'a dyn KnowledgeBase,
    documents: vec::IntoIter<DocumentState>,
}

impl<'a> Stored<'a> {
    async fn of(knowledge: &'a dyn KnowledgeBase) -> Result<Self, KnowledgeError> {
        Ok(Self { knowledge, documents: knowledge.documents().await?.into_iter() })
    }

    async fn copy(
        mut self,
        options: &Options,
        to: &dyn KnowledgeBase,
        progress: &dyn Progress,
    ) -> Result<Report, IngestError> {
        ingest_from(&mut self, options, to, progress).await
    }
}

#[async_trait]
impl Source for Stored<'_> {
    fn name(&self) -> String {
        "the knowledge base".to_owned()
    }

    fn expected(&self) -> Option<usize> {
        Some(self.documents.len())
    }

    async fn next(&mut self) -> Result<Option<Page>, IngestError> {
        for state in self.documents.by_ref() {
            // One that was forgotten meanwhile is none to copy.
            if let Some(document) = self.knowledge.document(&state.path).await? {
                return Ok(Some(Page { path: state.path, read: Read::Document(document), problems: Vec::new() }));
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> End {
        End { whole: true, ..End::default() }
    }
}
