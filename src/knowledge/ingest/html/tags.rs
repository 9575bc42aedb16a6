//! A page of HTML as a walk over its elements: what opens, what closes, and what stands between.
//!
//! There is no tree, so there is nothing to grow: the elements that are open are all that is known, and of them no more
//! than browsers keep. Tags that nobody closed are closed as browsers do it.

use std::cell::RefCell;
use std::time::Duration;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::{LocalName, TokenizerResult};
use tokio::time::Instant;

/// Elements within elements, so deep; those further in count as beside each other.
const DEPTH_MAX: usize = 512;

/// A page is read for so long.
pub(super) const READING_TIME_MAX: Duration = Duration::from_secs(10);

/// So much is read between two looks at the clock.
const PIECE_BYTES: usize = 4096;

/// Hears of a page from its beginning to its end.
pub(super) trait Listener {
    /// What it remembers of an element until that closes.
    type Mark;

    /// An element begins. One that is unseen is not for readers, or lies in such a one.
    fn open(&mut self, element: &Element<'_>, unseen: bool) -> Self::Mark;

    /// An element ends.
    fn close(&mut self, mark: Self::Mark);

    /// Text, in the element of this name.
    fn text(&mut self, text: &str, inside: &str, unseen: bool);
}

/// The tag that begins an element.
pub(super) struct Element<'a> {
    tag: &'a Tag,
}

impl Element<'_> {
    pub(super) fn name(&self) -> &str {
        &self.tag.name
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
    }

    /// Whether an attribute has this value, however it is spelled.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.attribute(name).is_some_and(|own| own.trim().eq_ignore_ascii_case(value))
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = &str> {
        self.attribute("class").unwrap_or("").split_ascii_whitespace()
    }

    /// What links and headings jump to.
    pub(super) fn id(&self) -> Option<&str> {
        let named = || self.attribute("name").filter(|_| self.name() == "a");
        self.attribute("id")
            .or_else(named)
            .map(str::trim)
            .filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))
    }

    /// Whether readers do not see it, or see it as something around the page: menus, scripts, buttons, what is hidden.
    fn is_unseen(&self) -> bool {
        if UNSEEN.contains(&self.name()) || (self.name() == "dialog" && self.attribute("open").is_none()) {
            return true;
        }
        if matches!(self.name(), "html" | "body" | "main" | "article") {
            return false;
        }
        let hidden = self.attribute("hidden").is_some_and(|how| !how.eq_ignore_ascii_case("until-found"));
        // The other tabs of a row of tabs are one click away.
        if (hidden && !self.says("role", "tabpanel")) || self.says("aria-hidden", "true") {
            return true;
        }
        let style: String = self.attribute("style").unwrap_or("").split_whitespace().collect::<String>().to_lowercase();
        style.contains("display:none")
            || style.contains("visibility:hidden")
            || UNSEEN_ROLES.iter().any(|role| self.says("role", role))
            || self.classes().any(|class| UNSEEN_CLASSES.contains(&class) || class.starts_with("tableOfContents_"))
    }
}

const UNSEEN: &[&str] = &[
    "script", "style", "template", "noscript", "title", "nav", "footer", "button", "select", "textarea", "datalist",
    "iframe", "object", "svg", "canvas", "audio", "video", "map", "progress", "meter", "noframes", "noembed",
];

const UNSEEN_ROLES: &[&str] =
    &["navigation", "search", "banner", "contentinfo", "menu", "menubar", "toolbar", "dialog", "alertdialog"];

/// Lists of the page's own headings, and the numbers of lines of code.
const UNSEEN_CLASSES: &[&str] = &[
    "toc",
    "table-of-contents",
    "breadcrumbs",
    "breadcrumb",
    "skip-link",
    "linenos",
    "lineno",
    "linenodiv",
    "line-numbers-rows",
    "hljs-ln-numbers",
    "gutter",
];

/// Elements that have no end.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements that end a paragraph, and begin something that is not in a line.
pub(super) const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
];

pub(super) const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];

/// Tells `listener` of a page.
///
/// Fails when that takes too long, which no page does that is not made to.
pub(super) fn walk<L: Listener>(page: &str, listener: L, deadline: Instant) -> Result<L, TooSlow> {
    let walk = Walk { listener, open: Vec::new(), beyond: 0, paragraphs: 0, foreign: 0 };
    let tokenizer = Tokenizer::new(Sink(RefCell::new(walk)), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest = page;
    while !rest.is_empty() {
        if Instant::now() > deadline {
            return Err(TooSlow);
        }
        let (piece, further) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES.min(rest.len())));
        queue.push_back(StrTendril::from_slice(piece));
        // What scripts would have written here is not there.
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        rest = further;
    }
    tokenizer.end();
    let mut walk = tokenizer.sink.0.into_inner();
    walk.close_down_to(0);
    Ok(walk.listener)
}

/// Reading a page took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

struct Sink<L: Listener>(RefCell<Walk<L>>);

impl<L: Listener> TokenSink for Sink<L> {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut walk = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => walk.start(&tag),
            Token::TagToken(tag) => {
                walk.end(&tag.name);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                walk.text(&text);
                TokenSinkResult::Continue
            }
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => TokenSinkResult::Continue,
        }
    }
}

struct Walk<L: Listener> {
    listener: L,
    open: Vec<Open<L::Mark>>,
    /// Elements that are open further in than is looked at.
    beyond: usize,
    /// Open paragraphs, and open elements that hold something other than HTML: mostly there are none to be looked for.
    paragraphs: usize,
    foreign: usize,
}

struct Open<M> {
    name: LocalName,
    kind: Kind,
    unseen: bool,
    mark: M,
}

/// What an element is to the tags after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Paragraph,
    Heading,
    /// What begins on a line of its own.
    Block,
    List,
    Item,
    /// A term or its explanation.
    Definition,
    Table,
    RowGroup,
    Row,
    Cell,
    /// What no end tag from inside reaches across.
    Wall,
    /// Drawings and formulas, which have rules of their own.
    Foreign,
    Inline,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "p" => Self::Paragraph,
            "li" => Self::Item,
            "dt" | "dd" => Self::Definition,
            "ul" | "ol" | "menu" | "dir" | "dl" => Self::List,
            "table" => Self::Table,
            "thead" | "tbody" | "tfoot" | "caption" => Self::RowGroup,
            "tr" => Self::Row,
            "td" | "th" => Self::Cell,
            "svg" | "math" => Self::Foreign,
            "object" | "template" | "button" => Self::Wall,
            _ if HEADINGS.contains(&name) => Self::Heading,
            _ if BLOCKS.contains(&name) => Self::Block,
            _ => Self::Inline,
        }
    }

    fn is_of_tables(self) -> bool {
        matches!(self, Self::Table | Self::RowGroup | Self::Row | Self::Cell)
    }

    /// Whether the end of something in a line is looked for across it.
    fn stops_inline(self) -> bool {
        self != Self::Inline
    }

    fn stops_block(self) -> bool {
        matches!(self, Self::Table | Self::Cell | Self::Wall | Self::Foreign)
    }
}

impl<L: Listener> Walk<L> {
    fn text(&mut self, text: &str) {
        let (inside, unseen) = self.open.last().map_or(("", false), |open| (&*open.name, open.unseen));
        self.listener.text(text, inside, unseen);
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let kind = Kind::of(name);
        self.close_what_ends_with(kind, name);
        let element = Element { tag };
        let foreign = self.foreign > 0;
        let unseen = self.open.last().is_some_and(|open| open.unseen) || element.is_unseen();
        let ends_itself = foreign && tag.self_closing;
        let has_end = !ends_itself && !VOID.contains(&name);
        if !has_end || self.open.len() < DEPTH_MAX {
            let mark = self.listener.open(&element, unseen);
            if has_end {
                self.paragraphs += usize::from(kind == Kind::Paragraph);
                self.foreign += usize::from(kind == Kind::Foreign);
                self.open.push(Open { name: tag.name.clone(), kind, unseen, mark });
            } else {
                self.listener.close(mark);
            }
        } else {
            self.beyond += 1;
        }
        match name {
            _ if foreign => TokenSinkResult::Continue,
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn end(&mut self, name: &LocalName) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let kind = Kind::of(name);
        let matches = |open: &Open<L::Mark>| open.name == *name || (kind == Kind::Heading && open.kind == kind);
        match kind {
            Kind::Paragraph if self.paragraphs == 0 => {}
            Kind::Inline => self.close_nearest(matches, Kind::stops_inline),
            _ if kind.is_of_tables() => self.close_nearest(matches, |own| own == Kind::Table),
            _ => self.close_nearest(matches, Kind::stops_block),
        }
    }

    /// Closes what is over because this begins.
    fn close_what_ends_with(&mut self, kind: Kind, name: &str) {
        if self.paragraphs > 0 && BLOCKS.contains(&name) {
            self.close_nearest(|open| open.kind == Kind::Paragraph, Kind::stops_block);
        }
        let same = |open: &Open<L::Mark>| open.kind == kind;
        match kind {
            Kind::Item | Kind::Definition => self.close_nearest(same, |own| own == Kind::List || own.stops_block()),
            Kind::Cell => self.close_nearest(same, |own| matches!(own, Kind::Row | Kind::Table)),
            Kind::Row | Kind::RowGroup => self.close_nearest(same, |own| own == Kind::Table),
            // One that was not closed, and is not far.
            Kind::Heading => self.close_nearest(same, |own| own != Kind::Inline),
            Kind::Paragraph | Kind::Block | Kind::List | Kind::Table | Kind::Wall | Kind::Foreign | Kind::Inline => {}
        }
    }

    /// Closes the nearest open element that `matches`, and all that is open in it, unless something `stops` the search.
    fn close_nearest(&mut self, matches: impl Fn(&Open<L::Mark>) -> bool, stops: impl Fn(Kind) -> bool) {
        for at in (0..self.open.len()).rev() {
            let open = &self.open[at];
            if matches(open) {
                return self.close_down_to(at);
            }
            if stops(open.kind) {
                return;
            }
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(Open { kind, mark, .. }) = self.open.pop() {
                self.paragraphs -= usize::from(kind == Kind::Paragraph);
                self.foreign -= usize::from(kind == Kind::Foreign);
                self.listener.close(mark);
            }
        }
    }
}
