//! How well a knowledge base finds: questions with known answers, and the scores it earns on them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Found, KnowledgeBase, KnowledgeError, Search};

/// How many passages are looked at for a question.
const LOOKED_AT: usize = 5;
/// Longest line of a file of questions, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A question and where its answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// Names the question in reports.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// What makes it easy or hard: `keyword`, `paraphrase`, `typo`, …
    #[serde(default = "plain")]
    pub kind: String,
    /// The sections that answer it, any one of them; none when the book has no answer.
    #[serde(default)]
    pub relevant: Vec<Place>,
    /// Phrases of which a right passage contains one.
    #[serde(default)]
    pub must_contain: Vec<String>,
    /// What was asked before, oldest first.
    #[serde(default)]
    pub history: Vec<String>,
    /// A section that only sounds right.
    #[serde(default)]
    pub lure: Option<Place>,
}

/// A section of the book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The page's path below the folder.
    pub path: String,
    /// The section's heading.
    pub heading: String,
    /// Where it is read.
    #[serde(default)]
    pub url: Option<String>,
}

fn plain() -> String {
    "plain".to_owned()
}

/// A line that is no question: its number from 1 and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub sentence: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.sentence)
    }
}

/// Reads questions, one JSON object a line; empty lines are passed over.
pub fn questions(jsonl: &str) -> (Vec<Question>, Vec<BadLine>) {
    let (mut questions, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in jsonl.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut refuse = |sentence: String| bad.push(BadLine { line: index + 1, sentence });
        if line.len() > LINE_BYTES_MAX {
            refuse(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        match serde_json::from_str::<Question>(line.trim_start_matches('\u{feff}')) {
            Ok(question) if question.question.trim().is_empty() => refuse("the question is empty".to_owned()),
            Ok(question) => questions.push(question),
            Err(error) => refuse(format!("it is not a question ({error})")),
        }
    }
    (questions, bad)
}

/// What questions of one kind earned. Shares are from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
    /// Share of those with a lure where the lure came before every right passage.
    pub lured: f64,
    /// Questions that have no answer.
    pub unanswerable: usize,
    /// Share of them for which something was found nevertheless.
    pub false_answers: f64,
}

/// What all questions earned, together and by kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// All questions.
    pub all: Score,
    /// By kind, in alphabetical order.
    pub kinds: BTreeMap<String, Score>,
    /// Answerable questions without a right passage among the first three, and unanswerable ones with any, by id.
    pub missed: Vec<String>,
}

/// Asks all questions.
///
/// # Errors
/// When the knowledge base fails.
pub async fn evaluate(questions: &[Question], knowledge: &dyn KnowledgeBase) -> Result<Scores, KnowledgeError> {
    let mut all = Tally::default();
    let mut kinds: BTreeMap<String, Tally> = BTreeMap::new();
    let mut missed = Vec::new();
    for question in questions {
        let asked = Search { query: &question.question, earlier: &question.history, limit: LOOKED_AT, strict: false };
        let outcome = Outcome::of(question, &knowledge.search(&asked).await?);
        if outcome.missed() {
            missed.push(question.id.clone());
        }
        all.add(&outcome);
        kinds.entry(question.kind.clone()).or_default().add(&outcome);
    }
    let kinds = kinds.into_iter().map(|(kind, tally)| (kind, tally.score())).collect();
    Ok(Scores { all: all.score(), kinds, missed })
}

/// What one question came to.
struct Outcome {
    answerable: bool,
    found: usize,
    /// The rank of the first right passage, from 1.
    rank: Option<usize>,
    phrase_rank: Option<usize>,
    has_lure: bool,
    lured: bool,
}

impl Outcome {
    fn of(question: &Question, found: &[Found]) -> Self {
        let is_of = |found: &Found, place: &Place| {
            found.passage.path == place.path
                && (found.passage.heading == place.heading
                    || place.url.as_ref().is_some_and(|url| *url == found.passage.url))
        };
        let rank_of = |fits: &dyn Fn(&Found) -> bool| found.iter().position(fits).map(|position| position + 1);
        let rank = rank_of(&|found| question.relevant.iter().any(|place| is_of(found, place)));
        let lure_rank = question.lure.as_ref().and_then(|lure| rank_of(&|found| is_of(found, lure)));
        Self {
            answerable: !question.relevant.is_empty() || !question.must_contain.is_empty(),
            found: found.len(),
            rank,
            phrase_rank: rank_of(&|found| {
                question.must_contain.iter().any(|phrase| contains(&found.passage.text, phrase))
            }),
            has_lure: question.lure.is_some(),
            lured: lure_rank.is_some_and(|lure| rank.is_none_or(|rank| lure < rank)),
        }
    }

    fn missed(&self) -> bool {
        if self.answerable { self.rank.is_none_or(|rank| rank > 3) } else { self.found > 0 }
    }
}

/// Whether a text contains a phrase, however lines are broken and words are marked.
fn contains(text: &str, phrase: &str) -> bool {
    let plain = |text: &str| {
        let unmarked: String = text.chars().filter(|c| !matches!(c, '`' | '*')).collect();
        unmarked.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    };
    plain(text).contains(&plain(phrase))
}

#[derive(Default)]
struct Tally {
    answerable: usize,
    within: [usize; 3],
    phrases: usize,
    reciprocal_ranks: f64,
    refused: usize,
    lures: usize,
    lured: usize,
    unanswerable: usize,
    answered: usize,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        if !outcome.answerable {
            self.unanswerable += 1;
            self.answered += usize::from(outcome.found > 0);
            return;
        }
        self.answerable += 1;
        for (within, rank) in self.within.iter_mut().zip([1, 3, 5]) {
            *within += usize::from(outcome.rank.is_some_and(|found| found <= rank));
        }
        self.phrases += usize::from(outcome.phrase_rank.is_some_and(|rank| rank <= 3));
        #[expect(clippy::cast_precision_loss, reason = "ranks go up to five")]
        let reciprocal = outcome.rank.map_or(0.0, |rank| 1.0 / rank as f64);
        self.reciprocal_ranks += reciprocal;
        self.refused += usize::from(outcome.found == 0);
        self.lures += usize::from(outcome.has_lure);
        self.lured += usize::from(outcome.lured);
    }

    #[expect(clippy::cast_precision_loss, reason = "there are far fewer questions than f64 holds exactly")]
    fn score(&self) -> Score {
        let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        Score {
            answerable: self.answerable,
            hit_at_1: share(self.within[0], self.answerable),
            hit_at_3: share(self.within[1], self.answerable),
            hit_at_5: share(self.within[2], self.answerable),
            phrase_at_3: share(self.phrases, self.answerable),
            mean_reciprocal_rank: if self.answerable == 0 {
                0.0
            } else {
                self.reciprocal_ranks / self.answerable as f64
            },
            false_refusals: share(self.refused, self.answerable),
            lured: share(self.lured, self.lures),
            unanswerable: self.unanswerable,
            false_answers: share(self.answered, self.unanswerable),
        }
    }
}

/// A table: a line for each kind, and one for all.
impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.kinds.keys().map(|kind| kind.chars().count()).max().unwrap_or(0).max("kind".len());
        writeln!(
            f,
            "{:width$}  questions  hit@1  hit@3  hit@5    MRR  phrase@3  false refusals  unanswerable  false answers",
            "kind"
        )?;
        for (kind, score) in self.kinds.iter().map(|(kind, score)| (kind.as_str(), score)).chain([("all", &self.all)]) {
            let Score { answerable, unanswerable, .. } = score;
            write!(f, "{kind:width$}  {answerable:9}")?;
            if *answerable > 0 {
                write!(
                    f,
                    "  {:5.2}  {:5.2}  {:5.2}  {:5.2}  {:8.2}  {:14.2}",
                    score.hit_at_1,
                    score.hit_at_3,
                    score.hit_at_5,
                    score.mean_reciprocal_rank,
                    score.phrase_at_3,
                    score.false_refusals
                )?;
            } else {
                write!(f, "  {:>5}  {:>5}  {:>5}  {:>5}  {:>8}  {:>14}", "-", "-", "-", "-", "-", "-")?;
            }
            if *unanswerable > 0 {
                writeln!(f, "  {unanswerable:12}  {:13.2}", score.false_answers)?;
            } else {
                writeln!(f, "  {unanswerable:12}  {:>13}", "-")?;
            }
        }
        if !self.missed.is_empty() {
            writeln!(f, "missed: {}", self.missed.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::knowledge::Passage;

    fn found(path: &str, heading: &str, text: &str) -> Found {
        let passage = Passage {
            id: String::new(),
            path: path.to_owned(),
            title: String::new(),
            heading: heading.to_owned(),
            heading_path: Vec::new(),
            url: String::new(),
            module: None,
            week: None,
            position: 0,
            text: text.to_owned(),
        };
        Found { passage: Arc::new(passage), score: 1.0 }
    }

    const LINES: &str = concat!(
        r#"{"id":"q1","question":"a?","kind":"easy","relevant":[{"path":"a.md","heading":"A"}],"must_contain":["the  phrase"],"lure":{"path":"b.md","heading":"B"}}"#,
        "\n\nnot json\n",
        r#"{"id":"q2","question":"b?","relevant":[]}"#,
        "\n",
        r#"{"id":"q3","question":"  "}"#,
    );

    #[test]
    fn malformed_lines_are_named_with_their_number() {
        let (questions, bad) = questions(LINES);
        assert_eq!(questions.iter().map(|q| q.id.as_str()).collect::<Vec<_>>(), ["q1", "q2"]);
        assert_eq!(bad.iter().map(|b| b.line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(bad[1].to_string(), "line 5: the question is empty");
    }

    #[test]
    fn ranks_phrases_lures_and_refusals_are_counted() {
        let (questions, _) = questions(LINES);
        let mut tally = Tally::default();
        tally.add(&Outcome::of(&questions[0], &[found("b.md", "B", ""), found("a.md", "A", "`The`\n**phrase**")]));
        tally.add(&Outcome::of(&questions[0], &[]));
        tally.add(&Outcome::of(&questions[1], &[found("b.md", "B", "")]));
        let score = tally.score();
        assert_eq!((score.answerable, score.unanswerable), (2, 1));
        assert_eq!((score.hit_at_1, score.hit_at_3, score.mean_reciprocal_rank), (0.0, 0.5, 0.25));
        assert_eq!((score.phrase_at_3, score.false_refusals, score.lured, score.false_answers), (0.5, 0.5, 0.5, 1.0));
    }

    #[test]
    fn the_table_is_aligned() {
        let kinds = BTreeMap::from([
            ("long kind".to_owned(), Score { answerable: 3, ..Score::default() }),
            ("x".to_owned(), Score::default()),
        ]);
        let table = Scores { kinds, ..Scores::default() }.to_string();
        let widths: Vec<usize> = table.lines().map(str::len).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }
}
