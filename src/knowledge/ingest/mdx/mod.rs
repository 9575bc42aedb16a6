//! From MDX to Markdown: components are unwrapped, code of the page is taken out, and every line keeps its number.

mod emit;
mod lines;
mod pairs;
mod scan;
mod tag;
#[cfg(test)]
mod tests;

/// The first line on which more quotes and list items than this begin one in the other, from 1.
pub(super) fn nested_deeper(page: &str, levels: usize) -> Option<usize> {
    page.lines().position(|line| lines::Fence::markers(line) > levels).map(|index| index + 1)
}

/// A page as Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markdown {
    /// As many lines as the page had; what stood on a line stands on the same line.
    pub text: String,
    /// What is broken in the page: the line from 1 and a sentence, in order of lines.
    pub problems: Vec<(usize, String)>,
}

/// Turns a page (without its front matter) into Markdown. Never fails: what cannot be understood stays text.
///
/// `mdx` says that the page has no indented code, as in `.mdx` files.
pub fn to_markdown(page: &str, mdx: bool) -> Markdown {
    let page = page.replace("\r\n", "\n").replace('\r', "\n");
    let (pieces, mut findings) = scan::scan(&page, mdx);
    let (matched, unmatched) = pairs::match_tags(&page, &pieces);
    findings.extend(unmatched);
    findings.sort();
    let mut problems = Vec::with_capacity(findings.len());
    let (mut line, mut counted) = (1, 0);
    for (offset, sentence) in findings {
        line += page[counted..offset].matches('\n').count();
        counted = offset;
        problems.push((line, sentence));
    }
    Markdown { text: emit::emit(&page, &pieces, &matched, mdx), problems }
}
