//! What is known of an item beside its content, and what turns cost: kept, and never on the wire.

use std::ops::{Add, AddAssign};

use serde_json::Value;

use crate::identity::OwnerId;

/// Tokens that a model read and wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
}

impl Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { input: self.input.saturating_add(other.input), output: self.output.saturating_add(other.output) }
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What is known of an item beside its content; `None` where nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemNote {
    /// The model that wrote it, such as `gemini/gemini-2.5-flash`.
    pub model: Option<String>,
    /// What the request that wrote it cost; what the whole turn cost is counted apart, see [`Spent`].
    pub tokens: Option<Tokens>,
    /// What it rests on, as JSON of whatever shape its writer likes.
    pub grounding: Option<Value>,
}

impl ItemNote {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Lays a later note over this one: what the later one leaves open stays as it was.
    pub fn lay_over(&mut self, later: Self) {
        self.model = later.model.or_else(|| self.model.take());
        self.tokens = later.tokens.or(self.tokens);
        self.grounding = later.grounding.or_else(|| self.grounding.take());
    }
}

/// What a turn has cost so far, all its requests together. Keeping it again replaces it, so that a write that is tried
/// twice counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which turn.
    pub turn_id: String,
    /// Whose limit it counts against.
    pub payer: OwnerId,
    /// How much.
    pub tokens: Tokens,
}
