//! What is hidden of pages, that all of it comes back, and what is wrong with answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::cut::{SECTION_BYTES_MAX, Section, cut};
use super::scan::{Page, scan};
use super::shield::{Damage, Shielded};

fn page(text: &str) -> Page {
    scan(Arc::from(text))
}

fn whole(page: &Page) -> Shielded {
    Shielded::new(page, 0..page.text().len())
}

/// Both as a model sees them.
#[track_caller]
fn check(text: &str, seen: &str) {
    assert_eq!(whole(&page(text)).text(), seen);
}

#[test]
fn code_is_hidden() {
    check("Run `ls` and ``a ` b``.", "Run ⟦1⟧ and ⟦2⟧.");
    check("A ` alone, and `` two.", "A ` alone, and `` two.");
    check("Not \\`this`, but `that`.", "Not \\`this⟦1⟧that`.");
    check("Code\n\n```js title=\"a\"\nlet a = `b`;\n\n$x$\n```\n\nText", "Code\n\n⟦1⟧\n\nText");
    check("~~~~\n```\n~~~\n~~~~\nText", "⟦1⟧\nText");
    check("````md\n```js\nx\n```\n````\nText", "⟦1⟧\nText");
    check("- Item\n\n  ```sh\n  ls\n  ```\n\n  More", "- Item\n\n⟦1⟧\n\n  More");
    check("> ```\n> code\n> ```\n> Text", "> ⟦1⟧\n> Text");
    check("> ```\n> code\nText", "> ⟦1⟧\nText");
    check("Text\n\n    indented\n\n    more\n\nText", "Text\n\n⟦1⟧\n\nText");
    check("- Item\n\n      code\n\n  Text\n\n    Text", "- Item\n\n⟦1⟧\n\n  Text\n\n    Text");
    check("Lazy\n    text", "Lazy\n    text");
    check("```\nnever closed\n\n# Text", "⟦1⟧");
}

#[test]
fn formulas_are_hidden() {
    check("Let $x_1$ be \\(y\\) and $$z$$.", "Let ⟦1⟧ be ⟦2⟧ and ⟦3⟧.");
    check("It costs $5, or $10 a month.", "It costs $5, or $10 a month.");
    check("From $5/$10 each.", "From $5/$10 each.");
    check("A price of \\$5 and \\$6.", "A price of \\$5 and \\$6.");
    check("Text\n\n$$\na + b\n\n= c\n$$\n\nText", "Text\n\n⟦1⟧\n\nText");
    check("Text\n\n\\[\na\n+ b\n\\]\n\nText", "Text\n\n⟦1⟧\n\nText");
    check("Unclosed $x and $$y", "Unclosed $x and $$y");
}

#[test]
fn where_links_lead_is_hidden_and_what_they_say_is_not() {
    check("See [the *book*](/docs/a_(b) \"A title\").", "See [the *book*](⟦1⟧).");
    check("[a](<with spaces> 'b') [c]()", "[a](⟦1⟧) [c]()");
    check("![A cup](cup.png) and [![b](c)](d)", "⟦1⟧ and [⟦2⟧](⟦3⟧)");
    check(
        "[Text][ref], [ref], [ref][], [none] and ![x][ref]\n\n[ref]: https://a.b 'T'",
        "[Text]⟦1⟧, ⟦2⟧, ⟦3⟧, [none] and ⟦4⟧\n\n⟦5⟧",
    );
    check("A note[^1].\n\n[^1]: Its text.", "A note⟦1⟧.\n\n⟦2⟧ Its text.");
    check("<https://a.b> and <me@a.org>, (https://a.b/c_(d)).", "⟦1⟧ and ⟦2⟧, (⟦3⟧).");
    check("www.a.b، https://a.b/ک۔ ahttp://b", "⟦1⟧، ⟦2⟧۔ ahttp://b");
    check("[a](b c) d](e)", "[a](b c) d](e)");
}

#[test]
fn tags_are_hidden_and_the_text_between_them_is_not() {
    check("A <b class=\"x\">bold</b> word<br/>and a < b.", "A ⟦1⟧bold⟦2⟧ word⟦3⟧and a < b.");
    check("<Tabs>\n  <TabItem value=\"a\">\n\nText\n\n  </TabItem>\n</Tabs>", "⟦1⟧\n\nText\n\n⟦2⟧");
    check("<p>Text</p>\n<pre>\ncode\n\ncode</pre>\n<!-- no -->\nText", "⟦1⟧Text⟦2⟧\n⟦3⟧\nText");
    check("Press <kbd>Ctrl</kbd>, not <CODE>x</CODE>.", "Press ⟦1⟧, not ⟦2⟧.");
    check("<Box a={{b: '}'}} c={`\n\n>`}>Text</Box>", "⟦1⟧Text⟦2⟧");
    check("A < b and c > d, 1<2, <3", "A < b and c > d, 1<2, <3");
}

#[test]
fn what_belongs_to_the_site_is_hidden() {
    check("---\ntitle: A\n---\n\n# Title {#id}\n\nText", "⟦1⟧\n\n# Title ⟦2⟧\n\nText");
    check(
        "import A from './a';\nimport {\n  B,\n} from 'b';\n\nexport const c = {\n\n};\n\n{/* no */}\n\nText {c.d}.",
        "⟦1⟧\n\nText ⟦2⟧.",
    );
    check("import is a word. export is one, too.", "import is a word. export is one, too.");
    check(":::note[A *title*]{.x}\n\nText\n\n:::\n", "⟦1⟧[A *title*]⟦2⟧\n\nText\n\n⟦3⟧\n");
    check("::::tip\n:::info A title\nText\n:::\n::::", "⟦1⟧\n⟦2⟧ A title\nText\n⟦3⟧");
    check("## Title {/* #id */}", "## Title ⟦1⟧");
    check("A rule\n\n---\n\nText", "A rule\n\n---\n\nText");
}

#[test]
fn marks_are_unlike_the_text() {
    check("It has ⟦1⟧ in it, and `code`.", "It has ⟦1⟧ in it, and ⟪1⟫.");
    let all = "⟦1⟧ ⟪2⟫ ⦃3⦄ ⦗4⦘ ⧼5⧽ `code`";
    check(all, "⟦1⟧1⟦2⟧ ⟪2⟫ ⦃3⦄ ⦗4⦘ ⧼5⧽ ⟦3⟧");
    assert_eq!(whole(&page(all)).restore(whole(&page(all)).text()).unwrap(), all);
}

#[test]
fn a_page_is_cut_at_headings_and_what_is_kept_is_never_cut() {
    let long = "word ".repeat(100);
    let text =
        format!("---\na: b\n---\n\n# One\n\n{long}\n\n```\n# no heading\n\n{long}{long}\n```\n\n# Two\n\n{long}\n");
    let page = page(&text);
    let sections = cut(&page, 800);
    let cores: Vec<&str> = sections.iter().map(|section| &text[section.core.clone()]).collect();
    assert_eq!(cores, [format!("# One\n\n{}", long.trim_end()), format!("# Two\n\n{}", long.trim_end())]);
    assert!(text[sections[0].tail()].contains("# no heading"));
}

#[test]
fn a_section_that_is_too_long_is_cut_between_paragraphs_then_sentences_then_words() {
    let check = |text: &str, cores: &[&str]| {
        let page = page(text);
        let sections = cut(&page, 40);
        let found: Vec<&str> = sections.iter().map(|section| &text[section.core.clone()]).collect();
        assert_eq!(found, cores);
    };
    check(
        "One two three four.\n\nFive six seven eight nine ten.",
        &["One two three four.", "Five six seven eight nine ten."],
    );
    check("One two three. Four five six seven eight nine.", &["One two three.", "Four five six seven eight nine."]);
    check("One two three four five six seven eight nine", &["One two three four five six seven eight", "nine"]);
    check(&"ک".repeat(30), &[&"ک".repeat(20), &"ک".repeat(10)]);
}

#[test]
fn there_is_nothing_to_do_where_there_are_no_words() {
    let check = |text: &str, says_something: bool| {
        let page = page(text);
        assert_eq!(cut(&page, 4_000).iter().any(|section| section.says_something(&page)), says_something, "{text}");
    };
    check("```\ncode\n```\n\n---\n\n1. $x$", false);
    check("", false);
    check("  \n\n", false);
    check("```\ncode\n```\n\nسلام", true);
}

/// Answers to a section, and what is wrong with them.
fn answered(text: &str, answer: &str) -> Result<String, Damage> {
    whole(&page(text)).restore(answer)
}

#[test]
fn a_damaged_answer_is_noticed() {
    let text = "# Use it {#use}\n\nSee [the book](/a), `x` and <b>this</b>.\n\n```\ncode\n```\n\nText";
    let good = "# ⟦1⟧\n\n⟦3⟧ [کتاب](⟦2⟧) ⟦4⟧یہ⟦5⟧\n\n⟦6⟧\n\nمتن";
    let back = "# {#use}\n\n`x` [کتاب](/a) <b>یہ</b>\n\n```\ncode\n```\n\nمتن";
    assert_eq!(answered(text, good).unwrap(), back);
    for (from, to, damage) in [
        ("⟦3⟧ ", "", Damage::Missing(3)),
        ("⟦3⟧", "⟦3⟧ ⟦3⟧", Damage::Doubled(3)),
        ("⟦3⟧", "⟦3⟧ ⟦9⟧", Damage::Invented),
        ("⟦3⟧", "⟦3⟧ ⟦0⟧", Damage::Invented),
        ("⟦3⟧", "⟦3⟧ ⟦x⟧", Damage::Invented),
        ("⟦3⟧", "⟦3", Damage::Invented),
        ("⟦3⟧", "3⟧", Damage::Invented),
        ("⟦3⟧", "⟦99999999999999999999⟧", Damage::Invented),
        ("(⟦2⟧)", "⟦2⟧", Damage::Misplaced(2)),
        ("\n\n⟦6⟧", " ⟦6⟧", Damage::Misplaced(6)),
        ("⟦6⟧", "⟦6⟧ یہ", Damage::Misplaced(6)),
        ("# ⟦1⟧\n\n", "# عنوان\n\n⟦1⟧", Damage::Misplaced(1)),
        ("⟦4⟧یہ⟦5⟧", "⟦5⟧یہ⟦4⟧", Damage::Disordered),
        ("# ⟦1⟧", "Here it is:\n\n# ⟦1⟧", Damage::Preamble),
        ("متن", "```\nمتن", Damage::OpenFence),
    ] {
        assert_eq!(answered(text, &good.replacen(from, to, 1)), Err(damage), "{from} → {to}");
    }
    assert_eq!(answered(text, " \n "), Err(Damage::Empty));
    assert_eq!(answered("Text", "Here is the translation:\n\nمتن"), Err(Damage::Preamble));
    assert_eq!(answered("Text", &"متن".repeat(1_000)), Err(Damage::TooLong));
    assert_eq!(answered(&"Text ".repeat(100), "متن"), Err(Damage::TooShort));
}

#[test]
fn small_liberties_of_a_model_are_put_right() {
    let text = "Text `x`\n\n```\ncode\n```\n\nText";
    let back = "متن `x`\n\n```\ncode\n```\n\nمتن";
    for answer in [
        "متن ⟦1⟧\n\n⟦2⟧\n\nمتن",
        "متن ⟦۱⟧\n\n⟦ 2 ⟧\n\nمتن\n",
        "```markdown\nمتن ⟦1⟧\n\n⟦2⟧\n\nمتن\n```",
        "متن ⟦1⟧\n⟦2⟧\nمتن",
        "متن ⟦1⟧\r\n\r\n   ⟦2⟧\r\n\r\nمتن",
    ] {
        assert_eq!(answered(text, answer).unwrap(), back, "{answer}");
    }
}

#[test]
fn lines_end_as_they_did() {
    let text = "One\r\n\r\n```\r\ncode\n```\r\n\r\nTwo";
    assert_eq!(answered(text, "Eins\n\n⟦1⟧\n\nZwei").unwrap(), "Eins\r\n\r\n```\r\ncode\n```\r\n\r\nZwei");
    assert_eq!(answered("One\rTwo\nThree", "Eins\rZwei\nDrei").unwrap(), "Eins\rZwei\nDrei");
}

#[test]
fn tags_keep_their_order_within_each_other() {
    let text = "<a>One <b>two</b></a> and <i>three</i>.";
    assert!(answered(text, "⟦4⟧drei⟦5⟧ und ⟦1⟧eins ⟦2⟧zwei⟦3⟧.").is_ok());
    assert_eq!(answered(text, "⟦1⟧eins ⟦4⟧zwei⟦5⟧ und ⟦2⟧drei⟦3⟧."), Err(Damage::Disordered));
}

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
                let shielded = Shielded::new(page, section.core.clone());
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
            let shielded = Shielded::new(&page, section.core.clone());
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
