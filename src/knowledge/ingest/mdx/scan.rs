//! Cuts an MDX page into what is text, what is code, what is a tag, and what a reader never sees.

use std::ops::Range;

use super::lines::{Fence, autolink, bracket_balance, directive_title, heading_id_comment, is_module_code};
use super::tag::{EXPRESSION_BYTES_MAX, Tag, expression_end, literal, prefix};

/// Longest code span or formula inside a paragraph, in bytes.
pub(super) const SPAN_BYTES_MAX: usize = 8 * 1024;

/// All that is looked at in vain on a page, such as for the ends of tags that have none, in bytes; beyond it `<` and `{`
/// are taken for letters.
const LOOKED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Findings of one page that are kept; a page with more is broken in a way that these show.
pub(super) const FINDINGS_MAX: usize = 1_000;

/// A piece of the page. All pieces together are the whole page, in order.
#[derive(Debug)]
pub(super) enum Piece {
    /// Markdown.
    Text(Range<usize>),
    /// Whole lines of a fenced or indented block, or of a formula: kept as they are.
    Block(Range<usize>),
    /// A code span or formula inside a line: kept as it is.
    Span(Range<usize>),
    /// A letter that means itself, not the beginning of a tag or an expression.
    Letter(Range<usize>),
    /// A tag.
    Tag(Range<usize>, Tag),
    /// Not for the reader, or shown as this text.
    Instead(Range<usize>, String),
}

/// A finding: byte offset and sentence.
pub(super) type Finding = (usize, String);

/// Cuts the page. `mdx` pages have no indented code.
pub(super) fn scan(source: &str, mdx: bool) -> (Vec<Piece>, Vec<Finding>) {
    let mut scan = Scan {
        source,
        mdx,
        pieces: Vec::new(),
        findings: Vec::new(),
        text_from: 0,
        directives: Vec::new(),
        in_list: false,
        looked: 0,
        no_formula_until: 0,
        never: Vec::new(),
    };
    scan.page();
    (scan.pieces, scan.findings)
}

struct Scan<'a> {
    source: &'a str,
    mdx: bool,
    pieces: Vec<Piece>,
    findings: Vec<Finding>,
    /// Where the text begins that is not yet a piece.
    text_from: usize,
    /// The admonitions that are open: colons and offset.
    directives: Vec<(usize, usize)>,
    in_list: bool,
    /// Bytes that were looked at in vain.
    looked: usize,
    /// Up to here no formula is closed that begins before.
    no_formula_until: usize,
    /// What was looked for up to the end of the page, and is not there.
    never: Vec<&'static str>,
}

impl<'a> Scan<'a> {
    fn page(&mut self) {
        let mut at = 0;
        let mut after_blank = true;
        while at < self.source.len() {
            let line = self.line(at);
            let blank = line.trim().is_empty();
            at = self.block(at, line, after_blank).unwrap_or_else(|| self.inline(at));
            after_blank = blank
                || self
                    .pieces
                    .last()
                    .is_some_and(|p| matches!(p, Piece::Block(r) | Piece::Instead(r, _) if r.end == at));
        }
        self.flush(at);
        for (_, offset) in std::mem::take(&mut self.directives) {
            self.found(offset, "an admonition (:::) is never closed");
        }
    }

    /// The line that begins at `at`, with its line end.
    fn line(&self, at: usize) -> &'a str {
        let rest = &self.source[at..];
        &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)]
    }

    fn found(&mut self, at: usize, sentence: &str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push((at, sentence.to_owned()));
        }
    }

    fn flush(&mut self, end: usize) {
        if self.text_from < end {
            self.pieces.push(Piece::Text(self.text_from..end));
        }
        self.text_from = end;
    }

    fn push(&mut self, piece: Piece, range: &Range<usize>) {
        self.flush(range.start);
        self.pieces.push(piece);
        self.text_from = range.end;
    }

    /// Takes a block that is decided by how its first line begins; gives where it ends.
    fn block(&mut self, at: usize, line: &str, after_blank: bool) -> Option<usize> {
        if let Some(fence) = Fence::opened_by(line) {
            let end = self.fence_end(at, &fence);
            self.push(Piece::Block(at..end), &(at..end));
            return Some(end);
        }
        let trimmed = line.trim();
        if trimmed.starts_with("$$") && !trimmed[2..].contains("$$") {
            let end = self.formula_end(at + line.len())?;
            self.push(Piece::Block(at..end), &(at..end));
            return Some(end);
        }
        if after_blank && self.looked < LOOKED_BYTES_MAX && is_module_code(line) {
            let end = self.module_code_end(at);
            self.push(Piece::Instead(at..end, String::new()), &(at..end));
            return Some(end);
        }
        if trimmed.starts_with(":::") {
            return Some(self.directive(at, line));
        }
        let indented = line.starts_with("    ") || line.starts_with('\t');
        if !self.mdx && !self.in_list && after_blank && indented && !trimmed.is_empty() {
            let end = self.indented_end(at);
            self.push(Piece::Block(at..end), &(at..end));
            return Some(end);
        }
        let begins_item = Fence::after_markers(line).1;
        if begins_item {
            self.in_list = true;
        } else if after_blank && !trimmed.is_empty() && !line.starts_with([' ', '\t']) {
            self.in_list = false;
        }
        None
    }

    fn fence_end(&mut self, start: usize, fence: &Fence) -> usize {
        let mut at = start + self.line(start).len();
        while at < self.source.len() {
            let line = self.line(at);
            if fence.quoted && !line.trim_start().starts_with('>') {
                return at;
            }
            at += line.len();
            if fence.closed_by(line) {
                return at;
            }
        }
        self.found(start, "a code block is never closed; the rest of the page is read as code");
        at
    }

    fn formula_end(&mut self, mut at: usize) -> Option<usize> {
        if at < self.no_formula_until {
            return None;
        }
        while at < self.source.len() {
            let line = self.line(at);
            if line.trim().is_empty() {
                break;
            }
            at += line.len();
            if line.trim_end().ends_with("$$") {
                return Some(at);
            }
        }
        self.no_formula_until = at;
        None
    }

    fn indented_end(&self, start: usize) -> usize {
        let (mut at, mut end) = (start, start);
        while at < self.source.len() {
            let line = self.line(at);
            let blank = line.trim().is_empty();
            if !blank && !line.starts_with("    ") && !line.starts_with('\t') {
                break;
            }
            at += line.len();
            if !blank {
                end = at;
            }
        }
        end
    }

    /// An import or export ends with the line on which its brackets are closed.
    fn module_code_end(&mut self, start: usize) -> usize {
        let mut at = start;
        let mut depth = 0i32;
        let mut first_blank = None;
        while at < self.source.len() {
            let line = self.line(at);
            if line.trim().is_empty() {
                first_blank = first_blank.or(Some(at));
            }
            at += line.len();
            depth += bracket_balance(line);
            let goes_on = line.trim_end().ends_with(['=', ',', '(', '{', '[', '+', '|', '&', '?', ':', '>']);
            if depth <= 0 && !goes_on {
                return at;
            }
        }
        if depth <= 0 {
            return at;
        }
        self.looked += at - start;
        self.found(start, "an import or export is never closed; it is left out up to the next empty line");
        first_blank.unwrap_or(at)
    }

    /// `:::note[Title]` becomes its title, `:::` nothing.
    fn directive(&mut self, at: usize, line: &str) -> usize {
        let body = line.trim();
        let colons = body.len() - body.trim_start_matches(':').len();
        let rest = body[colons..].trim();
        let end = at + line.trim_end_matches(['\n', '\r']).len();
        let start = at + line.len() - line.trim_start().len();
        let shown = if rest.is_empty() {
            if self.directives.pop().is_none() {
                self.found(at, "a ::: closes nothing");
            }
            String::new()
        } else {
            self.directives.push((colons, at));
            directive_title(rest)
        };
        self.push(Piece::Instead(start..end, shown), &(start..end));
        // The line end stays text, so that the title stands on a line of its own.
        at + line.len()
    }

    /// Goes through one line (further when a tag or comment does) and gives where the next one begins.
    fn inline(&mut self, start: usize) -> usize {
        let mut at = start;
        while let Some(letter) = self.source[at..].chars().next() {
            let rest = &self.source[at..];
            match letter {
                '\n' => return at + 1,
                '\\' => at += 1 + rest[1..].chars().next().filter(|&c| c != '\n').map_or(0, char::len_utf8),
                '`' => at = self.span(at, '`'),
                '$' => at = self.formula(at),
                '<' => at = self.angle(at),
                '{' => at = self.brace(at),
                other => at += other.len_utf8(),
            }
        }
        at
    }

    fn span(&mut self, at: usize, mark: char) -> usize {
        let rest = prefix(&self.source[at..], SPAN_BYTES_MAX);
        let count = rest.len() - rest.trim_start_matches(mark).len();
        let mut from = count;
        while let Some(found) = rest[from..].find(mark) {
            let run_start = from + found;
            if rest[from..run_start].contains("\n\n") {
                break;
            }
            let run = rest[run_start..].len() - rest[run_start..].trim_start_matches(mark).len();
            if run == count {
                let range = at..at + run_start + run;
                self.push(Piece::Span(range.clone()), &range);
                return range.end;
            }
            from = run_start + run;
        }
        at + count
    }

    /// `$x$` is a formula when it hugs its content, so that two prices in a sentence are not one.
    fn formula(&mut self, at: usize) -> usize {
        let rest = &self.source[at..];
        if rest.starts_with("$$") {
            return self.span(at, '$');
        }
        let line = prefix(&rest[1..], SPAN_BYTES_MAX);
        let hugs = line.starts_with(|c: char| !c.is_whitespace());
        let end = line
            .char_indices()
            .take_while(|&(_, c)| hugs && c != '\n')
            .find(|&(i, c)| c == '$' && i > 0 && !line[..i].ends_with('\\'))
            .map(|(i, _)| i);
        match end.filter(|&end| {
            !line[..end].ends_with(char::is_whitespace) && !line[end + 1..].starts_with(|c: char| c.is_ascii_digit())
        }) {
            Some(end) => {
                let range = at..at + end + 2;
                self.push(Piece::Span(range.clone()), &range);
                range.end
            }
            None => at + 1,
        }
    }

    fn angle(&mut self, at: usize) -> usize {
        let rest = &self.source[at..];
        if rest.starts_with("<!--") {
            let end = self.find(at, "-->").map_or(4, |end| end + 3);
            if end == 4 {
                self.found(at, "a comment (<!--) is never closed");
            }
            self.push(Piece::Instead(at..at + end, String::new()), &(at..at + end));
            return at + end;
        }
        if let Some(length) = autolink(rest) {
            return at + length;
        }
        let parsed = (self.looked < LOOKED_BYTES_MAX).then(|| Tag::parse(rest, &mut self.looked)).flatten();
        let Some((tag, length)) = parsed else {
            self.push(Piece::Letter(at..at + 1), &(at..at + 1));
            return at + 1;
        };
        let mut end = at + length;
        let closing = match tag.name.as_str() {
            "script" => Some("</script>"),
            "style" => Some("</style>"),
            _ => None,
        };
        if let Some(closing) = closing.filter(|_| tag.kind == super::tag::Kind::Open)
            && let Some(found) = self.find(end, closing)
        {
            end += found + closing.len();
            self.push(Piece::Instead(at..end, String::new()), &(at..end));
            return end;
        }
        self.push(Piece::Tag(at..end, tag), &(at..end));
        end
    }

    /// Where this stands from `at` on, counted from there.
    fn find(&mut self, at: usize, wanted: &'static str) -> Option<usize> {
        if self.never.contains(&wanted) {
            return None;
        }
        let found = self.source[at..].find(wanted);
        if found.is_none() {
            self.never.push(wanted);
        }
        found
    }

    fn brace(&mut self, at: usize) -> usize {
        let rest = &self.source[at..];
        if rest.starts_with("{#") {
            let line = prefix(rest, SPAN_BYTES_MAX).lines().next().unwrap_or("");
            if line.trim_end().ends_with('}') {
                return at + line.len();
            }
        }
        let length = (self.looked < LOOKED_BYTES_MAX).then(|| expression_end(rest)).flatten();
        let Some(length) = length else {
            self.looked += rest.len().min(EXPRESSION_BYTES_MAX);
            self.found(at, "a { is never closed; it is read as text");
            self.push(Piece::Letter(at..at + 1), &(at..at + 1));
            return at + 1;
        };
        let code = &rest[1..length - 1];
        let shown = literal(code).or_else(|| heading_id_comment(code)).unwrap_or_default();
        self.push(Piece::Instead(at..at + length, shown), &(at..at + length));
        at + length
    }
}
