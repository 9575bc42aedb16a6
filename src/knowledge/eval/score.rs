//! What questions earned, together and by kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Outcome;

/// What questions of one kind earned. Shares are from 0 to 1, and 0 of nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// Questions that have an answer.
    pub answerable: usize,
    /// Share of them whose first passage is of a right section.
    pub hit_at_1: f64,
    /// Share with such a passage among the first three.
    pub hit_at_3: f64,
    /// Share with such a passage among the first five.
    pub hit_at_5: f64,
    /// Share with one of the required phrases among the first three passages.
    pub phrase_at_3: f64,
    /// Mean of 1/rank of the first right passage, 0 when there is none.
    pub mean_reciprocal_rank: f64,
    /// Share of them for which nothing was found at all.
    pub false_refusals: f64,
    /// Share with a right passage among the first three of a strict search.
    pub strict_hit_at_3: f64,
    /// Share of them for which a strict search found nothing at all.
    pub strict_false_refusals: f64,
    /// Share of those with a lure where the lure came before every right passage.
    pub lured: f64,
    /// Questions that say where the answer is read and whose right passage was found.
    pub with_address: usize,
    /// Share of them whose right passage has exactly that address.
    pub exact_address: f64,
    /// Questions that have no answer.
    pub unanswerable: usize,
    /// Share of them for which something was found nevertheless.
    pub false_answers: f64,
    /// Share of them for which a strict search found something nevertheless.
    pub strict_false_answers: f64,
}

/// What all questions earned, together and by kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    /// All questions.
    pub all: Score,
    /// By kind, in alphabetical order.
    pub kinds: BTreeMap<String, Score>,
    /// Answerable questions without a right passage among the first three, and unanswerable ones with any, by id.
    pub missed: Vec<String>,
    /// What became of each question.
    pub outcomes: Vec<Outcome>,
}

impl Scores {
    pub(super) fn of(outcomes: Vec<Outcome>) -> Self {
        let mut kinds: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &outcomes {
            kinds.entry(outcome.kind.clone()).or_default().push(outcome);
        }
        Self {
            all: Score::of(&outcomes.iter().collect::<Vec<_>>()),
            kinds: kinds.into_iter().map(|(kind, outcomes)| (kind, Score::of(&outcomes))).collect(),
            missed: outcomes.iter().filter(|outcome| outcome.missed()).map(|outcome| outcome.id.clone()).collect(),
            outcomes,
        }
    }
}

impl Score {
    fn of(outcomes: &[&Outcome]) -> Self {
        let (answerable, unanswerable): (Vec<&Outcome>, Vec<&Outcome>) =
            outcomes.iter().copied().partition(|outcome| outcome.answerable);
        let of = |fits: &dyn Fn(&Outcome) -> bool| share(&answerable, fits);
        let within = |rank: Option<usize>, first: usize| rank.is_some_and(|rank| rank <= first);
        let with_lure: Vec<&Outcome> = answerable.iter().copied().filter(|outcome| outcome.lured.is_some()).collect();
        let cited: Vec<&Outcome> = answerable.iter().copied().filter(|outcome| outcome.cited.is_some()).collect();
        #[expect(clippy::cast_precision_loss, reason = "ranks go up to five, and nobody asks 2^52 questions")]
        let mean_reciprocal_rank = {
            let reciprocals = answerable.iter().filter_map(|outcome| outcome.rank).map(|rank| 1.0 / rank as f64);
            // The `sum` of none is -0, which readers would take for a loss.
            reciprocals.fold(0.0, |sum, reciprocal| sum + reciprocal) / answerable.len().max(1) as f64
        };
        Self {
            answerable: answerable.len(),
            hit_at_1: of(&|outcome| within(outcome.rank, 1)),
            hit_at_3: of(&|outcome| within(outcome.rank, 3)),
            hit_at_5: of(&|outcome| within(outcome.rank, 5)),
            phrase_at_3: of(&|outcome| within(outcome.phrase_rank, 3)),
            mean_reciprocal_rank,
            false_refusals: of(&|outcome| !outcome.found),
            strict_hit_at_3: of(&|outcome| within(outcome.strict_rank, 3)),
            strict_false_refusals: of(&|outcome| !outcome.strict_found),
            lured: share(&with_lure, &|outcome| outcome.lured == Some(true)),
            with_address: cited.len(),
            exact_address: share(&cited, &|outcome| outcome.cited == Some(true)),
            unanswerable: unanswerable.len(),
            false_answers: share(&unanswerable, &|outcome| outcome.found),
            strict_false_answers: share(&unanswerable, &|outcome| outcome.strict_found),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer questions than f64 holds exactly")]
fn share(outcomes: &[&Outcome], fits: &dyn Fn(&Outcome) -> bool) -> f64 {
    outcomes.iter().filter(|outcome| fits(outcome)).count() as f64 / outcomes.len().max(1) as f64
}
