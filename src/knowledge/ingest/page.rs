//! A page in Markdown becomes sections: what stands under each heading, as blocks of plain text and code.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::anchors::Anchors;
use super::site::Generator;

/// What stands under one heading, down to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// The heading's text; empty before the first one.
    pub heading: String,
    /// Headings from the top down to this one, the page's own title left out.
    pub heading_path: Vec<String>,
    /// The anchor, without `#`; none for headings of the first level and before the first heading.
    pub anchor: Option<String>,
    /// What stands there, in order.
    pub blocks: Vec<Block>,
}

/// A paragraph, list, table or block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where it may be cut when it is too long.
    pub kind: BlockKind,
    /// What it says. Code is without its fence.
    pub text: String,
}

/// How a block may be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Between sentences.
    Prose,
    /// Between lines: a list.
    Lines,
    /// Between lines; the first one names the columns.
    Table,
    /// Between lines, with the fence and its info string (`python title="a.py"`) around each part.
    Code(String),
}

/// A page in sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The text of the first heading, if it is of the first level.
    pub title: Option<String>,
    /// At least one; those without text are among them.
    pub sections: Vec<Section>,
}

/// A longer heading is cut, in letters: every passage below it carries it.
pub(super) const HEADING_CHARS_MAX: usize = 300;
/// A longer anchor is left out, in bytes.
const ANCHOR_BYTES_MAX: usize = 2_000;
/// Lists in lists are indented so far, in levels; what is deeper stands below one another.
const INDENT_MAX: usize = 16;

/// Reads a page of Markdown; its anchors are those that the site's generator would make.
pub(super) fn read(markdown: &str, generator: Generator) -> Page {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let mut reader = Reader::new(Anchors::of(generator));
    for event in Parser::new_ext(markdown, options) {
        reader.hear(event);
    }
    reader.finish()
}

/// Puts a page together from what it is told, in order: the pieces of Markdown, or of something like it.
#[derive(Default)]
pub(super) struct Reader {
    anchors: Anchors,
    page: Page,
    /// Headings above the present one, with their level.
    above: Vec<(usize, String)>,
    /// Blocks that are open: quotes, lists, items, tables.
    depth: usize,
    /// The open lists: the number of the next item, if they are numbered.
    lists: Vec<Option<u64>>,
    block: String,
    kind: Option<BlockKind>,
    heading: Option<Heading>,
    in_code: bool,
    cells: usize,
}

#[derive(Default)]
struct Heading {
    /// As the site makes its anchor from it: a line end is none of its letters.
    text: String,
    /// The anchor it brings along.
    id: Option<String>,
}

impl Reader {
    pub(super) fn new(anchors: Anchors) -> Self {
        let page = Page { title: None, sections: vec![Section::default()] };
        Self { anchors, page, ..Self::default() }
    }

    pub(super) fn finish(mut self) -> Page {
        self.end_block();
        self.page
    }

    pub(super) fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => self.code_text(&text),
            Event::Text(text) => self.write(&text),
            Event::Code(code) => self.inline_code(&code),
            Event::InlineMath(formula) if self.heading.is_some() => self.write(&formula),
            Event::InlineMath(formula) => self.write(&format!("${formula}$")),
            Event::DisplayMath(formula) => self.write(&format!("$${}$$", formula.trim_end())),
            Event::SoftBreak if self.heading.is_some() => self.write("\n"),
            Event::HardBreak if self.heading.is_none() => self.new_line(),
            Event::SoftBreak | Event::HardBreak => self.write(" "),
            Event::TaskListMarker(done) => self.write(if done { "[x] " } else { "[ ] " }),
            // Tags were taken out before; what is left of them is not for the reader. Neither is a footnote's mark.
            Event::Html(_) | Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::Rule => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { id, .. } => {
                if self.depth == 0 {
                    self.end_block();
                }
                self.heading = Some(Heading { text: String::new(), id: id.map(|id| id.to_string()) });
            }
            Tag::Paragraph => self.begin(BlockKind::Prose),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.in_code = true;
                if self.depth == 0 {
                    self.begin(BlockKind::Code(info));
                } else {
                    self.new_line();
                    self.block.push_str("```");
                    self.block.push_str(&info);
                    self.new_line();
                }
            }
            Tag::List(first) => {
                self.begin(BlockKind::Lines);
                self.lists.push(first);
                self.depth += 1;
            }
            Tag::Item => {
                self.new_line_of(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    Some(None) | None => "- ".to_owned(),
                };
                self.block.push_str(&mark);
            }
            Tag::Table(_) => {
                self.begin(BlockKind::Table);
                self.depth += 1;
            }
            Tag::TableHead | Tag::TableRow => {
                self.new_line();
                self.cells = 0;
            }
            Tag::TableCell => {
                if self.cells > 0 {
                    self.block.push_str(" | ");
                }
                self.cells += 1;
            }
            Tag::BlockQuote(_) | Tag::FootnoteDefinition(_) => {
                self.begin(BlockKind::Prose);
                self.depth += 1;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::CodeBlock => {
                self.in_code = false;
                if self.depth > 0 {
                    self.new_line();
                    self.block.push_str("```");
                    self.new_line();
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.depth = self.depth.saturating_sub(1);
            }
            TagEnd::Table | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition => {
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        if self.depth == 0
            && matches!(
                tag,
                TagEnd::Paragraph
                    | TagEnd::CodeBlock
                    | TagEnd::List(_)
                    | TagEnd::Table
                    | TagEnd::BlockQuote(_)
                    | TagEnd::FootnoteDefinition
            )
        {
            self.end_block();
        }
    }

    fn write(&mut self, text: &str) {
        match &mut self.heading {
            Some(heading) => heading.text.push_str(text),
            None => self.block.push_str(text),
        }
    }

    fn code_text(&mut self, text: &str) {
        if self.depth == 0 {
            self.block.push_str(text);
            return;
        }
        let indent = "  ".repeat(self.lists.len().min(INDENT_MAX));
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.block.push('\n');
            }
            if !line.is_empty() && (index > 0 || self.block.ends_with('\n')) {
                self.block.push_str(&indent);
            }
            self.block.push_str(line);
        }
    }

    /// Code keeps its marks only where the text alone would be read as Markdown or as a tag.
    fn inline_code(&mut self, code: &str) {
        let edge = |c: char| matches!(c, '_' | '~');
        let misread = code.contains(['*', '<', '[', '`', '$', '\\']) || code.starts_with(edge) || code.ends_with(edge);
        match misread && self.heading.is_none() {
            true if code.contains('`') => self.write(&format!("`` {code} ``")),
            true => self.write(&format!("`{code}`")),
            false => self.write(code),
        }
    }

    /// A block begins; inside another one that is a new line.
    fn begin(&mut self, kind: BlockKind) {
        if self.depth == 0 {
            self.end_block();
            self.kind = Some(kind);
        } else if !self.after_item_mark() {
            self.new_line();
        }
    }

    fn after_item_mark(&self) -> bool {
        let line = self.block.rsplit('\n').next().unwrap_or("").trim_start();
        line == "- " || line.strip_suffix(". ").is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
    }

    fn new_line(&mut self) {
        self.new_line_of(self.lists.len());
    }

    fn new_line_of(&mut self, indent: usize) {
        let kept = self.block.trim_end_matches([' ', '\n']).len();
        if self.after_item_mark() {
            return;
        }
        self.block.truncate(kept);
        if !self.block.is_empty() {
            self.block.push('\n');
            self.block.push_str(&"  ".repeat(indent.min(INDENT_MAX)));
        }
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.block);
        let kind = self.kind.take().unwrap_or(BlockKind::Prose);
        let text = match kind {
            BlockKind::Code(_) => text.trim_end_matches('\n'),
            BlockKind::Prose | BlockKind::Lines | BlockKind::Table => text.trim(),
        };
        if let Some(section) = self.page.sections.last_mut().filter(|_| !text.trim().is_empty()) {
            section.blocks.push(Block { kind, text: text.to_owned() });
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let Some(heading) = self.heading.take() else { return };
        let level = level as usize;
        let (text, anchor) = match &mut self.anchors {
            Anchors::Given => (heading.text.as_str(), heading.id.unwrap_or_default()),
            anchors => match without_id(&heading.text) {
                (text, Some(id)) => (text, id.to_owned()),
                (text, None) => (text, anchors.anchor(&heading.text)),
            },
        };
        let text = cut_heading(text.split_whitespace().collect::<Vec<_>>().join(" "));
        if self.depth > 0 {
            self.block.push_str(&text);
            self.new_line();
            return;
        }
        let is_title = level == 1 && self.page.sections.len() == 1;
        self.above.retain(|(above, _)| *above < level);
        if is_title {
            self.page.title = Some(text.clone());
        } else {
            self.above.push((level, text.clone()));
        }
        self.page.sections.push(Section {
            heading: text,
            heading_path: self.above.iter().map(|(_, text)| text.clone()).collect(),
            anchor: (level > 1 && (1..=ANCHOR_BYTES_MAX).contains(&anchor.len())).then_some(anchor),
            blocks: Vec::new(),
        });
    }
}

/// At most as many letters as a heading may have.
pub(super) fn cut_heading(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(HEADING_CHARS_MAX) {
        text.truncate(end);
    }
    text
}

/// A heading without the `{#anchor}` its author gave it.
fn without_id(heading: &str) -> (&str, Option<&str>) {
    let given = heading
        .strip_suffix('}')
        .and_then(|rest| rest.rsplit_once("{#"))
        .filter(|(_, id)| !id.is_empty() && !id.contains('}'));
    match given {
        Some((text, id)) => (text.trim_end(), Some(id)),
        None => (heading, None),
    }
}
