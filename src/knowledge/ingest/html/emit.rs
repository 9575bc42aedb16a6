//! The second look at a page of HTML: its text, told in the order and in the words of a page of Markdown.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Tag, TagEnd};

use super::survey::{Content, Inside, Place, Role};
use super::tags::{BLOCKS, Element, HEADINGS, Listener};
use super::voice::Voice;
use crate::knowledge::ingest::page::Page;

/// Lists within lists, so deep; those further in belong to the one around them.
const LISTS_DEPTH_MAX: usize = 12;

/// Tells a page's text to a reader of pages.
pub(super) struct Emit {
    content: Content,
    /// For each table and list of definitions whether it is layout, in order; and how many there were so far.
    layout: Vec<bool>,
    structures: usize,
    voice: Voice,
    inside: Inside,
    /// How many lists one is inside of.
    lists: usize,
    code: Option<Code>,
    inline_code: Option<String>,
    math: Option<Math>,
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

#[derive(Clone, Copy, Default)]
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
    Math,
    Tex,
}

impl Emit {
    pub(super) fn new(content: Content, layout: Vec<bool>) -> Self {
        Self {
            content,
            layout,
            structures: 0,
            voice: Voice::new(),
            inside: Inside::default(),
            lists: 0,
            code: None,
            inline_code: None,
            math: None,
        }
    }

    pub(super) fn finish(mut self) -> Page {
        self.end_paragraph();
        self.voice.finish()
    }

    fn end_paragraph(&mut self) {
        match &mut self.code {
            Some(code) if !code.text.is_empty() && !code.text.ends_with('\n') => code.text.push('\n'),
            Some(_) => {}
            None => self.voice.end_paragraph(),
        }
    }

    fn is_read(&self) -> bool {
        let Inside { main, article, form, beside } = self.inside;
        let here = match self.content.place {
            Place::ArticlesOfMain => main > 0 && article > 0,
            Place::Main => main > 0,
            Place::Articles => article > 0,
            Place::Body => beside == 0 || article > 0,
        };
        here && (form == 0 || self.content.forms)
    }

    fn end_code(&mut self) {
        let Some(Code { language, text }) = self.code.take() else { return };
        if text.trim().is_empty() {
            return;
        }
        let fence = CodeBlockKind::Fenced(CowStr::from(language.unwrap_or_default()));
        self.voice.leave_near();
        self.voice.hear(Event::Start(Tag::CodeBlock(fence)));
        self.voice.hear(Event::Text(CowStr::from(text)));
        self.voice.hear(Event::End(TagEnd::CodeBlock));
    }

    fn end_math(&mut self) {
        let Some(Math { text, tex, is_display, .. }) = self.math.take() else { return };
        let is_tex = tex.is_some();
        let formula = tex.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ");
        match () {
            () if formula.is_empty() => {}
            () if self.voice.heading().is_some() || !is_tex => self.voice.words(&formula),
            () if is_display => self.voice.tell_inline(Event::DisplayMath(CowStr::from(formula))),
            () => self.voice.tell_inline(Event::InlineMath(CowStr::from(formula))),
        }
    }

    fn begin_list(&mut self, element: &Element<'_>) -> What {
        if self.voice.in_table {
            return What::Nothing;
        }
        self.lists += 1;
        if self.lists > LISTS_DEPTH_MAX {
            return What::FlatList;
        }
        let first = element.attribute("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
        let first = (element.name() == "ol").then_some(first);
        self.voice.hear(Event::Start(Tag::List(first)));
        What::List
    }

    /// Of a table or a list of definitions: whether it is one, and not only layout.
    fn is_structure(&self) -> bool {
        self.structures.checked_sub(1).and_then(|last| self.layout.get(last)).is_some_and(|layout| !layout)
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
            _ if HEADINGS.contains(&name) && !self.voice.in_table => {
                self.voice.begin_heading(element);
                What::Heading
            }
            "pre" if !self.voice.in_table => {
                self.code = Some(Code { language: language(element), text: String::new() });
                What::Code
            }
            "code" | "tt" if self.voice.heading().is_none() && self.inline_code.is_none() => {
                self.inline_code = Some(String::new());
                What::InlineCode
            }
            "a" => self.voice.heading().map_or(What::Nothing, What::HeadingLink),
            "ul" | "ol" | "menu" | "dir" => self.begin_list(element),
            "dl" if self.is_structure() => self.begin_list(element),
            "li" | "dt" if self.lists > 0 && !self.voice.in_table => {
                self.voice.begin_item();
                What::Nothing
            }
            "blockquote" if !self.voice.in_table => {
                self.voice.hear(Event::Start(Tag::BlockQuote(None)));
                What::Quote
            }
            "table" if self.is_structure() && !self.voice.in_table => {
                self.end_paragraph();
                self.voice.hear(Event::Start(Tag::Table(Vec::new())));
                // Within a table all text is in cells, wherever its author put it.
                self.voice.in_table = true;
                What::Table
            }
            "tr" | "caption" if self.voice.in_table => {
                self.voice.begin_part(Tag::TableRow);
                What::Nothing
            }
            "td" | "th" if self.voice.in_table => {
                self.voice.begin_part(Tag::TableCell);
                What::Nothing
            }
            "td" | "th" | "tr" => {
                self.end_paragraph();
                What::Nothing
            }
            "br" => {
                self.voice.break_line();
                What::Nothing
            }
            "img" => {
                self.voice.words(element.attribute("alt").unwrap_or(""));
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

    fn end(&mut self, what: What) {
        match what {
            What::Nothing => {}
            What::Heading => self.voice.end_heading(),
            What::Code => self.end_code(),
            What::InlineCode => {
                let code = self.inline_code.take().unwrap_or_default();
                let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
                if !code.is_empty() {
                    self.voice.tell_inline(Event::Code(CowStr::from(code)));
                }
            }
            What::HeadingLink(begin) => self.voice.end_heading_link(begin),
            What::FlatList => self.lists -= 1,
            What::List => {
                self.lists -= 1;
                self.voice.end_list();
            }
            What::Quote => self.voice.hear(Event::End(TagEnd::BlockQuote(None))),
            What::Table => self.voice.end_table(),
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
        self.inside.enter(mark.role);
        // They are counted even where nobody reads them: the first look did so too.
        self.structures += usize::from(matches!(element.name(), "table" | "dl"));
        if unseen || !self.is_read() {
            return mark;
        }
        mark.is_block = BLOCKS.contains(&element.name());
        let is_heading = self.voice.heading().is_some_and(|length| length > 0);
        if is_heading && matches!(element.name(), "p" | "ul" | "ol" | "dl" | "pre" | "table" | "blockquote" | "section")
        {
            // Nobody closed it: no heading goes on like that.
            self.voice.end_heading();
        }
        if mark.is_block {
            self.end_paragraph();
        }
        if let Some(id) = element.id().filter(|_| !HEADINGS.contains(&element.name())) {
            self.voice.note_id(id);
        }
        if let Some(target) = element.attribute("href").filter(|_| element.name() == "a") {
            self.voice.note_target(target);
        }
        mark.what = self.begin(element);
        mark
    }

    fn close(&mut self, mark: Mark) {
        if mark.is_block && !matches!(mark.what, What::Heading | What::Code) {
            self.end_paragraph();
        }
        self.end(mark.what);
        self.inside.leave(mark.role);
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
            self.voice.words(text);
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
