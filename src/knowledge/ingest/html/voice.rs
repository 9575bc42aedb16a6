//! What is told of a page, in words: white space, paragraphs and headings, as a reader of pages hears them.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::tags::Element;
use crate::knowledge::ingest::anchors::Anchors;
use crate::knowledge::ingest::page::{Page, Reader};

/// Tells a page to a reader of pages.
pub(super) struct Voice {
    reader: Reader,
    /// Text that was not told yet, its white space made single spaces.
    line: String,
    /// Whether a space stands before the next word.
    space: bool,
    in_paragraph: bool,
    /// An item of a list has begun, and nothing of it was told yet.
    item: bool,
    /// Whether all that is told stands in a table.
    pub in_table: bool,
    heading: Option<Heading>,
    /// What a heading that brings no anchor of its own may be reached by: it is near, and no text is between.
    near_id: Option<String>,
}

struct Heading {
    level: HeadingLevel,
    id: Option<String>,
    text: String,
}

impl Voice {
    pub(super) fn new() -> Self {
        Self {
            reader: Reader::new(Anchors::Given),
            line: String::new(),
            space: false,
            in_paragraph: false,
            item: false,
            in_table: false,
            heading: None,
            near_id: None,
        }
    }

    pub(super) fn finish(mut self) -> Page {
        self.end_paragraph();
        self.reader.finish()
    }

    /// Whether a heading is open, and how much text it has so far, in bytes.
    pub(super) fn heading(&self) -> Option<usize> {
        self.heading.as_ref().map(|heading| heading.text.len())
    }

    /// An element that can be jumped to begins.
    pub(super) fn note_id(&mut self, id: &str) {
        match &mut self.heading {
            Some(heading) => drop(heading.id.get_or_insert_with(|| id.to_owned())),
            None => self.near_id = Some(id.to_owned()),
        }
    }

    /// A link in a heading often leads to that heading.
    pub(super) fn note_target(&mut self, target: &str) {
        let id = target.strip_prefix('#').filter(|id| !id.is_empty());
        if let (Some(heading), Some(id)) = (&mut self.heading, id) {
            heading.id.get_or_insert_with(|| id.to_owned());
        }
    }

    /// Ends the line, within its paragraph.
    pub(super) fn break_line(&mut self) {
        if self.in_table || self.heading.is_some() {
            self.space = true;
        } else if self.in_paragraph {
            self.tell();
            self.hear(Event::HardBreak);
            self.space = false;
        }
    }

    /// A row or a cell of a table begins.
    pub(super) fn begin_part(&mut self, part: Tag<'static>) {
        self.tell();
        self.hear(Event::Start(part));
        (self.in_paragraph, self.space) = (false, false);
    }

    pub(super) fn end_table(&mut self) {
        self.tell();
        self.in_table = false;
        self.hear(Event::End(TagEnd::Table));
        (self.in_paragraph, self.space) = (false, false);
    }

    pub(super) fn begin_item(&mut self) {
        self.end_paragraph();
        self.item = true;
    }

    pub(super) fn end_list(&mut self) {
        self.item = false;
        self.hear(Event::End(TagEnd::List(false)));
    }

    /// Something that is no text of a line comes: nothing is near any more.
    pub(super) fn leave_near(&mut self) {
        self.near_id = None;
    }

    pub(super) fn hear(&mut self, event: Event<'static>) {
        // An item that holds nothing is none.
        if self.item && !matches!(event, Event::End(_) | Event::Start(Tag::List(_))) {
            self.item = false;
            self.reader.hear(Event::Start(Tag::Item));
        }
        self.reader.hear(event);
    }

    /// Takes text that is not code: white space of any kind and length is one space.
    pub(super) fn words(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                // They say where a word may be broken, and would keep it from being found.
                '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => continue,
                _ if letter.is_whitespace() => {
                    self.space = true;
                    continue;
                }
                _ => {}
            }
            let is_heading = self.heading.is_some();
            let line = match &mut self.heading {
                Some(heading) => &mut heading.text,
                None => {
                    self.near_id = None;
                    if !self.in_paragraph {
                        self.in_paragraph = true;
                        self.space = false;
                        if !self.in_table {
                            self.hear(Event::Start(Tag::Paragraph));
                        }
                    }
                    &mut self.line
                }
            };
            if self.space && !(is_heading && line.is_empty()) {
                line.push(' ');
            }
            self.space = false;
            line.push(letter);
        }
    }

    /// Tells the words so far.
    pub(super) fn tell(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.hear(Event::Text(CowStr::from(line)));
        }
    }

    /// Tells something that stands among words.
    pub(super) fn tell_inline(&mut self, event: Event<'static>) {
        // Opens the paragraph, and writes the space that may be due.
        self.words("\u{1}");
        self.line.pop();
        self.tell();
        self.hear(event);
    }

    pub(super) fn end_paragraph(&mut self) {
        if self.in_table || self.heading.is_some() {
            self.space = true;
            return;
        }
        self.tell();
        if self.in_paragraph {
            self.hear(Event::End(TagEnd::Paragraph));
        }
        (self.in_paragraph, self.space) = (false, false);
    }

    pub(super) fn begin_heading(&mut self, element: &Element<'_>) {
        let level = match element.name() {
            "h1" => HeadingLevel::H1,
            "h2" => HeadingLevel::H2,
            "h3" => HeadingLevel::H3,
            "h4" => HeadingLevel::H4,
            "h5" => HeadingLevel::H5,
            _ => HeadingLevel::H6,
        };
        let near = self.near_id.take();
        self.heading = Some(Heading { level, id: element.id().map(str::to_owned).or(near), text: String::new() });
        self.space = false;
    }

    pub(super) fn end_heading(&mut self) {
        let Some(Heading { level, id, text }) = self.heading.take() else { return };
        self.space = false;
        if text.is_empty() {
            self.near_id = id;
            return;
        }
        let id = id.map(CowStr::from);
        self.hear(Event::Start(Tag::Heading { level, id, classes: Vec::new(), attrs: Vec::new() }));
        self.hear(Event::Text(CowStr::from(text)));
        self.hear(Event::End(TagEnd::Heading(level)));
    }

    /// The sign beside a heading that links to it tells its anchor and is none of its words.
    pub(super) fn end_heading_link(&mut self, begin: usize) {
        let Some(heading) = &mut self.heading else { return };
        let sign = heading.text.get(begin..).unwrap_or("").trim();
        if sign.chars().all(|letter| matches!(letter, '#' | '¶' | '§' | '🔗' | '\u{fe0f}' | '∞' | '⚓' | '☍'))
        {
            heading.text.truncate(heading.text.get(..begin).unwrap_or("").trim_end().len());
        }
    }
}
