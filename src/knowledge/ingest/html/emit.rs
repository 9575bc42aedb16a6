//! The second look at a page of HTML: its text, told in the order and in the words of a page of Markdown.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::survey::{Content, Place, Role};
use super::tags::{BLOCKS, Element, HEADINGS, Listener};
use crate::knowledge::ingest::anchors::Anchors;
use crate::knowledge::ingest::page::{Page, Reader};

/// Lists within lists, so deep; those further in belong to the one around them.
const LISTS_DEPTH_MAX: usize = 12;

/// Tells a page's text to a reader of pages.
pub(super) struct Emit {
    content: Content,
    /// For each table and list of definitions whether it is layout, in order; and how many there were so far.
    layout: Vec<bool>,
    structures: usize,
    reader: Reader,
    inside: Inside,
    /// Text that was not told yet, its white space made single spaces.
    line: String,
    /// Whether a space stands before the next word.
    space: bool,
    in_paragraph: bool,
    /// An item of a list has begun, and nothing of it was told yet.
    item: bool,
    heading: Option<Heading>,
    code: Option<Code>,
    inline_code: Option<String>,
    math: Option<Math>,
    /// What a heading that brings no anchor of its own may be reached by: it is near, and no text is between.
    near_id: Option<String>,
}

/// How often one is inside of what.
#[derive(Default)]
struct Inside {
    main: usize,
    article: usize,
    form: usize,
    beside: usize,
    lists: usize,
    cells: usize,
}

struct Heading {
    level: HeadingLevel,
    id: Option<String>,
    text: String,
}

#[derive(Default)]
struct Code {
    language: Option<String>,
    text: String,
}

#[derive(Default)]
struct Math {
    text: String,
    tex: Option<String>,
    in_tex: bool,
    is_display: bool,
}

/// What an element was, so that its end can be told.
#[derive(Default)]
pub(super) struct Mark {
    role: Role,
    what: What,
    is_block: bool,
}

#[derive(Default)]
enum What {
    #[default]
    Nothing,
    Heading,
    Code,
    InlineCode,
    /// A link in a heading, and where its text begins.
    HeadingLink(usize),
    List,
    /// A list within too many.
    FlatList,
    Quote,
    Table,
    Cell,
    Math,
    Tex,
}

impl Emit {
    pub(super) fn new(content: Content, layout: Vec<bool>) -> Self {
        Self {
            content,
            layout,
            structures: 0,
            reader: Reader::new(Anchors::Given),
            inside: Inside::default(),
            line: String::new(),
            space: false,
            in_paragraph: false,
            item: false,
            heading: None,
            code: None,
            inline_code: None,
            math: None,
            near_id: None,
        }
    }

    pub(super) fn finish(mut self) -> Page {
        self.end_paragraph();
        self.reader.finish()
    }

    fn hear(&mut self, event: Event<'static>) {
        // An item that holds nothing is none.
        if self.item && !matches!(event, Event::End(_) | Event::Start(Tag::List(_))) {
            self.item = false;
            self.reader.hear(Event::Start(Tag::Item));
        }
        self.reader.hear(event);
    }

    fn is_read(&self) -> bool {
        let Inside { main, article, form, beside, .. } = self.inside;
        let here = match self.content.place {
            Place::ArticlesOfMain => main > 0 && article > 0,
            Place::Main => main > 0,
            Place::Articles => article > 0,
            Place::Body => beside == 0 || article > 0,
        };
        here && (form == 0 || self.content.forms)
    }

    /// Takes text that is not code: white space of any kind and length is one space.
    fn words(&mut self, text: &str) {
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
                        if self.inside.cells == 0 {
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
    fn tell(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.hear(Event::Text(CowStr::from(line)));
        }
    }

    /// Tells something that stands among words.
    fn tell_inline(&mut self, event: Event<'static>) {
        // Opens the paragraph, and writes the space that may be due.
        self.words("\u{1}");
        self.line.pop();
        self.tell();
        self.hear(event);
    }

    fn end_paragraph(&mut self) {
        if let Some(code) = &mut self.code {
            if !code.text.is_empty() && !code.text.ends_with('\n') {
                code.text.push('\n');
            }
            return;
        }
        if self.inside.cells > 0 || self.heading.is_some() {
            self.space = true;
            return;
        }
        self.tell();
        if self.in_paragraph {
            self.hear(Event::End(TagEnd::Paragraph));
        }
        (self.in_paragraph, self.space) = (false, false);
    }

    fn begin_heading(&mut self, element: &Element<'_>) -> What {
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
        What::Heading
    }

    fn end_heading(&mut self) {
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
    fn end_heading_link(&mut self, begin: usize) {
        let Some(heading) = &mut self.heading else { return };
        let sign = heading.text.get(begin..).unwrap_or("").trim();
        if sign.chars().all(|letter| matches!(letter, '#' | '¶' | '§' | '🔗' | '\u{fe0f}' | '∞' | '⚓' | '☍'))
        {
            heading.text.truncate(heading.text.get(..begin).unwrap_or("").trim_end().len());
        }
    }

    fn end_code(&mut self) {
        let Some(Code { language, text }) = self.code.take() else { return };
        if text.trim().is_empty() {
            return;
        }
        let fence = CodeBlockKind::Fenced(CowStr::from(language.unwrap_or_default()));
        self.near_id = None;
        self.hear(Event::Start(Tag::CodeBlock(fence)));
        self.hear(Event::Text(CowStr::from(text)));
        self.hear(Event::End(TagEnd::CodeBlock));
    }

    fn end_math(&mut self) {
        let Some(Math { text, tex, is_display, .. }) = self.math.take() else { return };
        let is_tex = tex.is_some();
        let formula = tex.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ");
        match () {
            () if formula.is_empty() => {}
            () if self.heading.is_some() || !is_tex => self.words(&formula),
            () if is_display => self.tell_inline(Event::DisplayMath(CowStr::from(formula))),
            () => self.tell_inline(Event::InlineMath(CowStr::from(formula))),
        }
    }

    fn begin_list(&mut self, element: &Element<'_>) -> What {
        if self.inside.cells > 0 {
            return What::Nothing;
        }
        self.inside.lists += 1;
        if self.inside.lists > LISTS_DEPTH_MAX {
            return What::FlatList;
        }
        let first = element.attribute("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
        let first = (element.name() == "ol").then_some(first);
        self.hear(Event::Start(Tag::List(first)));
        What::List
    }

    /// A table, or a list of definitions: whether it is one, and not only layout.
    fn is_structure(&mut self) -> bool {
        self.structures += 1;
        !self.layout.get(self.structures - 1).copied().unwrap_or(true)
    }

    fn begin(&mut self, element: &Element<'_>) -> What {
        let name = element.name();
        if let Some(code) = &mut self.code {
            code.language = code.language.take().or_else(|| language(element));
            if name == "br" {
                code.text.push('\n');
            }
            return What::Nothing;
        }
        match name {
            _ if HEADINGS.contains(&name) && self.inside.cells == 0 => self.begin_heading(element),
            "pre" if self.inside.cells == 0 => {
                self.code = Some(Code { language: language(element), text: String::new() });
                What::Code
            }
            "code" | "tt" if self.heading.is_none() && self.inline_code.is_none() => {
                self.inline_code = Some(String::new());
                What::InlineCode
            }
            "a" => match &self.heading {
                Some(heading) => What::HeadingLink(heading.text.len()),
                None => What::Nothing,
            },
            "ul" | "ol" | "menu" | "dir" => self.begin_list(element),
            "li" if self.inside.lists > 0 && self.inside.cells == 0 => self.begin_item(),
            "dl" if self.is_structure() => self.begin_list(element),
            "dt" if self.inside.lists > 0 && self.inside.cells == 0 => self.begin_item(),
            "blockquote" if self.inside.cells == 0 => {
                self.hear(Event::Start(Tag::BlockQuote(None)));
                What::Quote
            }
            "table" if self.is_structure() && self.inside.cells == 0 => {
                self.end_paragraph();
                self.hear(Event::Start(Tag::Table(Vec::new())));
                // Within a table all text is in cells, wherever its author put it.
                self.inside.cells += 1;
                What::Table
            }
            "tr" | "caption" if self.inside.cells > 0 => {
                self.tell();
                self.hear(Event::Start(Tag::TableRow));
                (self.in_paragraph, self.space) = (false, false);
                What::Nothing
            }
            "td" | "th" if self.inside.cells > 0 => {
                self.tell();
                self.hear(Event::Start(Tag::TableCell));
                (self.in_paragraph, self.space) = (false, false);
                What::Cell
            }
            "td" | "th" | "tr" => {
                self.end_paragraph();
                What::Nothing
            }
            "br" if self.inside.cells == 0 && self.heading.is_none() && self.in_paragraph => {
                self.tell();
                self.hear(Event::HardBreak);
                self.space = false;
                What::Nothing
            }
            "br" | "wbr" => {
                self.space |= name == "br";
                What::Nothing
            }
            "img" => {
                self.words(element.attribute("alt").unwrap_or(""));
                What::Nothing
            }
            "math" => {
                let is_display = element.says("display", "block");
                self.math = Some(Math { is_display, ..Math::default() });
                What::Math
            }
            "annotation" if element.says("encoding", "application/x-tex") => match &mut self.math {
                Some(math) => {
                    math.in_tex = true;
                    What::Tex
                }
                None => What::Nothing,
            },
            _ => What::Nothing,
        }
    }

    fn begin_item(&mut self) -> What {
        self.end_paragraph();
        self.item = true;
        What::Nothing
    }

    fn end(&mut self, what: What) {
        match what {
            What::Nothing => {}
            What::Heading => self.end_heading(),
            What::Code => self.end_code(),
            What::InlineCode => {
                let code = self.inline_code.take().unwrap_or_default();
                let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
                if !code.is_empty() {
                    self.tell_inline(Event::Code(CowStr::from(code)));
                }
            }
            What::HeadingLink(begin) => self.end_heading_link(begin),
            What::FlatList => self.inside.lists -= 1,
            What::List => {
                self.inside.lists -= 1;
                self.item = false;
                self.hear(Event::End(TagEnd::List(false)));
            }
            What::Quote => self.hear(Event::End(TagEnd::BlockQuote(None))),
            What::Table => {
                self.tell();
                self.inside.cells -= 1;
                self.hear(Event::End(TagEnd::Table));
                (self.in_paragraph, self.space) = (false, false);
            }
            What::Cell => self.tell(),
            What::Math => self.end_math(),
            What::Tex => {
                if let Some(math) = &mut self.math {
                    math.in_tex = false;
                }
            }
        }
    }
}

impl Listener for Emit {
    type Mark = Mark;

    fn open(&mut self, element: &Element<'_>, unseen: bool) -> Mark {
        let mut mark = Mark { role: Role::of(element), ..Mark::default() };
        match mark.role {
            Role::Main => self.inside.main += 1,
            Role::Article => self.inside.article += 1,
            Role::Form => self.inside.form += 1,
            Role::Beside => self.inside.beside += 1,
            Role::Other => {}
        }
        if unseen || !self.is_read() {
            // They are counted although nobody reads them: the first look did so too.
            self.structures += usize::from(matches!(element.name(), "table" | "dl"));
            return mark;
        }
        mark.is_block = BLOCKS.contains(&element.name());
        let is_heading = self.heading.as_ref().is_some_and(|heading| !heading.text.is_empty());
        if is_heading && matches!(element.name(), "p" | "ul" | "ol" | "dl" | "pre" | "table" | "blockquote" | "section")
        {
            // Nobody closed it: no heading goes on like that.
            self.end_heading();
        }
        if mark.is_block {
            self.end_paragraph();
        }
        if let Some(id) = element.id() {
            match &mut self.heading {
                Some(heading) => drop(heading.id.get_or_insert_with(|| id.to_owned())),
                None if HEADINGS.contains(&element.name()) => {}
                None => self.near_id = Some(id.to_owned()),
            }
        }
        if let (Some(heading), "a", Some(target)) = (&mut self.heading, element.name(), element.attribute("href")) {
            let target = target.strip_prefix('#').filter(|id| !id.is_empty());
            if let (None, Some(id)) = (&heading.id, target) {
                heading.id = Some(id.to_owned());
            }
        }
        mark.what = self.begin(element);
        mark
    }

    fn close(&mut self, mark: Mark) {
        if mark.is_block && !matches!(mark.what, What::Heading | What::Code) {
            self.end_paragraph();
        }
        self.end(mark.what);
        match mark.role {
            Role::Main => self.inside.main -= 1,
            Role::Article => self.inside.article -= 1,
            Role::Form => self.inside.form -= 1,
            Role::Beside => self.inside.beside -= 1,
            Role::Other => {}
        }
    }

    fn text(&mut self, text: &str, _: &str, unseen: bool) {
        if unseen || !self.is_read() {
            return;
        }
        if let Some(math) = &mut self.math {
            match math.in_tex {
                true => math.tex.get_or_insert_default().push_str(text),
                false => math.text.push_str(text),
            }
        } else if let Some(code) = &mut self.code {
            let text = text.strip_prefix('\n').filter(|_| code.text.is_empty()).unwrap_or(text);
            code.text.push_str(&text.replace('\u{a0}', " ").replace(['\u{200b}', '\u{feff}'], ""));
        } else if let Some(code) = &mut self.inline_code {
            code.push_str(text);
        } else {
            self.words(text);
        }
    }
}

/// The language that an element's class names for the code in it.
fn language(element: &Element<'_>) -> Option<String> {
    let given = element.attribute("data-lang").or_else(|| element.attribute("data-language"));
    let named = || {
        element.classes().find_map(|class| {
            ["language-", "lang-", "highlight-source-"].iter().find_map(|prefix| class.strip_prefix(prefix))
        })
    };
    let language = given.or_else(named)?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '#' | '_' | '.');
    // mdBook says more after a comma.
    let language = language.split(',').next().unwrap_or("").trim();
    let plain = matches!(language, "none" | "text" | "plaintext" | "plain");
    (!language.is_empty() && !plain && language.chars().all(is_name)).then(|| language.to_owned())
}
