//! The words of all passages, turned round: for each word the passages it is in, and how much it says about each.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::build::{Builder, USUAL_LENGTHS};
use super::census::Census;
use super::typos::Spellings;
use crate::knowledge::Passage;

/// A word in a passage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) passage: u32,
    /// How much the passage is about the word, from 0 to 1.
    pub(super) strength: f32,
}

/// A searchable set of passages. It never changes; a changed collection gets a new one.
#[derive(Debug, Default)]
pub struct Index {
    pub(super) passages: Vec<Arc<Passage>>,
    pub(super) vocabulary: HashMap<Box<str>, u32>,
    /// Where the postings of each word begin, by its number, and at the end where those of the last one end.
    pub(super) posting_starts: Vec<u32>,
    pub(super) postings: Vec<Posting>,
    /// The greatest strength among the postings of each word.
    pub(super) peaks: Vec<f32>,
    pub(super) spellings: Spellings,
    /// The words of each passage in order, silent ones left out: heading, then text.
    pub(super) words: Vec<u32>,
    /// Where those of each passage end.
    pub(super) word_ends: Vec<u32>,
    /// Which passages are on one page, and which page each is on.
    pub(super) pages: Vec<Range<u32>>,
    pub(super) page_of: Vec<u32>,
    /// What is known of the whole collection, where the index holds only a part of it.
    pub(super) whole: Option<Whole>,
}

/// Counts over a whole collection, for the words that were counted.
#[derive(Debug)]
pub(super) struct Whole {
    passages: usize,
    spread: HashMap<u32, usize>,
}

impl Index {
    /// Builds the index. Passages of one document must stand together, as the store lists them.
    pub fn build(passages: Vec<Arc<Passage>>) -> Self {
        let index = Builder::of(&passages).finish(None);
        Self { passages, ..index }
    }

    /// Builds the index of some passages of a larger collection, in which words are as telling as in the whole of it.
    pub fn build_within(passages: Vec<Arc<Passage>>, census: &Census) -> Self {
        let mut builder = Builder::of(&passages);
        let counted = census.spread.iter().filter(|(_, spread)| **spread > 0);
        // A word of the collection is known here, too, even if none of these passages has it.
        let spread = counted.map(|(stem, spread)| (builder.number(stem), *spread)).collect();
        let whole = Some(Whole { passages: census.passages.max(passages.len()), spread });
        let index = builder.finish(None);
        Self { passages, whole, ..index }
    }

    /// For each passage its words by their stems, and how much it is about each, from 0 to 1.
    ///
    /// Taken by itself: what is usual is not what these passages have, but what passages of books have.
    pub(in crate::knowledge) fn strengths(passages: &[Arc<Passage>]) -> Vec<Vec<(String, f32)>> {
        let index = Builder::of(passages).finish(Some(USUAL_LENGTHS));
        let mut strengths = vec![Vec::new(); passages.len()];
        for (stem, &word) in &index.vocabulary {
            for posting in index.postings(word) {
                strengths[posting.passage as usize].push((stem.to_string(), posting.strength));
            }
        }
        strengths
    }

    /// Passages in it.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Pages the passages are from.
    pub fn documents(&self) -> usize {
        self.pages.len()
    }

    pub(in crate::knowledge) fn passage(&self, number: u32) -> &Arc<Passage> {
        &self.passages[number as usize]
    }

    pub(super) fn word(&self, stem: &str) -> Option<u32> {
        self.vocabulary.get(stem).copied()
    }

    pub(super) fn postings(&self, word: u32) -> &[Posting] {
        let word = word as usize;
        &self.postings[self.posting_starts[word] as usize..self.posting_starts[word + 1] as usize]
    }

    /// How much any passage is about the word, at most.
    pub(super) fn peak(&self, word: u32) -> f32 {
        self.peaks[word as usize]
    }

    /// In how many passages the word is.
    pub(super) fn spread(&self, word: u32) -> usize {
        let here = self.postings(word).len();
        let everywhere = self.whole.as_ref().and_then(|whole| whole.spread.get(&word)).copied();
        everywhere.map_or(here, |everywhere| everywhere.max(here))
    }

    pub(super) fn spellings(&self) -> &Spellings {
        &self.spellings
    }

    pub(super) fn words_of(&self, passage: u32) -> &[u32] {
        let passage = passage as usize;
        let start = passage.checked_sub(1).map_or(0, |before| self.word_ends[before]);
        &self.words[start as usize..self.word_ends[passage] as usize]
    }

    pub(super) fn page_of(&self, passage: u32) -> u32 {
        self.page_of[passage as usize]
    }

    pub(super) fn page(&self, page: u32) -> Range<u32> {
        self.pages[page as usize].clone()
    }

    /// How telling a word is that is in so many passages: 1 for a single one, towards 0 for all.
    pub(super) fn weight(&self, spread: usize) -> f32 {
        let all = self.whole.as_ref().map_or(self.passages.len(), |whole| whole.passages);
        #[expect(clippy::cast_precision_loss, reason = "counts of passages are far below what f32 holds exactly")]
        let (all, spread) = (all as f32, spread.min(all) as f32);
        let rarity = |spread: f32| (1.0 + (all - spread + 0.5) / (spread + 0.5)).ln();
        (rarity(spread.max(1.0)) / rarity(1.0)).clamp(0.0, 1.0)
    }
}
