//! The anchors of headings as the generators of sites make them; Docusaurus' and GitHub's own are in `slug.rs`.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

use super::site::Generator;
use super::slug::Slugger;
use super::told::Told;

/// Where the anchors of a page's headings come from.
#[derive(Debug)]
pub(super) enum Anchors {
    /// As Docusaurus does.
    Docusaurus(Slugger),
    /// As GitHub does.
    Github(Slugger),
    /// As MkDocs does.
    Mkdocs(Mkdocs),
    /// As mdBook does.
    Mdbook(Mdbook),
    /// The headings bring them along; one that brings none has none.
    Given,
}

/// The anchors of one page of MkDocs.
#[derive(Debug, Default)]
pub(super) struct Mkdocs {
    unicode: bool,
    used: HashSet<String>,
    /// The last one made of a slug, since the search for a free one need not begin anew.
    last: HashMap<String, String>,
}

/// The anchors of one page of mdBook.
#[derive(Debug, Default)]
pub(super) struct Mdbook {
    used: HashSet<String>,
    /// How far the search for a free one came, by slug.
    counts: HashMap<String, usize>,
}

impl Default for Anchors {
    fn default() -> Self {
        Self::of(Generator::default())
    }
}

impl Anchors {
    pub(super) fn of(generator: Generator) -> Self {
        match generator {
            Generator::Docusaurus => Self::Docusaurus(Slugger::default()),
            Generator::Generic => Self::Github(Slugger::default()),
            Generator::Mkdocs { unicode, .. } => Self::Mkdocs(Mkdocs { unicode, ..Mkdocs::default() }),
            Generator::Mdbook => Self::Mdbook(Mdbook::default()),
        }
    }

    /// The anchor of the next heading, without `#`; may be empty.
    pub(super) fn anchor(&mut self, heading: &Told) -> String {
        match self {
            Self::Docusaurus(slugger) => slugger.anchor(&heading.without_directives()),
            Self::Github(slugger) => slugger.anchor(heading.anchored().trim()),
            Self::Mkdocs(mkdocs) => mkdocs.anchor(heading.anchored()),
            Self::Mdbook(mdbook) => mdbook.anchor(heading.anchored()),
            Self::Given => String::new(),
        }
    }
}

impl Mkdocs {
    fn anchor(&mut self, heading: &str) -> String {
        let slug = if self.unicode { mkdocs_unicode(heading) } else { mkdocs_ascii(heading) };
        let mut anchor = self.last.get(&slug).cloned().unwrap_or_else(|| slug.clone());
        while anchor.is_empty() || self.used.contains(&anchor) {
            let counted = anchor.rsplit_once('_').and_then(|(name, count)| Some((name, count.parse::<u64>().ok()?)));
            anchor = match counted {
                Some((name, count)) => format!("{name}_{}", count.saturating_add(1)),
                None => format!("{anchor}_1"),
            };
        }
        self.used.insert(anchor.clone());
        self.last.insert(slug, anchor.clone());
        anchor
    }
}

impl Mdbook {
    fn anchor(&mut self, heading: &str) -> String {
        let slug = mdbook(heading);
        let slug = if slug.is_empty() { "section".to_owned() } else { slug };
        let mut anchor = slug.clone();
        while !self.used.insert(anchor.clone()) {
            let count = self.counts.entry(slug.clone()).or_default();
            *count += 1;
            anchor = format!("{slug}-{count}");
        }
        anchor
    }
}

/// Letters lose their marks, and what is not ASCII then goes; white space and hyphens in a row are one hyphen.
fn mkdocs_ascii(heading: &str) -> String {
    let plain: String =
        heading.nfkd().filter(|letter| letter.is_ascii_alphanumeric() || " \t\n_-".contains(*letter)).collect();
    let mut slug = String::with_capacity(plain.len());
    for letter in plain.trim().chars() {
        match letter {
            ' ' | '\t' | '\n' | '-' if slug.ends_with('-') => {}
            ' ' | '\t' | '\n' | '-' => slug.push('-'),
            letter => slug.push(letter.to_ascii_lowercase()),
        }
    }
    slug
}

/// All letters stay, and each space is a hyphen.
fn mkdocs_unicode(heading: &str) -> String {
    let heading: String = heading.nfc().collect::<String>().trim().to_lowercase();
    let stays = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ');
    heading.chars().filter(stays).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// All letters stay, in small, and each space is a hyphen.
fn mdbook(heading: &str) -> String {
    let keep = |letter: char| match letter {
        _ if letter.is_alphanumeric() || matches!(letter, '_' | '-') => Some(letter),
        _ if letter.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.trim().to_lowercase().chars().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(heading: &str) -> Told {
        let mut told = Told::default();
        told.push(heading, false);
        told
    }

    #[track_caller]
    fn check(generator: Generator, headings: &[&str], expected: &[&str]) {
        let mut anchors = Anchors::of(generator);
        let found: Vec<_> = headings.iter().map(|heading| anchors.anchor(&told(heading))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn mkdocs_counts_with_underscores_and_drops_what_is_not_ascii() {
        check(
            Generator::MKDOCS,
            &[
                "Élan & Co. - now",
                "Code",
                "Code",
                "Code_1",
                "Code",
                "机器人",
                "机器人",
                "a -- b",
                "create_timer()",
                "x_9",
                "x_9",
            ],
            &["elan-co-now", "code", "code_1", "code_2", "code_3", "_1", "_2", "a-b", "create_timer", "x_9", "x_10"],
        );
        check(
            Generator::Mkdocs { directories: true, unicode: true },
            &["Élan & Co. - now", "机器人 学"],
            &["élan--co---now", "机器人-学"],
        );
    }

    #[test]
    fn mdbook_counts_with_hyphens() {
        check(
            Generator::Mdbook,
            &["Method-call 🐙 expressions", "Über uns", "`--passes`: add", "Code", "Code", "Code 1", "中文", "::"],
            &["method-call--expressions", "über-uns", "--passes-add", "code", "code-1", "code-1-1", "中文", "section"],
        );
    }
}
