//! What generators of sites understand beyond Markdown, written as plain Markdown: every line stays on its line.

use std::borrow::Cow;
use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag};

use super::site::Generator;

/// The text as any reader of Markdown takes it.
pub(super) fn plain(text: &str, generator: Generator) -> Cow<'_, str> {
    match generator {
        Generator::Docusaurus | Generator::Generic => Cow::Borrowed(text),
        Generator::Mkdocs { .. } => Cow::Owned(mkdocs(text)),
        Generator::Mdbook => Cow::Owned(mdbook(text)),
    }
}

/// The pages that the `SUMMARY.md` of an mdBook lists: it makes no others.
pub(super) fn listed(summary: &str) -> BTreeSet<String> {
    let links = Parser::new(summary).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url),
        _ => None,
    });
    links.map(|link| link.trim_start_matches("./").replace("%20", " ")).filter(|link| !link.is_empty()).collect()
}

/// Boxes and tabs lose their mark and their indentation, and headings keep their anchor only.
fn mkdocs(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // How far each box around is indented; what is in it is so by four more.
    let mut boxes: Vec<usize> = Vec::new();
    let mut fence: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        if fence.is_none() && !is_blank {
            boxes.retain(|around| indent >= around + 4);
        }
        let line = &line[indent.min(4 * boxes.len())..];
        let (words, end) = (line.trim(), if line.ends_with('\n') { "\n" } else { "" });
        match &fence {
            Some(open) if words.starts_with(open.as_str()) => fence = None,
            Some(_) => {}
            None => fence = opened_fence(words),
        }
        match box_title(words).filter(|_| fence.is_none()) {
            Some(title) => {
                boxes.push(indent);
                plain.push_str(&line[..line.len() - line.trim_start().len()]);
                plain.push_str(title);
                // What comes next begins on a line of its own.
                plain.push_str(if title.is_empty() { "" } else { "  " });
                plain.push_str(end);
            }
            None if fence.is_none() && words.starts_with('#') => plain.push_str(&heading(line)),
            None if fence.is_none() && words.starts_with("{:") && words.ends_with('}') => plain.push_str(end),
            None => plain.push_str(line),
        }
    }
    plain
}

/// Three or more backticks or tildes that open a block of code.
fn opened_fence(words: &str) -> Option<String> {
    let mark = words.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let fence: String = words.chars().take_while(|letter| *letter == mark).collect();
    (fence.len() >= 3 && !words[fence.len()..].contains('`')).then_some(fence)
}

/// The title of a box or tab that begins on this line; empty when it has none of its own.
fn box_title(words: &str) -> Option<&str> {
    let marks = ["!!!", "???+", "???", "===+", "===!", "==="];
    let (mark, rest) = marks.iter().find_map(|mark| Some((mark, words.strip_prefix(mark)?)))?;
    let title = rest.find('"').map_or("", |at| rest[at + 1..].trim_end().trim_end_matches('"'));
    // A line of equal signs underlines a heading.
    let is_tab = mark.starts_with('=');
    (rest.starts_with(' ') && (!is_tab || !title.is_empty())).then_some(title)
}

/// A heading with `{: #anchor .class }` as one with `{#anchor}`.
fn heading(line: &str) -> Cow<'_, str> {
    let end = line.trim_end();
    let attributes = end.strip_suffix('}').and_then(|rest| rest.rsplit_once('{'));
    let Some((words, attributes)) = attributes else { return Cow::Borrowed(line) };
    let attributes = attributes.trim_start_matches(':').trim();
    let mut parts = attributes.split_whitespace();
    if attributes.is_empty() || !parts.clone().all(|part| part.starts_with(['#', '.']) || part.contains('=')) {
        return Cow::Borrowed(line);
    }
    let anchor = parts.find_map(|part| part.strip_prefix('#'));
    let anchor = anchor.map_or(String::new(), |anchor| format!(" {{#{anchor}}}"));
    Cow::Owned(format!("{}{anchor}{}", words.trim_end(), &line[end.len()..]))
}

/// What `{{#…}}` would bring in is in other files; it is no text of the page.
fn mdbook(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{#") {
        let end = rest[at..].find("}}").map(|end| at + end + 2).filter(|&end| !rest[at..end].contains('\n'));
        match end {
            Some(end) if !rest[..at].ends_with('\\') => {
                plain.push_str(&rest[..at]);
                rest = &rest[end..];
            }
            Some(_) | None => {
                plain.push_str(&rest[..at + 3]);
                rest = &rest[at + 3..];
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes_and_tabs_of_mkdocs_become_text() {
        let text = "Before\n\n!!! note \"Mind the gap\"\n    Inside.\n\n    ```py\n    !!! x\n    ```\n    ??? tip\n        Deep.\n\n    After.\nOutside\n\
                    === \"Linux\"\n\n    - a\n\nTitle\n===\n\n    code\n";
        assert_eq!(
            mkdocs(text),
            "Before\n\nMind the gap  \nInside.\n\n```py\n!!! x\n```\n\nDeep.\n\nAfter.\nOutside\nLinux  \n\n- a\n\nTitle\n===\n\n    code\n"
        );
    }

    #[test]
    fn headings_of_mkdocs_keep_their_anchors() {
        for (line, expected) in [
            ("## A {: #a .b }\n", "## A {#a}\n"),
            ("## A { .b }", "## A"),
            ("## A {#a}", "## A {#a}"),
            ("## {x}\n", "## {x}\n"),
        ] {
            assert_eq!(heading(line), expected);
        }
    }

    #[test]
    fn what_mdbook_would_bring_in_is_no_text() {
        assert_eq!(
            mdbook("a {{#include x.rs:1:2}} b\n\\{{#x}}\n{{#open\n}} {{ y }}"),
            "a  b\n\\{{#x}}\n{{#open\n}} {{ y }}"
        );
    }

    #[test]
    fn a_summary_lists_the_pages_of_an_mdbook() {
        let summary =
            "# Summary\n\n[Intro](README.md)\n\n- [A](./a.md)\n  - [B c](<b c.md>)\n- [Draft]()\n- [D](d%20e.md 'x')\n";
        assert_eq!(listed(summary).into_iter().collect::<Vec<_>>(), ["README.md", "a.md", "b c.md", "d e.md"]);
    }

    proptest! {
        #[test]
        fn every_line_stays_on_its_line(text in "([ ]{0,9}(!!! a|=== \"b\"|\\?\\?\\?|```|~~~|# a \\{#b\\}|\\{: x\\}|\\{\\{#a\\}\\}|é)?\n?){0,12}") {
            for generator in [Generator::MKDOCS, Generator::Mdbook] {
                prop_assert_eq!(plain(&text, generator).matches('\n').count(), text.matches('\n').count());
            }
        }
    }
}
