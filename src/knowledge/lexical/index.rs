//! The words of all passages, turned round: for each word the passages it is in, and how much it says about each.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::census::Census;
use super::terms::{Look, term, words};
use super::typos::Spellings;
use super::words::is_silent;
use crate::knowledge::Passage;

/// How much a word counts by where it stands: the page's title, the nearest heading, headings above, text, code.
const FIELD_WEIGHTS: [f32; FIELDS] = [0.8, 3.0, 1.2, 1.0, 0.8];
/// How far longer than usual is held against a field: 0 not at all, 1 in full.
const LENGTH_SHARES: [f32; FIELDS] = [0.0, 0.3, 0.3, 0.5, 0.6];
const FIELDS: usize = 5;
/// How many words each of them usually has, where nothing else is known.
const USUAL_LENGTHS: [f32; FIELDS] = [3.0, 3.0, 4.0, 60.0, 30.0];
const TITLE: usize = 0;
const HEADING: usize = 1;
const ABOVE: usize = 2;
const TEXT: usize = 3;
const CODE: usize = 4;

/// What a part of a name in code counts against the whole.
const PART_SHARE: f32 = 0.5;
/// How soon saying a word again adds nothing: once in a text of usual length gives 1 / (1 + this).
const SATURATION: f32 = 0.5;

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
    passages: Vec<Arc<Passage>>,
    vocabulary: HashMap<String, u32>,
    /// Where the postings of each word are, by its number.
    ranges: Vec<Range<usize>>,
    postings: Vec<Posting>,
    spellings: Spellings,
    /// The words of each passage in order, silent ones left out: heading, then text.
    words: Vec<u32>,
    word_ranges: Vec<Range<usize>>,
    /// Which passages are on one page, and which page each is on.
    pages: Vec<Range<u32>>,
    page_of: Vec<u32>,
    /// What is known of the whole collection, where the index holds only a part of it.
    whole: Option<Whole>,
}

/// Counts over a whole collection, for the words that were counted.
#[derive(Debug)]
struct Whole {
    passages: usize,
    spread: HashMap<u32, usize>,
}

impl Index {
    /// Builds the index. Passages of one document must stand together, as the store lists them.
    pub fn build(passages: Vec<Arc<Passage>>) -> Self {
        let mut builder = Builder::default();
        for passage in &passages {
            builder.add(passage);
        }
        builder.finish(passages, None)
    }

    /// Builds the index of some passages of a larger collection, in which words are as telling as in the whole of it.
    pub fn build_within(passages: Vec<Arc<Passage>>, census: &Census) -> Self {
        let mut builder = Builder::default();
        for passage in &passages {
            builder.add(passage);
        }
        let counted = census.spread.iter().filter(|(_, spread)| **spread > 0);
        // A word of the collection is known here, too, even if none of these passages has it.
        let spread = counted.map(|(stem, spread)| (builder.number(stem), *spread)).collect();
        let passages_in_all = census.passages.max(passages.len());
        let mut index = builder.finish(passages, None);
        index.whole = Some(Whole { passages: passages_in_all, spread });
        index
    }

    /// For each passage its words by their stems, and how much it is about each, from 0 to 1.
    ///
    /// Taken by itself: what is usual is not what these passages have, but what passages of books have.
    pub(in crate::knowledge) fn strengths(passages: &[Arc<Passage>]) -> Vec<Vec<(String, f32)>> {
        let mut builder = Builder::default();
        for passage in passages {
            builder.add(passage);
        }
        let index = builder.finish(passages.to_vec(), Some(USUAL_LENGTHS));
        let mut strengths = vec![Vec::new(); passages.len()];
        for (stem, &word) in &index.vocabulary {
            for posting in index.postings(word) {
                strengths[posting.passage as usize].push((stem.clone(), posting.strength));
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
        &self.postings[self.ranges[word as usize].clone()]
    }

    /// In how many passages the word is.
    pub(super) fn spread(&self, word: u32) -> usize {
        let here = self.ranges[word as usize].len();
        let everywhere = self.whole.as_ref().and_then(|whole| whole.spread.get(&word)).copied();
        everywhere.map_or(here, |everywhere| everywhere.max(here))
    }

    pub(super) fn spellings(&self) -> &Spellings {
        &self.spellings
    }

    pub(super) fn words_of(&self, passage: u32) -> &[u32] {
        &self.words[self.word_ranges[passage as usize].clone()]
    }

    pub(super) fn page_of(&self, passage: u32) -> u32 {
        self.page_of[passage as usize]
    }

    pub(super) fn page(&self, page: u32) -> Range<u32> {
        self.pages[page as usize].clone()
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
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

/// A word as it was met before.
#[derive(Clone)]
struct Known {
    word: u32,
    parts: Arc<[u32]>,
}

#[derive(Default)]
struct Builder {
    /// Words as written; the same few thousand make up every book.
    known: HashMap<String, Option<Known>>,
    vocabulary: HashMap<String, u32>,
    spellings: Spellings,
    spelled: HashSet<String>,
    /// For each word its uses: passage, field, how often.
    uses: Vec<Vec<(u32, u8, f32)>>,
    lengths: Vec<[f32; FIELDS]>,
    words: Vec<u32>,
    word_ranges: Vec<Range<usize>>,
    pages: Vec<Range<u32>>,
    page_of: Vec<u32>,
    last: Option<Arc<Passage>>,
}

impl Builder {
    fn add(&mut self, passage: &Arc<Passage>) {
        let number = u32::try_from(self.lengths.len()).expect("a book has fewer passages than u32 holds");
        self.lengths.push([0.0; FIELDS]);
        self.place(number, passage);
        let start = self.words.len();
        self.field(number, HEADING, &passage.heading, true);
        self.field(number, TITLE, &passage.title, false);
        for above in passage.heading_path.iter().filter(|above| **above != passage.heading) {
            self.field(number, ABOVE, above, false);
        }
        let mut code = Code::default();
        for line in passage.text.split_inclusive('\n') {
            if let Some(field) = code.field_of(line) {
                self.field(number, field, line, true);
            }
        }
        self.word_ranges.push(start..self.words.len());
    }

    /// Notes the page, which is a run of passages.
    fn place(&mut self, number: u32, passage: &Arc<Passage>) {
        let last = self.last.replace(Arc::clone(passage));
        match self.pages.last_mut().filter(|_| last.as_ref().is_some_and(|last| last.path == passage.path)) {
            Some(page) => page.end = number + 1,
            None => self.pages.push(number..number + 1),
        }
        self.page_of.push(u32::try_from(self.pages.len() - 1).expect("there are no more pages than passages"));
    }

    fn field(&mut self, passage: u32, field: usize, text: &str, in_order: bool) {
        for written in words(text) {
            if !self.known.contains_key(written) {
                let known = self.meet(written);
                self.known.insert(written.to_owned(), known);
            }
            let Some(Known { word, parts }) = self.known.get(written).cloned().flatten() else { continue };
            self.lengths[passage as usize][field] += 1.0;
            self.use_of(word, passage, field, 1.0);
            for &part in parts.iter() {
                self.use_of(part, passage, field, PART_SHARE);
            }
            if in_order {
                self.words.push(word);
            }
        }
    }

    /// Looks at a word the first time it is met; none when it says nothing.
    fn meet(&mut self, written: &str) -> Option<Known> {
        let term = term(written, false);
        if term.form.is_empty() || (is_silent(&term.form) && term.look != Look::Identifier) {
            return None;
        }
        let word = self.number(&term.stem);
        if self.spelled.insert(term.form.clone()) {
            self.spellings.add(&term.form, word);
        }
        Some(Known { word, parts: term.parts.iter().map(|part| self.number(part)).collect() })
    }

    fn number(&mut self, stem: &str) -> u32 {
        if let Some(&number) = self.vocabulary.get(stem) {
            return number;
        }
        let number = u32::try_from(self.uses.len()).expect("a vocabulary has fewer words than u32 holds");
        self.vocabulary.insert(stem.to_owned(), number);
        self.uses.push(Vec::new());
        number
    }

    fn use_of(&mut self, word: u32, passage: u32, field: usize, share: f32) {
        let uses = &mut self.uses[word as usize];
        let field = u8::try_from(field).expect("there are five fields");
        // Passages come in order, so the entry, if there is one, is among the last few.
        match uses.iter_mut().rev().take_while(|(p, _, _)| *p == passage).find(|(_, f, _)| *f == field) {
            Some((_, _, count)) => *count += share,
            None => uses.push((passage, field, share)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths and counts are far below what f32 holds exactly")]
    fn finish(self, passages: Vec<Arc<Passage>>, given: Option<[f32; FIELDS]>) -> Index {
        let mut usual = given.unwrap_or_default();
        for (field, usual) in usual.iter_mut().enumerate().filter(|_| given.is_none()) {
            let filled: Vec<f32> =
                self.lengths.iter().map(|lengths| lengths[field]).filter(|&length| length > 0.0).collect();
            *usual = (filled.iter().sum::<f32>() / filled.len().max(1) as f32).max(1.0);
        }
        let mut postings = Vec::with_capacity(self.uses.iter().map(Vec::len).sum());
        let mut ranges = Vec::with_capacity(self.uses.len());
        for uses in &self.uses {
            let start = postings.len();
            for uses in uses.chunk_by(|a, b| a.0 == b.0) {
                let passage = uses[0].0;
                let lengths = &self.lengths[passage as usize];
                let weight: f32 = uses
                    .iter()
                    .map(|&(_, field, count)| {
                        let field = usize::from(field);
                        let share = LENGTH_SHARES[field];
                        FIELD_WEIGHTS[field] * count / (1.0 - share + share * lengths[field] / usual[field])
                    })
                    .sum();
                postings.push(Posting { passage, strength: weight / (weight + SATURATION) });
            }
            ranges.push(start..postings.len());
        }
        Index {
            passages,
            vocabulary: self.vocabulary,
            ranges,
            postings,
            spellings: self.spellings,
            words: self.words,
            word_ranges: self.word_ranges,
            pages: self.pages,
            page_of: self.page_of,
            whole: None,
        }
    }
}

/// Follows the fences of a passage, line by line.
#[derive(Default)]
struct Code {
    /// The fence that is open, and whether it holds a diagram, whose words are prose.
    open: Option<(String, bool)>,
}

impl Code {
    /// Where the words of a line count; none for the end of a fence.
    fn field_of(&mut self, line: &str) -> Option<usize> {
        let trimmed = line.trim();
        let marks = trimmed.len() - trimmed.trim_start_matches('`').len();
        match &self.open {
            Some((fence, _)) if trimmed.starts_with(fence.as_str()) && trimmed.len() == marks => {
                self.open = None;
                None
            }
            Some((_, diagram)) => Some(if *diagram { TEXT } else { CODE }),
            None if marks >= 3 => {
                let diagram = trimmed[marks..].starts_with("mermaid");
                self.open = Some((trimmed[..marks].to_owned(), diagram));
                // What the code is written in, and the name of its file, are asked for like what it says.
                (!diagram).then_some(CODE)
            }
            None => Some(TEXT),
        }
    }
}
