//! Pages made to be slow, deep or large: each is read in time, or named and left out.

use std::time::{Duration, Instant};

use super::kind::{self, Around, Kind};
use super::{Problem, Read};

/// How large the pages are that repeat one piece: so large that what takes quadratic time takes minutes.
const PAGE_BYTES: usize = 48 * 1024;
/// The slowest of them takes a tenth of it, unoptimised, on a busy processor.
const READ_PATIENCE: Duration = Duration::from_secs(20);

fn read(path: &str, page: &str) -> (Read, Vec<Problem>) {
    let mut problems = Vec::new();
    let read = kind::read(Kind::of(path).unwrap(), path, page.as_bytes(), &Around::default(), &mut problems);
    (read, problems)
}

#[track_caller]
fn left_out(page: &str, problem: &str) {
    let (read, problems) = read("a.md", page);
    assert!(matches!(read, Read::Broken), "{problems:?}");
    assert_eq!(problems.iter().map(Problem::to_string).collect::<Vec<_>>(), [problem]);
}

#[test]
fn pages_made_to_be_slow_are_read_in_time() {
    let mut slow = Vec::new();
    for (before, piece, after) in HOSTILE {
        let page = format!("{before}{}{after}", piece.repeat(PAGE_BYTES / piece.len()));
        for path in ["a.md", "a.mdx"] {
            let began = Instant::now();
            let _ = read(path, &page);
            if began.elapsed() > READ_PATIENCE {
                slow.push((path, piece, began.elapsed()));
            }
        }
    }
    assert_eq!(slow, []);
}

#[test]
fn what_is_nested_too_deeply_is_named_with_its_line() {
    for piece in ["> ", "- ", "1. ", ">", "* > "] {
        let page = format!("# A\n\nText.\n\n{}x\n", piece.repeat(10_000));
        left_out(&page, "a.md:5: more than 200 quotes and lists in one another; the page is left out");
    }
    // Rules and rows of a table are no nesting.
    for harmless in [format!("{}\n", "-".repeat(10_000)), format!("a | b\n{}\n", "- | ".repeat(150))] {
        assert!(matches!(read("a.md", &harmless).0, Read::Document(_)));
    }
}

#[test]
fn brackets_however_many_are_text() {
    let (read, _) = read("a.md", &format!("# A\n\nbefore {}\n\nbehind\n", "[".repeat(10_000)));
    let Read::Document(document) = read else { panic!("it is left out") };
    assert!(document.passages.iter().any(|passage| passage.text.contains("behind")));
}

#[test]
fn a_hundred_thousand_headings_are_named_with_the_line_of_the_first_too_many() {
    left_out(&"# a\n".repeat(100_000), "a.md:10001: it has more than 10000 headings; it is left out");
}

#[test]
fn control_characters_are_no_text_though_they_are_utf8() {
    let bytes: String = (0..5_000u32).filter_map(|n| char::from_u32(1 + n * 7 % 127)).collect();
    let (read, problems) = read("a.md", &format!("# A\n{bytes}"));
    assert!(matches!(read, Read::Broken));
    assert_eq!(problems[0].to_string(), "a.md:2: it is full of control characters and is no text; it is left out");
}

#[test]
fn headings_and_titles_are_cut_so_that_passages_do_not_each_carry_a_page() {
    let long = "long ".repeat(20_000);
    let (read, _) =
        read("a.md", &format!("---\ntitle: {long}\nmodule: {long}\nslug: {long}\n---\n## {long}\n\nText.\n"));
    let Read::Document(document) = read else { panic!("it is left out") };
    let passage = &document.passages[0];
    let sizes = [&passage.title, &passage.heading, &passage.url, passage.module.as_ref().unwrap_or(&passage.title)];
    assert!(sizes.iter().all(|text| text.len() <= 2_500), "{:?}", sizes.map(String::len));
}

#[test]
fn front_matter_that_is_a_bomb_or_huge_is_named_and_the_page_is_read() {
    let bomb = (1..30).fold("a0: &a0 [x]\n".to_owned(), |yaml, n| {
        let before = format!("*a{}, ", n - 1).repeat(10);
        format!("{yaml}a{n}: &a{n} [{before}]\n")
    });
    let deep = format!("a: {}\n", "[".repeat(20_000));
    let huge = format!("a: {}\n", "b".repeat(1_000_000));
    for yaml in [bomb, deep, huge] {
        let (read, problems) = read("a.md", &format!("---\n{yaml}---\n# A\n\nText.\n"));
        assert!(matches!(read, Read::Document(_)), "{problems:?}");
        assert!(problems[0].line.is_some() && problems[0].sentence.starts_with("the front matter is "), "{problems:?}");
    }
}

const HOSTILE: &[(&str, &str, &str)] = &[
    ("", "a", ""),
    ("", "# h\n", ""),
    ("", "## h\n\nx\n\n", ""),
    ("", "> ", "x"),
    ("", "- ", "x"),
    ("", "1. ", "x"),
    ("", "[", "x"),
    ("", "![", "x"),
    ("", "[a](", ")"),
    ("", "[a](b)", ""),
    ("", "]", ""),
    ("", "*", "x"),
    ("", "**a ", ""),
    ("", "_a ", ""),
    ("", "`a ", ""),
    ("", "``` ", ""),
    ("```\n", "a\n", ""),
    ("", "```\n", ""),
    ("", "`", ""),
    ("", "$", ""),
    ("", "$a ", ""),
    ("", "$$\na\n", ""),
    ("", "$$ ", ""),
    ("", "<", ""),
    ("", "<a>", ""),
    ("", "<A ", ""),
    ("", "<A b={", ""),
    ("", "<A b='", ""),
    ("", "<A>\n", ""),
    ("", "</a>", ""),
    ("", "<a></b>", ""),
    ("", "<x y='1'>", "</x>"),
    ("", "<!--", ""),
    ("", "<!-- a -->", ""),
    ("", "<script>", ""),
    ("", "<style>a", ""),
    ("", "<?", ""),
    ("", "<![CDATA[", ""),
    ("", "<h2 id='a'>", ""),
    ("", "<li>", ""),
    ("", "<td>", ""),
    ("", "{", ""),
    ("", "{'", ""),
    ("", "{/*", ""),
    ("", "{a}", ""),
    ("", "}", ""),
    ("", "\\", ""),
    ("", "&", ""),
    ("", "&amp;", ""),
    ("", ":::note\n", ""),
    ("", ":::\n", ""),
    ("", "export const a = {\n", ""),
    ("", "export const a = {\n\n", ""),
    ("", "import a from 'b'\n\n", ""),
    ("", "a|b\n", ""),
    ("a|b\n-|-\n", "c|d\n", ""),
    ("", "|", ""),
    ("", "[^1]: a\n\n", ""),
    ("", "[a]: b\n", ""),
    ("", "[^1]", ""),
    ("", "- a\n\n", ""),
    ("", "    a\n\n", ""),
    ("", "a\n", ""),
    ("", "a\n\n", ""),
    ("", "\n", ""),
    ("", " ", "x"),
    ("", "\t", "x"),
    ("", "\u{301}", ""),
    ("", "a. ", ""),
    ("", "# a {#b}\n", ""),
    ("", "~", ""),
    ("", "~~~\n> ", ""),
    ("---\n", "a: b\n", "---\ntext"),
    ("---\n", "- ", "\n---\ntext"),
    ("---\n", "[", "\n---\ntext"),
    ("---\n", "{a: ", "\n---\ntext"),
    ("---\ntitle: ", "a", "\n---\n## b\n\ntext"),
    ("---\n", "title: a: b\n", "---\ntext"),
    ("---\n", "a: &a [*a]\n", "---\ntext"),
    ("---\n", "x", ""),
    ("> ", "> a\n> ", ""),
    ("", "<https://a", ""),
    ("", "http://a.b ", ""),
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn pages_of_any_hostile_pieces_are_read_in_time(
        pieces in proptest::collection::vec((0..HOSTILE.len(), 1..200usize), 1..40),
        mdx in proptest::bool::ANY,
    ) {
        let page: String = pieces.iter().map(|&(piece, times)| HOSTILE[piece].1.repeat(times)).collect();
        let began = Instant::now();
        let _ = read(if mdx { "a.mdx" } else { "a.md" }, &page);
        proptest::prop_assert!(began.elapsed() < READ_PATIENCE);
    }
}
