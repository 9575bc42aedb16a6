//! Which model makes vectors: the one that the settings name, or none.

use crate::config::Reader;

/// What the settings say of vectors.
#[derive(Clone, Debug)]
pub struct EmbeddingSettings {}

impl EmbeddingSettings {
    /// Reads which model makes vectors; mistakes stay with the reader.
    pub fn read(_: &mut Reader<'_>) -> Self {
        Self {}
    }
}
