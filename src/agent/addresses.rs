//! Addresses in a text in Markdown: where they begin and end, and which of them were in the data.

use std::collections::HashSet;

/// The text of a link; with a longer one, the brackets stay.
pub(super) const LABEL_CHARS_MAX: usize = 300;
/// The target of a link, or an address that stands alone; a longer one is not from the data. So much may be held back.
pub(super) const ADDRESS_CHARS_MAX: usize = 2_000;

/// What an address that stands alone begins with, as far as a browser makes a link of it.
pub(super) const SCHEMES: [&str; 6] = ["https://", "http://", "ftp://", "mailto:", "xmpp:", "www."];

/// The addresses that were in the data.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(HashSet<String>);

impl Allowed {
    /// Allows one address, as it is, unless following it is not going somewhere.
    pub(super) fn add(&mut self, url: &str) {
        if leads_somewhere(url) {
            self.0.insert(url.to_owned());
        }
    }

    /// Allows whatever addresses are in a text of the data.
    pub(super) fn add_all_of(&mut self, text: &str) {
        let mut previous = None;
        let mut left = text;
        while let Some(c) = left.chars().next() {
            let address = match c {
                ']' if left.starts_with("](") => target(&left[1..]).map(|(target, _)| target),
                _ if begins_word(previous, c) && scheme(left).is_some() => Some(trimmed(&left[..address_bytes(left)])),
                _ => None,
            };
            if let Some(address) = address {
                self.add(address);
            }
            previous = Some(c);
            left = &left[c.len_utf8()..];
        }
    }

    pub(super) fn permits(&self, url: &str) -> bool {
        let known = |url: &str| self.0.contains(url) || self.0.contains(url.trim_end_matches('/'));
        known(url) || self.0.contains(&format!("{url}/")) || is_own_machine(url)
    }
}

/// Whether an address is a place: a link that runs a script or holds its own content is none, even if the book has it.
/// References to characters are decoded in targets of links, so where one stands, a scheme may be hidden.
fn leads_somewhere(url: &str) -> bool {
    scheme(url).is_some()
        || url.starts_with(['/', '#', '.', '?'])
        || !(url.is_empty() || url.contains([':', '&', '\\']))
}

/// Addresses of the reader's own machine are no sources: they are where what one has just started is looked at.
fn is_own_machine(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    matches!(name, "localhost" | "127.0.0.1") && port.chars().all(|c| c.is_ascii_digit())
}

/// Why a bracket has no end.
pub(super) enum Missing {
    /// It may still come.
    SoFar,
    Never,
}

/// The bytes of `[…]` with which a text begins.
pub(super) fn label(text: &str) -> Result<usize, Missing> {
    let mut depth = 0_usize;
    let mut escaped = false;
    let mut previous = ' ';
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count == LABEL_CHARS_MAX || c == '\n' && previous == '\n' {
            return Err(Missing::Never);
        }
        previous = c;
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' if depth == 1 => return Ok(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    Err(Missing::SoFar)
}

/// The address in `(address "title")`, with which a text begins, and the bytes of it all.
pub(super) fn target(text: &str) -> Option<(&str, usize)> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count == ADDRESS_CHARS_MAX || text[at..].starts_with("\n\n") {
            return None;
        }
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' if depth == 1 => {
                let target = text[1..at].split_whitespace().next().unwrap_or_default();
                return Some((target.trim_start_matches('<').trim_end_matches('>'), at + 1));
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether a parenthesis that is not closed by now closes too late to be one of a link.
pub(super) fn is_endless(text: &str) -> bool {
    text.chars().nth(ADDRESS_CHARS_MAX).is_some() || text.contains("\n\n")
}

pub(super) fn scheme(text: &str) -> Option<&'static str> {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.into_iter().find(|scheme| begins(scheme))
}

/// Whether a text begins with an address, or may still do so.
pub(super) fn may_begin_address(text: &str) -> bool {
    let text = text.as_bytes();
    SCHEMES.iter().any(|scheme| {
        let length = scheme.len().min(text.len());
        scheme.as_bytes()[..length].eq_ignore_ascii_case(&text[..length])
    })
}

/// Whether a text ends where an address has just begun.
pub(super) fn ends_in_scheme(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| {
        let Some(start) = text.len().checked_sub(scheme.len()) else { return false };
        let ends = text.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(scheme));
        ends && text[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric())
    })
}

pub(super) fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '[' | ']' | '。' | '۔' | '،' | '，')
}

/// How far an address reaches, with the punctuation at its end.
pub(super) fn address_bytes(text: &str) -> usize {
    let mut open = 0_i32;
    let closes = |c: char| {
        open += i32::from(c == '(') - i32::from(c == ')');
        ends_address(c) || open < 0
    };
    let end = text.find(closes).unwrap_or(text.len());
    text.char_indices().nth(ADDRESS_CHARS_MAX + 1).map_or(end, |(at, _)| at.min(end))
}

/// An address without the punctuation of the sentence it stands in.
pub(super) fn trimmed(address: &str) -> &str {
    let mut address = address;
    loop {
        let shorter = address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', '…', '’', '”', '»']);
        let closes = shorter.matches(')').count() > shorter.matches('(').count();
        let shorter = if closes { shorter.strip_suffix(')').unwrap_or(shorter) } else { shorter };
        if shorter.len() == address.len() {
            return address;
        }
        address = shorter;
    }
}

pub(super) fn begins_word(previous: Option<char>, c: char) -> bool {
    c.is_ascii_alphabetic() && previous.is_none_or(|previous| !previous.is_alphanumeric())
}
