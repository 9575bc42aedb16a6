//! What readers are told, in their language: a catalogue of sentences, one file for each language.
//!
//! `src/language/en.ftl` has every sentence; another language is one more file beside it, in the syntax of Fluent, and
//! what that file lacks is said in English.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{NegotiationStrategy, accepted_languages, negotiate_languages};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

/// Of a header in which a browser lists languages, so many bytes are looked at.
const ACCEPTED_BYTES_MAX: usize = 1_024;

#[derive(RustEmbed)]
#[folder = "src/language/"]
#[include = "*.ftl"]
struct Files;

static CATALOGUE: LazyLock<BTreeMap<LanguageIdentifier, Sentences>> = LazyLock::new(|| {
    let names = Files::iter();
    let named = names.filter_map(|name| Some((name.strip_suffix(".ftl")?.parse().ok()?, Files::get(&name)?)));
    named.map(|(tag, file): (LanguageIdentifier, _)| (tag.clone(), Sentences::read(tag, &file.data))).collect()
});
static ENGLISH: LazyLock<LanguageIdentifier> = LazyLock::new(|| "en".parse().expect("`en` is a language tag"));

/// The language that a browser asks for before all others, as a BCP 47 tag, whether or not it is in the catalogue.
pub fn first(header: &str) -> Option<String> {
    let header = &header[..header.floor_char_boundary(ACCEPTED_BYTES_MAX)];
    Some(accepted_languages::parse(header).first()?.to_string()).filter(|tag| tag != "und")
}

/// The sentences of one language.
struct Sentences {
    /// The tag, as it is written in headers and documents.
    tag: String,
    bundle: FluentBundle<FluentResource>,
}

impl Sentences {
    fn read(tag: LanguageIdentifier, file: &[u8]) -> Self {
        // What cannot be read is left out, and said in English; a test reads every file with no mistake.
        let text = String::from_utf8_lossy(file).into_owned();
        let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
        let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
        // Marks around what is put in would travel into logs, JSON and terminals, which do not expect them.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { tag: tag.to_string(), bundle }
    }

    fn say(&self, name: &str, values: Option<&FluentArgs<'_>>) -> Option<String> {
        let pattern = self.bundle.get_message(name)?.value()?;
        let mut mistakes = Vec::new();
        let said = self.bundle.format_pattern(pattern, values, &mut mistakes).into_owned();
        mistakes.is_empty().then_some(said)
    }
}

/// A language that readers are spoken to in: one of the catalogue.
#[derive(Clone, Copy)]
pub struct Language(&'static Sentences);

impl Default for Language {
    /// English.
    fn default() -> Self {
        Self(&CATALOGUE[&*ENGLISH])
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Language").field(&self.tag()).finish()
    }
}

impl Language {
    /// Every language of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.values().map(Self)
    }

    /// What a browser's `Accept-Language` comes to; English when there is nothing of it in the catalogue.
    pub fn accepted(header: &str) -> Self {
        let header = &header[..header.floor_char_boundary(ACCEPTED_BYTES_MAX)];
        Self::first_of(&accepted_languages::parse(header)).unwrap_or_default()
    }

    /// The language of a BCP 47 tag, if it is in the catalogue: `ur-PK` is Urdu.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::first_of(&[tag.parse().ok()?])
    }

    fn first_of(asked: &[LanguageIdentifier]) -> Option<Self> {
        let available: Vec<&LanguageIdentifier> = CATALOGUE.keys().collect();
        let found = negotiate_languages(asked, &available, None, NegotiationStrategy::Lookup);
        found.first().map(|tag| Self(&CATALOGUE[**tag]))
    }

    /// Its BCP 47 tag, such as `ur`.
    pub fn tag(self) -> &'static str {
        &self.0.tag
    }

    /// A sentence by its name in the catalogue. A name that no file has is itself what is said; a test holds every name
    /// in the code to the catalogue.
    pub fn say(self, name: &'static str) -> String {
        self.say_with(name, &[])
    }

    /// The same, with values for its places: numbers are written, and counted, as the language does.
    pub fn say_with(self, name: &'static str, values: &[(&'static str, Value<'_>)]) -> String {
        let values: FluentArgs<'_> = values.iter().map(|(place, value)| (*place, value.0.clone())).collect();
        let english = || Self::default().0.say(name, Some(&values));
        self.0.say(name, Some(&values)).or_else(english).unwrap_or_else(|| name.to_owned())
    }
}

/// What stands in a place of a sentence.
#[derive(Clone, Debug)]
pub struct Value<'a>(FluentValue<'a>);

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self(FluentValue::String(Cow::Borrowed(text)))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self(FluentValue::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_spoken_to_in_the_first_of_its_languages_that_there_is() {
        assert_eq!(Language::accepted("fr, ur-PK;q=0.8, en;q=0.5").tag(), "ur");
        assert_eq!(Language::accepted("en-GB,ur").tag(), "en");
        for none in ["", "xx", "*", ";;;q=,", "ur;q=0"] {
            assert_eq!(Language::accepted(none), Language::default(), "{none}");
        }
    }
}
