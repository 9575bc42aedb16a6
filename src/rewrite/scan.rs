//! Finds what of a page is to be kept byte for byte: code, formulas, images, targets of links, tags, and what belongs to
//! the site rather than to its text.
//!
//! Blocks are told by how a line begins (`blocks.rs`), the rest within a paragraph (`inline.rs`). Where Markdown leaves
//! room for doubt, more is kept rather than less. Whatever the page, the time is in proportion to its length.

mod arrange;
mod blocks;
mod inline;
pub(super) mod lines;
mod region;
mod tag;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::marks::Marks;

/// All that is looked at in vain on a page, such as for the ends of tags that have none, in bytes; beyond it `<` and `{`
/// are letters.
const LOOKED_BYTES_MAX: usize = 4 << 20;

/// A page, and what of it is to be kept.
pub(super) struct Page {
    text: Arc<str>,
    kept: Vec<Kept>,
    marks: Marks,
}

/// A piece of a page that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Where it is; never empty.
    pub(super) range: Range<usize>,
    /// Where it may stand when the text around it was written anew.
    pub(super) place: Place,
    /// The ends of tags in it whose other ends are on the page.
    pub(super) ends: Vec<End>,
}

/// Where something kept may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Wherever the sentence wants it.
    Anywhere,
    /// On lines of its own.
    Alone,
    /// At the beginning of a line.
    LineStart,
    /// Behind the words of a heading.
    HeadingEnd,
    /// Between `](` and `)`.
    Target,
    /// Directly behind a `]`.
    Label,
}

/// One of the two ends of a tag, an element or an admonition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    /// The same for both.
    pub(super) pair: usize,
    /// Whether it is the first of the two.
    pub(super) opens: bool,
}

impl Page {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn marks(&self) -> Marks {
        self.marks
    }

    /// What is kept in this part, which neither begins nor ends within it.
    pub(super) fn kept_in(&self, part: &Range<usize>) -> &[Kept] {
        let first = self.kept.partition_point(|kept| kept.range.start < part.start);
        let end = self.kept.partition_point(|kept| kept.range.start < part.end);
        &self.kept[first..end.max(first)]
    }

    /// The rest of such a part.
    pub(super) fn words_in(&self, part: &Range<usize>) -> impl Iterator<Item = &str> {
        let kept = self.kept_in(part);
        let starts = std::iter::once(part.start).chain(kept.iter().map(|kept| kept.range.end));
        let ends = kept.iter().map(|kept| kept.range.start).chain([part.end]);
        starts.zip(ends).map(|(start, end)| &self.text[start..end])
    }

    /// This place or, if it is in the middle of something kept, the end of that.
    pub(super) fn past_kept(&self, at: usize) -> usize {
        let before = self.kept.partition_point(|kept| kept.range.start < at);
        let within = before.checked_sub(1).map(|index| self.kept[index].range.end);
        within.map_or(at, |end| end.max(at))
    }

    /// Whether what stands there is kept.
    pub(super) fn is_kept(&self, at: usize) -> bool {
        self.past_kept(at + 1) > at + 1 || self.kept.binary_search_by_key(&at, |kept| kept.range.start).is_ok()
    }
}

/// Reads a page.
pub(super) fn scan(text: Arc<str>) -> Page {
    let marks = Marks::unlike(&text);
    let mut scan = Scan::new(&text);
    scan.page();
    let found = arrange::arrange(&text, scan.found, &scan.pairs);
    let kept = arrange::with_likenesses(&text, found, marks);
    Page { text, kept, marks }
}

/// Something that was found.
#[derive(Clone, Debug)]
struct Found {
    range: Range<usize>,
    kind: Kind,
    ends: Vec<usize>,
}

/// What was found, by how it may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Belongs there.
    In(Place),
    /// A tag or an expression: where it fills lines, it stays on lines of its own.
    Tag,
}

struct Scan<'a> {
    text: &'a str,
    /// The same in lower case, for names of elements.
    lower: String,
    /// Whether the page has code of MDX, in which braces and tags may hold empty lines and nothing is code by being
    /// indented.
    mdx: bool,
    /// Blocks that are code by being indented, in their order, and how many of them are behind us.
    indented: Vec<Range<usize>>,
    indented_past: usize,
    /// What links refer to by name.
    labels: HashSet<String>,
    found: Vec<Found>,
    /// Tags that are open: their name, and the number of the tag that opened.
    open: Vec<(&'a str, usize)>,
    /// Both ends of tags by the number of each, as far as they are known.
    pairs: HashMap<usize, End>,
    tags: usize,
    /// What was looked for in vain, and up to where.
    absent: HashMap<&'static str, usize>,
    /// Where a line was looked for, and where it begins.
    line: (usize, usize),
    /// The last empty line that was looked for: from where, and where it is.
    blank: Range<usize>,
    looked: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        let mdx = blocks::is_mdx(text);
        Self {
            text,
            lower: text.to_ascii_lowercase(),
            mdx,
            indented: if mdx { Vec::new() } else { blocks::indented(text) },
            indented_past: 0,
            labels: blocks::labels(text),
            found: Vec::new(),
            open: Vec::new(),
            pairs: HashMap::new(),
            tags: 0,
            absent: HashMap::new(),
            line: (0, 0),
            blank: 0..0,
            looked: 0,
        }
    }

    fn keep(&mut self, range: Range<usize>, kind: Kind) {
        if !range.is_empty() {
            self.found.push(Found { range, kind, ends: Vec::new() });
        }
    }

    /// Keeps a tag, which opens or closes what has that name, or does neither.
    fn keep_tag(&mut self, range: Range<usize>, kind: Kind, what: tag::Turn, name: &'a str) {
        let number = self.tags;
        self.tags += 1;
        match what {
            tag::Turn::Alone => {}
            tag::Turn::Opens => self.open.push((name, number)),
            tag::Turn::Closes => {
                // What is open further out is not looked for: nobody nests so deeply.
                let depth = self.open.iter().rev().take(tag::DEPTH_MAX).position(|(open, _)| *open == name);
                if let Some(depth) = depth {
                    let (_, opened) = self.open[self.open.len() - 1 - depth];
                    self.open.truncate(self.open.len() - 1 - depth);
                    self.pairs.insert(opened, End { pair: opened, opens: true });
                    self.pairs.insert(number, End { pair: opened, opens: false });
                }
            }
        }
        self.found.push(Found { range, kind, ends: vec![number] });
    }

    /// Where this stands from `at` on, before `limit`.
    fn find(&mut self, wanted: &'static str, at: usize, limit: usize) -> Option<usize> {
        if self.absent.get(wanted).is_some_and(|until| *until >= limit) {
            return None;
        }
        let found = self.lower.get(at..limit).and_then(|part| part.find(wanted)).map(|found| at + found);
        if found.is_none() {
            self.absent.insert(wanted, limit);
        }
        found
    }

    /// What stands before it on its line.
    fn before(&mut self, at: usize) -> &'a str {
        let (read, start) = if self.line.0 <= at { self.line } else { (0, 0) };
        let start = self.text[read..at].rfind(['\n', '\r']).map_or(start, |end| read + end + 1);
        self.line = (at, start);
        &self.text[start..at]
    }

    /// Where the next empty line is, or the end of the page.
    fn next_blank(&mut self, at: usize) -> usize {
        if self.blank.start <= at && at < self.blank.end {
            return self.blank.end;
        }
        let mut line_at = lines::line(self.text, at).1;
        while line_at < self.text.len() {
            let (line, next) = lines::line(self.text, line_at);
            if line.trim().is_empty() {
                break;
            }
            line_at = next;
        }
        self.blank = at..line_at;
        line_at
    }

    /// How far something that begins here may reach: in Markdown, no farther than its paragraph.
    fn reach(&mut self, at: usize) -> usize {
        if self.mdx { self.text.len() } else { self.next_blank(at) }
    }
}
