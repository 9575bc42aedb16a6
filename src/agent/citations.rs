//! Citation marks are taken out of an answer as it streams, and become annotations.
//!
//! What a mark looks like is in `marks.rs`; where there may be one, in `markdown.rs`.

use std::borrow::Cow;

use super::markdown::{Place, is_sign};
use super::marks::{self, Opening};

/// A place in an answer that rests on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The source, counted from 1.
    pub number: u32,
    /// UTF-16 code units of the clean text before the mark, which is how a browser counts; never past the text given
    /// out so far.
    pub index: usize,
}

/// What a delta amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Clean text to append; may be empty.
    pub text: String,
    /// Citations found meanwhile, in order.
    pub citations: Vec<Citation>,
}

/// Reads one content part of an answer, in pieces of any size.
///
/// The clean text and its citations do not depend on how the text was cut. Marks that point at no known source are
/// taken out as well. In code, in display math (`$$`), in link targets and behind a backslash there are no marks;
/// single dollars are prices more often than math, so between them there are.
#[derive(Debug)]
pub struct Citations {
    known: u32,
    place: Place,
    /// Text that may still turn out to be a mark.
    undecided: String,
    /// A blank that goes away if a mark follows and then nothing that needs it.
    blank: bool,
    /// A mark was taken out right here.
    joint: bool,
    /// Length of the clean text so far in UTF-16 code units.
    length: usize,
    /// Numbers cited at `here.0` already.
    here: (usize, Vec<u32>),
}

impl Default for Citations {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Citations {
    /// Starts a content part; the sources 1 to `known` are known.
    pub fn new(known: u32) -> Self {
        Self {
            known,
            place: Place::start(),
            undecided: String::new(),
            blank: false,
            joint: false,
            length: 0,
            here: (0, Vec::new()),
        }
    }

    /// From now on the sources 1 to `known` are known.
    pub fn know(&mut self, known: u32) {
        self.known = known;
    }

    /// Takes in more of the answer. At most one mark's length of it is held back.
    pub fn push(&mut self, delta: &str) -> Piece {
        self.read(delta, false)
    }

    /// Gives out what was held back; the content part ends here.
    pub fn finish(mut self) -> Piece {
        let mut piece = self.read("", true);
        if self.blank && !self.joint {
            self.put(' ', &mut piece);
        }
        piece
    }

    fn read(&mut self, delta: &str, ended: bool) -> Piece {
        let mut piece = Piece { text: String::with_capacity(delta.len()), citations: Vec::new() };
        let text = match self.undecided.is_empty() {
            true => Cow::Borrowed(delta),
            false => Cow::Owned(std::mem::take(&mut self.undecided) + delta),
        };
        let mut left = &*text;
        while let Some(c) = left.chars().next() {
            if !self.joint && !is_sign(left.as_bytes()[0]) && self.place.is_at_rest() {
                let (plain, behind) = left.split_at(left.bytes().position(is_sign).unwrap_or(left.len()));
                self.take_plain(plain, &mut piece);
                left = behind;
                continue;
            }
            if matches!(c, '[' | '【') && self.place.takes_marks() {
                match marks::opening(left, self.place.at_line_start(), ended) {
                    Opening::Unsure => {
                        left.clone_into(&mut self.undecided);
                        break;
                    }
                    Opening::Mark { bytes, numbers } => {
                        self.cite(&numbers, &mut piece);
                        left = &left[bytes..];
                        continue;
                    }
                    Opening::Other => {}
                }
            }
            self.take(c, &mut piece);
            left = &left[c.len_utf8()..];
        }
        piece
    }

    fn cite(&mut self, numbers: &[u32], piece: &mut Piece) {
        self.joint = true;
        if self.here.0 != self.length {
            self.here = (self.length, Vec::new());
        }
        for &number in numbers {
            if (1..=self.known).contains(&number) && !self.here.1.contains(&number) {
                self.here.1.push(number);
                piece.citations.push(Citation { number, index: self.length });
            }
        }
    }

    /// Gives out one character that is no part of a mark, with the blank before it if that is still needed.
    fn take(&mut self, c: char, piece: &mut Piece) {
        let joint = std::mem::take(&mut self.joint);
        if c == ' ' && !self.place.is_verbatim() {
            let swallowed = joint && (self.blank || self.place.previous().is_none_or(|previous| previous == '\n'));
            if !swallowed {
                self.put_blank(piece);
                self.blank = true;
            }
            return;
        }
        if self.blank && !(joint && leans_left(c)) {
            self.put_blank(piece);
        } else if joint && clash(self.place.previous(), c) {
            self.put(' ', piece);
        }
        self.blank = false;
        self.put(c, piece);
    }

    /// Gives out text in which nothing begins or ends, but for a blank at its end, behind which a mark may follow.
    fn take_plain(&mut self, text: &str, piece: &mut Piece) {
        self.put_blank(piece);
        let shown = if self.place.is_verbatim() { text } else { text.strip_suffix(' ').unwrap_or(text) };
        self.blank = shown.len() < text.len();
        self.place.pass(shown);
        self.length += utf16_units(shown);
        piece.text.push_str(shown);
    }

    fn put_blank(&mut self, piece: &mut Piece) {
        if std::mem::take(&mut self.blank) {
            self.put(' ', piece);
        }
    }

    fn put(&mut self, c: char, piece: &mut Piece) {
        self.place.step(c);
        self.length += c.len_utf16();
        piece.text.push(c);
    }
}

/// The UTF-16 code units of a text.
pub(super) fn utf16_units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Whether a blank before `c` would look wrong once the mark before it is gone.
fn leans_left(c: char) -> bool {
    c == '\n' || c == '\r' || ".,;:!?…)]}»”’\"'*_~،۔؛؟。，！？；：）】".contains(c)
}

/// Whether two characters that a mark kept apart would mean something else side by side.
fn clash(before: Option<char>, after: char) -> bool {
    match (before, after) {
        (Some(before), after) if before == after => "`~$*_=-+#".contains(after),
        (Some('!'), '[') | (Some(']'), '(' | '[' | ':') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read<'a>(pieces: impl IntoIterator<Item = &'a str>, known: u32) -> (String, Vec<(u32, usize)>) {
        let mut citations = Citations::new(known);
        let mut heard: Vec<Piece> = pieces.into_iter().map(|piece| citations.push(piece)).collect();
        heard.push(citations.finish());
        let mut text = String::new();
        let mut cited = Vec::new();
        for piece in heard {
            text.push_str(&piece.text);
            let length = text.encode_utf16().count();
            for Citation { number, index } in piece.citations {
                assert!(index <= length, "a citation ahead of its text");
                cited.push((number, index));
            }
        }
        (text, cited)
    }

    #[track_caller]
    fn check(text: &str, clean: &str, cited: &[(u32, usize)]) {
        let expected = (clean.to_owned(), cited.to_vec());
        assert_eq!(read([text], 3), expected, "whole");
        let characters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(read(characters.iter().map(String::as_str), 3), expected, "one by one");
    }

    #[test]
    fn a_mark_goes_with_the_blank_before_it() {
        check("Robots sense [1].", "Robots sense.", &[(1, 12)]);
        check("Robots sense. [1] They act. [2]", "Robots sense. They act.", &[(1, 13), (2, 23)]);
        check("Robots sense[1] and act", "Robots sense and act", &[(1, 12)]);
        check("Robots sense [1]and act", "Robots sense and act", &[(1, 12)]);
        check("One [1]\nTwo [2]\n", "One\nTwo\n", &[(1, 3), (2, 7)]);
        check("[1] begins", "begins", &[(1, 0)]);
        check("- [1] item", "- item", &[(1, 1)]);
        check("**bold [1]** (so [2])", "**bold** (so)", &[(1, 6), (2, 12)]);
        check("break [1]  \nnext", "break  \nnext", &[(1, 5)]);
    }

    #[test]
    fn several_marks_at_one_place_are_several_citations() {
        check("So [1][2].", "So.", &[(1, 2), (2, 2)]);
        check("So [1] [2, 3].", "So.", &[(1, 2), (2, 2), (3, 2)]);
        check("So [1][1].", "So.", &[(1, 2)]);
        check("So [1]. And [1].", "So. And.", &[(1, 2), (1, 7)]);
    }

    #[test]
    fn a_mark_without_a_source_goes_without_a_citation() {
        check("So [7]. Or [2, 9] [0].", "So. Or.", &[(2, 6)]);
    }

    #[test]
    fn marks_in_other_scripts_count_in_code_units() {
        check("روبوٹ 🤖 [۱]۔ ہاں【2】", "روبوٹ 🤖۔ ہاں", &[(1, 8), (2, 13)]);
        check("٣ [٣]", "٣", &[(3, 1)]);
    }

    #[test]
    fn code_math_links_and_escapes_have_no_marks() {
        for text in [
            "`a[1]` b",
            "``a ` [1]`` b",
            "```py\na[1] = b[2]\n```\nc",
            "~~~\n[1]\n```\n[2]\n~~~~\nc",
            "> ```\n> [1]\n> ```\nc",
            "$$a_{[1]}$$ b",
            "[text](u[1]) b",
            "[^1] b",
            "- [ ] b\n- [x] c",
            "\\[1\\] b",
            "[1]: https://e.org\n",
            "in [2026] b",
        ] {
            check(text, text, &[]);
        }
        check("```py\na[1]\n``` \nc [1]", "```py\na[1]\n``` \nc", &[(1, 17)]);
        check("```x``` y [1]", "```x``` y", &[(1, 9)]);
        check("`open\n\nnext [1]", "`open\n\nnext", &[(1, 11)]);
        check("costs $5 [1] or $6 [2]", "costs $5 or $6", &[(1, 8), (2, 14)]);
    }

    #[test]
    fn a_number_with_a_link_is_a_mark_and_the_link_is_dropped() {
        check("So [1](https://made-up.example). And.", "So. And.", &[(1, 2)]);
        check("So [1] (see below)", "So (see below)", &[(1, 2)]);
    }

    #[test]
    fn what_a_mark_kept_apart_stays_apart() {
        check("`a`[1]`b`", "`a` `b`", &[(1, 3)]);
        check("**a**[1]**b**", "**a** **b**", &[(1, 5)]);
        check("wow![1][link](u)", "wow! [link](u)", &[(1, 4)]);
    }

    #[test]
    fn only_what_may_become_a_mark_is_held_back() {
        let mut citations = Citations::new(1);
        assert_eq!(citations.push("Robots [").text, "Robots");
        assert_eq!(citations.push("see] [1").text, " [see]");
        assert_eq!(citations.push("]").text, "");
        let piece = citations.push("!");
        assert_eq!((&*piece.text, piece.citations.len()), ("!", 1));
        let long = format!("[{}", "1, ".repeat(500));
        assert!(citations.push(&long).text.len() > long.len() - marks::MARK_CHARS_MAX);
    }

    /// Texts made of what matters here, in any order.
    fn answers() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "[1]",
            " [2]",
            "[3",
            "]",
            "[",
            "【1】",
            "【",
            "[٢]",
            "[۳]",
            "[[1]]",
            " [9]",
            "[1, 2]",
            "1",
            ",",
            " ",
            "  ",
            "\n",
            "\n\n",
            "`",
            "``",
            "```",
            "```py\n",
            "~",
            "~~~",
            "$",
            "$$",
            "\\",
            "(",
            ")",
            "(u)",
            ":",
            "!",
            ".",
            "۔",
            "*",
            "**",
            "_",
            "-",
            "- ",
            "> ",
            "robot",
            "روبوٹ",
            "🤖",
            "\r\n",
            "\u{a0}",
            "é",
        ]);
        prop::collection::vec(parts, 0..24).prop_map(|parts| parts.concat())
    }

    fn cut(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
        let characters: Vec<char> = text.chars().collect();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        places.extend([0, characters.len()]);
        places.sort_unstable();
        places.windows(2).map(|ends| characters[ends[0]..ends[1]].iter().collect()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn however_a_text_is_cut_it_reads_the_same(text in answers(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let pieces = cut(&text, &cuts);
            prop_assert_eq!(read(pieces.iter().map(String::as_str), 3), read([text.as_str()], 3));
        }

        #[test]
        fn clean_text_has_no_marks_left(text in answers()) {
            let (clean, _) = read([text.as_str()], 3);
            prop_assert_eq!(read([clean.as_str()], 3), (clean, vec![]));
        }

        #[test]
        fn nothing_but_marks_and_blanks_is_lost(text in answers()) {
            let (clean, _) = read([text.as_str()], 3);
            let mut left = text.chars();
            let kept = |c: char| c != ' ' && c != '\u{a0}';
            for c in clean.chars().filter(|c| kept(*c)) {
                prop_assert!(left.any(|other| other == c), "{:?} became {:?}", text, clean);
            }
            // The target of a link goes with its mark.
            let bracketless = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            if !text.contains("](") {
                prop_assert_eq!(bracketless(&clean), bracketless(&text));
            }
        }

        #[test]
        fn any_text_without_brackets_is_untouched(text in "[^\\[【]*") {
            prop_assert_eq!(read([text.as_str()], 3), (text, vec![]));
        }
    }
}
