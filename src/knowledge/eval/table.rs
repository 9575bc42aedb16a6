//! Scores and comparisons as people read them: aligned tables.

use std::fmt;

use super::compare::Comparison;
use super::score::{Score, Scores};

/// What a column shows of a kind, and of how many questions.
type Shown = fn(&Score) -> (usize, f64);

/// The columns: answerable questions first, then unanswerable ones.
const COLUMNS: [(&str, Shown); 12] = [
    ("hit@1", |score| (score.answerable, score.hit_at_1)),
    ("hit@3", |score| (score.answerable, score.hit_at_3)),
    ("hit@5", |score| (score.answerable, score.hit_at_5)),
    ("MRR", |score| (score.answerable, score.mean_reciprocal_rank)),
    ("phrase@3", |score| (score.answerable, score.phrase_at_3)),
    ("exact url", |score| (score.with_address, score.exact_address)),
    ("lured", |score| (score.answerable, score.lured)),
    ("refused", |score| (score.answerable, score.false_refusals)),
    ("strict hit@3", |score| (score.answerable, score.strict_hit_at_3)),
    ("strictly refused", |score| (score.answerable, score.strict_false_refusals)),
    ("false answers", |score| (score.unanswerable, score.false_answers)),
    ("strict false answers", |score| (score.unanswerable, score.strict_false_answers)),
];
/// The columns a comparison shows: where two ways of searching differ.
const COMPARED: [usize; 8] = [0, 1, 3, 5, 7, 9, 10, 11];

/// A table: a line for each kind, and one for all.
impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![vec!["kind".to_owned(), "answerable".to_owned(), "not".to_owned()]];
        rows[0].extend(COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
        for (kind, score) in lines(self) {
            let mut row = vec![kind.to_owned(), score.answerable.to_string(), score.unanswerable.to_string()];
            row.extend(COLUMNS.iter().map(|(_, shown)| cell(shown(score))));
            rows.push(row);
        }
        write(f, &rows)?;
        if !self.missed.is_empty() {
            writeln!(f, "missed: {}", self.missed.join(" "))?;
        }
        Ok(())
    }
}

/// A table of differences, `0.90 +0.05`, and the questions that changed.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = COMPARED.map(|index| COLUMNS[index]);
        let mut rows = vec![vec!["kind".to_owned(), "questions".to_owned()]];
        rows[0].extend(columns.iter().map(|(name, _)| (*name).to_owned()));
        for (kind, score) in lines(&self.this) {
            let other = if kind == ALL { Some(&self.other.all) } else { self.other.kinds.get(kind) };
            let mut row = vec![kind.to_owned(), (score.answerable + score.unanswerable).to_string()];
            row.extend(columns.iter().map(|(_, shown)| difference(shown(score), other.map(shown))));
            rows.push(row);
        }
        write(f, &rows)?;
        for change in &self.changed {
            writeln!(f, "{change}")?;
        }
        if self.changed.is_empty() {
            writeln!(f, "no question changed")?;
        }
        Ok(())
    }
}

const ALL: &str = "all";

fn lines(scores: &Scores) -> impl Iterator<Item = (&str, &Score)> {
    scores.kinds.iter().map(|(kind, score)| (kind.as_str(), score)).chain([(ALL, &scores.all)])
}

fn cell((questions, share): (usize, f64)) -> String {
    if questions == 0 { "-".to_owned() } else { format!("{share:.2}") }
}

fn difference(this: (usize, f64), other: Option<(usize, f64)>) -> String {
    match other {
        Some((questions, share)) if questions > 0 && this.0 > 0 => format!("{:.2} {:+.2}", this.1, this.1 - share),
        Some(_) | None => cell(this),
    }
}

/// The first column to the left, the others to the right.
fn write(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for row in rows {
        write!(f, "{:width$}", row[0], width = widths[0])?;
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
