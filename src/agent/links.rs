//! Links are taken out of an answer as it streams, unless they were in the data: a link that a model made up is worse
//! than none.
//!
//! A link in Markdown becomes its text, an address that stands alone becomes a few words, tags of HTML that link or load
//! something go. Blocks of code are left alone: nobody clicks there, and the book's own commands have addresses in them.
//! Spans of code are not, since a backtick that nothing closes makes no code at all.

use std::collections::VecDeque;

use super::addresses::{
    ADDRESS_CHARS_MAX, Allowed, Missing, SCHEMES, address_bytes, begins_word, ends_address, is_endless, label, scheme,
    target, trimmed,
};
use super::citations::{Citation, Piece};
use super::markdown::Place;

/// Longer than any of the beginnings below.
const SCHEME_CHARS_MAX: usize = 12;

/// What stands in the place of an address that was not in the data.
const LEFT_OUT: &str = "(link left out)";

/// Reads one content part of an answer, in pieces of any size; what it gives out does not depend on how it was cut.
#[derive(Debug)]
pub(super) struct Links {
    allowed: Allowed,
    place: Place,
    /// Text that may still turn out to be a link.
    undecided: String,
    /// UTF-16 code units that were read and given out so far.
    read: usize,
    written: usize,
    /// Citations of text that is not given out yet.
    waiting: VecDeque<Citation>,
    taken_out: usize,
    /// The beginning of the word that was given out last.
    word: String,
    /// Nothing has ended the address that was given out last.
    behind_address: bool,
}

/// What a text begins with.
enum Opening {
    /// So many bytes, in whose place this stands.
    Link { bytes: usize, instead: String, is_from_data: bool },
    /// Nothing of the kind; this will not change with more text.
    Other,
    /// The next characters decide.
    Unsure,
}

impl Links {
    /// Starts a content part.
    pub(super) fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            place: Place::start(),
            undecided: String::new(),
            read: 0,
            written: 0,
            waiting: VecDeque::new(),
            taken_out: 0,
            word: String::new(),
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
            match self.opening(left, c, ended) {
                Opening::Unsure => {
                    left.clone_into(&mut self.undecided);
                    break;
                }
                Opening::Link { bytes, instead, is_from_data } => {
                    self.taken_out += usize::from(!is_from_data);
                    self.read += left[..bytes].encode_utf16().count();
                    if self.behind_address && instead.starts_with(|c| !ends_address(c)) {
                        self.put(' ', true, &mut given);
                    }
                    instead.chars().for_each(|c| self.put(c, is_from_data, &mut given));
                    self.behind_address |= is_from_data && scheme(&instead).is_some();
                    left = &left[bytes..];
                }
                Opening::Other => {
                    self.read += c.len_utf16();
                    self.put(c, false, &mut given);
                    left = &left[c.len_utf8()..];
                }
            }
        }
        self.settle(&mut given);
        given
    }

    fn put(&mut self, c: char, is_from_data: bool, given: &mut Piece) {
        self.place.step(c);
        self.written += c.len_utf16();
        given.text.push(c);
        self.behind_address &= !ends_address(c);
        if !c.is_ascii_alphanumeric() && !matches!(c, ':' | '/' | '.') {
            self.word.clear();
        }
        if self.word.len() < SCHEME_CHARS_MAX {
            self.word.push(c.to_ascii_lowercase());
        }
        // What was taken out may bring the halves of an address together.
        if !is_from_data && SCHEMES.contains(&&*self.word) && !self.place.in_fence() {
            self.put(' ', true, given);
        }
    }

    /// Gives out the citations of what has been read.
    fn settle(&mut self, given: &mut Piece) {
        while let Some(citation) = self.waiting.pop_front_if(|citation| citation.index <= self.read) {
            given.citations.push(Citation { index: self.written, ..citation });
        }
    }

    fn opening(&self, text: &str, c: char, ended: bool) -> Opening {
        let may_open = matches!(c, '!' | '[' | ']' | '<') || begins_word(self.place.previous(), c);
        if !may_open || self.place.in_fence() {
            return Opening::Other;
        }
        match c {
            _ if self.place.is_escaped() && c.is_ascii_punctuation() => Opening::Other,
            '!' => match text[1..].chars().next() {
                Some('[') => self.link(text, 1, ended),
                Some(_) => Opening::Other,
                None => unsure(ended),
            },
            '[' => self.link(text, 0, ended),
            // The end of a text that was too long to wait for.
            ']' => match text[1..].chars().next() {
                Some('(') => Opening::Link { bytes: 1, instead: "] ".to_owned(), is_from_data: false },
                Some(_) => Opening::Other,
                None => unsure(ended),
            },
            '<' => self.tag(text, ended),
            _ if begins_word(self.place.previous(), c) => self.address(text, ended),
            _ => Opening::Other,
        }
    }

    /// `[text](target)`, `![text](target)` and `[name]: target`; the bracket stands behind `from` bytes.
    fn link(&self, text: &str, from: usize, ended: bool) -> Opening {
        let label_bytes = match label(&text[from..]) {
            Ok(bytes) => bytes,
            // Too long to wait for: what comes of its target is decided when it is there.
            Err(Missing::Never) => return Opening::Other,
            Err(Missing::SoFar) => return unsure(ended),
        };
        let label = &text[from + 1..from + label_bytes - 1];
        let after = &text[from + label_bytes..];
        let defines = from == 0 && self.place.at_line_start() && after.starts_with(':');
        match after.chars().next() {
            None => unsure(ended),
            Some('(') => match target(after) {
                Some((target, bytes)) => {
                    let is_from_data = self.allowed.permits(target);
                    let label = self.without_links(label);
                    let whole = &after[..bytes];
                    let instead = match is_from_data {
                        true => format!("{}[{label}]{whole}", &text[..from]),
                        false if label.trim().is_empty() => " ".to_owned(),
                        false => label,
                    };
                    Opening::Link { bytes: from + label_bytes + bytes, instead, is_from_data }
                }
                None if is_endless(after) || ended => {
                    // A parenthesis that never closes; keeping it apart from the bracket keeps it from closing later.
                    let instead = format!("{} ", self.without_links(label));
                    Opening::Link { bytes: from + label_bytes, instead, is_from_data: true }
                }
                None => Opening::Unsure,
            },
            Some(':') if defines => match after.find('\n') {
                None if !ended && after.chars().nth(ADDRESS_CHARS_MAX).is_none() => Opening::Unsure,
                end => {
                    let line = &after[1..end.unwrap_or(after.len())];
                    let target = line.split_whitespace().next().unwrap_or_default();
                    let target = target.trim_start_matches('<').trim_end_matches('>');
                    match target.is_empty() || self.allowed.permits(target) {
                        true => Opening::Other,
                        false => Opening::Link {
                            bytes: label_bytes + 1 + line.len(),
                            instead: String::new(),
                            is_from_data: false,
                        },
                    }
                }
            },
            Some(_) => Opening::Other,
        }
    }

    /// `<https://…>`, and tags that link to or load something.
    fn tag(&self, text: &str, ended: bool) -> Opening {
        match text[1..].chars().next() {
            None => return unsure(ended),
            Some(c) if c.is_ascii_alphabetic() => {}
            Some(_) => return Opening::Other,
        }
        let inside: String = text[1..].chars().take(ADDRESS_CHARS_MAX).take_while(|c| *c != '>').collect();
        let is_closed = text[1 + inside.len()..].starts_with('>');
        let is_endless = inside.contains("\n\n") || inside.chars().count() == ADDRESS_CHARS_MAX;
        if is_endless || !is_closed && ended {
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
                Opening::Link { bytes, instead: text[..bytes].to_owned(), is_from_data: true }
            }
            (true, _) => Opening::Link { bytes, instead: LEFT_OUT.to_owned(), is_from_data: false },
            (false, true) => Opening::Link { bytes, instead: " ".to_owned(), is_from_data: false },
            (false, false) => Opening::Other,
        }
    }

    /// An address that stands alone.
    fn address(&self, text: &str, ended: bool) -> Opening {
        let Some(scheme) = scheme(text) else {
            let may_become =
                |scheme: &&str| scheme.len() > text.len() && scheme.starts_with(&text.to_ascii_lowercase());
            return if SCHEMES.iter().any(may_become) { unsure(ended) } else { Opening::Other };
        };
        let bytes = address_bytes(text);
        let is_long = text[..bytes].chars().nth(ADDRESS_CHARS_MAX).is_some();
        if bytes == text.len() && !ended && !is_long {
            return Opening::Unsure;
        }
        let address = trimmed(&text[..bytes]);
        let spelled = |prefix: &str| self.allowed.permits(&format!("{prefix}{address}"));
        let is_from_data = !is_long
            && (self.allowed.permits(address) || scheme == "www." && (spelled("https://") || spelled("http://")));
        let instead = if is_from_data { address.to_owned() } else { LEFT_OUT.to_owned() };
        Opening::Link { bytes: address.len(), instead, is_from_data }
    }

    fn without_links(&self, text: &str) -> String {
        let mut links = Self { place: self.place.clone(), ..Self::new(self.allowed.clone()) };
        // Behind a bracket no line begins.
        links.place.step('[');
        links.finish(Piece { text: text.to_owned(), citations: Vec::new() }).text
    }
}

fn unsure(ended: bool) -> Opening {
    if ended { Opening::Other } else { Opening::Unsure }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SITE: &str = "https://book.example/docs/lidar#range";

    fn allowed() -> Allowed {
        let mut allowed = Allowed::default();
        allowed.add(SITE);
        allowed.add_all_of("See [the guide](/docs/guide), https://data.example/a_(b), and www.ros.example.");
        allowed
    }

    fn read<'a>(pieces: impl IntoIterator<Item = &'a str>, cited: &[usize]) -> (String, Vec<usize>) {
        let mut links = Links::new(allowed());
        let (mut text, mut citations, mut given) = (String::new(), Vec::new(), 0);
        let mut take = |piece: Piece, text: &mut String| {
            text.push_str(&piece.text);
            for citation in piece.citations {
                assert!(citation.index <= text.encode_utf16().count(), "a citation ahead of its text");
                citations.push(citation.index);
            }
        };
        for piece in pieces {
            let until = given + piece.encode_utf16().count();
            let here = cited.iter().filter(|index| (given + usize::from(given > 0)..=until).contains(*index));
            let here = here.map(|index| Citation { number: 1, index: *index }).collect();
            given = until;
            take(links.push(Piece { text: piece.to_owned(), citations: here }), &mut text);
        }
        take(links.finish(Piece::default()), &mut text);
        (text, citations)
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read([text], &[]).0, expected, "whole");
        let characters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(read(characters.iter().map(String::as_str), &[]).0, expected, "one by one");
    }

    #[test]
    fn a_link_that_is_not_from_the_data_becomes_its_text() {
        check("See [the docs](https://evil.example/x) now.", "See the docs now.");
        check("See [the *docs*](/docs/made-up \"title\").", "See the *docs*.");
        check("A ![robot](https://evil.example/r.png) walks.", "A robot walks.");
        check("[![robot](/r.png)](https://evil.example)", "robot");
        check("[https://evil.example](/x) [](/y)", "(link left out)  ");
    }

    #[test]
    fn an_address_that_stands_alone_is_left_out() {
        check("See https://evil.example/a?b=c.", "See (link left out).");
        check("(see HTTP://evil.example/a_(b))", "(see (link left out))");
        check("**www.evil.example** or <https://evil.example>", "**(link left out)** or (link left out)");
        check("write to mailto:a@evil.example!", "write to (link left out)!");
        check("`https://evil.example`", "`(link left out)`");
        check("<a href=\"/x\">here</a> <b>bold</b>", " here</a> <b>bold</b>");
        check("[x]: /made-up\n[x] is text", "\n[x] is text");
    }

    #[test]
    fn links_of_the_data_and_of_the_own_machine_stay() {
        for text in [
            "See [the range](https://book.example/docs/lidar#range).",
            "See [guide](/docs/guide) and https://data.example/a_(b), www.ros.example.",
            "Open http://localhost:8080/x in a browser, or <http://127.0.0.1:3000/>.",
            "[x]: /docs/guide\n",
        ] {
            check(text, text);
        }
        check("https://book.example/docs/lidar#other", "(link left out)");
        check("http://localhost.evil.example/", "(link left out)");
    }

    #[test]
    fn what_is_no_link_stays_as_it_is() {
        for text in [
            "a[1] = [2, 3] (x) ! [y] z",
            "if a < b and c <d then",
            "```sh\ncurl https://evil.example/[x](/y)\n```\nwwwhat, httpd, data: these",
            "\\[x\\](y) [^1] - [ ] task",
            "how http works: www",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_link_too_long_to_wait_for_is_none() {
        let label = "long ".repeat(100);
        check(&format!("[{label}](/made-up)"), &format!("[{label}] (/made-up)"));
        let address = format!("https://evil.example/{}", "a".repeat(3_000));
        let (text, _) = read([address.as_str()], &[]);
        assert!(!text.contains("https://"), "{text}");
    }

    #[test]
    fn citations_stay_at_the_words_they_support() {
        let text = "See [it](/x) 🤖 now.";
        assert_eq!(read([text], &[3, 12, 15, 19]), ("See it 🤖 now.".to_owned(), vec![3, 6, 9, 13]));
    }

    fn answers() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "https://evil.example/x",
            "https://",
            "http",
            "://",
            ":",
            "//",
            "www",
            "www.",
            ".",
            "evil.example",
            "mailto:",
            "ht",
            "tps",
            "[",
            "]",
            "](",
            "(",
            ")",
            "[x](",
            "[x](/y)",
            "[](",
            "![",
            "!",
            "<",
            ">",
            "<a href=",
            "<img src=x>",
            "\"",
            "/y",
            SITE,
            "[s](https://book.example/docs/lidar#range)",
            " ",
            "\n",
            "\n\n",
            "`",
            "```\n",
            "\\",
            "robot",
            "روبوٹ",
            "🤖",
            "*",
            "**",
            "h",
            "w",
            "[x]: ",
            "。",
        ]);
        prop::collection::vec(parts, 0..16).prop_map(|parts| parts.concat())
    }

    /// Everything in a text that a browser may make a link of, blocks of code left out.
    fn links_in(text: &str) -> Vec<String> {
        let mut place = Place::start();
        let mut prose = String::new();
        for c in text.chars() {
            prose.push(if place.in_fence() { ' ' } else { c });
            place.step(c);
        }
        let alone = regex_lite(&prose);
        let targets = prose.match_indices("](").filter_map(|(at, _)| target(&prose[at + 1..]));
        // Behind a backslash a bracket is a bracket.
        let targets = targets.map(|(target, _)| target.to_owned()).filter(|target| target.starts_with('/'));
        alone.into_iter().chain(targets.filter(|_| !prose.contains('\\'))).collect()
    }

    fn regex_lite(prose: &str) -> Vec<String> {
        let lower = prose.to_ascii_lowercase();
        let mut found = Vec::new();
        for (at, _) in lower.char_indices() {
            let begins = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let rest = &lower[at..];
            let scheme = ["https://", "http://", "ftp://", "mailto:", "www."].into_iter().find(|s| rest.starts_with(s));
            if let Some(scheme) = scheme.filter(|_| begins)
                && rest[scheme.len()..].starts_with(|c: char| c.is_alphanumeric())
            {
                found.push(trimmed(&prose[at..at + address_bytes(&prose[at..])]).to_owned());
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn however_an_answer_is_cut_it_reads_the_same(text in answers(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10)) {
            let characters: Vec<char> = text.chars().collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
            places.extend([0, characters.len()]);
            places.sort_unstable();
            let pieces: Vec<String> = places.windows(2).map(|ends| characters[ends[0]..ends[1]].iter().collect()).collect();
            prop_assert_eq!(read(pieces.iter().map(String::as_str), &[]), read([text.as_str()], &[]));
        }

        #[test]
        fn no_link_is_left_that_was_not_in_the_data(text in answers()) {
            let (shown, _) = read([text.as_str()], &[]);
            for link in links_in(&shown) {
                prop_assert!(allowed().permits(&link), "{:?} became {:?} with {:?}", text, shown, link);
            }
        }
    }
}
