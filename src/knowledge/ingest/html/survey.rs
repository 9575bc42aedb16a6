//! The first look at a page of HTML: what it says of itself, where its text is, and which tables are only layout.

use super::tags::{Element, HEADINGS, Listener};

/// What is known of a page before it is read.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The text of the first heading of the first level.
    pub heading: Option<String>,
    /// What the page is to be called where it is shared.
    pub shared_title: Option<String>,
    /// The text of `<title>`.
    pub title: Option<String>,
    /// The address by which the page wants to be known.
    pub canonical: Option<String>,
    /// Search engines shall not list it.
    pub noindex: bool,
    /// For each table and each list of definitions, in their order: whether what is in it are parts of a page rather
    /// than cells or short explanations.
    pub layout: Vec<bool>,
    letters: Letters,
    inside: Inside,
    open_structures: Vec<usize>,
    reading: Option<Reading>,
}

/// How many letters stand where.
#[derive(Clone, Copy, Debug, Default)]
struct Letters {
    all: usize,
    main: usize,
    article: usize,
    article_in_main: usize,
    body: usize,
    form: usize,
}

/// How often one is inside of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inside {
    pub main: usize,
    pub article: usize,
    pub form: usize,
    pub beside: usize,
}

impl Inside {
    /// An element of this role has begun.
    pub(super) fn enter(&mut self, role: Role) {
        if let Some(depth) = self.depth(role) {
            *depth += 1;
        }
    }

    /// An element of this role has ended.
    pub(super) fn leave(&mut self, role: Role) {
        if let Some(depth) = self.depth(role) {
            *depth -= 1;
        }
    }

    fn depth(&mut self, role: Role) -> Option<&mut usize> {
        match role {
            Role::Main => Some(&mut self.main),
            Role::Article => Some(&mut self.article),
            Role::Form => Some(&mut self.form),
            Role::Beside => Some(&mut self.beside),
            Role::Other => None,
        }
    }
}

/// The part of a page that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub place: Place,
    /// Whether what is in forms is read too: some pages are one large form.
    pub forms: bool,
}

/// Where the text of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the articles of its main part.
    ArticlesOfMain,
    /// In its main part.
    Main,
    /// In its articles.
    Articles,
    /// Everywhere but in its head, its foot and what stands beside.
    Body,
}

/// What an element is to a page as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    Article,
    Form,
    /// The head of the page, or something beside its text.
    Beside,
    #[default]
    Other,
}

impl Role {
    pub(super) fn of(element: &Element<'_>) -> Self {
        match element.name() {
            "main" => Self::Main,
            _ if element.says("role", "main") => Self::Main,
            "article" => Self::Article,
            "form" => Self::Form,
            "header" | "aside" => Self::Beside,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Title,
    Heading,
}

#[derive(Debug, Default)]
pub(super) struct Mark {
    role: Role,
    structure: bool,
    reading: bool,
}

impl Survey {
    /// Which part of the page is worth reading.
    pub(super) fn content(&self) -> Content {
        let Letters { all, main, article, article_in_main, body, form } = self.letters;
        let place = match () {
            () if main > 0 && article_in_main * 2 >= main => Place::ArticlesOfMain,
            () if main > 0 => Place::Main,
            () if article > 0 && article * 2 >= body => Place::Articles,
            () => Place::Body,
        };
        Content { place, forms: form * 2 > all }
    }

    /// The page's title: its own heading, else what it calls itself elsewhere.
    pub(super) fn best_title(&self) -> Option<String> {
        let words = |text: &Option<String>| {
            let text = text.as_deref()?.split_whitespace().collect::<Vec<_>>().join(" ");
            (!text.is_empty()).then_some(text)
        };
        words(&self.heading).or_else(|| words(&self.shared_title)).or_else(|| words(&self.title))
    }

    fn meta(&mut self, element: &Element<'_>) {
        let Some(content) = element.attribute("content") else { return };
        if element.says("property", "og:title") && self.shared_title.is_none() {
            self.shared_title = Some(content.to_owned());
        }
        if element.says("name", "robots") {
            self.noindex |= content.split(',').any(|word| {
                let word = word.trim();
                word.eq_ignore_ascii_case("noindex") || word.eq_ignore_ascii_case("none")
            });
        }
    }
}

impl Listener for Survey {
    type Mark = Mark;

    fn open(&mut self, element: &Element<'_>, unseen: bool) -> Mark {
        let mut mark = Mark { role: Role::of(element), ..Mark::default() };
        match element.name() {
            "meta" => self.meta(element),
            "link" if element.says("rel", "canonical") && self.canonical.is_none() => {
                self.canonical = element.attribute("href").map(|href| href.trim().to_owned());
            }
            "title" if self.title.is_none() => {
                (self.title, self.reading, mark.reading) = (Some(String::new()), Some(Reading::Title), true);
            }
            "h1" if self.heading.is_none() && !unseen => {
                (self.heading, self.reading, mark.reading) = (Some(String::new()), Some(Reading::Heading), true);
            }
            _ => {}
        }
        match element.name() {
            "table" | "dl" => {
                for &outer in &self.open_structures {
                    self.layout[outer] = true;
                }
                self.open_structures.push(self.layout.len());
                self.layout.push(element.says("role", "presentation"));
                mark.structure = true;
            }
            name if (name == "pre" || HEADINGS.contains(&name)) && !unseen => {
                for &outer in &self.open_structures {
                    self.layout[outer] = true;
                }
            }
            _ => {}
        }
        self.inside.enter(mark.role);
        mark
    }

    fn close(&mut self, mark: Mark) {
        self.inside.leave(mark.role);
        if mark.structure {
            self.open_structures.pop();
        }
        if mark.reading {
            self.reading = None;
        }
    }

    fn text(&mut self, text: &str, inside: &str, unseen: bool) {
        match self.reading {
            Some(Reading::Title) if inside == "title" => self.title.get_or_insert_default().push_str(text),
            Some(Reading::Heading) if !unseen => self.heading.get_or_insert_default().push_str(text),
            Some(_) | None => {}
        }
        if unseen {
            return;
        }
        let count = text.chars().filter(|letter| !letter.is_whitespace()).count();
        let Inside { main, article, form, beside } = self.inside;
        self.letters.all += count;
        for (letters, here) in [
            (&mut self.letters.main, main > 0),
            (&mut self.letters.article, article > 0),
            (&mut self.letters.article_in_main, main > 0 && article > 0),
            (&mut self.letters.body, beside == 0 || article > 0),
            (&mut self.letters.form, form > 0),
        ] {
            *letters += if here { count } else { 0 };
        }
    }
}
