//! Finding passages by their words: an index in memory, what a question looks for, and which passages answer it.
//!
//! Pure: where the passages come from is the knowledge bases' business.

mod build;
mod candidates;
mod census;
mod index;
mod judge;
pub mod learn;
mod query;
mod rank;
pub mod telling;
mod terms;
#[cfg(test)]
mod tests;
mod typos;
mod words;

pub use census::Census;
pub(in crate::knowledge) use census::{Wanted, wanted};
pub use index::Index;
pub(in crate::knowledge) use judge::WORDS_FLOOR;
pub use rank::Hit;
pub(in crate::knowledge) use rank::{Doubts, SHARE_OF_BEST, SPARE, Verdict};
