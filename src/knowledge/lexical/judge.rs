//! What speaks for and against a passage as the answer to a question, and whether that is enough.
//!
//! The numbers were learned from questions with known answers; `learn` learns them again.

/// How many signs there are.
pub(super) const SIGNS: usize = 6;
/// What each sign counts.
pub(super) type Weights = [f32; SIGNS + 1];
/// What was learned; the first is what there is without any.
pub(super) const WEIGHTS: Weights = [-1.46, 3.27, 1.42, -0.6, -3.6, -4.42, -2.56];

/// Chosen so that a refusal of what the book answers counts twice as much as a passage that answers nothing.
pub(super) const USUAL: Bar = Bar { score: 0.34, lack: 0.9 };
/// What words are worth that are just good enough: the measure that nearness is put on.
pub(in crate::knowledge) const WORDS_FLOOR: f32 = USUAL.score;
/// Chosen so that an answer the book does not have counts twice as much as a refusal.
pub(super) const STRICT: Bar = Bar { score: 0.38, lack: 0.6 };

/// What a passage must reach so that the book has an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bar {
    /// The least score.
    pub(super) score: f32,
    /// The most that may be lacking.
    pub(super) lack: f32,
}

/// What speaks for and against a passage.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    /// How much of what is wanted the passage is about, from 0 to 1.
    pub(super) share: f32,
    /// How much of the question stands together in it, from 0 to 1.
    pub(super) together: f32,
    /// How telling the most telling thing is that was asked about and that it lacks.
    pub(super) missing: f32,
    /// The same of names alone.
    pub(super) name_missing: f32,
    /// How much of the question the whole book does not know, from 0 to 1.
    pub(super) foreign: f32,
    /// How much it lacks of what is asked about a name that it has, from 0 to 1.
    pub(super) property: f32,
    /// How much of all that was asked about it lacks, from 0 to 1; what stands right beside it counts half.
    pub(super) lack: f32,
}

impl Bar {
    /// Whether a passage is good enough.
    pub(super) fn lets(self, signs: &Signs) -> bool {
        signs.score() >= self.score && signs.lack <= self.lack
    }
}

impl Signs {
    /// In the order of the weights. Lacking something counts the more, the more the passage seems to be the one: the
    /// right product and the wrong property of it.
    pub(super) fn values(&self) -> [f32; SIGNS] {
        [self.share, self.together, self.share * self.missing, self.name_missing, self.foreign, self.property]
    }

    /// How well the passage answers the question, from 0 to 1.
    pub(super) fn score(&self) -> f32 {
        self.score_by(&WEIGHTS)
    }

    /// The same by other weights.
    pub(super) fn score_by(&self, weights: &Weights) -> f32 {
        let signs = self.values();
        let sum: f32 = signs.iter().zip(&weights[1..]).map(|(sign, weight)| sign * weight).sum();
        1.0 / (1.0 + (-sum - weights[0]).exp())
    }
}
