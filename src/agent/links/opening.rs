//! What a text that may be a link begins with, and what stands in its place.

use std::sync::Arc;

use super::super::addresses::{
    ADDRESS_CHARS_MAX, Allowed, Missing, address_bytes, begins_word, is_endless, label, may_begin_address, scheme,
    target, trimmed,
};
use super::super::citations::Piece;
use super::super::markdown::Place;
use super::Links;

/// What stands in the place of an address that was not in the data.
const LEFT_OUT: &str = "(link left out)";

/// What a text begins with.
pub(super) enum Opening {
    /// So many bytes, in whose place this stands.
    Link { bytes: usize, instead: String, how: How },
    /// Nothing of the kind; this will not change with more text.
    Other,
    /// The next characters decide.
    Unsure,
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It was in the data and stays.
    Kept,
    /// It was not and goes.
    TakenOut,
    /// It is none, and is kept from becoming one.
    KeptApart,
}

/// Where a text stands.
pub(super) struct Here<'a> {
    pub(super) allowed: &'a Arc<Allowed>,
    pub(super) place: &'a Place,
    /// No more text will come.
    pub(super) ended: bool,
}

impl Here<'_> {
    /// What `text` begins with, the first character of which is `c`.
    pub(super) fn opening(&self, text: &str, c: char) -> Opening {
        let may_open = matches!(c, '!' | '[' | ']' | '<') || begins_word(self.place.previous(), c);
        if !may_open || self.place.in_fence() {
            return Opening::Other;
        }
        match c {
            _ if self.place.is_escaped() && c.is_ascii_punctuation() => Opening::Other,
            '!' => match text[1..].chars().next() {
                Some('[') => self.link(text, 1),
                Some(_) => Opening::Other,
                None => self.unsure(),
            },
            '[' => self.link(text, 0),
            // The end of a text that was too long to wait for.
            ']' => match text[1..].chars().next() {
                Some('(') => Opening::Link { bytes: 1, instead: "] ".to_owned(), how: How::TakenOut },
                Some(_) => Opening::Other,
                None => self.unsure(),
            },
            '<' => self.tag(text),
            _ => self.address(text),
        }
    }

    /// `[text](target)`, `![text](target)` and `[name]: target`; the bracket stands behind `from` bytes.
    fn link(&self, text: &str, from: usize) -> Opening {
        let label_bytes = match label(&text[from..]) {
            Ok(bytes) => bytes,
            // Too long to wait for: what comes of its target is decided when it is there.
            Err(Missing::Never) => return Opening::Other,
            Err(Missing::SoFar) => return self.unsure(),
        };
        let label = &text[from + 1..from + label_bytes - 1];
        let after = &text[from + label_bytes..];
        let defines = from == 0 && self.place.at_line_start() && after.starts_with(':');
        match after.chars().next() {
            None => self.unsure(),
            Some('(') => match target(after) {
                Some((target, bytes)) => {
                    let label = self.without_links(label);
                    let whole = &after[..bytes];
                    let (instead, how) = match self.allowed.permits(target) {
                        true => (format!("{}[{label}]{whole}", &text[..from]), How::Kept),
                        false if label.trim().is_empty() => (" ".to_owned(), How::TakenOut),
                        false => (label, How::TakenOut),
                    };
                    Opening::Link { bytes: from + label_bytes + bytes, instead, how }
                }
                None if is_endless(after) || self.ended => {
                    // A parenthesis that never closes; keeping it apart from the bracket keeps it from closing later.
                    let instead = format!("{} ", self.without_links(label));
                    Opening::Link { bytes: from + label_bytes, instead, how: How::KeptApart }
                }
                None => Opening::Unsure,
            },
            Some(':') if defines => match after.find('\n') {
                None if !self.ended && after.chars().nth(ADDRESS_CHARS_MAX).is_none() => Opening::Unsure,
                end => {
                    let line = &after[1..end.unwrap_or(after.len())];
                    let target = line.split_whitespace().next().unwrap_or_default();
                    let target = target.trim_start_matches('<').trim_end_matches('>');
                    match target.is_empty() || self.allowed.permits(target) {
                        true => Opening::Other,
                        false => Opening::Link {
                            bytes: label_bytes + 1 + line.len(),
                            instead: String::new(),
                            how: How::TakenOut,
                        },
                    }
                }
            },
            Some(_) => Opening::Other,
        }
    }

    /// `<https://…>`, and tags that link to or load something.
    fn tag(&self, text: &str) -> Opening {
        match text[1..].chars().next() {
            None => return self.unsure(),
            Some(c) if c.is_ascii_alphabetic() => {}
            Some(_) => return Opening::Other,
        }
        let inside: String = text[1..].chars().take(ADDRESS_CHARS_MAX).take_while(|c| *c != '>').collect();
        let is_closed = text[1 + inside.len()..].starts_with('>');
        let is_endless = inside.contains("\n\n") || inside.chars().count() == ADDRESS_CHARS_MAX;
        if is_endless || !is_closed && self.ended {
            return Opening::Other;
        }
        let name = inside.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
        let is_address = name.starts_with([':', '@']) && !inside.contains(char::is_whitespace);
        let is_tag = name.is_empty() || name.starts_with(char::is_whitespace) || name.starts_with('/');
        if !is_address && !is_tag {
            return Opening::Other;
        }
        if !is_closed {
            return Opening::Unsure;
        }
        let bytes = inside.len() + 2;
        let lower = inside.to_ascii_lowercase();
        let loads = ["href", "src", "action", "data", "poster"].iter().any(|name| lower.contains(&format!("{name}=")));
        match (is_address, loads) {
            (true, _) if self.allowed.permits(&inside) => {
                Opening::Link { bytes, instead: text[..bytes].to_owned(), how: How::Kept }
            }
            (true, _) => Opening::Link { bytes, instead: LEFT_OUT.to_owned(), how: How::TakenOut },
            (false, true) => Opening::Link { bytes, instead: " ".to_owned(), how: How::TakenOut },
            (false, false) => Opening::Other,
        }
    }

    /// An address that stands alone.
    fn address(&self, text: &str) -> Opening {
        let Some(scheme) = scheme(text) else {
            return if may_begin_address(text) { self.unsure() } else { Opening::Other };
        };
        let bytes = address_bytes(text);
        let is_long = text[..bytes].chars().nth(ADDRESS_CHARS_MAX).is_some();
        if bytes == text.len() && !self.ended && !is_long {
            return Opening::Unsure;
        }
        let address = trimmed(&text[..bytes]);
        let spelled = |prefix: &str| self.allowed.permits(&format!("{prefix}{address}"));
        let is_from_data = !is_long
            && (self.allowed.permits(address) || scheme == "www." && (spelled("https://") || spelled("http://")));
        let (instead, how) = match is_from_data {
            true => (address, How::Kept),
            false => (LEFT_OUT, How::TakenOut),
        };
        Opening::Link { bytes: address.len(), instead: instead.to_owned(), how }
    }

    fn without_links(&self, text: &str) -> String {
        let mut links = Links { place: self.place.clone(), ..Links::reading(self.allowed.clone()) };
        // Behind a bracket no line begins.
        links.place.step('[');
        links.finish(Piece { text: text.to_owned(), citations: Vec::new() }).text
    }

    fn unsure(&self) -> Opening {
        if self.ended { Opening::Other } else { Opening::Unsure }
    }
}
