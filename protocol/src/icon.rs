//! Names of icons that the widget can draw.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// The icons that have a name of their own.
pub(crate) const NAMES: &str = "agent analytics atom batch bolt book-clock book-closed book-open bug calendar chart check check-circle \
    check-circle-filled chevron-left chevron-right circle-question clock compass confetti cube desktop document dot \
    dots-horizontal dots-vertical empty-circle external-link globe images info keys lab lifesaver lightbulb mail map-pin \
    maps mobile name notebook notebook-pencil page-blank phone play plus profile profile-card reload search \
    settings-slider sparkle sparkle-double square-code square-image square-text star star-filled suitcase user wreath \
    write write-alt write-alt2";

/// An icon, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon(Cow<'static, str>);

/// The widget has no icon of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no icon; take one of the widget's, or a name that begins with `lucide:` or `vendor:`")]
pub struct UnknownIcon(pub String);

impl Icon {
    /// A magnifying glass.
    pub const SEARCH: Self = Self(Cow::Borrowed("search"));
    /// An open book.
    pub const BOOK: Self = Self(Cow::Borrowed("book-open"));

    /// The icon of this name.
    ///
    /// # Errors
    /// The name is neither one of the widget's nor of the form `lucide:…` or `vendor:…`.
    pub fn new(name: impl Into<String>) -> Result<Self, UnknownIcon> {
        let name = name.into();
        let foreign = name.starts_with("lucide:") || name.starts_with("vendor:");
        if foreign || NAMES.split_whitespace().any(|known| known == name) {
            Ok(Self(Cow::Owned(name)))
        } else {
            Err(UnknownIcon(name.chars().take(80).collect()))
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Icon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Icon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
