//! Kinds of files: which are pages, how large they may be, and what reads them.

use std::collections::BTreeMap;

use super::site::Site;
use super::source::Read;
use super::{Problem, document, html, pdf, route};

/// Largest file of Markdown that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Largest page of HTML that is read, in bytes: a generated one repeats much of its site.
pub(super) const HTML_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What a file is, by its name's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `.md`, in which indented lines are code.
    Markdown,
    /// `.mdx`.
    Mdx,
    /// `.html` and its likes.
    Html,
    /// `.pdf`.
    Pdf,
}

impl Kind {
    /// The kind of the file of this name; none when it is no page.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "md" => Some(Self::Markdown),
            "mdx" => Some(Self::Mdx),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    /// A larger file of this kind is not read, in bytes.
    pub(super) fn bytes_max(self) -> u64 {
        match self {
            Self::Markdown | Self::Mdx => FILE_BYTES_MAX,
            Self::Html => HTML_BYTES_MAX,
            Self::Pdf => crate::pdf::FILE_BYTES_MAX as u64,
        }
    }
}

/// What is known of the book a page is in.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Where it is published.
    pub(super) site: Site,
    /// Labels of folders, by the folder's path.
    pub(super) labels: BTreeMap<String, String>,
}

/// Reads a page: the one place that knows what reads which kind.
pub(super) fn read(kind: Kind, path: &str, content: &[u8], around: &Around, problems: &mut Vec<Problem>) -> Read {
    match kind {
        Kind::Markdown => document::document(path, content, false, around, problems),
        Kind::Mdx => document::document(path, content, true, around, problems),
        Kind::Html => html::document(path, content, around, problems),
        Kind::Pdf => {
            let place = document::place(path, route::file_url(path, &around.site), around);
            pdf::document(&place, content, problems)
        }
    }
}
