//! Two ways of searching over the same questions: what differs, and for which questions.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::Outcome;
use super::score::Scores;

/// The scores of one way beside those of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The way that is judged.
    pub this: Scores,
    /// The way it is compared with.
    pub other: Scores,
    /// The questions that fared differently, in the order they were asked.
    pub changed: Vec<Change>,
}

/// A question that fared differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The question's id.
    pub id: String,
    /// The question's kind.
    pub kind: String,
    /// The other way.
    pub other: Fared,
    /// This way.
    pub this: Fared,
}

/// How a question fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fared {
    /// The rank of the first right passage, from 1.
    pub rank: Option<usize>,
    /// Whether anything was found.
    pub found: bool,
    /// Whether a strict search found anything.
    pub strict_found: bool,
}

impl Comparison {
    /// Compares; questions that only one of the two was asked count in the scores and are no changes.
    pub fn new(this: Scores, other: Scores) -> Self {
        let before: HashMap<&str, &Outcome> = other.outcomes.iter().map(|o| (o.id.as_str(), o)).collect();
        let changed = this.outcomes.iter().filter_map(|now| {
            let (was, is) = (Fared::of(before.get(now.id.as_str())?), Fared::of(now));
            (was != is).then(|| Change { id: now.id.clone(), kind: now.kind.clone(), other: was, this: is })
        });
        Self { changed: changed.collect(), this, other }
    }
}

impl Fared {
    fn of(outcome: &Outcome) -> Self {
        Self { rank: outcome.rank, found: outcome.found, strict_found: outcome.strict_found }
    }
}

/// `nothing`, `rank 2`, `no right passage`; and whether a strict search refuses what a usual one answers.
impl fmt::Display for Fared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rank, self.found) {
            (Some(rank), _) => write!(f, "rank {rank}")?,
            (None, true) => f.write_str("no right passage")?,
            (None, false) => return f.write_str("nothing"),
        }
        if self.strict_found { Ok(()) } else { f.write_str(", strictly nothing") }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {} -> {}", self.id, self.kind, self.other, self.this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(id: &str, rank: Option<usize>, strict_found: bool) -> Outcome {
        Outcome {
            id: id.to_owned(),
            kind: "plain".to_owned(),
            answerable: true,
            rank,
            found: rank.is_some(),
            strict_found,
            ..Outcome::default()
        }
    }

    #[test]
    fn the_questions_that_changed_are_named_with_what_became_of_them() {
        let other = Scores::of(vec![outcome("same", Some(1), true), outcome("up", None, false)]);
        let this = Scores::of(vec![
            outcome("same", Some(1), true),
            outcome("up", Some(2), false),
            outcome("new", Some(1), true),
        ]);
        let comparison = Comparison::new(this, other);
        let text = comparison.to_string();
        assert!(text.ends_with("up (plain): nothing -> rank 2, strictly nothing\n"), "{text}");
        assert!(text.contains("1.00 +0.50"), "{text}");
    }

    #[test]
    fn saved_scores_can_be_read_again() {
        let scores = Scores::of(vec![outcome("a", Some(3), true)]);
        let read: Scores = serde_json::from_str(&serde_json::to_string(&scores).unwrap()).unwrap();
        assert_eq!(read, scores);
    }
}
