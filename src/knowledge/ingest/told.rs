//! A heading as it is told: what its reader sees, and what the site makes its anchor of, which is not always the same.

/// What follows is seen, and is no part of the anchor: the label of a badge.
///
/// The marks are no letters of any text, so that none is mistaken for one.
pub(super) const SEEN_ONLY: char = '\u{fdd0}';
/// What follows is part of the anchor, and is not seen: the code of an expression.
pub(super) const ANCHOR_ONLY: char = '\u{fdd1}';
/// What follows is both again.
pub(super) const BOTH: char = '\u{fdd2}';

/// The two texts of a heading.
#[derive(Debug, Default)]
pub(super) struct Told {
    shown: String,
    anchored: String,
    /// The same where a word behind a colon is the name of a directive, and its label is all that counts.
    directed: String,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Both,
    Seen,
    Anchor,
}

impl Told {
    /// Adds text, in which marks say what is seen; `literal` text is code, in which a colon is a colon.
    pub(super) fn push(&mut self, text: &str, literal: bool) {
        for letter in text.chars() {
            match letter {
                SEEN_ONLY => self.mode = Mode::Seen,
                ANCHOR_ONLY => self.mode = Mode::Anchor,
                BOTH => self.mode = Mode::Both,
                letter => {
                    if self.mode != Mode::Anchor {
                        self.shown.push(letter);
                    }
                    if self.mode != Mode::Seen {
                        self.anchored.push(letter);
                    }
                    // No anchor has a colon, so that those which begin nothing need not be there.
                    if self.mode == Mode::Both && !(literal && letter == ':')
                        || self.mode == Mode::Anchor && letter != ':'
                    {
                        self.directed.push(letter);
                    }
                }
            }
        }
    }

    /// What a reader sees.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// What the anchor is made of.
    pub(super) fn anchored(&self) -> &str {
        &self.anchored
    }

    /// The same without the names of directives, of which Docusaurus reads `Sense:Think` as one.
    pub(super) fn without_directives(&self) -> String {
        let mut text = String::with_capacity(self.directed.len());
        let mut rest = self.directed.as_str();
        while let Some(at) = rest.find(':') {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            match directive(&after[1..]).filter(|_| !text.ends_with(':')) {
                Some((label, behind)) => {
                    text.push_str(label);
                    rest = behind;
                }
                None => {
                    text.push(':');
                    rest = &after[1..];
                }
            }
        }
        text + rest
    }
}

/// The label of the directive whose colon stands before, and what stands behind it.
fn directive(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.ends_with(['-', '_']);
    if !is_name || rest.starts_with(':') {
        return None;
    }
    let bracketed = |rest: &str, close: char| rest.find(close).map(|end| end + close.len_utf8());
    let label = rest.strip_prefix('[').and_then(|_| bracketed(rest, ']'));
    let (label, rest) = label.map_or(("", rest), |end| (&rest[1..end - 1], &rest[end..]));
    let attributes = rest.strip_prefix('{').and_then(|_| bracketed(rest, '}')).unwrap_or(0);
    Some((label, &rest[attributes..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_and_what_makes_the_anchor_are_told_apart() {
        let mut told = Told::default();
        told.push("Title \u{fdd0}new\u{fdd2} of \u{fdd1}x.y\u{fdd0}\u{fdd2}all", false);
        assert_eq!((told.shown(), told.anchored()), ("Title new of all", "Title  of x.yall"));
    }

    #[test]
    fn the_names_of_directives_are_left_out_of_anchors_and_other_colons_stay() {
        for (heading, plain) in [
            ("Sense:Think", "Sense"),
            ("Sense: Think", "Sense: Think"),
            ("Sense:Think:Act", "Sense:Think"),
            ("a:b[c] d", "ac d"),
            ("a:b{x=1}c", "ac"),
            ("std::vector", "std::vector"),
            (":rocket: Launch", ":rocket: Launch"),
            ("10:30am", "10:30am"),
            ("at https://x.dev", "at https://x.dev"),
            ("a:b- c", "a:b- c"),
            ("ROS2:机器人 x", "ROS2:机器人 x"),
        ] {
            let mut told = Told::default();
            told.push(heading, false);
            assert_eq!(told.without_directives(), plain, "{heading}");
        }
        let mut told = Told::default();
        told.push("a:b", true);
        assert_eq!((told.shown(), told.without_directives()), ("a:b", "ab".to_owned()));
    }
}
