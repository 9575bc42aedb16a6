//! Finding passages by their words: an index in memory, what a question looks for, and which passages answer it.
//!
//! Pure: where the passages come from is the knowledge bases' business.

mod index;
mod query;
mod rank;
mod terms;
#[cfg(test)]
mod tests;
mod typos;
mod words;

pub use index::Index;
pub use rank::Hit;
pub(in crate::knowledge) use rank::{SCORE_FLOOR, SHARE_OF_BEST, Verdict};
