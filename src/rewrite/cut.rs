//! Cuts a long page into sections that a model can write at once, never inside of what is kept.

use std::ops::Range;

use super::scan::{Page, Place, lines};

/// A section is so long as the model sees it, in bytes: as long as a few paragraphs, so that a page is written by
/// several requests at once, and a section that has to be written again is soon there.
pub(super) const SECTION_BYTES_MAX: usize = 4_000;

/// What a mark counts as, in bytes: a section with many of them is hard to write.
const MARK_BYTES: usize = 32;

/// A part of a page. The sections of a page, one behind the other, are the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// All of it.
    pub(super) whole: Range<usize>,
    /// What the model is given: without the empty lines, and the blocks that are kept, at both ends.
    pub(super) core: Range<usize>,
}

impl Section {
    fn new(page: &Page, whole: Range<usize>) -> Self {
        let text = page.text();
        let mut core = whole.clone();
        let kept = page.kept_in(&whole);
        let (mut first, mut last) = (0, kept.len());
        loop {
            let words = &text[core.start..if first < last { kept[first].range.start } else { core.end }];
            core.start += words.len() - words.trim_start().len();
            if first < last && kept[first].place == Place::Alone && kept[first].range.start == core.start {
                core.start = kept[first].range.end;
                first += 1;
                continue;
            }
            let words = &text[if first < last { kept[last - 1].range.end } else { core.start }..core.end];
            core.end -= words.len() - words.trim_end().len();
            if first < last && kept[last - 1].place == Place::Alone && kept[last - 1].range.end == core.end {
                core.end = kept[last - 1].range.start;
                last -= 1;
                continue;
            }
            return Self { whole, core };
        }
    }

    /// What stands before the core.
    pub(super) fn lead(&self) -> Range<usize> {
        self.whole.start..self.core.start
    }

    /// What stands behind it.
    pub(super) fn tail(&self) -> Range<usize> {
        self.core.end..self.whole.end
    }

    /// Whether there are words for a model to work on.
    pub(super) fn says_something(&self, page: &Page) -> bool {
        page.words_in(&self.core).any(|words| words.chars().any(char::is_alphabetic))
    }
}

/// Where a page may be cut, the best place last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    Line,
    Paragraph,
    Heading,
}

/// A line of a page; what begins within something that is kept is no line.
struct Line {
    start: usize,
    /// How many bytes of it the model sees.
    bytes: usize,
    /// What it is to cut before it; nothing before an empty line.
    seam: Option<Seam>,
}

/// The page in sections, each of at most so many bytes as the model sees it: before headings where that will do, else
/// between paragraphs, lines, sentences, words, or anywhere.
pub(super) fn cut(page: &Page, bytes_max: usize) -> Vec<Section> {
    let mut lines = lines_of(page);
    let mut sections = Vec::new();
    let mut first = 0;
    while first < lines.len() {
        let start = lines[first].start;
        let after = |index: usize| lines.get(index).map_or(page.text().len(), |line| line.start);
        let (best, full) = seam(&lines[first..], bytes_max);
        let end = match (best, full) {
            (_, None) => page.text().len(),
            (Some(best), _) => after(first + best),
            (None, Some(0)) => within(page, start, after(first + 1), bytes_max),
            (None, Some(full)) => after(first + full),
        };
        sections.push(Section::new(page, start..end));
        while first < lines.len() && lines.get(first + 1).map_or(page.text().len(), |line| line.start) <= end {
            first += 1;
        }
        if let Some(line) = lines.get_mut(first).filter(|line| line.start < end) {
            line.bytes -= seen_bytes(page, line.start..end);
            line.start = end;
        }
    }
    sections
}

/// The best line to cut before, and the line with which it is too much; nothing when it never is.
fn seam(lines: &[Line], bytes_max: usize) -> (Option<usize>, Option<usize>) {
    let mut best: Option<(Seam, usize)> = None;
    let mut bytes = 0;
    for (index, line) in lines.iter().enumerate() {
        if let Some(seam) = line.seam.filter(|seam| index > 0 && best.is_none_or(|(known, _)| known <= *seam)) {
            best = Some((seam, index));
        }
        bytes += line.bytes;
        if bytes > bytes_max {
            return (best.map(|(_, index)| index), Some(index));
        }
    }
    (None, None)
}

fn lines_of(page: &Page) -> Vec<Line> {
    let text = page.text();
    let mut found = Vec::new();
    let (mut start, mut after_blank) = (0, false);
    while start < text.len() {
        let mut end = lines::line(text, start).1;
        while page.past_kept(end) > end {
            end = lines::line(text, page.past_kept(end)).1;
        }
        let is_blank = text[start..end].trim().is_empty();
        let seam = match lines::is_heading(lines::line(text, start).0) {
            true => Seam::Heading,
            false if after_blank => Seam::Paragraph,
            false => Seam::Line,
        };
        found.push(Line { start, bytes: seen_bytes(page, start..end), seam: (!is_blank).then_some(seam) });
        (start, after_blank) = (end, is_blank);
    }
    found
}

fn seen_bytes(page: &Page, part: Range<usize>) -> usize {
    page.words_in(&part).map(str::len).sum::<usize>() + page.kept_in(&part).len() * MARK_BYTES
}

/// Cuts a line that is too long by itself: behind a sentence, else behind a word, else anywhere.
fn within(page: &Page, start: usize, end: usize, bytes_max: usize) -> usize {
    let text = page.text();
    let (mut bytes, mut at) = (0, start);
    let (mut sentence, mut word) = (None, None);
    while at < end {
        let next = page.past_kept(at + text[at..].chars().next().map_or(1, char::len_utf8));
        let is_kept = page.is_kept(at);
        bytes += if is_kept { MARK_BYTES } else { next - at };
        if bytes > bytes_max && at > start {
            return sentence.or(word).unwrap_or(at);
        }
        if !is_kept && text[at..next].trim().is_empty() {
            word = Some(next);
            if text[start..at].ends_with(['.', '!', '?', '。', '۔', '؟']) {
                sentence = Some(next);
            }
        }
        at = next;
    }
    end
}
