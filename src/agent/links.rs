//! Links are taken out of an answer as it streams, unless they were in the data: a link that a model made up is worse
//! than none.
//!
//! A link in Markdown becomes its text, an address that stands alone becomes a few words, tags of HTML that link or load
//! something go. Blocks of code are left alone: nobody clicks there, and the book's own commands have addresses in them.
//! Spans of code are not, since a backtick that nothing closes makes no code at all. What a link looks like is in
//! `opening.rs`.

mod opening;

use std::collections::VecDeque;
use std::sync::Arc;

use self::opening::{Here, How, Opening};
use super::addresses::{Allowed, ends_address, ends_in_scheme, may_begin_address, scheme};
use super::citations::{Citation, Piece, utf16_units};
use super::markdown::{Place, is_sign};

/// So much of what was given out is remembered: the longest beginning of an address, and the character before it.
const REMEMBERED_BYTES: usize = 12;

/// Reads one content part of an answer, in pieces of any size; what it gives out does not depend on how it was cut.
#[derive(Debug)]
pub(super) struct Links {
    allowed: Arc<Allowed>,
    place: Place,
    /// Text that may still turn out to be a link.
    undecided: String,
    /// UTF-16 code units that were read and given out so far.
    read: usize,
    written: usize,
    /// Citations of text that is not given out yet.
    waiting: VecDeque<Citation>,
    taken_out: usize,
    /// The end of what was given out before this piece.
    before: String,
    /// Nothing has ended the address that was given out last.
    behind_address: bool,
}

impl Links {
    /// Starts a content part.
    pub(super) fn new(allowed: Allowed) -> Self {
        Self::reading(Arc::new(allowed))
    }

    fn reading(allowed: Arc<Allowed>) -> Self {
        Self {
            allowed,
            place: Place::start(),
            undecided: String::new(),
            read: 0,
            written: 0,
            waiting: VecDeque::new(),
            taken_out: 0,
            before: String::new(),
            behind_address: false,
        }
    }

    /// How many links were taken out.
    pub(super) fn taken_out(&self) -> usize {
        self.taken_out
    }

    /// Takes in more of the answer.
    pub(super) fn push(&mut self, piece: Piece) -> Piece {
        self.pass(piece, false)
    }

    /// The last of the answer, and what was held back.
    pub(super) fn finish(&mut self, piece: Piece) -> Piece {
        self.pass(piece, true)
    }

    fn pass(&mut self, piece: Piece, ended: bool) -> Piece {
        self.waiting.extend(piece.citations);
        let text = match self.undecided.is_empty() {
            true => piece.text,
            false => std::mem::take(&mut self.undecided) + &piece.text,
        };
        let mut given = Piece { text: String::with_capacity(text.len()), citations: Vec::new() };
        let mut left = &*text;
        while let Some(c) = left.chars().next() {
            self.settle(&mut given);
            let (plain, behind) = left.split_at(self.plain_bytes(left));
            if !plain.is_empty() {
                self.give(plain, &mut given);
                left = behind;
                continue;
            }
            match (Here { allowed: &self.allowed, place: &self.place, ended }).opening(left, c) {
                Opening::Unsure => {
                    left.clone_into(&mut self.undecided);
                    break;
                }
                Opening::Link { bytes, instead, how } => {
                    self.replace(&left[..bytes], &instead, how, &mut given);
                    left = &left[bytes..];
                }
                Opening::Other => {
                    self.read += c.len_utf16();
                    self.put(c, How::KeptApart, &mut given);
                    left = &left[c.len_utf8()..];
                }
            }
        }
        self.settle(&mut given);
        self.remember(&given.text);
        given
    }

    /// How many bytes a text begins with in which nothing begins or ends that matters here, nor is anything cited.
    fn plain_bytes(&self, text: &str) -> usize {
        if self.behind_address || !self.place.is_at_rest() {
            return 0;
        }
        // A code unit takes one byte or more.
        let uncited = self.waiting.front().map_or(text.len(), |citation| citation.index - self.read);
        let uncited = &text[..text.floor_char_boundary(uncited)];
        let is_code = self.place.in_fence();
        let mut in_word = self.place.previous().is_some_and(|c| c.is_ascii_alphanumeric());
        let matters = |(at, byte): (usize, u8)| {
            let begins_word = !std::mem::replace(&mut in_word, byte.is_ascii_alphanumeric());
            match byte {
                _ if is_sign(byte) => true,
                b'!' | b'<' | b':' | b'/' | b'.' => !is_code,
                b'a'..=b'z' | b'A'..=b'Z' => !is_code && begins_word && may_begin_address(&text[at..]),
                _ => false,
            }
        };
        uncited.bytes().enumerate().position(matters).unwrap_or(uncited.len())
    }

    /// Gives out text in which nothing begins or ends.
    fn give(&mut self, plain: &str, given: &mut Piece) {
        let units = utf16_units(plain);
        self.place.pass(plain);
        self.read += units;
        self.written += units;
        given.text.push_str(plain);
    }

    /// Gives out `instead` in the place of a link.
    fn replace(&mut self, link: &str, instead: &str, how: How, given: &mut Piece) {
        self.taken_out += usize::from(how == How::TakenOut);
        self.read += utf16_units(link);
        if self.behind_address && instead.starts_with(|c| !ends_address(c)) {
            self.put(' ', How::Kept, given);
        }
        instead.chars().for_each(|c| self.put(c, how, given));
        self.behind_address |= how == How::Kept && scheme(instead).is_some();
    }

    fn put(&mut self, c: char, how: How, given: &mut Piece) {
        self.place.step(c);
        self.written += c.len_utf16();
        given.text.push(c);
        self.behind_address &= !ends_address(c);
        // What was taken out may bring the halves of an address together.
        let may_join = how != How::Kept && matches!(c, ':' | '/' | '.') && !self.place.in_fence();
        if may_join && self.ends_in_scheme(&given.text) {
            self.put(' ', How::Kept, given);
        }
    }

    fn ends_in_scheme(&self, given: &str) -> bool {
        match given.len() < REMEMBERED_BYTES {
            true => ends_in_scheme(&format!("{}{given}", self.before)),
            false => ends_in_scheme(given),
        }
    }

    /// Keeps the end of what was given out.
    fn remember(&mut self, given: &str) {
        let end = &given[given.floor_char_boundary(given.len().saturating_sub(REMEMBERED_BYTES))..];
        self.before.push_str(end);
        self.before.drain(..self.before.floor_char_boundary(self.before.len().saturating_sub(REMEMBERED_BYTES)));
    }

    /// Gives out the citations of what has been read.
    fn settle(&mut self, given: &mut Piece) {
        while let Some(citation) = self.waiting.pop_front_if(|citation| citation.index <= self.read) {
            given.citations.push(Citation { index: self.written, ..citation });
        }
    }
}

#[cfg(test)]
mod tests;
