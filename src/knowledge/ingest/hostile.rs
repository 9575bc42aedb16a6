//! Pages made to be slow, deep or large: each is read in time, or named and left out.

use std::time::{Duration, Instant};

use super::kind::{self, Around, FILE_BYTES_MAX, Kind};
use super::{Problem, Read};

/// A page of the largest size that takes longer to read is read in more than linear time: the slowest here takes a
/// tenth of it, unoptimised, on one busy processor.
const READ_TIME_MAX: Duration = Duration::from_secs(60);

fn read(path: &str, page: &str) -> (Read, Vec<Problem>) {
    let mut problems = Vec::new();
    let read = kind::read(Kind::of(path).unwrap(), path, page.as_bytes(), &Around::default(), &mut problems);
    (read, problems)
}

/// Repeats a piece until the page is as large as a file may be.
fn full(before: &str, piece: &str, after: &str) -> String {
    let room = usize::try_from(FILE_BYTES_MAX).unwrap() - before.len() - after.len();
    format!("{before}{}{after}", piece.repeat(room / piece.len()))
}

#[test]
fn the_largest_pages_are_read_in_time() {
    let mut slow = Vec::new();
    for (before, piece, after) in HOSTILE {
        for path in ["a.md", "a.mdx"] {
            let page = full(before, piece, after);
            let began = Instant::now();
            let _ = read(path, &page);
            eprintln!("{path} {piece:?} {:?}", began.elapsed());
            if began.elapsed() > READ_TIME_MAX {
                slow.push((path, piece, began.elapsed()));
            }
        }
    }
    assert_eq!(slow, []);
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
