//! What is known of a collection as a whole: the space of its vectors, and what was learned from them.

use serde::{Deserialize, Serialize};

use crate::embedding::EmbeddingSpace;
use crate::store::StoreError;

/// The record of a collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The space of the vectors; none when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) space: Option<EmbeddingSpace>,
    /// How near is near enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) near: Option<Learned>,
}

/// A floor, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    /// A cosine.
    pub(super) floor: f32,
    /// The collection's revision when it was learned.
    pub(super) revision: i64,
}

impl Record {
    /// The record of a collection whose vectors are of this space.
    pub(super) fn of(space: Option<&EmbeddingSpace>) -> Self {
        Self { space: space.cloned(), near: None }
    }

    /// Reads what is stored; what never was is empty.
    pub(super) fn read(stored: Option<&str>) -> Result<Self, StoreError> {
        let read = stored.map(serde_json::from_str).transpose();
        let read = read.map_err(|why| StoreError::Unreadable(format!("the record of a collection: {why}")))?;
        Ok(read.unwrap_or_default())
    }

    /// As it is stored.
    pub(super) fn json(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|why| StoreError::Unreadable(why.to_string()))
    }
}
