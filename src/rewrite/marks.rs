//! Marks such as `⟦7⟧`, which stand for what a model does not see.

use std::ops::Range;

/// Brackets that marks are made of: the first pair that the text does not have.
const BRACKETS: &[(char, char)] = &[('⟦', '⟧'), ('⟪', '⟫'), ('⦃', '⦄'), ('⦗', '⦘'), ('⧼', '⧽')];
/// The zeros of the digits that models write numbers with, in the language that they translate into.
const ZEROS: &[char] = &['0', '٠', '۰', '०', '০'];

/// What marks look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    open: char,
    close: char,
}

impl Marks {
    /// Marks that do not look like anything in the text, if there are any.
    pub(super) fn unlike(text: &str) -> Self {
        let free = BRACKETS.iter().find(|(open, close)| !text.contains([*open, *close]));
        let (open, close) = *free.unwrap_or(&BRACKETS[0]);
        Self { open, close }
    }

    /// Where a text has what marks are made of.
    pub(super) fn likenesses(self, text: &str) -> impl Iterator<Item = Range<usize>> {
        text.match_indices([self.open, self.close]).map(|(at, found)| at..at + found.len())
    }

    /// The mark of that index, from 0.
    pub(super) fn write(self, index: usize) -> String {
        format!("{}{}{}", self.open, index + 1, self.close)
    }

    /// The marks of an answer, with where they stand; nothing when there is something that looks like one and is none.
    pub(super) fn read(self, answer: &str) -> Option<Vec<(Range<usize>, usize)>> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(start) = answer[at..].find([self.open, self.close]).map(|next| at + next) {
            let inside = answer[start..].strip_prefix(self.open)?;
            let end = inside.find([self.open, self.close]).filter(|end| inside[*end..].starts_with(self.close));
            let end = end?;
            let index = number(&inside[..end]).and_then(|number| number.checked_sub(1))?;
            at = start + self.open.len_utf8() + end + self.close.len_utf8();
            found.push((start..at, index));
        }
        Some(found)
    }
}

fn number(written: &str) -> Option<usize> {
    let written = written.trim();
    let digit = |letter: char| {
        let from_zero = ZEROS.iter().filter_map(|zero| u32::from(letter).checked_sub(u32::from(*zero)));
        from_zero.into_iter().find(|digit| *digit < 10).and_then(|digit| usize::try_from(digit).ok())
    };
    if written.is_empty() || written.chars().count() > 9 {
        return None;
    }
    written.chars().try_fold(0, |number, letter| Some(number * 10 + digit(letter)?))
}
