//! The passages with the largest share of what is wanted, without looking at those that cannot be among them.
//!
//! Page by page, led by the words that count most. Once enough passages were found that are better than anything the
//! other words could bring together, only pages with one of the leading words are looked at. A common word counts little,
//! so a search takes about as long as its rarest words are frequent, however large the book is.

use std::ops::Range;

use super::index::{Index, Posting};
use super::query::Concept;
use super::rank::{Hit, by_score};

/// What a word counts for a passage that is only elsewhere on its page.
const PAGE_SHARE: f32 = 0.2;
/// Passages whose words are looked at in their order.
const CANDIDATES_MAX: usize = 64;
/// The same numbers added in another order differ in their last digits; bounds are so much higher, so that they hold.
const ROUNDING: f32 = 1.0001;

/// The passages with the largest share of what is wanted, in no order.
pub(super) fn candidates(index: &Index, concepts: &[Concept], wanted: f32) -> Vec<Hit> {
    let mut sought: Vec<Sought<'_>> = concepts.iter().map(|concept| Sought::of(index, concept)).collect();
    let mut leaders: Vec<usize> = (0..sought.len()).collect();
    leaders.sort_by(|&one, &other| sought[other].most.total_cmp(&sought[one].most));
    // What the concepts from a place in this order on bring at most, all together.
    let mut together: Vec<f32> = vec![0.0; leaders.len() + 1];
    for place in (0..leaders.len()).rev() {
        together[place] = together[place + 1] + sought[leaders[place]].most;
    }
    let mut best = Best::default();
    let mut on_page = OnPage::default();
    loop {
        let too_little = |brings: f32| brings * ROUNDING / wanted <= best.least;
        while leaders.last().is_some_and(|_| too_little(together[leaders.len() - 1])) {
            leaders.pop();
        }
        let Some(next) = leaders.iter().filter_map(|&leader| sought[leader].next()).min() else { break };
        let page = index.page(index.page_of(next));
        let leading: f32 = leaders.iter().map(|&leader| sought[leader].on(&page)).sum();
        if !too_little(leading + together[leaders.len()]) {
            for (passage, score) in page.clone().zip(on_page.scores(&page, &mut sought)) {
                best.add(Hit { passage, score: score / wanted });
            }
        }
        leaders.iter().for_each(|&leader| sought[leader].skip_to(page.end));
    }
    best.hits()
}

/// A concept on its way through the passages.
struct Sought<'a> {
    weight: f32,
    /// What it brings to a passage at most.
    most: f32,
    /// For each word the postings that are still ahead, and how well the word stands for the concept.
    words: Vec<(&'a [Posting], f32)>,
}

impl<'a> Sought<'a> {
    fn of(index: &'a Index, concept: &Concept) -> Self {
        let strongest = concept.words.iter().map(|&(word, quality)| index.peak(word) * quality).fold(0.0, f32::max);
        let words = concept.words.iter().map(|&(word, quality)| (index.postings(word), quality)).collect();
        Self { weight: concept.weight, most: concept.weight * strongest, words }
    }

    /// The next passage that has it.
    fn next(&self) -> Option<u32> {
        self.words.iter().filter_map(|(ahead, _)| Some(ahead.first()?.passage)).min()
    }

    /// Leaves out the passages before this one.
    fn skip_to(&mut self, passage: u32) {
        for (ahead, _) in &mut self.words {
            *ahead = &ahead[before(ahead, passage)..];
        }
    }

    /// The passages of a page that have it, and how much they are about it; those before are left out already.
    fn uses(&self, page: &Range<u32>) -> impl Iterator<Item = (u32, f32)> {
        self.words.iter().flat_map(move |&(ahead, quality)| {
            let here = ahead.iter().take_while(move |posting| posting.passage < page.end);
            here.map(move |posting| (posting.passage, posting.strength * quality))
        })
    }

    /// What it brings to any passage of the page at most.
    fn on(&self, page: &Range<u32>) -> f32 {
        self.weight * self.uses(page).map(|(_, strength)| strength).fold(0.0, f32::max)
    }
}

/// How many postings there are before a passage. It is looked for near the beginning first.
fn before(postings: &[Posting], passage: u32) -> usize {
    let mut reach = 1;
    while reach < postings.len() && postings[reach - 1].passage < passage {
        reach *= 2;
    }
    let from = reach / 2;
    from + postings[from..reach.min(postings.len())].partition_point(|posting| posting.passage < passage)
}

/// The passages of a page while they are looked at.
#[derive(Default)]
struct OnPage {
    scores: Vec<f32>,
    strengths: Vec<f32>,
}

impl OnPage {
    /// How much of what is wanted each passage of the page brings, in order.
    fn scores(&mut self, page: &Range<u32>, sought: &mut [Sought<'_>]) -> impl Iterator<Item = f32> {
        self.scores.clear();
        self.scores.resize(page.len(), 0.0);
        // In the order of the question, so that the sums do not depend on who leads.
        for concept in sought {
            concept.skip_to(page.start);
            self.strengths.clear();
            self.strengths.resize(page.len(), 0.0);
            let mut strongest = 0.0f32;
            for (passage, strength) in concept.uses(page) {
                let known = &mut self.strengths[(passage - page.start) as usize];
                *known = known.max(strength);
                strongest = strongest.max(strength);
            }
            if strongest > 0.0 {
                for (score, here) in self.scores.iter_mut().zip(&self.strengths) {
                    *score += concept.weight * here.max(PAGE_SHARE * strongest);
                }
            }
        }
        self.scores.iter().copied()
    }
}

/// The best passages so far, and a few that were.
#[derive(Default)]
struct Best {
    hits: Vec<Hit>,
    /// So good is the last of enough passages, so nothing worse counts.
    least: f32,
}

impl Best {
    fn add(&mut self, hit: Hit) {
        // Passages come in order, and of two that are equally good the first one counts.
        if hit.score > self.least {
            self.hits.push(hit);
            if self.hits.len() >= 2 * CANDIDATES_MAX {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.hits.len() >= CANDIDATES_MAX {
            let (_, last, _) = self.hits.select_nth_unstable_by(CANDIDATES_MAX - 1, by_score);
            self.least = last.score;
            self.hits.truncate(CANDIDATES_MAX);
        }
    }

    fn hits(mut self) -> Vec<Hit> {
        self.cut();
        self.hits
    }
}
