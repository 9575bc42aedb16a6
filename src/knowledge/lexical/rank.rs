//! Which passages answer a question best, how well, and whether well enough.

use super::candidates::candidates;
use super::index::Index;
use super::judge::{STRICT, Signs, USUAL};
use super::query::{ALIKE_BESIDE_QUALITY, ALIKE_QUALITY, Concept, QUIET_SHARE, concepts};
use crate::knowledge::Search;

/// Most passages that are handed out.
const LIMIT_MAX: usize = 100;
/// So many times as many are handed out as were asked for.
pub(in crate::knowledge) const SPARE: usize = 2;
/// A long question says a thing in more words than any passage takes up; this power of its weight makes up for it.
const LONG_QUESTIONS: f32 = 0.2;
/// Words further apart than this are not together.
const TOGETHER_WORDS: usize = 6;
/// A passage this much weaker than the best one is left out.
pub(in crate::knowledge) const SHARE_OF_BEST: f32 = 0.45;
/// So many of the best passages are asked whether the book has an answer at all.
pub(super) const BEST: usize = 3;
/// How far a word with nearly the same meaning covers what was asked about.
const ALIKE_COVERS: f32 = 0.8;
/// How far what stands beside a passage counts as standing in it.
const BESIDE_SHARE: f32 = 0.5;

/// A passage that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its number in the index.
    pub passage: u32,
    /// How well it fits, from 0 to 1.
    pub score: f32,
}

/// What the words of a question come to.
#[derive(Clone, Debug, Default)]
pub(in crate::knowledge) struct Verdict {
    /// The passages that are worth a look, best first.
    pub(in crate::knowledge) hits: Vec<Hit>,
    /// Whether the best of them are good enough.
    pub(in crate::knowledge) enough: bool,
}

/// What the words of a question hold against passages that are near to it.
#[derive(Clone, Debug)]
pub(in crate::knowledge) struct Doubts {
    /// The share of the question that is in words, names aside, which the whole book does not know, from 0 to 1.
    pub(in crate::knowledge) unknown: f32,
    /// For each passage how telling the most telling name is that was asked about and that it lacks, from 0 to 1.
    pub(in crate::knowledge) names_missing: Vec<f32>,
}

impl Index {
    /// The best passages, best first; none when the book does not cover the question.
    ///
    /// There may be more than `asked.limit`, so that enough is left when neighbours are joined and repetitions dropped.
    pub fn search(&self, asked: &Search<'_>) -> Vec<Hit> {
        let verdict = self.verdict(asked);
        if asked.limit == 0 || !verdict.enough {
            return Vec::new();
        }
        let best = verdict.hits.first().map_or(0.0, |hit| hit.score);
        let good = verdict.hits.into_iter().filter(|hit| hit.score >= best * SHARE_OF_BEST);
        good.take(asked.limit.min(LIMIT_MAX) * SPARE).collect()
    }

    /// What the words of a question come to, before anything is left out.
    pub(in crate::knowledge) fn verdict(&self, asked: &Search<'_>) -> Verdict {
        let bar = if asked.strict { STRICT } else { USUAL };
        let mut judged = self.judged(asked.query, asked.earlier);
        judged.sort_by(|one, other| by_score(&one.0, &other.0));
        Verdict {
            enough: judged.iter().take(BEST).any(|(_, signs)| bar.lets(signs)),
            hits: judged.into_iter().map(|(hit, _)| hit).collect(),
        }
    }

    /// What the words of a question hold against passages that are near to it.
    pub(in crate::knowledge) fn doubts(&self, asked: &Search<'_>, passages: impl Iterator<Item = u32>) -> Doubts {
        let concepts = concepts(self, asked.query, asked.earlier);
        let wanted: f32 = concepts.iter().map(|concept| concept.weight).sum();
        let unknown = concepts.iter().filter(|concept| !concept.name).map(|concept| concept.weight * concept.foreign);
        Doubts {
            unknown: unknown.sum::<f32>() / wanted.max(f32::MIN_POSITIVE),
            names_missing: passages.map(|passage| self.lacks(passage, &concepts).name_missing).collect(),
        }
    }

    /// The passages that are worth a look, in no order, and what speaks for and against each.
    pub(super) fn judged(&self, query: &str, earlier: &[String]) -> Vec<(Hit, Signs)> {
        let concepts = concepts(self, query, earlier);
        let wanted: f32 = concepts.iter().map(|concept| concept.weight).sum();
        if self.is_empty() || wanted <= 0.0 {
            return Vec::new();
        }
        let foreign = concepts.iter().map(|concept| concept.weight * concept.foreign).sum::<f32>() / wanted;
        let judge = |candidate: Hit| {
            let mut signs = self.lacks(candidate.passage, &concepts);
            signs.share = (candidate.score * wanted.powf(LONG_QUESTIONS)).min(1.0);
            signs.together = self.together(candidate.passage, &concepts);
            signs.foreign = foreign;
            (Hit { passage: candidate.passage, score: signs.score() }, signs)
        };
        candidates(self, &concepts, wanted).into_iter().map(judge).collect()
    }

    /// What a passage lacks of what was asked about.
    fn lacks(&self, passage: u32, concepts: &[Concept]) -> Signs {
        let mut signs = Signs::default();
        let (mut asked, mut lack) = (0.0, 0.0);
        let (mut of_names, mut others, mut others_lack) = (false, 0.0, 0.0);
        for concept in concepts.iter().filter(|concept| concept.asked) {
            let here = self.here(passage, concept);
            let lacks = concept.telling * (1.0 - here);
            signs.missing = signs.missing.max(lacks);
            if concept.name {
                signs.name_missing = signs.name_missing.max(lacks);
            }
            if concept.name && covered(here) >= 1.0 {
                of_names = true;
            } else if !concept.name && concept.telling > QUIET_SHARE {
                others += concept.telling;
                others_lack += concept.telling * (1.0 - covered(here));
            }
            asked += concept.telling;
            // What stands beside it cannot cover more than this, and looking there takes longest.
            let covered = if covered(here) >= BESIDE_SHARE {
                covered(here)
            } else {
                covered(here).max(BESIDE_SHARE * self.beside(passage, concept))
            };
            lack += concept.telling * (1.0 - covered);
        }
        signs.property = if of_names && others > 0.0 { others_lack / others } else { 0.0 };
        signs.lack = if asked > 0.0 { lack / asked } else { 0.0 };
        signs
    }

    /// How far what stands right before and right after a passage on its page covers a concept.
    fn beside(&self, passage: u32, concept: &Concept) -> f32 {
        let page = self.page(self.page_of(passage));
        let neighbours = [passage.checked_sub(1), passage.checked_add(1)].into_iter().flatten();
        neighbours
            .filter(|other| page.contains(other))
            .map(|other| covered(self.here(other, concept)))
            .fold(0.0, f32::max)
    }

    /// How well a passage has, anywhere in it or in its headings, what a concept stands for: from 0 to 1.
    fn here(&self, passage: u32, concept: &Concept) -> f32 {
        let stands = |word: u32| self.postings(word).binary_search_by_key(&passage, |posting| posting.passage).is_ok();
        concept.words.iter().filter(|&&(word, _)| stands(word)).map(|&(_, quality)| quality).fold(0.0, f32::max)
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
}

/// How far a word that stands for what was asked, so well, covers it: somebody's slip of the pen does in full.
fn covered(quality: f32) -> f32 {
    if quality > ALIKE_QUALITY {
        1.0
    } else if quality >= ALIKE_BESIDE_QUALITY {
        ALIKE_COVERS
    } else {
        quality
    }
}

pub(super) fn by_score(one: &Hit, other: &Hit) -> std::cmp::Ordering {
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
