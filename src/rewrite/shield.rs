//! Hides from the model what is to be kept, behind marks such as `⟦7⟧`, and puts it back byte for byte.

use std::collections::BTreeMap;
use std::ops::Range;

use super::marks::Marks;
use super::scan::lines::{self, Fence};
use super::scan::{End, Kept, Page, Place};

/// An answer may have so many times the letters of what was asked for, …
const GROWTH_MAX: usize = 3;
/// … and so many letters more.
const GROWTH_CHARS_MAX: usize = 1_000;
/// A section of more letters than this must not become much shorter, …
const SHORT_CHARS: usize = 300;
/// … which is less than one of so many letters.
const SHRINKING_MAX: usize = 10;
/// Words that lead in an answer are no longer than this, in letters.
const PREAMBLE_CHARS_MAX: usize = 200;

/// What is wrong with an answer. It says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("it was empty")]
    Empty,
    #[error("it was far too long")]
    TooLong,
    #[error("it was far too short")]
    TooShort,
    #[error("it began with words that are not of the section")]
    Preamble,
    #[error("it opened a block of code that it did not close")]
    OpenFence,
    #[error("mark number {0} was missing")]
    Missing(usize),
    #[error("mark number {0} was there more than once")]
    Doubled(usize),
    #[error("it had a mark that the section does not have")]
    Invented,
    #[error("mark number {0} did not stand where it can stand")]
    Misplaced(usize),
    #[error("marks changed their order in which they must not")]
    Disordered,
}

/// A part of a page as the model sees it.
pub(super) struct Shielded {
    text: String,
    marks: Marks,
    pieces: Vec<Piece>,
    ending: Ending,
    fences: usize,
}

/// How its lines end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Lf,
    CrLf,
    /// In several ways, which are left as they are.
    Mixed,
}

struct Piece {
    content: String,
    place: Place,
    ends: Vec<End>,
    /// What stands before it on its line, as far as that matters.
    prefix: String,
    blank_before: bool,
    blank_after: bool,
}

impl Shielded {
    /// That part of the page, which begins and ends outside of what is kept.
    pub(super) fn new(page: &Page, part: Range<usize>) -> Self {
        let marks = page.marks();
        let (mut text, mut at) = (String::new(), part.start);
        let mut pieces = Vec::new();
        let mut spans = Vec::new();
        for (index, kept) in page.kept_in(&part).iter().enumerate() {
            let Kept { range, place, ends } = kept;
            text.push_str(&page.text()[at..range.start]);
            let start = text.len();
            text.push_str(&marks.write(index));
            spans.push(start..text.len());
            pieces.push((page.text()[range.clone()].to_owned(), *place, ends.clone()));
            at = range.end;
        }
        text.push_str(&page.text()[at..part.end]);
        let around = |(span, (content, place, ends)): (Range<usize>, (String, Place, Vec<End>))| {
            let (before, after) = (&text[..span.start], &text[span.end..]);
            let mut piece = Piece {
                prefix: marker(line_before(before)),
                blank_before: is_blank_before(before),
                blank_after: is_blank_after(after),
                content,
                place,
                ends,
            };
            // A long line may have been cut just there.
            if !piece.may_stand(&text, &span) {
                piece.place = Place::Anywhere;
            }
            piece
        };
        let pieces = spans.into_iter().zip(pieces).map(around).collect();
        let ending = Ending::of(&text);
        if ending == Ending::CrLf {
            text = text.replace("\r\n", "\n");
        }
        let fences = fences(&text);
        Self { text, marks, pieces, ending, fences }
    }

    /// What the model is given.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything was hidden.
    pub(super) fn has_marks(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The mark of that index, from 0, whether it is there or not.
    pub(super) fn mark(&self, index: usize) -> String {
        self.marks.write(index)
    }

    /// An answer of more bytes than this is none.
    pub(super) fn answer_bytes_max(&self) -> usize {
        4 * self.answer_chars_max()
    }

    fn answer_chars_max(&self) -> usize {
        GROWTH_MAX * self.text.chars().count() + GROWTH_CHARS_MAX
    }

    /// The answer with everything that was hidden in its place.
    ///
    /// # Errors
    /// It is not the section written anew, or not all of what was hidden can be put back as it was.
    pub(super) fn restore(&self, answer: &str) -> Result<String, Damage> {
        let answer = match self.ending {
            Ending::Lf | Ending::CrLf => &answer.replace("\r\n", "\n"),
            Ending::Mixed => answer,
        };
        let answer = unwrapped(answer.trim(), &self.text).trim();
        self.check_words(answer)?;
        let marks = self.marks.read(answer).ok_or(Damage::Invented)?;
        self.check_marks(answer, &marks)?;
        Ok(self.put_back(answer, &marks))
    }

    fn check_words(&self, answer: &str) -> Result<(), Damage> {
        let (asked, given) = (self.text.chars().count(), answer.chars().count());
        if given == 0 {
            return Err(Damage::Empty);
        }
        if given > self.answer_chars_max() {
            return Err(Damage::TooLong);
        }
        if asked > SHORT_CHARS && given < asked / SHRINKING_MAX {
            return Err(Damage::TooShort);
        }
        if leads_in(answer, &self.text) {
            return Err(Damage::Preamble);
        }
        let open_fence = fences(answer) % 2 == 1 && self.fences.is_multiple_of(2);
        if open_fence { Err(Damage::OpenFence) } else { Ok(()) }
    }

    fn check_marks(&self, answer: &str, marks: &[(Range<usize>, usize)]) -> Result<(), Damage> {
        let mut times = vec![0usize; self.pieces.len()];
        for (_, index) in marks {
            *times.get_mut(*index).ok_or(Damage::Invented)? += 1;
        }
        if let Some(index) = times.iter().position(|times| *times > 1) {
            return Err(Damage::Doubled(index + 1));
        }
        if let Some(index) = times.iter().position(|times| *times == 0) {
            return Err(Damage::Missing(index + 1));
        }
        for (span, index) in marks {
            if !self.pieces[*index].may_stand(answer, span) {
                return Err(Damage::Misplaced(index + 1));
            }
        }
        let now = marks.iter().flat_map(|(_, index)| &self.pieces[*index].ends);
        let before = self.pieces.iter().flat_map(|piece| &piece.ends);
        if contexts(now) != contexts(before) { Err(Damage::Disordered) } else { Ok(()) }
    }

    fn put_back(&self, answer: &str, marks: &[(Range<usize>, usize)]) -> String {
        let kept_bytes: usize = self.pieces.iter().map(|piece| piece.content.len()).sum();
        let mut text = String::with_capacity(answer.len() + kept_bytes);
        let mut at = 0;
        let mut blank_owed = false;
        for (span, index) in marks {
            let piece = &self.pieces[*index];
            let alone = piece.place == Place::Alone && piece.prefix.is_empty();
            let mut words = &answer[at..span.start];
            if alone {
                // It brings its own indentation.
                words = words.trim_end_matches([' ', '\t']);
            }
            self.push_words(&mut text, words, blank_owed);
            if alone && piece.blank_before && !is_blank_before(&text) {
                text.push_str(self.line_end());
            }
            text.push_str(&piece.content);
            blank_owed = alone && piece.blank_after;
            at = span.end;
        }
        self.push_words(&mut text, &answer[at..], blank_owed);
        text
    }

    fn push_words(&self, text: &mut String, words: &str, blank_owed: bool) {
        if blank_owed && !is_blank_after(words) {
            text.push_str(self.line_end());
        }
        match self.ending {
            Ending::CrLf => text.push_str(&words.replace('\n', "\r\n")),
            Ending::Lf | Ending::Mixed => text.push_str(words),
        }
    }

    fn line_end(&self) -> &'static str {
        match self.ending {
            Ending::CrLf => "\r\n",
            Ending::Lf | Ending::Mixed => "\n",
        }
    }
}

impl Ending {
    fn of(text: &str) -> Self {
        let count = |wanted| text.matches(wanted).count();
        match (count("\r"), count("\n"), count("\r\n")) {
            (0, _, _) => Self::Lf,
            (cr, lf, both) if cr == both && lf == both => Self::CrLf,
            _ => Self::Mixed,
        }
    }
}

impl Piece {
    /// Whether the mark may stand there in the answer.
    fn may_stand(&self, answer: &str, span: &Range<usize>) -> bool {
        let (before, after) = (&answer[..span.start], &answer[span.end..]);
        let prefix = line_before(before);
        let rest = lines::line(after, 0).0;
        match self.place {
            Place::Anywhere => true,
            Place::Alone => rest.trim().is_empty() && marker(prefix) == self.prefix,
            Place::LineStart => marker(prefix) == self.prefix,
            Place::HeadingEnd => prefix.trim_start().starts_with('#') && !has_words(rest),
            Place::Target => before.ends_with("](") && after.starts_with(')'),
            Place::Label => before.ends_with(']'),
        }
    }
}

fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// What stands before something on its line.
fn line_before(before: &str) -> &str {
    before.rsplit(['\n', '\r']).next().unwrap_or_default()
}

/// The marks of quotes and list items there; numbers may be written in other digits.
fn marker(prefix: &str) -> String {
    let digit = |letter: char| if letter.is_numeric() { '1' } else { letter };
    prefix.chars().filter(|letter| !letter.is_whitespace()).map(digit).collect()
}

fn is_blank_before(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    let Some(line) = before.strip_suffix('\n') else { return before.is_empty() };
    let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
    line.is_empty() || line.ends_with('\n')
}

fn is_blank_after(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    let line = after.strip_prefix('\r').unwrap_or(after);
    let Some(line) = line.strip_prefix('\n') else { return after.is_empty() };
    let line = line.trim_start_matches([' ', '\t']);
    line.is_empty() || line.starts_with(['\n', '\r'])
}

/// How often a line opens or closes a block of code.
fn fences(text: &str) -> usize {
    text.lines().filter(|line| Fence::opened_by(line).is_some()).count()
}

/// An answer without the fence that some models put around all of it.
fn unwrapped<'a>(answer: &'a str, asked: &str) -> &'a str {
    let inside = || {
        let (_, inside) = answer.strip_prefix("```")?.split_once('\n')?;
        inside.trim_end().strip_suffix("```")
    };
    if asked.starts_with("```") { answer } else { inside().unwrap_or(answer) }
}

/// Whether an answer begins with words of the model's own, or with a title that the section does not have.
fn leads_in(answer: &str, asked: &str) -> bool {
    if answer.starts_with('#') != asked.starts_with('#') {
        return true;
    }
    let ends_with_colon = |text: &str| lines::line(text, 0).0.trim_end_matches(['*', '_', ' ']).ends_with([':', '：']);
    let first = lines::line(answer, 0).0;
    let goes_on = first.len() < answer.len();
    goes_on && first.chars().count() <= PREAMBLE_CHARS_MAX && ends_with_colon(answer) && !ends_with_colon(asked)
}

/// In what each end of a tag stands: in which tag, and behind how many ends of tags from before; nothing when the tags
/// do not close in the order in which they open.
fn contexts<'a>(ends: impl Iterator<Item = &'a End>) -> Option<BTreeMap<End, (Option<usize>, usize)>> {
    let mut contexts = BTreeMap::new();
    let mut open = Vec::new();
    let mut behind = 0;
    for end in ends {
        if end.opens {
            contexts.insert(*end, (open.last().copied(), behind));
            open.push(end.pair);
            continue;
        }
        if open.last() == Some(&end.pair) {
            open.pop();
        } else if open.contains(&end.pair) {
            return None;
        } else {
            behind += 1;
        }
        contexts.insert(*end, (open.last().copied(), behind));
    }
    Some(contexts)
}
