//! Learning what the signs of a right passage count, and how good is good enough, from books with questions.
//!
//! Logistic regression over few signs: small enough to be understood, and the same books always give the same numbers.

use std::fmt;

use super::index::Index;
use super::judge::{Bar, SIGNS, Signs, WEIGHTS, Weights};
use super::rank::BEST;
use crate::knowledge::eval::Question;

/// How often the passages that look best are looked up again under what was just learned.
const ROUNDS: usize = 3;
/// Steps of the descent in a round.
const STEPS: i32 = 400;
/// How long a step is.
const STEP: f64 = 0.1;
/// How strongly weights are held small.
const HOLD: f64 = 0.0005;
/// What a passage counts that is right.
const RIGHT_COUNTS: f64 = 1.0;
/// What the best passage counts for a question without an answer.
const ANSWERLESS_COUNTS: f64 = 2.0;
/// What a wrong passage counts beside a right one; it keeps the ranking in order.
const BESIDE_COUNTS: f64 = 0.1;
/// So many of the best passages are looked at for a question.
const LOOKED_AT: usize = 5;
/// How much worse the worse mistake is: usually a refusal, strictly an answer.
const WORSE: f64 = 2.0;

/// A book and questions about it.
#[derive(Debug)]
pub struct Lesson {
    /// Names the book in the report.
    pub name: String,
    /// Its passages.
    pub index: Index,
    /// The questions.
    pub questions: Vec<Question>,
}

/// What was learned, and how well it does. Shows as the constants to put in, and a table.
#[derive(Debug)]
pub struct Learned {
    weights: Weights,
    usual: Bar,
    strict: Bar,
    /// For each book how what was learned from the others does on it, and last how everything does on everything.
    report: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    usual: Mistakes,
    strict: Mistakes,
}

/// Shares of mistakes, from 0 to 1.
#[derive(Clone, Copy, Debug)]
struct Mistakes {
    refusals: f64,
    answers: f64,
}

/// A question as it is learned from: its passages, and which of them are right.
struct Example {
    answerable: bool,
    passages: Vec<(Signs, bool)>,
}

/// Learns from all lessons, and reports for each what the others teach about it.
pub fn learn(lessons: &[Lesson]) -> Learned {
    let books: Vec<Vec<Example>> = lessons.iter().map(examples).collect();
    let all: Vec<&Example> = books.iter().flatten().collect();
    let (weights, usual, strict) = taught(&all);
    let mut report = Vec::new();
    for (number, lesson) in lessons.iter().enumerate().filter(|_| lessons.len() > 1) {
        let others: Vec<&Example> =
            books.iter().enumerate().filter(|&(other, _)| other != number).flat_map(|(_, book)| book).collect();
        report.push(Row::of(&lesson.name, taught(&others), &books[number].iter().collect::<Vec<_>>()));
    }
    report.push(Row::of("all, as learned", (weights, usual, strict), &all));
    Learned { weights, usual, strict, report }
}

fn examples(lesson: &Lesson) -> Vec<Example> {
    let example = |question: &Question| {
        let judged = lesson.index.judged(&question.question, &question.history);
        let is_right = |number: u32| question.relevant.iter().any(|place| place.is_of(lesson.index.passage(number)));
        Example {
            answerable: question.is_answerable(),
            passages: judged.into_iter().map(|(hit, signs)| (signs, is_right(hit.passage))).collect(),
        }
    };
    lesson.questions.iter().map(example).collect()
}

fn taught(examples: &[&Example]) -> (Weights, Bar, Bar) {
    let mut weights = WEIGHTS;
    for _ in 0..ROUNDS {
        weights = descend(weights, &samples(examples, &weights));
    }
    (weights, bar(examples, &weights, WORSE, 1.0), bar(examples, &weights, 1.0, WORSE))
}

/// The best passages of an example, best first, with their scores.
fn best<'a>(example: &'a Example, weights: &Weights) -> Vec<(f32, &'a Signs, bool)> {
    let mut best: Vec<_> =
        example.passages.iter().map(|(signs, right)| (signs.score_by(weights), signs, *right)).collect();
    best.sort_by(|one, other| other.0.total_cmp(&one.0));
    best
}

/// Signs, whether they are of a right passage, and what they count.
type Sample = ([f32; SIGNS], bool, f64);

fn samples(examples: &[&Example], weights: &Weights) -> Vec<Sample> {
    let mut samples = Vec::new();
    for example in examples {
        let best = best(example, weights);
        if example.answerable {
            let looked_at = || best.iter().take(LOOKED_AT);
            samples.extend(looked_at().find(|(_, _, right)| *right).map(|(_, s, _)| (s.values(), true, RIGHT_COUNTS)));
            let wrong = looked_at().filter(|(_, _, right)| !right).take(2);
            samples.extend(wrong.map(|(_, signs, _)| (signs.values(), false, BESIDE_COUNTS)));
        } else {
            samples.extend(best.first().map(|(_, signs, _)| (signs.values(), false, ANSWERLESS_COUNTS)));
        }
    }
    samples
}

/// Gradient descent with Adam's steps.
fn descend(start: Weights, samples: &[Sample]) -> Weights {
    let total: f64 = samples.iter().map(|(_, _, counts)| counts).sum::<f64>().max(f64::MIN_POSITIVE);
    let mut weights = start.map(f64::from);
    let (mut mean, mut spread) = ([0.0f64; SIGNS + 1], [0.0f64; SIGNS + 1]);
    for step in 1..=STEPS {
        let mut slope = weights.map(|weight| weight * HOLD);
        slope[0] = 0.0;
        for (signs, right, counts) in samples {
            let sum: f64 = weights[0] + signs.iter().zip(&weights[1..]).map(|(s, w)| f64::from(*s) * w).sum::<f64>();
            let error = (1.0 / (1.0 + (-sum).exp()) - f64::from(u8::from(*right))) * counts / total;
            slope[0] += error;
            slope[1..].iter_mut().zip(signs).for_each(|(slope, sign)| *slope += error * f64::from(*sign));
        }
        for index in 0..=SIGNS {
            mean[index] = 0.9 * mean[index] + 0.1 * slope[index];
            spread[index] = 0.99 * spread[index] + 0.01 * slope[index] * slope[index];
            let (mean, spread) = (mean[index] / (1.0 - 0.9f64.powi(step)), spread[index] / (1.0 - 0.99f64.powi(step)));
            weights[index] -= STEP * mean / (spread.sqrt() + 1e-8);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "weights are small, and two digits are kept of them")]
    weights.map(|weight| ((weight * 100.0).round() / 100.0) as f32)
}

/// The bar at which both kinds of mistakes together weigh least; of several the one in the middle.
fn bar(examples: &[&Example], weights: &Weights, refusal: f64, answer: f64) -> Bar {
    let best: Vec<(bool, Vec<(f32, f32)>)> = examples
        .iter()
        .map(|example| {
            (example.answerable, best(example, weights).iter().take(BEST).map(|b| (b.0, b.1.lack)).collect())
        })
        .collect();
    let hundredths = |from: u8, to: u8| (from..=to).step_by(2).map(|n| f32::from(n) / 100.0);
    let bars = hundredths(10, 90).flat_map(|score| hundredths(20, 100).map(move |lack| Bar { score, lack }));
    let weighed: Vec<(f64, Bar)> = bars
        .map(|bar| {
            let mistakes = Mistakes::of(best.iter().map(|(answerable, best)| {
                (*answerable, best.iter().any(|&(score, lack)| score >= bar.score && lack <= bar.lack))
            }));
            (refusal * mistakes.refusals + answer * mistakes.answers, bar)
        })
        .collect();
    let least = weighed.iter().map(|(weight, _)| *weight).fold(f64::INFINITY, f64::min);
    let equal: Vec<Bar> = weighed.iter().filter(|(weight, _)| *weight <= least + 1e-9).map(|(_, bar)| *bar).collect();
    equal[equal.len() / 2]
}

impl Mistakes {
    /// Of pairs: whether there is an answer, and whether one was given.
    fn of(given: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut counts = [[0u32; 2]; 2];
        for (answerable, answered) in given {
            counts[usize::from(answerable)][usize::from(answered)] += 1;
        }
        let share = |count: u32, other: u32| f64::from(count) / f64::from((count + other).max(1));
        let [[refused, answers], [refusals, answered]] = counts;
        Self { refusals: share(refusals, answered), answers: share(answers, refused) }
    }
}

impl Row {
    fn of(name: &str, (weights, usual, strict): (Weights, Bar, Bar), examples: &[&Example]) -> Self {
        let mistakes = |bar: Bar| {
            Mistakes::of(examples.iter().map(|example| {
                let best = best(example, &weights);
                let lets = |b: &(f32, &Signs, bool)| b.0 >= bar.score && b.1.lack <= bar.lack;
                (example.answerable, best.iter().take(BEST).any(lets))
            }))
        };
        Self { name: name.to_owned(), usual: mistakes(usual), strict: mistakes(strict) }
    }
}

impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "WEIGHTS: {:?}", self.weights)?;
        writeln!(f, "USUAL:   {:?}", self.usual)?;
        writeln!(f, "STRICT:  {:?}", self.strict)?;
        let width = self.report.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(f, "{:width$}  refused  false answers  strictly refused  strict false answers", "on")?;
        for Row { name, usual, strict } in &self.report {
            writeln!(
                f,
                "{name:width$}  {:7.2}  {:13.2}  {:16.2}  {:20.2}",
                usual.refusals, usual.answers, strict.refusals, strict.answers
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_right_passages_come_to_count_for_and_others_against() {
        let signs = |share: f32, foreign: f32| Signs { share, foreign, ..Signs::default() };
        let right = |share| Example { answerable: true, passages: vec![(signs(share, 0.0), true)] };
        let wrong = |share| Example { answerable: false, passages: vec![(signs(share, 0.5), false)] };
        let examples = [right(0.9), right(0.7), right(0.8), wrong(0.3), wrong(0.4), wrong(0.75)];
        let (weights, usual, strict) = taught(&examples.iter().collect::<Vec<_>>());
        assert!(weights[1] > 0.0 && weights[5] < 0.0, "{weights:?}");
        for bar in [usual, strict] {
            let lets = |signs: Signs| signs.score_by(&weights) >= bar.score && signs.lack <= bar.lack;
            assert!(lets(signs(0.8, 0.0)) && !lets(signs(0.75, 0.5)), "{bar:?}");
        }
    }

    #[test]
    fn the_same_lessons_teach_the_same() {
        let example = |share: f32| Example {
            answerable: share > 0.5,
            passages: vec![(Signs { share, ..Signs::default() }, share > 0.5)],
        };
        let examples: Vec<Example> = (0..10u8).map(|n| example(f32::from(n) / 10.0)).collect();
        let examples: Vec<&Example> = examples.iter().collect();
        assert_eq!(taught(&examples), taught(&examples));
    }
}
