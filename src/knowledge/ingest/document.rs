//! One page becomes a document: its passages with their addresses, and what is wrong with the page.

use std::collections::BTreeMap;

use super::chunk::CHUNKER_VERSION;
use super::frontmatter::{FrontMatter, split};
use super::kind::Around;
use super::mdx::{nested_deeper, to_markdown};
use super::page::{Block, BlockKind, Page, Section, cut_heading, read};
use super::passages::{self, Place};
use super::route::{base_id, page_url, without_number_prefix};
use super::site::{Generator, Site};
use super::source::Read;
use super::{Problem, dialect};
use crate::knowledge::{Document, Passage};

/// Headings of one page; a page with more was not written for readers.
const PAGE_HEADINGS_MAX: usize = 10_000;
/// Quotes and lists in one another, in levels, that begin on one line.
const NESTING_MAX: usize = 200;
/// A text has at most one control character in so many bytes; what has more is no text.
const BYTES_PER_CONTROL_MIN: usize = 20;
/// A longer `slug` or `id` is not taken for one, in bytes.
const SLUG_BYTES_MAX: usize = 2_000;

/// Cuts a page of Markdown into passages. `mdx` says that it has no indented code.
pub(super) fn document(path: &str, content: &[u8], mdx: bool, around: &Around, problems: &mut Vec<Problem>) -> Read {
    let Around { site, labels } = around;
    let mut problem =
        |line: Option<usize>, sentence: String| problems.push(Problem { path: path.to_owned(), line, sentence });
    let text = match std::str::from_utf8(content) {
        Ok(text) if text.contains('\0') => {
            problem(
                Some(line_of(content, text.find('\0').unwrap_or(0))),
                "it holds a zero byte and is no text; it is left out".into(),
            );
            return Read::Broken;
        }
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            problem(Some(line_of(content, at)), format!("byte {} of the file is not UTF-8; it is left out", at + 1));
            return Read::Broken;
        }
    };
    let is_control = |byte: &u8| (*byte < b' ' && !byte.is_ascii_whitespace()) || *byte == 0x7f;
    if content.iter().filter(|&byte| is_control(byte)).count() * BYTES_PER_CONTROL_MIN > content.len() {
        let first = content.iter().position(is_control).unwrap_or(0);
        problem(
            Some(line_of(content, first)),
            "it is full of control characters and is no text; it is left out".into(),
        );
        return Read::Broken;
    }
    let mut page = split(text);
    if let Some((line, sentence)) = page.problem.take() {
        problem(Some(line), sentence);
    }
    let is_slug = |slug: &String| slug.len() <= SLUG_BYTES_MAX;
    page.front.slug = page.front.slug.filter(is_slug);
    page.front.id = page.front.id.filter(is_slug);
    if page.front.draft == Some(true) || page.front.unlisted == Some(true) {
        return Read::Hidden;
    }
    if let Some(line) = nested_deeper(page.body, NESTING_MAX) {
        let sentence = format!("more than {NESTING_MAX} quotes and lists in one another; the page is left out");
        problem(Some(line + page.body_line - 1), sentence);
        return Read::Broken;
    }
    let markdown = to_markdown(&dialect::plain(page.body, site.generator), mdx);
    for (line, sentence) in markdown.problems {
        problem(Some(line + page.body_line - 1), sentence);
    }
    let mut sections = read(&markdown.text, site.generator);
    if sections.sections.len() > PAGE_HEADINGS_MAX {
        let too_many = page.body.lines().enumerate().filter(|(_, line)| line.starts_with('#')).nth(PAGE_HEADINGS_MAX);
        let sentence = format!("it has more than {PAGE_HEADINGS_MAX} headings; it is left out");
        problem(too_many.map(|(index, _)| index + page.body_line), sentence);
        return Read::Broken;
    }
    let passages = passages(path, &page.front, &mut sections, site, labels);
    if passages.is_empty() {
        problem(None, "it holds no text; there is nothing to find in it".into());
    }
    Read::Document(Document {
        path: path.to_owned(),
        fingerprint: fingerprint(text, site, module(path, &page.front, labels).as_deref()),
        passages,
    })
}

fn passages(
    path: &str,
    front: &FrontMatter,
    page: &mut Page,
    site: &Site,
    labels: &BTreeMap<String, String>,
) -> Vec<Passage> {
    let front_title = front.title.as_ref().and_then(|title| title.text()).map(cut_heading);
    let title = front_title.or_else(|| page.title.clone()).unwrap_or_else(|| base_id(path, front).to_owned());
    let (module, week) = (module(path, front, labels), week(path, front));
    let place = Place { path: path.to_owned(), url: page_url(path, front, site), module, week };
    describe(&mut page.sections, front);
    passages::passages(&place, &title, &page.sections)
}

/// The description says what the page is about, so it opens the page's first text above all headings but the title.
fn describe(sections: &mut [Section], front: &FrontMatter) {
    let Some(text) = front.description.as_ref().and_then(|description| description.text()) else { return };
    let opening = match sections {
        [first, title, ..] if first.blocks.is_empty() && title.heading_path.is_empty() => title,
        [first, ..] => first,
        [] => return,
    };
    if !opening.blocks.iter().any(|block| block.text.contains(&text)) {
        opening.blocks.insert(0, Block { kind: BlockKind::Prose, text });
    }
}

fn fingerprint(text: &str, site: &Site, module: Option<&str>) -> String {
    let (version, url) = (CHUNKER_VERSION.to_string(), site.url.as_deref().unwrap_or(""));
    let (slash, generator) = (format!("{:?}", site.trailing_slash), format!("{:?}", site.generator));
    let module = module.unwrap_or("");
    match site.generator {
        // As it was before there were others, so that books need not be stored again.
        Generator::Docusaurus => passages::fingerprint(&[&version, url, &site.base, &slash, module, text]),
        _ => passages::fingerprint(&[&version, url, &site.base, &slash, module, text, &generator]),
    }
}

/// Where a page without front matter stands.
pub(super) fn place(path: &str, url: String, around: &Around) -> Place {
    let front = FrontMatter::default();
    Place { path: path.to_owned(), url, module: module(path, &front, &around.labels), week: week(path, &front) }
}

/// What the front matter says, else the label or name of the outermost folder that is named like a part of a book.
fn module(path: &str, front: &FrontMatter, labels: &BTreeMap<String, String>) -> Option<String> {
    if let Some(module) = front.module.as_ref().and_then(|module| module.text()) {
        return Some(cut_heading(module));
    }
    let folder_ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    let named = folder_ends.iter().map(|&end| &path[..end]).find(|folder| {
        let name = without_number_prefix(folder.rsplit('/').next().unwrap_or(folder)).to_lowercase();
        ["module", "part", "unit", "chapter"].iter().any(|part| name.starts_with(part))
    });
    match named {
        Some(folder) => {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            Some(labels.get(folder).cloned().unwrap_or_else(|| without_number_prefix(name).to_owned()))
        }
        None => folder_ends.first().and_then(|&end| labels.get(&path[..end]).cloned()),
    }
}

/// The first number in what the front matter says, else the number of a folder or file such as `week-03`.
fn week(path: &str, front: &FrontMatter) -> Option<u32> {
    let first_number = |text: &str| {
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|number| number.parse().ok())
    };
    if let Some(week) = front.week.as_ref().and_then(|week| week.text()) {
        return first_number(&week);
    }
    path.split('/').find_map(|segment| {
        let segment = without_number_prefix(segment).to_lowercase();
        let rest = segment.strip_prefix("week")?.trim_start_matches(['-', '_', ' ']).to_owned();
        rest.starts_with(|c: char| c.is_ascii_digit()).then(|| first_number(&rest))?
    })
}

fn line_of(content: &[u8], at: usize) -> usize {
    content[..at].iter().filter(|&&byte| byte == b'\n').count() + 1
}
