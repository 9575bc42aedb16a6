//! The models of other people that the house works with, as the settings name them.

use crate::config::Reader;
use crate::embedding::choice::EmbeddingSettings;
use crate::knowledge::qdrant::settings::QdrantSettings;
use crate::llm::choice::ModelSettings;

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
        Self {
            model: ModelSettings::read(reader),
            embedding: EmbeddingSettings::read(reader),
            qdrant: QdrantSettings::read(reader),
        }
    }
}
