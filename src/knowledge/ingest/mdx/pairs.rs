//! Which tags belong together, and which are none.

use std::collections::HashMap;

use super::scan::{FINDINGS_MAX, Finding, Piece};
use super::tag::{Kind, Tag};

/// Elements inside a line of text: taking them away joins nothing that was apart.
pub(super) const INLINE_ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "cite",
    "code",
    "del",
    "dfn",
    "em",
    "i",
    "ins",
    "kbd",
    "mark",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
    "var",
    "Link",
    "Highlight",
];
/// Elements of HTML that people leave open, or that at least are no placeholder such as `<your-name>`.
pub(super) const BLOCK_ELEMENTS: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "iframe",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "picture",
    "pre",
    "section",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "video",
];

/// How a tag stands to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It has its partner, or needs none.
    Paired,
    /// It is left out.
    Stray,
    /// It is no tag at all but text such as `<package_name>` or `vector<int>`.
    Text,
}

/// Pairs opening and closing tags; gives one answer for each piece, and what is wrong.
pub(super) fn match_tags(page: &str, pieces: &[Piece]) -> (Vec<Match>, Vec<Finding>) {
    let mut matched = vec![Match::Paired; pieces.len()];
    let mut open: Vec<(usize, usize, &Tag)> = Vec::new();
    // How many of a name are open: most of the tags that close nothing are told by that.
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut findings = Vec::new();
    let never_closed = |(index, offset, tag): (usize, usize, &Tag),
                        matched: &mut [Match],
                        findings: &mut Vec<Finding>| {
        let known = INLINE_ELEMENTS.contains(&tag.name.as_str()) || BLOCK_ELEMENTS.contains(&tag.name.as_str());
        let glued = page[..offset].ends_with(|c: char| c.is_alphanumeric());
        let placeholder =
            tag.attributes.is_empty() && !known && (glued || tag.name.starts_with(|c: char| c.is_ascii_lowercase()));
        matched[index] = if placeholder { Match::Text } else { Match::Stray };
        if findings.len() < FINDINGS_MAX {
            findings.push((offset, format!("<{}> is never closed", tag.name)));
        }
    };
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Tag(range, tag) = piece else { continue };
        match tag.kind {
            Kind::Alone => {}
            Kind::Open => {
                *names.entry(&tag.name).or_default() += 1;
                open.push((index, range.start, tag));
            }
            Kind::Close if names.get(tag.name.as_str()).is_none_or(|&count| count == 0) => {
                matched[index] = Match::Stray;
                if findings.len() < FINDINGS_MAX {
                    findings.push((range.start, format!("</{}> closes nothing", tag.name)));
                }
            }
            Kind::Close => {
                while let Some(opened) = open.pop() {
                    names.entry(&opened.2.name).and_modify(|count| *count -= 1);
                    if opened.2.name == tag.name {
                        break;
                    }
                    never_closed(opened, &mut matched, &mut findings);
                }
            }
        }
    }
    for unclosed in open {
        never_closed(unclosed, &mut matched, &mut findings);
    }
    (matched, findings)
}
