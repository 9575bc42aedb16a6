//! Making an index: every word of every passage is looked at, and counted where it stands.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::index::{Index, Posting};
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
pub(super) const USUAL_LENGTHS: [f32; FIELDS] = [3.0, 3.0, 4.0, 60.0, 30.0];
const TITLE: usize = 0;
const HEADING: usize = 1;
const ABOVE: usize = 2;
const TEXT: usize = 3;
const CODE: usize = 4;

/// What a word counts, in halves.
const WHOLE_HALVES: u32 = 2;
/// What a part of a name in code counts, in halves.
const PART_HALVES: u32 = 1;
/// How soon saying a word again adds nothing: once in a text of usual length gives 1 / (1 + this).
const SATURATION: f32 = 0.5;

/// What fits into the numbers of an index; one with more would not fit into memory.
const FITS: &str = "a book has fewer words than u32 holds";

/// Counts the words of passages.
#[derive(Default)]
pub(super) struct Builder<'a> {
    /// Words as written; the same few thousand make up every book. None says nothing.
    known: HashMap<&'a str, Option<Known>>,
    /// The parts of names in code, one name after the other.
    parts: Vec<u32>,
    vocabulary: HashMap<Box<str>, u32>,
    spellings: Spellings,
    spelled: HashSet<String>,
    /// By the number of the word.
    met: Vec<Met>,
    /// In the order of the passages, and in a passage in that of their first places.
    uses: Vec<Use>,
    use_ends: Vec<u32>,
    lengths: Vec<[f32; FIELDS]>,
    words: Vec<u32>,
    word_ends: Vec<u32>,
    pages: Vec<Range<u32>>,
    page_of: Vec<u32>,
}

/// A word as it was met before, and where its parts are.
#[derive(Clone, Copy)]
struct Known {
    word: u32,
    parts_start: u32,
    parts_end: u32,
}

/// Where a word was met last.
#[derive(Clone, Default)]
struct Met {
    /// How many uses there were after its last one in each field.
    uses: [u32; FIELDS],
    /// How many passages have it.
    passages: u32,
}

/// How often a word is in a field of a passage.
#[derive(Clone, Copy)]
struct Use {
    word: u32,
    /// The number of halves, and the field in the lowest bits.
    halves_and_field: u32,
}

impl Use {
    const FIELD_BITS: u32 = 3;

    fn new(word: u32, field: usize, halves: u32) -> Self {
        let field = u32::try_from(field).expect("there are five fields");
        Self { word, halves_and_field: halves << Self::FIELD_BITS | field }
    }

    fn add(&mut self, halves: u32) {
        self.halves_and_field += halves << Self::FIELD_BITS;
    }

    fn field(self) -> usize {
        (self.halves_and_field & ((1 << Self::FIELD_BITS) - 1)) as usize
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below what f32 holds exactly")]
    fn count(self) -> f32 {
        (self.halves_and_field >> Self::FIELD_BITS) as f32 / WHOLE_HALVES as f32
    }
}

impl<'a> Builder<'a> {
    pub(super) fn of(passages: &'a [Arc<Passage>]) -> Self {
        let mut builder = Self::default();
        let mut before = None;
        for (number, passage) in (0..).zip(passages) {
            builder.place(number, before == Some(&passage.path));
            builder.add(passage);
            before = Some(&passage.path);
        }
        builder
    }

    /// Notes the page, which is a run of passages.
    fn place(&mut self, passage: u32, on_last_page: bool) {
        match self.pages.last_mut().filter(|_| on_last_page) {
            Some(page) => page.end = passage + 1,
            None => self.pages.push(passage..passage + 1),
        }
        self.page_of.push(u32::try_from(self.pages.len() - 1).expect("there are no more pages than passages"));
    }

    fn add(&mut self, passage: &'a Passage) {
        self.lengths.push([0.0; FIELDS]);
        self.field(HEADING, &passage.heading, true);
        self.field(TITLE, &passage.title, false);
        for above in passage.heading_path.iter().filter(|above| **above != passage.heading) {
            self.field(ABOVE, above, false);
        }
        let mut code = Code::default();
        for line in passage.text.split_inclusive('\n') {
            if let Some(field) = code.field_of(line) {
                self.field(field, line, true);
            }
        }
        self.use_ends.push(u32::try_from(self.uses.len()).expect(FITS));
        self.word_ends.push(u32::try_from(self.words.len()).expect(FITS));
    }

    fn field(&mut self, field: usize, text: &'a str, in_order: bool) {
        let mut length = 0.0;
        for written in words(text) {
            let known = match self.known.get(written) {
                Some(known) => *known,
                None => self.meet(written),
            };
            let Some(Known { word, parts_start, parts_end }) = known else { continue };
            length += 1.0;
            self.use_of(word, field, WHOLE_HALVES);
            for part in parts_start..parts_end {
                self.use_of(self.parts[part as usize], field, PART_HALVES);
            }
            if in_order {
                self.words.push(word);
            }
        }
        if let Some(lengths) = self.lengths.last_mut() {
            lengths[field] += length;
        }
    }

    /// Looks at a word the first time it is met; none when it says nothing.
    fn meet(&mut self, written: &'a str) -> Option<Known> {
        let term = term(written, false);
        let known = if term.form.is_empty() || (is_silent(&term.form) && term.look != Look::Identifier) {
            None
        } else {
            let word = self.number(&term.stem);
            if !self.spelled.contains(&term.form) {
                self.spellings.add(&term.form, word);
                self.spelled.insert(term.form);
            }
            let parts_start = u32::try_from(self.parts.len()).expect(FITS);
            for part in &term.parts {
                let part = self.number(part);
                self.parts.push(part);
            }
            Some(Known { word, parts_start, parts_end: u32::try_from(self.parts.len()).expect(FITS) })
        };
        self.known.insert(written, known);
        known
    }

    /// The number of a word, which it gets when it has none.
    pub(super) fn number(&mut self, stem: &str) -> u32 {
        if let Some(&number) = self.vocabulary.get(stem) {
            return number;
        }
        let number = u32::try_from(self.met.len()).expect("a vocabulary has fewer words than u32 holds");
        self.vocabulary.insert(stem.into(), number);
        self.met.push(Met::default());
        number
    }

    fn use_of(&mut self, word: u32, field: usize, halves: u32) {
        let begun = self.use_ends.last().copied().unwrap_or(0);
        let met = &mut self.met[word as usize];
        if met.uses[field] > begun {
            return self.uses[met.uses[field] as usize - 1].add(halves);
        }
        met.passages += u32::from(met.uses.iter().all(|&uses| uses <= begun));
        self.uses.push(Use::new(word, field, halves));
        met.uses[field] = u32::try_from(self.uses.len()).expect(FITS);
    }

    /// How many words each field usually has: what is usual here, or what is given.
    #[expect(clippy::cast_precision_loss, reason = "lengths and counts are far below what f32 holds exactly")]
    fn usual_lengths(&self, given: Option<[f32; FIELDS]>) -> [f32; FIELDS] {
        given.unwrap_or_else(|| {
            std::array::from_fn(|field| {
                let filled = || self.lengths.iter().map(|lengths| lengths[field]).filter(|&length| length > 0.0);
                (filled().sum::<f32>() / filled().count().max(1) as f32).max(1.0)
            })
        })
    }

    /// The index, without the passages themselves.
    pub(super) fn finish(mut self, given: Option<[f32; FIELDS]>) -> Index {
        // What is no longer needed goes first, so that the most memory is that of the counts and the postings.
        (self.known, self.spelled) = (HashMap::new(), HashSet::new());
        let usual = self.usual_lengths(given);
        let mut posting_starts = Vec::with_capacity(self.met.len() + 1);
        let mut total = 0u32;
        for met in &self.met {
            posting_starts.push(total);
            total = total.checked_add(met.passages).expect(FITS);
        }
        posting_starts.push(total);
        let postings = self.postings(&posting_starts, &usual);
        let strongest = |ends: &[u32]| {
            let of_word = &postings[ends[0] as usize..ends[1] as usize];
            of_word.iter().map(|posting| posting.strength).fold(0.0, f32::max)
        };
        let peaks = posting_starts.windows(2).map(strongest).collect();
        self.words.shrink_to_fit();
        self.word_ends.shrink_to_fit();
        self.pages.shrink_to_fit();
        self.page_of.shrink_to_fit();
        self.vocabulary.shrink_to_fit();
        self.spellings.shrink_to_fit();
        Index {
            vocabulary: self.vocabulary,
            posting_starts,
            postings,
            peaks,
            spellings: self.spellings,
            words: self.words,
            word_ends: self.word_ends,
            pages: self.pages,
            page_of: self.page_of,
            passages: Vec::new(),
            whole: None,
        }
    }

    /// The uses turned round: for each word its passages in order, from where those of the word begin.
    fn postings(&mut self, starts: &[u32], usual: &[f32; FIELDS]) -> Vec<Posting> {
        let uses = std::mem::take(&mut self.uses);
        let total = starts.last().copied().unwrap_or(0) as usize;
        let mut postings = vec![Posting { passage: 0, strength: 0.0 }; total];
        let mut ends = starts.to_vec();
        let mut begin = 0;
        for ((passage, &end), lengths) in (0..).zip(&self.use_ends).zip(&self.lengths) {
            for used in &uses[begin as usize..end as usize] {
                let (word, field) = (used.word as usize, used.field());
                let share = LENGTH_SHARES[field];
                let weight =
                    FIELD_WEIGHTS[field] * used.count() / (1.0 - share + share * lengths[field] / usual[field]);
                let last = ends[word] as usize;
                if ends[word] > starts[word] && postings[last - 1].passage == passage {
                    postings[last - 1].strength += weight;
                } else {
                    postings[last] = Posting { passage, strength: weight };
                    ends[word] += 1;
                }
            }
            begin = end;
        }
        for posting in &mut postings {
            posting.strength /= posting.strength + SATURATION;
        }
        postings
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
