//! Properties of all pages, those that no writer would write included.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::super::cut::{SECTION_BYTES_MAX, Section, cut};
use super::super::scan::Page;
use super::super::shield::{Damage, Shielded};
use super::{page, whole};

/// Parts of pages, from which pages are put together that no writer would write.
fn parts() -> impl Strategy<Value = String> {
    let parts = [
        "`",
        "``",
        "```",
        "```js\n",
        "~~~\n",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "[",
        "]",
        "](",
        ")",
        "(",
        "![",
        "<b>",
        "</b>",
        "<Tabs>",
        "</Tabs>",
        "<br/>",
        "<a href=\"x",
        "\">",
        "<!--",
        "-->",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "{",
        "}",
        "{#id}",
        ":::note",
        ":::note[T]",
        ":::",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "    code\n",
        "\t",
        "- ",
        "1. ",
        "> ",
        "# Title {#id}\n",
        "## ",
        "[^1]",
        "[^1]: ",
        "[x]: http://a.b\n",
        "[x]",
        "⟦1⟧",
        "⟦",
        "⟧",
        "⟪2⟫",
        "⦃",
        "⦗",
        "⧼",
        "https://a.b/c",
        "www.a.b",
        "word ",
        "sentence. ",
        "کتاب ",
        "\u{200f}",
        "---\n",
        "+++\n",
        "import x from 'y'\n",
        "export const a = {\n",
        "| a | b |\n",
        "\\",
        "'",
        "\"",
        "{/*",
        "*/}",
        "\u{feff}",
        "\u{a0}",
        "\u{2028}",
        "Here:\n",
    ];
    let part = prop_oneof![9 => prop::sample::select(parts.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// What a model may well do: other words, in other letters, and all marks where they were.
fn in_other_words(text: &str) -> String {
    text.chars().map(|letter| if letter.is_alphabetic() { 'ژ' } else { letter }).collect()
}

/// A page that went through a model section by section.
fn rewritten(page: &Page, bytes_max: usize, model: impl Fn(&str) -> String) -> Result<String, Damage> {
    let mut text = String::new();
    for section in cut(page, bytes_max) {
        text.push_str(&page.text()[section.lead()]);
        match section.says_something(page) {
            true => {
                let shielded = Shielded::new(page, &section.core);
                text.push_str(&shielded.restore(&model(shielded.text()))?);
            }
            false => text.push_str(&page.text()[section.core.clone()]),
        }
        text.push_str(&page.text()[section.tail()]);
    }
    Ok(text)
}

/// What a page becomes when all but what is kept is put in other words.
fn expected(page: &Page, sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&page.text()[section.lead()]);
        let mut kept = page.kept_in(&section.core).iter().map(|kept| &page.text()[kept.range.clone()]);
        for words in page.words_in(&section.core) {
            text.push_str(&in_other_words(words));
            text.push_str(kept.next().unwrap_or_default());
        }
        text.push_str(&page.text()[section.tail()]);
    }
    text
}

proptest! {
    #[test]
    fn whatever_the_page_what_is_kept_is_whole_and_in_order(text in parts()) {
        let page = page(&text);
        let mut end = 0;
        for kept in page.kept_in(&(0..text.len())) {
            prop_assert!(kept.range.start >= end && !kept.range.is_empty());
            prop_assert!(text.get(kept.range.clone()).is_some());
            end = kept.range.end;
        }
    }

    #[test]
    fn whatever_the_page_without_a_model_it_is_the_same(text in parts(), bytes_max in 1usize..200) {
        let page = page(&text);
        let sections = cut(&page, bytes_max);
        let all: String = sections.iter().map(|section| &text[section.whole.clone()]).collect();
        prop_assert_eq!(&all, &text);
        prop_assert_eq!(rewritten(&page, bytes_max, str::to_owned).unwrap(), text);
    }

    #[test]
    fn whatever_the_page_what_was_hidden_comes_out_of_other_words(text in parts(), bytes_max in 1usize..200) {
        let page = page(&text);
        let sections = cut(&page, bytes_max);
        prop_assert_eq!(rewritten(&page, bytes_max, in_other_words).unwrap(), expected(&page, &sections));
    }

    #[test]
    fn whatever_the_page_a_mark_that_is_lost_doubled_or_invented_is_noticed(text in parts(), which in any::<prop::sample::Index>()) {
        let page = page(&text);
        for section in cut(&page, SECTION_BYTES_MAX) {
            let shielded = Shielded::new(&page, &section.core);
            let marks = page.kept_in(&section.core).len();
            let seen = shielded.text();
            let invented = [seen, &shielded.mark(marks)].concat();
            prop_assert!(shielded.restore(&invented).is_err());
            if marks > 0 {
                let mark = shielded.mark(which.index(marks));
                prop_assert!(shielded.restore(&seen.replace(&mark, "")).is_err());
                prop_assert!(shielded.restore(&seen.replace(&mark, "word")).is_err());
                prop_assert!(shielded.restore(&seen.replace(&mark, &mark.repeat(2))).is_err());
                prop_assert!(shielded.restore(&seen.replace(&mark, &mark[..mark.len() - 3])).is_err());
            }
        }
    }

    #[test]
    fn whatever_the_model_answers_every_piece_is_there_once_or_the_answer_is_refused(text in parts(), answer in parts(), marks in prop::collection::vec(0usize..4, 0..6)) {
        let page = page(&text);
        let shielded = whole(&page);
        let marks: String = marks.into_iter().map(|mark| shielded.mark(mark)).collect();
        let answer = format!("{answer}{marks}");
        if let Ok(restored) = shielded.restore(&answer) {
            for kept in page.kept_in(&(0..text.len())) {
                prop_assert!(restored.contains(&text[kept.range.clone()]));
            }
        }
    }
}

/// The pages of the bundled book.
fn book() -> Vec<String> {
    let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    let folders = std::fs::read_dir(&book).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let pages = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let pages: Vec<String> =
        pages.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(pages.len() > 10);
    pages
}

#[test]
fn of_the_book_all_is_hidden_that_a_parser_of_markdown_takes_for_code_or_for_where_a_link_leads() {
    for text in book() {
        let page = page(&text);
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        let mut seen = String::new();
        page.words_in(&(0..text.len())).for_each(|words| seen.push_str(words));
        for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
            let whole = match event {
                Event::Code(_) | Event::Start(Tag::Image { .. } | Tag::MetadataBlock(_)) => true,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => true,
                Event::Start(Tag::Link { dest_url, .. }) => {
                    assert!(!seen.contains(&*dest_url), "{dest_url}");
                    false
                }
                _ => false,
            };
            let (start, end) = (range.start, range.start + text[range].trim_end().len());
            assert!(!whole || page.past_kept(start + 1) >= end, "{}", &text[start..end]);
        }
        assert_eq!(rewritten(&page, SECTION_BYTES_MAX, str::to_owned).unwrap(), text);
    }
}

#[test]
fn a_page_that_was_made_to_be_slow_is_not() {
    const LONG: Duration = Duration::from_secs(10);
    let uneven: String = (1..450).map(|count| "`".repeat(count) + "a").collect();
    let mut pages = vec![uneven];
    for part in [
        "`",
        "` ",
        "a`b``",
        "$",
        "$a ",
        "$$",
        "$$ a\n",
        "\\(",
        "\\[",
        "\\[a\n",
        "[",
        "[a](",
        "](",
        "![",
        "![a][",
        "[a](b \"",
        "<",
        "<a ",
        "<a b=\"",
        "<a b='",
        "<a b={",
        "<b>",
        "</b>",
        "<pre>",
        "<code>",
        "<!--",
        "<!",
        "<?",
        "{",
        "{'",
        "{`",
        "{/*",
        "{\\'",
        ":::",
        ":::a\n",
        "```\n",
        "> ```\n",
        "- ",
        "> ",
        "# {",
        "[^1",
        "[a]: b\n",
        "[a]:\n",
        "https://",
        "www.a(",
        "---\n",
        "⟦",
        "⟦ ",
        "import {\n",
        "import {'\n\n",
        "export const a = {\n",
        "    a\n",
        "- a\n\n      b\n",
        "|",
        "\r",
        "\\",
        "a\n",
    ] {
        pages.push(part.repeat(30_000 / part.len()));
        // The first letter makes a page of MDX of it.
        pages.push(format!("<A>\n\n{}", part.repeat(30_000 / part.len())));
    }
    for text in pages {
        let began = Instant::now();
        let page = page(&text);
        assert_eq!(rewritten(&page, SECTION_BYTES_MAX, str::to_owned).unwrap(), text);
        assert!(began.elapsed() < LONG, "{:?} for {:?}", began.elapsed(), text.chars().take(20).collect::<String>());
    }
}
