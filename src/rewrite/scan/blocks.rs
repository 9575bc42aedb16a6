//! What is kept for how its line begins: front matter, blocks of code, formulas, imports, definitions, admonitions.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::lines::{self, Fence};
use super::tag::Turn;
use super::{Kind, LOOKED_BYTES_MAX, Place, Scan};

/// The longest name of a link's target that Markdown knows, in bytes.
const LABEL_BYTES_MAX: usize = 999;

/// Whether a page has code of MDX.
pub(super) fn is_mdx(text: &str) -> bool {
    let capital =
        |line: &str| line.trim_start().strip_prefix('<').is_some_and(|name| name.starts_with(char::is_uppercase));
    text.lines().any(|line| capital(line) || lines::is_module_code(line))
}

/// Blocks that are code by being indented. What is indented and what belongs to a list is a long story, which the
/// parser of Markdown knows.
pub(super) fn indented(text: &str) -> Vec<Range<usize>> {
    let is_deep = |line: &str| line.starts_with("    ") || line.contains('\t') || line.contains("     ");
    if !text.split(['\n', '\r']).any(is_deep) {
        return Vec::new();
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
    let events = Parser::new_ext(text, options).into_offset_iter();
    let blocks = events.filter(|(event, _)| matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))));
    blocks.map(|(_, range)| range).collect()
}

/// The names under which a page defines targets of links.
pub(super) fn labels(text: &str) -> HashSet<String> {
    text.split(['\n', '\r']).filter_map(defined).map(folded).collect()
}

/// The name that a line defines, such as `[name]: https://…`.
fn defined(line: &str) -> Option<&str> {
    let line = line.trim_start_matches([' ', '>']).strip_prefix('[').filter(|rest| !rest.starts_with('^'))?;
    let (label, _) = line.split_once("]:")?;
    (!label.trim().is_empty() && label.len() <= LABEL_BYTES_MAX).then_some(label)
}

/// Names that differ in case and space only are the same.
fn folded(label: &str) -> String {
    label.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Scan<'_> {
    /// Whether the page defines this name.
    pub(super) fn defines(&self, label: &str) -> bool {
        !self.labels.is_empty() && label.len() <= LABEL_BYTES_MAX && self.labels.contains(&folded(label))
    }

    pub(super) fn page(&mut self) {
        let mut at = self.front_matter();
        let mut after_blank = true;
        while at < self.text.len() {
            if !lines::is_start(self.text, at) {
                at = self.paragraph(at);
                after_blank = false;
                continue;
            }
            let (line, next) = lines::line(self.text, at);
            if line.trim().is_empty() {
                after_blank = true;
                at = next;
                continue;
            }
            let block = self.block(at, line, next, after_blank);
            after_blank = block.is_some();
            at = block.unwrap_or_else(|| self.paragraph(at));
        }
    }

    /// Keeps what stands between two lines of three dashes, or plus signs, at the beginning; gives where it ends.
    fn front_matter(&mut self) -> usize {
        let start = self.text.len() - self.text.trim_start_matches('\u{feff}').len();
        let (first, mut at) = lines::line(self.text, start);
        let first = first.trim_end();
        if !matches!(first, "---" | "+++") {
            return 0;
        }
        while at < self.text.len() {
            let (line, next) = lines::line(self.text, at);
            if line.trim_end() == first {
                self.keep(0..at + line.len(), Kind::In(Place::Alone));
                return next;
            }
            at = next;
        }
        0
    }

    /// Keeps a block that the line there begins; gives where to go on.
    fn block(&mut self, at: usize, line: &str, next: usize, after_blank: bool) -> Option<usize> {
        let content = lines::markers(line).0;
        let rest = &line[content..];
        let start = match line[..content].trim().is_empty() {
            true => at,
            false => at + content,
        };
        let end = if let Some(fence) = Fence::opened_by(line) {
            self.fence_end(next, &fence)
        } else if let Some(end) = self.indented_end(at, next) {
            end
        } else if let Some(end) = self.formula_end(rest, at + content, next) {
            end
        } else if after_blank && self.looked <= LOOKED_BYTES_MAX && lines::is_module_code(line) {
            self.module_code_end(at)
        } else if defined(line).is_some() {
            self.definition_end(line, next)
        } else if rest.starts_with(":::") {
            return Some(self.admonition(start, at + content, rest, next));
        } else {
            return None;
        };
        self.keep(start..self.without_line_end(end), Kind::In(Place::Alone));
        Some(end)
    }

    fn without_line_end(&self, end: usize) -> usize {
        self.text[..end].trim_end_matches(['\n', '\r']).len()
    }

    fn fence_end(&self, mut at: usize, fence: &Fence) -> usize {
        while at < self.text.len() {
            let (line, next) = lines::line(self.text, at);
            if fence.is_left_by(line) {
                return at;
            }
            at = next;
            if fence.is_closed_by(line) {
                break;
            }
        }
        at
    }

    fn indented_end(&mut self, at: usize, next: usize) -> Option<usize> {
        while self.indented.get(self.indented_past).is_some_and(|block| block.start < at) {
            self.indented_past += 1;
        }
        let block = self.indented.get(self.indented_past).filter(|block| block.start < next)?;
        // Within elements, text is indented for its looks.
        self.open.is_empty().then(|| block.end.max(next))
    }

    /// The end of a formula of several lines that begins here with `$$` or `\[`.
    fn formula_end(&mut self, rest: &str, at: usize, next: usize) -> Option<usize> {
        let (closing, limit) = match rest {
            rest if rest.starts_with("$$") && !rest[2..].contains("$$") => ("$$", self.text.len()),
            rest if rest.starts_with("\\[") && !rest.contains("\\]") => ("\\]", self.next_blank(at)),
            _ => return None,
        };
        let end = self.find(closing, next, limit).filter(|_| self.looked <= LOOKED_BYTES_MAX)?;
        let (after, line_end) = lines::line(self.text, end + closing.len());
        if !after.trim().is_empty() {
            self.looked += end - at;
            return None;
        }
        Some(line_end)
    }

    /// An import or export goes on until its brackets are closed, or to an empty line if they never are.
    fn module_code_end(&mut self, start: usize) -> usize {
        let (mut at, mut open, mut blank) = (start, 0, None);
        while at < self.text.len() {
            let (line, next) = lines::line(self.text, at);
            if line.trim().is_empty() {
                blank = blank.or(Some(at));
            }
            open += lines::open_brackets(line);
            at = next;
            let goes_on = line.trim_end().ends_with(['=', ',', '+', '|', '&', '?', ':', '>']);
            if open <= 0 && !goes_on {
                return at;
            }
        }
        self.looked += at - start;
        blank.unwrap_or(at)
    }

    /// A definition may have its target, and its title, on lines of their own.
    fn definition_end(&self, line: &str, next: usize) -> usize {
        let mut end = next;
        let lacks_target = line.trim_end().ends_with("]:");
        if lacks_target {
            end = lines::line(self.text, end).1;
        }
        let (title, after) = lines::line(self.text, end);
        let title = title.trim();
        let quote = title.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        match quote.is_some_and(|quote| title.len() > 1 && title.ends_with(quote)) {
            true => after,
            false => end,
        }
    }

    /// Keeps `:::note`, and leaves the title behind it to the reader; or keeps the `:::` that closes.
    fn admonition(&mut self, start: usize, colons_at: usize, rest: &str, next: usize) -> usize {
        let colons = rest.len() - rest.trim_start_matches(':').len();
        let name = rest[colons..].trim_start();
        let spaces = rest.len() - colons - name.len();
        let name_bytes = name.find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '_'));
        let end = colons_at + colons + spaces + name_bytes.unwrap_or(name.len());
        if name.trim().is_empty() {
            let end = self.without_line_end(next).max(colons_at + colons);
            self.keep_tag(start..end, Kind::In(Place::Alone), Turn::Closes, ":::");
            return next;
        }
        let is_whole = self.text[end..].starts_with(['\n', '\r']) || end == self.text.len();
        let (start, place) = if is_whole { (start, Place::Alone) } else { (colons_at, Place::LineStart) };
        self.keep_tag(start..end, Kind::In(place), Turn::Opens, ":::");
        if is_whole { next } else { end }
    }
}
