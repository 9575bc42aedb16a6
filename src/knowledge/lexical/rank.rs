//! Which passages answer a question best, how well, and whether well enough.

use super::index::Index;
use super::query::{Concept, concepts};

/// What a word counts for a passage that is only elsewhere on its page.
const PAGE_SHARE: f32 = 0.2;
/// Passages whose words are looked at in their order.
const CANDIDATES_MAX: usize = 64;
/// Most passages that are handed out.
const LIMIT_MAX: usize = 100;
/// What words standing together as in the question can add.
const TOGETHER_BONUS: f32 = 0.4;
/// A long question says a thing in more words than any passage takes up; this power of its weight makes up for it.
const LONG_QUESTIONS: f32 = 0.2;
/// What it costs that a share of the question is in words the whole book does not know.
///
/// This tells questions the book does not cover from those in the reader's own words better than anything else that was
/// measured: on two books it takes wrong answers from three in four to one in eight.
const FOREIGN_TOLL: f32 = 2.5;
/// Words further apart than this are not together.
const TOGETHER_WORDS: usize = 6;
/// Below this a passage does not answer the question.
///
/// Chosen where, on two books, about one answerable question in thirty falls below it and nine in ten of those the book
/// does not cover.
pub(in crate::knowledge) const SCORE_FLOOR: f32 = 0.23;
/// A passage this much weaker than the best one is left out.
pub(in crate::knowledge) const SHARE_OF_BEST: f32 = 0.45;
/// Most passages of one section.
const SECTION_PASSAGES_MAX: usize = 2;
/// Two passages that share this much of their words say the same.
const SAME_SHARE: f32 = 0.9;

/// A passage that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its number in the index.
    pub passage: u32,
    /// How well it fits, from 0 to 1.
    pub score: f32,
}

/// What the words of a question come to, before anything is left out.
#[derive(Clone, Debug, Default)]
pub(in crate::knowledge) struct Verdict {
    /// Passages, best first.
    pub(in crate::knowledge) hits: Vec<Hit>,
    /// The share of the question that is in words the whole book does not know, from 0 to 1.
    pub(in crate::knowledge) foreign: f32,
    /// The share that is in names the whole book does not know.
    pub(in crate::knowledge) strange: f32,
}

impl Index {
    /// The best passages, best first, at most `limit`; none when the book does not cover the question.
    ///
    /// `earlier` are questions asked before, oldest first; they help when this one leans on them.
    pub fn search(&self, query: &str, earlier: &[String], limit: usize) -> Vec<Hit> {
        let mut hits = self.verdict(query, earlier).hits;
        let best = hits.first().map_or(0.0, |hit| hit.score);
        hits.retain(|hit| hit.score >= SCORE_FLOOR && hit.score >= best * SHARE_OF_BEST);
        self.varied(&hits, limit)
    }

    /// The passages that have some of the question's words, best first, whether or not they are good enough.
    pub(in crate::knowledge) fn verdict(&self, query: &str, earlier: &[String]) -> Verdict {
        if self.is_empty() {
            return Verdict::default();
        }
        let concepts = concepts(self, query, earlier);
        let wanted: f32 = concepts.iter().map(|concept| concept.weight).sum();
        if wanted <= 0.0 {
            return Verdict::default();
        }
        let foreign: f32 = concepts.iter().map(|concept| concept.weight * concept.foreign).sum::<f32>() / wanted;
        let names = concepts.iter().filter(|concept| concept.name);
        let strange: f32 = names.map(|concept| concept.weight * concept.foreign).sum::<f32>() / wanted;
        let mut candidates = self.candidates(&concepts, wanted);
        for hit in &mut candidates {
            let share = (hit.score * wanted.powf(LONG_QUESTIONS)).min(1.0);
            let bonus = TOGETHER_BONUS * self.together(hit.passage, &concepts);
            hit.score = (share + (1.0 - share) * bonus - FOREIGN_TOLL * foreign).clamp(0.0, 1.0);
        }
        candidates.sort_by(by_score);
        Verdict { hits: candidates, foreign, strange }
    }

    /// The passages with the largest share of what is wanted.
    fn candidates(&self, concepts: &[Concept], wanted: f32) -> Vec<Hit> {
        let mut scores = vec![0.0f32; self.len()];
        let mut strengths = vec![0.0f32; self.len()];
        let mut on_page = vec![0.0f32; self.pages()];
        let mut pages: Vec<u32> = Vec::new();
        for concept in concepts {
            for &(word, quality) in &concept.words {
                for posting in self.postings(word) {
                    let strength = posting.strength * quality;
                    let known = &mut strengths[posting.passage as usize];
                    *known = known.max(strength);
                    let page = self.page_of(posting.passage);
                    let page_known = &mut on_page[page as usize];
                    if *page_known == 0.0 {
                        pages.push(page);
                    }
                    *page_known = page_known.max(strength);
                }
            }
            for page in pages.drain(..) {
                let elsewhere = PAGE_SHARE * std::mem::take(&mut on_page[page as usize]);
                for passage in self.page(page) {
                    let here = std::mem::take(&mut strengths[passage as usize]);
                    scores[passage as usize] += concept.weight * here.max(elsewhere);
                }
            }
        }
        let hits = scores.iter().enumerate().filter(|&(_, &score)| score > 0.0);
        let mut hits: Vec<Hit> = hits
            .map(|(passage, score)| Hit {
                passage: u32::try_from(passage).expect("passages are numbered in u32"),
                score: score / wanted,
            })
            .collect();
        if hits.len() > CANDIDATES_MAX {
            hits.select_nth_unstable_by(CANDIDATES_MAX, by_score);
            hits.truncate(CANDIDATES_MAX);
        }
        hits
    }

    /// How much of the question stands together in the passage as it does in the question, from 0 to 1.
    fn together(&self, passage: u32, concepts: &[Concept]) -> f32 {
        let words = self.words_of(passage);
        let places: Vec<Vec<usize>> = concepts
            .iter()
            .filter(|concept| concept.asked)
            .map(|concept| {
                (0..words.len()).filter(|&at| concept.words.iter().any(|&(word, _)| word == words[at])).collect()
            })
            .collect();
        let asked: Vec<&Concept> = concepts.iter().filter(|concept| concept.asked).collect();
        let (mut found, mut possible) = (0.0, 0.0);
        for (pair, places) in asked.windows(2).zip(places.windows(2)) {
            let weight = pair[0].weight.min(pair[1].weight);
            possible += weight;
            let nearest = nearest(&places[0], &places[1]);
            #[expect(clippy::cast_precision_loss, reason = "the distance is at most a few words")]
            if let Some(distance) = nearest.filter(|&distance| distance <= TOGETHER_WORDS) {
                found += weight / distance as f32;
            }
        }
        if possible > 0.0 { found / possible } else { 0.0 }
    }

    /// The best ones, without a third of the same section and without what was said already.
    pub(in crate::knowledge) fn varied(&self, candidates: &[Hit], limit: usize) -> Vec<Hit> {
        let limit = limit.min(LIMIT_MAX);
        let mut chosen: Vec<Hit> = Vec::new();
        for hit in candidates {
            if chosen.len() == limit {
                break;
            }
            let section = self.section_of(hit.passage);
            let of_section = chosen.iter().filter(|other| self.section_of(other.passage) == section).count();
            let said = chosen.iter().any(|other| self.same(other.passage, hit.passage));
            if of_section < SECTION_PASSAGES_MAX && !said {
                chosen.push(*hit);
            }
        }
        chosen
    }

    /// Whether two passages say the same in the same words.
    fn same(&self, one: u32, other: u32) -> bool {
        let sorted = |passage| {
            let mut words = self.words_of(passage)[self.heading_of(passage).len()..].to_vec();
            words.sort_unstable();
            words.dedup();
            words
        };
        let (ones, others) = (self.words_of(one).len(), self.words_of(other).len());
        if ones.min(others) * 2 < ones.max(others) {
            return false;
        }
        let (ones, others) = (sorted(one), sorted(other));
        let shared = ones.iter().filter(|word| others.binary_search(word).is_ok()).count();
        #[expect(clippy::cast_precision_loss, reason = "a passage has a few hundred words")]
        let share = shared as f32 / (ones.len() + others.len() - shared).max(1) as f32;
        share >= SAME_SHARE
    }
}

fn by_score(one: &Hit, other: &Hit) -> std::cmp::Ordering {
    other.score.total_cmp(&one.score).then(one.passage.cmp(&other.passage))
}

/// The smallest distance between a place of one list and one of the other, both sorted.
fn nearest(ones: &[usize], others: &[usize]) -> Option<usize> {
    ones.iter()
        .flat_map(|&one| {
            let at = others.partition_point(|&other| other < one);
            [at.checked_sub(1), Some(at)]
                .into_iter()
                .flatten()
                .filter_map(|i| others.get(i))
                .map(move |&o| o.abs_diff(one))
        })
        .filter(|&distance| distance > 0)
        .min()
}
