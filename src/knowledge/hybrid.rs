//! One ranking of two: how well passages fit a question by their words, and how near they are by their vectors.
//!
//! Both knowledge bases end here, so that the same passages in either give the same answer.

use std::collections::HashMap;

use super::Search;
use super::lexical::{Doubts, Hit, Index, SHARE_OF_BEST, SPARE, Verdict, WORDS_FLOOR};

/// Passages that are compared by nearness, the nearest ones.
pub(super) const NEAR_MAX: usize = 64;
/// What it takes by nearness alone when nothing is better than something doubtful.
///
/// Nearness does not see that a question asks for one thing more than the passage tells, so it takes a lot of it.
const STRICT_NEARNESS: f32 = 0.5;
/// What it costs nearness that a passage lacks a telling name that was asked about: what a book says about another product
/// like it is near, and no answer. Nobody paraphrases names.
const NAMES_TOLL: f32 = 1.0;
/// What it costs that the question is in ordinary words which the book does not know: a reader may have words of their own
/// for everything, but then it takes about half the way from the floor to the same direction.
const WORDS_TOLL: f32 = 0.35;
/// How soon a lower rank says nothing.
const RANK_SOFTNESS: f32 = 20.0;
/// How much the weaker of the two counts in a score.
const OTHER_SHARE: f32 = 0.25;
/// How much of a score depends on whether both rankings agree.
const AGREEMENT_SHARE: f32 = 0.25;

/// A passage near the question by its vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    /// Its number in the index.
    pub(super) passage: u32,
    /// The cosine of the angle between the two, from -1 to 1.
    pub(super) cosine: f32,
}

/// What speaks for a passage.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// How well it fits by its words, from 0 to 1.
    words: f32,
    /// How near it is, on the same scale: what is just near enough is worth as much as what fits just well enough.
    nearness: f32,
    /// What its ranks in both rankings are worth, from 0 to 1 for the first place in both.
    ranks: f32,
}

/// The best passages, best first; none when nothing is good enough.
///
/// `near` are the passages nearest to the question, nearest first, if there are vectors. Below `near_floor`, which was
/// learned from the collection, nearness alone says nothing; without it, it never does.
///
/// There may be more than `asked.limit`, so that enough is left when neighbours are joined and repetitions dropped.
pub(super) fn best(index: &Index, asked: &Search<'_>, near: &[Near], near_floor: Option<f32>) -> Vec<Hit> {
    if near.is_empty() || asked.limit == 0 {
        return index.search(asked);
    }
    let verdict = index.verdict(asked);
    let doubts = index.doubts(asked, near.iter().map(|near| near.passage));
    let near_enough = if asked.strict { STRICT_NEARNESS } else { WORDS_FLOOR };
    let is_good = |evidence: &Evidence| (verdict.enough && evidence.words > 0.0) || evidence.nearness >= near_enough;
    let mut hits: Vec<Hit> = evidence(&verdict, &doubts, near, near_floor)
        .into_iter()
        .filter(|(_, evidence)| is_good(evidence))
        .map(|(passage, evidence)| Hit { passage, score: evidence.score() })
        .collect();
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.passage.cmp(&other.passage)));
    let best = hits.first().map_or(0.0, |hit| hit.score);
    hits.retain(|hit| hit.score >= best * SHARE_OF_BEST);
    hits.truncate(asked.limit.min(NEAR_MAX) * SPARE);
    hits
}

/// All passages of both rankings, and what speaks for each.
fn evidence(verdict: &Verdict, doubts: &Doubts, near: &[Near], near_floor: Option<f32>) -> HashMap<u32, Evidence> {
    let mut all: HashMap<u32, Evidence> = HashMap::new();
    for (rank, hit) in verdict.hits.iter().enumerate() {
        let evidence = all.entry(hit.passage).or_default();
        evidence.words = hit.score;
        evidence.ranks += worth(rank);
    }
    for (rank, (near, lacks)) in near.iter().zip(&doubts.names_missing).enumerate() {
        let evidence = all.entry(near.passage).or_default();
        let toll = NAMES_TOLL * lacks + WORDS_TOLL * doubts.unknown;
        evidence.nearness = near_floor.map_or(0.0, |floor| nearness(near.cosine, floor, WORDS_FLOOR) - toll).max(0.0);
        evidence.ranks += worth(rank);
    }
    all
}

impl Evidence {
    /// Mostly the better of the two, partly the other, and a little less where the rankings do not agree: a model that
    /// finds everything about joints near does not decide which of the passages on joints it is.
    fn score(&self) -> f32 {
        let (better, other) = (self.words.max(self.nearness), self.words.min(self.nearness));
        (better + OTHER_SHARE * (other - better)) * (1.0 - AGREEMENT_SHARE * (1.0 - self.ranks))
    }
}

/// A cosine on the scale of words: the floor is worth what words are at theirs, the same direction is worth 1.
fn nearness(cosine: f32, floor: f32, words_floor: f32) -> f32 {
    let above = (cosine - floor) / (1.0 - floor).max(f32::EPSILON);
    (words_floor + (1.0 - words_floor) * above).clamp(0.0, 1.0)
}

/// What a rank in one of the two is worth, the best one being 0: half for the first place.
fn worth(rank: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "there are a few dozen ranks")]
    let rank = rank as f32;
    0.5 * RANK_SOFTNESS / (RANK_SOFTNESS + rank)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::knowledge::Passage;

    const TEXTS: [&str; 8] = [
        "A gyroscope measures how fast a body turns.",
        "An accelerometer feels gravity and every push.",
        "A hinge joint turns about one axis.",
        "Wheels roll and castors swivel.",
        "The battery feeds all motors of the arm.",
        "A camera sees edges, colours and depth.",
        "Planning a path around obstacles takes a map.",
        "Grippers close until the object is held.",
    ];

    fn index() -> Index {
        let passage = |(number, text): (usize, &&str)| {
            Arc::new(Passage {
                id: number.to_string(),
                path: format!("{number}.md"),
                title: format!("Page {number}"),
                heading: format!("Page {number}"),
                heading_path: Vec::new(),
                url: format!("/{number}"),
                module: None,
                week: None,
                position: 0,
                text: (*text).to_owned(),
            })
        };
        Index::build(TEXTS.iter().enumerate().map(passage).collect())
    }

    fn ask(query: &str, strict: bool) -> Search<'_> {
        Search { query, earlier: &[], limit: 5, strict }
    }

    /// The passages that are good enough by their words.
    fn fitting(index: &Index, asked: &Search<'_>) -> Vec<u32> {
        let verdict = index.verdict(asked);
        if verdict.enough { verdict.hits.iter().map(|hit| hit.passage).collect() } else { Vec::new() }
    }

    fn nears() -> impl Strategy<Value = Vec<Near>> {
        let cosines = prop::collection::hash_map(0u32..8, -1.0f32..=1.0, 0..8);
        cosines.prop_map(|cosines| {
            let mut near: Vec<Near> = cosines.into_iter().map(|(passage, cosine)| Near { passage, cosine }).collect();
            near.sort_by(|one, other| other.cosine.total_cmp(&one.cosine));
            near
        })
    }

    fn queries() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "How fast does a body turn?",
            "hinge joint",
            "What feeds the motors?",
            "Which flour is best for sourdough?",
            "",
        ])
    }

    proptest! {
        #[test]
        fn scores_are_between_0_and_1_best_first_and_no_more_than_asked_for(
            query in queries(), near in nears(), floor in prop::option::of(0.0f32..0.9), strict: bool, limit in 0usize..6
        ) {
            let hits = best(&index(), &Search { limit, ..ask(query, strict) }, &near, floor);
            prop_assert!(hits.len() <= limit * SPARE);
            prop_assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
            prop_assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn what_neither_words_nor_nearness_speak_for_is_never_found(
            query in queries(), near in nears(), floor in 0.0f32..0.9, strict: bool
        ) {
            let (index, asked) = (index(), ask(query, strict));
            let fits = fitting(&index, &asked);
            for hit in best(&index, &asked, &near, Some(floor)) {
                let is_near = near.iter().any(|near| near.passage == hit.passage && near.cosine >= floor - 1e-6);
                prop_assert!(is_near || fits.contains(&hit.passage), "{hit:?}");
            }
        }

        #[test]
        fn without_a_floor_nearness_finds_nothing_that_words_do_not(query in queries(), near in nears(), strict: bool) {
            let index = index();
            let fits = fitting(&index, &ask(query, strict));
            let found = best(&index, &ask(query, strict), &near, None);
            prop_assert!(found.iter().all(|hit| fits.contains(&hit.passage)));
        }

        #[test]
        fn strict_finds_no_more_than_usual(query in queries(), near in nears(), floor in 0.0f32..0.9) {
            let index = index();
            let usual = best(&index, &Search { limit: 8, ..ask(query, false) }, &near, Some(floor));
            let strict = best(&index, &Search { limit: 8, ..ask(query, true) }, &near, Some(floor));
            prop_assert!(strict.is_empty() || !usual.is_empty());
            prop_assert!(strict.len() <= usual.len() || strict[0].score <= usual[0].score);
        }

        #[test]
        fn without_vectors_it_is_the_search_by_words(query in queries(), floor in prop::option::of(0.0f32..0.9)) {
            let index = index();
            prop_assert_eq!(best(&index, &ask(query, false), &[], floor), index.search(&ask(query, false)));
        }

        #[test]
        fn coming_nearer_never_lowers_a_score(cosine in -1.0f32..1.0, more in 0.0f32..1.0, floor in 0.0f32..0.9, words_floor in 0.0f32..0.9) {
            prop_assert!(nearness(cosine + more, floor, words_floor) >= nearness(cosine, floor, words_floor));
        }
    }

    #[test]
    fn a_passage_that_shares_no_word_is_found_by_its_nearness() {
        let (index, asked) = (index(), ask("Where does the electricity come from?", false));
        assert_eq!(best(&index, &asked, &[], Some(0.3)), []);
        let near = [Near { passage: 4, cosine: 0.7 }, Near { passage: 1, cosine: 0.2 }];
        let found = best(&index, &asked, &near, Some(0.3));
        assert_eq!(found.iter().map(|hit| hit.passage).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn what_both_rankings_put_first_comes_first() {
        let index = index();
        let near = [Near { passage: 0, cosine: 0.5 }, Near { passage: 3, cosine: 0.5 }];
        let found = best(&index, &ask("How fast does a gyroscope turn?", false), &near, Some(0.3));
        assert_eq!(found[0].passage, 0);
        assert!(found[0].score > 0.5, "{found:?}");
    }

    #[test]
    fn a_name_the_book_does_not_know_is_held_against_nearness() {
        let index = index();
        let near = [Near { passage: 2, cosine: 0.6 }];
        assert_eq!(best(&index, &ask("How does the Zyxograph turn?", false), &near, Some(0.3)), []);
    }

    #[test]
    fn strict_takes_more_nearness() {
        let index = index();
        let near = |cosine| [Near { passage: 4, cosine }];
        let found = |cosine, strict| {
            best(&index, &ask("Where does the juice come from?", strict), &near(cosine), Some(0.3)).len()
        };
        assert_eq!((found(0.75, false), found(0.75, true), found(0.99, true)), (1, 0, 1));
    }
}
