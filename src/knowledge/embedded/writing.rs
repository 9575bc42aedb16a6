//! Documents on their way into rows: in which space, with which vectors, and under which name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{EmbeddedKnowledge, Record};
use crate::embedding::{Embedder, EmbeddingError, Role};
use crate::knowledge::{Document, KnowledgeError, context};

/// Stands between the name of a collection and the number of its rows.
const NUMBERED: &str = "--";

/// Where documents go.
struct Target<'a> {
    /// The name of the rows.
    rows: String,
    /// What makes their vectors; none when there are to be none.
    embedder: Option<&'a Arc<dyn Embedder>>,
    /// Whether documents that are stored may have vectors that still hold.
    has_vectors: bool,
}

impl EmbeddedKnowledge {
    /// Stores documents with their vectors, if they are to have any.
    pub(super) async fn write(&self, documents: &[Document]) -> Result<(), KnowledgeError> {
        let target = self.target().await?;
        let vectors = match target.embedder {
            Some(embedder) => self.vectors(&**embedder, &target, documents).await?,
            None => Vec::new(),
        };
        Ok(self.store.put_documents(&target.rows, documents, &vectors).await?)
    }

    /// Where documents go; an empty collection takes the space of the settings.
    async fn target(&self) -> Result<Target<'_>, KnowledgeError> {
        let there = self.collection().await?;
        let record = Record::read(there.record.as_deref())?;
        let configured = self.embedder.as_ref().map(|embedder| embedder.space());
        if there.is_empty {
            self.store.begin_collection(&there.name).await?;
            if record.space.as_ref() != configured {
                self.store.keep_record(&there.name, &Record::of(configured).json()?).await?;
            }
            return Ok(Target { rows: there.name, embedder: self.embedder.as_ref(), has_vectors: false });
        }
        match (record.space, configured) {
            (Some(stored), configured) if configured != Some(&stored) => {
                let (collection, configured) = (self.name.clone(), configured.cloned());
                Err(KnowledgeError::OtherSpace { collection, stored, configured })
            }
            (Some(_), _) => Ok(Target { rows: there.name, embedder: self.embedder.as_ref(), has_vectors: true }),
            (None, configured) => {
                if configured.is_some() {
                    self.tell_of_no_vectors();
                }
                Ok(Target { rows: there.name, embedder: None, has_vectors: false })
            }
        }
    }

    /// A vector for each passage; passages whose text did not change keep theirs.
    async fn vectors(
        &self,
        embedder: &dyn Embedder,
        target: &Target<'_>,
        documents: &[Document],
    ) -> Result<Vec<Vec<f32>>, KnowledgeError> {
        let mut known: HashMap<String, Vec<f32>> = HashMap::new();
        for document in documents.iter().filter(|_| target.has_vectors) {
            let Some(stored) = self.store.document(&target.rows, &document.path).await? else { continue };
            let texts = stored.document.passages.iter().map(context::of_passage);
            known.extend(texts.zip(stored.vectors).filter(|(_, vector)| !vector.is_empty()));
        }
        let texts: Vec<String> =
            documents.iter().flat_map(|document| &document.passages).map(context::of_passage).collect();
        let new: Vec<String> = texts.iter().filter(|text| !known.contains_key(*text)).cloned().collect();
        if !new.is_empty() {
            let vectors = embedder.embed(&new, Role::Document).await?;
            if vectors.len() != new.len() {
                let told = format!("{} vectors for {} texts", vectors.len(), new.len());
                return Err(EmbeddingError::Garbled(told).into());
            }
            known.extend(new.into_iter().zip(vectors));
        }
        Ok(texts.iter().map(|text| known.get(text).cloned().unwrap_or_default()).collect())
    }

    /// Says, once, that nothing is compared by vectors although there is a model.
    pub(super) fn tell_of_no_vectors(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                knowledge.collection = %self.name,
                "`{}` has no vectors, so it is searched by words alone; `ingest --reembed` makes them", self.name
            );
        }
    }

    /// The name of the rows beside those of today, which are begun, or taken as far as somebody came before.
    pub(super) async fn begin_beside(&self) -> Result<String, KnowledgeError> {
        let rows = next(&self.name, &self.store.collection(&self.name).await?.name);
        let configured = self.embedder.as_ref().map(|embedder| embedder.space());
        let there = self.store.collection(&rows).await?;
        let record = Record::read(there.record.as_deref())?;
        if there.revision > 0 && record.space.as_ref() != configured {
            // Somebody began it with another model.
            self.store.remove_collection(&rows).await?;
        }
        self.store.begin_collection(&rows).await?;
        if record.space.as_ref() != configured {
            self.store.keep_record(&rows, &Record::of(configured).json()?).await?;
        }
        Ok(rows)
    }
}

/// The rows that come after these: `book`, `book--2`, `book--3`.
fn next(name: &str, rows: &str) -> String {
    let number = rows.strip_prefix(name).and_then(|rest| rest.strip_prefix(NUMBERED)?.parse::<u32>().ok());
    format!("{name}{NUMBERED}{}", number.unwrap_or(1).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn rows_are_numbered_one_after_the_other() {
        assert_eq!(next("book", "book"), "book--2");
        assert_eq!(next("book", "book--2"), "book--3");
        assert_eq!(next("my--9", "my--9"), "my--9--2");
    }
}
