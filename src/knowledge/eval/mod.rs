//! How well a knowledge base finds: questions with known answers, and what it makes of each.

mod compare;
mod question;
mod score;
mod table;

use serde::{Deserialize, Serialize};

use super::{Found, KnowledgeBase, KnowledgeError, Search};

pub use compare::{Change, Comparison};
pub use question::{BadLine, Place, Question, questions};
pub use score::{Score, Scores};

/// How many passages are looked at for a question.
const LOOKED_AT: usize = 5;

/// What became of one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// The question's id.
    pub id: String,
    /// The question's kind.
    pub kind: String,
    /// Whether the book has an answer.
    pub answerable: bool,
    /// The rank of the first right passage, from 1.
    pub rank: Option<usize>,
    /// The rank of the first passage with one of the required phrases, from 1.
    pub phrase_rank: Option<usize>,
    /// Whether anything was found.
    pub found: bool,
    /// The rank of the first right passage in a strict search, from 1.
    pub strict_rank: Option<usize>,
    /// Whether a strict search found anything.
    pub strict_found: bool,
    /// Whether the right passage has exactly the address the question gives; none when it gives none, or when no right
    /// passage was found.
    pub cited: Option<bool>,
    /// Whether a section that only sounds right came before every right one; none when the question names none.
    pub lured: Option<bool>,
}

/// Asks all questions, each twice: as usual, and strictly.
///
/// # Errors
/// When the knowledge base fails.
pub async fn evaluate(questions: &[Question], knowledge: &dyn KnowledgeBase) -> Result<Scores, KnowledgeError> {
    evaluate_telling(questions, knowledge, &mut |_| ()).await
}

/// The same, telling after each question how many are done.
///
/// # Errors
/// When the knowledge base fails.
pub async fn evaluate_telling(
    questions: &[Question],
    knowledge: &dyn KnowledgeBase,
    tell: &mut (dyn FnMut(usize) + Send),
) -> Result<Scores, KnowledgeError> {
    let mut outcomes = Vec::with_capacity(questions.len());
    for question in questions {
        let usual = Search { query: &question.question, earlier: &question.history, limit: LOOKED_AT, strict: false };
        let strict = Search { strict: true, ..usual.clone() };
        outcomes.push(Outcome::of(question, &knowledge.search(&usual).await?, &knowledge.search(&strict).await?));
        tell(outcomes.len());
    }
    Ok(Scores::of(outcomes))
}

impl Outcome {
    fn of(question: &Question, usual: &[Found], strict: &[Found]) -> Self {
        let right = |found: &Found| question.relevant.iter().any(|place| place.is_of(&found.passage));
        let rank = rank_of(usual, right);
        let lure_rank = question.lure.as_ref().map(|lure| rank_of(usual, |found| lure.is_of(&found.passage)));
        Self {
            id: question.id.clone(),
            kind: question.kind.clone(),
            answerable: question.is_answerable(),
            rank,
            phrase_rank: rank_of(usual, |found| question.has_phrase(&found.passage.text)),
            found: !usual.is_empty(),
            strict_rank: rank_of(strict, right),
            strict_found: !strict.is_empty(),
            cited: rank.and_then(|rank| question.is_cited_by(&usual[rank - 1].passage)),
            lured: lure_rank.map(|lure| lure.is_some_and(|lure| rank.is_none_or(|rank| lure < rank))),
        }
    }

    /// Whether it went wrong: no right passage among the first three, or any where there is none.
    pub fn missed(&self) -> bool {
        if self.answerable { !self.hit_at(3) } else { self.found }
    }

    /// Whether there is a right passage among so many first ones; a question that names phrases only counts by them.
    fn hit_at(&self, first: usize) -> bool {
        self.rank.is_some_and(|rank| rank <= first)
    }
}

fn rank_of(found: &[Found], fits: impl FnMut(&Found) -> bool) -> Option<usize> {
    found.iter().position(fits).map(|position| position + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::knowledge::Passage;

    fn found(path: &str, heading: &str, url: &str, text: &str) -> Found {
        let passage = Passage {
            id: String::new(),
            path: path.to_owned(),
            title: String::new(),
            heading: heading.to_owned(),
            heading_path: Vec::new(),
            url: url.to_owned(),
            module: None,
            week: None,
            position: 0,
            text: text.to_owned(),
        };
        Found { passage: Arc::new(passage), score: 1.0 }
    }

    fn asked() -> Vec<Question> {
        questions(concat!(
            r#"{"id":"q1","question":"a?","kind":"easy","relevant":[{"path":"a.md","heading":"A","url":"/a#a"}],"must_contain":["the  phrase"],"lure":{"path":"b.md","heading":"B"}}"#,
            "\n",
            r#"{"id":"q2","question":"b?","relevant":[]}"#,
        ))
        .0
    }

    #[test]
    fn a_set_without_questions_earns_nothing_and_loses_nothing() {
        assert_eq!(format!("{:.2}", Scores::of(Vec::new()).all.mean_reciprocal_rank), "0.00");
    }

    #[test]
    fn ranks_phrases_lures_citations_and_refusals_are_counted() {
        let questions = asked();
        let right = found("a.md", "A", "/a#a", "`The`\n**phrase**");
        let lure = found("b.md", "B", "/b#b", "");
        let scores = Scores::of(vec![
            Outcome::of(&questions[0], &[lure.clone(), right.clone()], std::slice::from_ref(&right)),
            Outcome::of(&questions[0], &[], &[]),
            Outcome::of(&questions[1], std::slice::from_ref(&lure), &[]),
        ]);
        let all = &scores.all;
        assert_eq!((all.answerable, all.unanswerable), (2, 1));
        assert_eq!((all.hit_at_1, all.hit_at_3, all.mean_reciprocal_rank), (0.0, 0.5, 0.25));
        assert_eq!((all.phrase_at_3, all.false_refusals, all.lured, all.false_answers), (0.5, 0.5, 0.5, 1.0));
        assert_eq!((all.strict_hit_at_3, all.strict_false_refusals, all.strict_false_answers), (0.5, 0.5, 0.0));
        assert_eq!((all.with_address, all.exact_address), (1, 1.0));
        assert_eq!(scores.missed, ["q1", "q2"]);
    }

    #[test]
    fn a_citation_that_leads_elsewhere_is_a_wrong_one() {
        let outcome = Outcome::of(&asked()[0], &[found("a.md", "A", "/a#a-1", "")], &[]);
        assert_eq!((outcome.rank, outcome.cited), (Some(1), Some(false)));
    }
}
