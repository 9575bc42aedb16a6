//! Writes the pieces of a page as Markdown, line by line.

use super::super::told::{ANCHOR_ONLY, BOTH, SEEN_ONLY};
use super::lines::Fence;
use super::pairs::{BLOCK_ELEMENTS, INLINE_ELEMENTS, Match};
use super::scan::Piece;
use super::tag::{Kind, Tag};

/// Writes the page as Markdown with the same number of lines.
pub(super) fn emit(page: &str, pieces: &[Piece], matched: &[Match], mdx: bool) -> String {
    let mut writer = Writer { source: page.split('\n').collect(), mdx, ..Writer::default() };
    writer.begin_line();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(range) => writer.text(&page[range.clone()]),
            Piece::Span(range) => writer.verbatim(&page[range.clone()]),
            Piece::Block(range) => writer.block(&page[range.clone()]),
            Piece::Letter(range) => {
                writer.line.push('\\');
                writer.line.push_str(&page[range.clone()]);
            }
            Piece::Instead(range, shown) if writer.in_heading && !page[range.clone()].contains('\n') => {
                writer.instead_in_heading(&page[range.clone()], shown);
            }
            Piece::Instead(range, shown) => writer.instead(&page[range.clone()], shown),
            Piece::Tag(range, tag) => match matched[index] {
                Match::Text => writer.instead(&page[range.clone()], &format!("\\{}", &page[range.clone()])),
                Match::Stray if tag.kind == Kind::Open => {
                    // Its end is missing, and yet it says something.
                    let shown = seen(tag).join(" ");
                    writer.instead(&page[range.clone()], &shown);
                }
                Match::Stray => writer.stray(&page[range.clone()]),
                Match::Paired => {
                    let next_opens = matches!(pieces.get(index + 1), Some(Piece::Tag(next, t)) if next.start == range.end && t.kind != Kind::Close);
                    writer.tag(&page[range.clone()], tag, next_opens);
                }
            },
        }
    }
    writer.end_line();
    writer.done.join("\n")
}

#[derive(Default)]
struct Writer<'a> {
    source: Vec<&'a str>,
    mdx: bool,
    done: Vec<String>,
    line: String,
    /// How far the line is known to be blank, in bytes, so that a long one is not looked through for every tag in it.
    blank: usize,
    /// Which of `</h1>` to `</h6>` are on the line of the page that is being written, once somebody asked.
    headings_closed: [Option<bool>; 6],
    /// Spaces taken from the start of the line that is being written.
    dedent: usize,
    /// The open elements: the indentation of their content, once it is known.
    open: Vec<Option<usize>>,
    /// Something was taken out of this line before any text.
    tag_first: bool,
    in_list: bool,
    cells_in_row: usize,
    /// The anchor of the heading element that is open.
    heading_id: Option<String>,
    /// The heading element that is open is shown in bold, having no anchor.
    bold_heading: bool,
    /// The line that is being written is code to the last letter.
    raw: bool,
    /// The line is a heading, of which the site makes an anchor.
    in_heading: bool,
}

impl Writer<'_> {
    fn begin_line(&mut self) {
        let source = self.source.get(self.done.len()).copied().unwrap_or("");
        let heading = Fence::after_markers(source).0;
        let level = heading.len() - heading.trim_start_matches('#').len();
        self.in_heading = (1..=6).contains(&level) && heading[level..].starts_with([' ', '\t']);
        self.tag_first = false;
        self.dedent = 0;
        self.blank = 0;
        self.headings_closed = [None; 6];
        if source.trim().is_empty() {
            return;
        }
        let indent = indentation(source);
        if let Some(content) = self.open.last_mut() {
            self.dedent = *content.get_or_insert(indent);
        }
        let marker = source.trim_start();
        let is_item = marker.starts_with(['-', '*', '+']) || marker.starts_with(|c: char| c.is_ascii_digit());
        self.in_list = is_item || (self.in_list && indent > self.dedent);
    }

    fn line_is_blank(&mut self) -> bool {
        if self.line[self.blank..].trim_start().is_empty() {
            self.blank = self.line.len();
        }
        self.blank == self.line.len()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.raw {
            self.done.push(line);
            return;
        }
        let mut stripped = strip(&line, self.dedent);
        // Such a page has no indented code, but the Markdown reader behind would see some.
        if (self.mdx || !self.open.is_empty()) && !self.in_list && indentation(stripped) > 3 {
            stripped = stripped.trim_start();
        }
        self.done.push(stripped.to_owned());
    }

    fn newline(&mut self) {
        self.end_line();
        self.begin_line();
    }

    fn text(&mut self, text: &str) {
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.newline();
            }
            self.inline(part);
        }
    }

    /// Text of one line. Behind a tag a line does not begin, so a `#` there is no heading.
    fn inline(&mut self, part: &str) {
        if self.tag_first && self.line_is_blank() {
            let trimmed = part.trim_start();
            let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if trimmed.starts_with(['#', '-', '+', '*', '>', '=', '~', '|']) && !trimmed.starts_with("**") {
                self.line.push_str(&part[..part.len() - trimmed.len()]);
                self.line.push('\\');
                self.line.push_str(trimmed);
                return;
            }
            if digits > 0 && trimmed[digits..].starts_with(['.', ')']) {
                self.line.push_str(&part[..part.len() - trimmed.len() + digits]);
                self.line.push('\\');
                self.line.push_str(&trimmed[digits..]);
                return;
            }
        }
        self.line.push_str(part);
    }

    /// A span: as it is, over as many lines as it has.
    fn verbatim(&mut self, text: &str) {
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.newline();
            }
            self.line.push_str(part);
        }
    }

    /// A block of code: all its lines move to the left as far as its first one.
    fn block(&mut self, text: &str) {
        let dedent = self.dedent;
        let first = strip(text.split('\n').next().unwrap_or(""), dedent);
        // Deeper than this a fence would not open; outside a list nothing but a component can have put it there.
        let extra = match indentation(first) {
            indent if indent > 3 && !self.in_list && first.trim_start().starts_with(['`', '~']) => indent,
            _ => 0,
        };
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.done.push(std::mem::take(&mut self.line));
            }
            self.line.push_str(strip(part, dedent + extra));
        }
        // A block is whole lines: the last part is empty, and the next line begins, unless the page ends here.
        if text.ends_with('\n') {
            self.begin_line();
        } else {
            self.raw = true;
        }
    }

    fn instead(&mut self, source: &str, shown: &str) {
        let line_is_blank = self.line_is_blank();
        self.tag_first |= line_is_blank && shown.is_empty();
        let breaks = source.matches('\n').count();
        let multiline = shown.contains('\n');
        if multiline
            && shown.matches('\n').count() == breaks
            && shown.starts_with('\n')
            && shown.trim_end_matches(' ').ends_with('\n')
        {
            // A template of several lines is what code components hold.
            self.line.push_str("```");
            self.verbatim(shown.trim_end_matches(' '));
            self.line.push_str("```");
            return;
        }
        if multiline {
            self.line.push_str(&shown.replace('\n', " "));
        } else {
            self.line.push_str(shown);
        }
        for _ in 0..breaks {
            self.newline();
        }
    }

    /// In a heading an expression is part of its anchor, whatever is shown for it; a comment leaves its spaces there.
    fn instead_in_heading(&mut self, source: &str, shown: &str) {
        if shown.starts_with("{#") {
            self.line.push_str(shown);
            return;
        }
        let code = source.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or("");
        self.line.push(ANCHOR_ONLY);
        for letter in code.chars() {
            if letter.is_ascii_punctuation() {
                self.line.push('\\');
            }
            self.line.push(letter);
        }
        self.line.push(SEEN_ONLY);
        self.line.push_str(shown);
        self.line.push(BOTH);
    }

    fn stray(&mut self, source: &str) {
        if self.in_heading && !source.contains('\n') {
            self.line.extend([SEEN_ONLY, BOTH]);
            return;
        }
        self.instead(source, "");
    }

    fn tag(&mut self, source: &str, tag: &Tag, next_opens: bool) {
        let line_is_empty = self.line_is_blank();
        let shown = match tag.kind {
            Kind::Close => self.closing(tag, next_opens),
            Kind::Open | Kind::Alone => self.opening(tag, line_is_empty),
        };
        let no_marker = !matches!(tag.name.as_str(), "li" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        if self.in_heading && tag.name != "code" {
            // What a tag shows is no letter of the heading, and no end of it either.
            self.line.push(SEEN_ONLY);
            self.line.push_str(&shown);
            self.line.push(BOTH);
        } else {
            self.line.push_str(&shown);
        }
        self.tag_first |= line_is_empty && (no_marker || shown.is_empty());
        for _ in 0..source.matches('\n').count() {
            self.newline();
        }
        match tag.kind {
            Kind::Open => self.open.push(None),
            Kind::Close => drop(self.open.pop()),
            Kind::Alone => {}
        }
    }

    fn opening(&mut self, tag: &Tag, line_is_empty: bool) -> String {
        match tag.name.as_str() {
            "br" if self.line.ends_with(' ') => return String::new(),
            "br" => return " ".to_owned(),
            "wbr" => return String::new(),
            "code" => return "`".to_owned(),
            "li" => return if line_is_empty { "- ".to_owned() } else { " ".to_owned() },
            "tr" | "TableRow" | "Tr" => self.cells_in_row = 0,
            "td" | "th" | "TableCell" | "TableHead" | "Td" | "Th" => {
                self.cells_in_row += 1;
                let bar = if self.line.ends_with(' ') { "| " } else { " | " };
                return if self.cells_in_row > 1 { bar.to_owned() } else { String::new() };
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if tag.kind == Kind::Open => {
                let level = usize::from(tag.name.as_bytes()[1] - b'0');
                let source = self.source.get(self.done.len()).copied().unwrap_or("");
                let closing = || source.contains(&format!("</{}>", tag.name));
                let one_line = line_is_empty && *self.headings_closed[level - 1].get_or_insert_with(closing);
                self.heading_id = tag.text("id").filter(|_| one_line);
                self.bold_heading = one_line && self.heading_id.is_none();
                return match (&self.heading_id, self.bold_heading) {
                    (Some(_), _) => "#".repeat(level) + " ",
                    (None, true) => "**".to_owned(),
                    (None, false) => String::new(),
                };
            }
            _ => {}
        }
        let seen = seen(tag);
        let glued = !line_is_empty && !self.line.ends_with(' ') && !INLINE_ELEMENTS.contains(&tag.name.as_str());
        match seen.is_empty() {
            true if glued && BLOCK_ELEMENTS.contains(&tag.name.as_str()) => " ".to_owned(),
            true => String::new(),
            false => format!("{}{} ", if glued { " " } else { "" }, seen.join(" ")),
        }
    }

    fn closing(&mut self, tag: &Tag, next_opens: bool) -> String {
        match tag.name.as_str() {
            "code" => "`".to_owned(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => match self.heading_id.take() {
                Some(id) => format!(" {{#{id}}}"),
                None if std::mem::take(&mut self.bold_heading) => "** ".to_owned(),
                None => " ".to_owned(),
            },
            // Two spaces at the end of a line keep the next row off this one.
            "tr" | "TableRow" | "Tr" if !self.line_is_blank() => "  ".to_owned(),
            name if INLINE_ELEMENTS.contains(&name) => String::new(),
            name if next_opens || BLOCK_ELEMENTS.contains(&name) => " ".to_owned(),
            _ => String::new(),
        }
    }
}

/// What a reader sees of a tag, as Markdown.
fn seen(tag: &Tag) -> Vec<String> {
    let (headings, sentences) = tag.seen();
    let headings = headings.iter().map(|text| format!("**{}**", escape(text)));
    headings.chain(sentences.iter().map(|text| escape(text))).collect()
}

/// The width of the white space a line begins with; a tab counts four.
fn indentation(line: &str) -> usize {
    line.chars()
        .map_while(|c| match c {
            ' ' => Some(1),
            '\t' => Some(4),
            _ => None,
        })
        .sum()
}

/// The line without so much white space, or all it has.
fn strip(line: &str, mut width: usize) -> &str {
    let mut rest = line;
    while width > 0 {
        rest = match rest.as_bytes().first() {
            Some(b' ') => {
                width -= 1;
                &rest[1..]
            }
            Some(b'\t') => {
                width = width.saturating_sub(4);
                &rest[1..]
            }
            _ => return rest,
        };
    }
    rest
}

/// Text that Markdown takes for text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '<' | '[' | ']' | '|') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
