//! The models of other people that the house works with, as the settings name them.

use chrono::NaiveDate;

use crate::config::Reader;
use crate::embedding::choice::EmbeddingSettings;
use crate::embedding::retired;
use crate::knowledge::qdrant::settings::QdrantSettings;
use crate::llm::choice::{ModelChoice, ModelSettings};

/// What the settings say of providers.
#[derive(Clone, Debug)]
pub struct Providers {
    /// Which model answers, and which one hears.
    pub model: ModelSettings,
    /// Which model makes vectors.
    pub embedding: EmbeddingSettings,
    /// Where Qdrant is, if the passages are kept there.
    pub qdrant: Option<QdrantSettings>,
}

impl Providers {
    /// Reads all of them; mistakes stay with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let model = ModelSettings::read(reader);
        let embedding = EmbeddingSettings::read(reader, &model.choice);
        Self { model, embedding, qdrant: QdrantSettings::read(reader) }
    }

    /// What the operator should know of models that are switched off, or will be; a sentence each.
    pub fn retired(&self, today: NaiveDate) -> Vec<String> {
        let answering = std::iter::once(&self.model.choice).chain(&self.model.fallbacks);
        let answering = answering.filter_map(|choice| match choice {
            ModelChoice::Endpoint(endpoint) => Some(&endpoint.model),
            ModelChoice::Offline => None,
        });
        let embedding = self.embedding.endpoint.as_ref().map(|endpoint| &endpoint.model);
        answering.chain(embedding).filter_map(|model| retired::notice(model, today)).collect()
    }
}
