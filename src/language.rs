//! What readers are told, in their language: a catalogue of sentences, one file for each language.
//!
//! `src/language/en.ftl` has every sentence; another language is one more file beside it, in the syntax of Fluent, and
//! what that file lacks is said in English.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

/// Of a header in which a browser lists languages, so many bytes are looked at.
const ACCEPTED_BYTES_MAX: usize = 1_024;
/// And so many languages.
const ACCEPTED_LANGUAGES_MAX: usize = 32;

#[derive(RustEmbed)]
#[folder = "src/language/"]
#[include = "*.ftl"]
struct Files;

static CATALOGUE: LazyLock<BTreeMap<LanguageIdentifier, Sentences>> = LazyLock::new(|| {
    let names = Files::iter();
    let named = names.filter_map(|name| Some((name.strip_suffix(".ftl")?.parse().ok()?, Files::get(&name)?)));
    named.map(|(tag, file): (LanguageIdentifier, _)| (tag.clone(), Sentences::read(&tag, &file.data))).collect()
});
static ENGLISH: LazyLock<LanguageIdentifier> = LazyLock::new(|| "en".parse().expect("`en` is a language tag"));

/// The language that a browser asks for before all others, as a BCP 47 tag, whether or not it is in the catalogue.
pub fn first(header: &str) -> Option<String> {
    wanted(header).first().map(ToString::to_string).filter(|tag| tag != "und")
}

/// The sentences of one language.
struct Sentences {
    /// The tag, as it is written in headers and documents.
    tag: String,
    bundle: FluentBundle<FluentResource>,
}

impl Sentences {
    fn read(tag: &LanguageIdentifier, file: &[u8]) -> Self {
        // What cannot be read is left out, and said in English; a test reads every file with no mistake.
        let text = String::from_utf8_lossy(file).into_owned();
        let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
        let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
        // Marks around what is put in would change sentences that need none; a file sets its own where it does.
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

/// Which way a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    LeftToRight,
    /// From right to left.
    RightToLeft,
}

impl Direction {
    /// The value of `dir` in HTML: `ltr` or `rtl`.
    pub fn word(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// A tag that names no language of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no sentences in this language")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, UnknownLanguage> {
        Self::of_tag(tag).ok_or(UnknownLanguage)
    }
}

impl Language {
    /// Every language of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.values().map(Self)
    }

    /// What a browser's `Accept-Language` comes to; English when there is nothing of it in the catalogue.
    pub fn accepted(header: &str) -> Self {
        Self::asked_for(header).unwrap_or_default()
    }

    /// The same, or nothing when there is nothing of it in the catalogue. Of languages with the same weight the first is
    /// liked best.
    pub fn asked_for(header: &str) -> Option<Self> {
        Self::first_of(&wanted(header))
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

    /// What its own readers call it, such as `اردو`.
    pub fn name(self) -> String {
        self.say("language-name")
    }

    /// Which way it is written.
    pub fn direction(self) -> Direction {
        match self.say("language-direction").as_str() {
            "rtl" => Direction::RightToLeft,
            _ => Direction::LeftToRight,
        }
    }

    /// A sentence by its name in the catalogue. A name that no file has is itself what is said; a test holds every name
    /// in the code to the catalogue.
    pub fn say(self, name: &'static str) -> String {
        self.say_with(name, &[])
    }

    /// The same, with values for its places. The file of the language says how they are counted.
    pub fn say_with(self, name: &'static str, values: &[(&'static str, Value<'_>)]) -> String {
        let values: FluentArgs<'_> = values.iter().map(|(place, value)| (*place, value.0.clone())).collect();
        let english = || Self::default().0.say(name, Some(&values));
        self.0.say(name, Some(&values)).or_else(english).unwrap_or_else(|| name.to_owned())
    }
}

/// What a header lists, the most wanted first.
fn wanted(header: &str) -> Vec<LanguageIdentifier> {
    let header = &header[..header.floor_char_boundary(ACCEPTED_BYTES_MAX)];
    let mut listed: Vec<(f32, LanguageIdentifier)> =
        header.split(',').take(ACCEPTED_LANGUAGES_MAX).filter_map(weighed).collect();
    listed.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    listed.into_iter().map(|(_, tag)| tag).collect()
}

/// A range of `Accept-Language` with its weight; nothing if it is no language, or one that is not wanted.
fn weighed(range: &str) -> Option<(f32, LanguageIdentifier)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next()?.parse().ok()?;
    let told = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = told.map_or(Some(1.0), |told| told.trim().parse::<f32>().ok())?;
    (weight > 0.0 && weight <= 1.0).then_some((weight, tag))
}

/// What stands in a place of a sentence.
#[derive(Clone, Debug)]
pub struct Value<'a>(FluentValue<'a>);

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self(FluentValue::String(Cow::Borrowed(text)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self(FluentValue::String(Cow::Owned(text)))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self(FluentValue::from(number))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self(FluentValue::from(number))
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self(FluentValue::from(number))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A language of the test's own, which nobody else can be spoken to in.
    fn language(tag: &str, file: &str) -> Language {
        Language(Box::leak(Box::new(Sentences::read(&tag.parse().unwrap(), file.as_bytes()))))
    }

    fn urdu() -> Language {
        Language::of_tag("ur").unwrap()
    }

    /// The sentences of a file: their names, each with its places.
    fn sentences(file: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut name = String::new();
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if let Some((begun, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                assert!(found.insert(begun.to_owned(), BTreeSet::new()).is_none(), "{begun} is there twice");
                name = begun.to_owned();
            }
            for place in line.split('$').skip(1) {
                let end = place.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
                found.get_mut(&name).unwrap().insert(place[..end].to_owned());
            }
        }
        found
    }

    fn files() -> Vec<(String, String)> {
        let text = |name: &str| String::from_utf8(Files::get(name).unwrap().data.into_owned()).unwrap();
        Files::iter().map(|name| (name.to_string(), text(&name))).collect()
    }

    #[test]
    fn a_browser_is_spoken_to_in_the_language_it_likes_best_of_those_there_are() {
        for (header, tag) in [
            ("fr, ur-PK;q=0.8, en;q=0.5", "ur"),
            ("en-GB,ur", "en"),
            ("en;q=0.5, ur;q=0.9", "ur"),
            ("ur;q=0.9, en", "en"),
            ("UR-pk", "ur"),
            ("en ; q=0.1 , ur ; q=0.2", "ur"),
            ("ur-Arab-PK", "ur"),
        ] {
            assert_eq!(Language::asked_for(header).unwrap().tag(), tag, "{header}");
        }
        for none in ["", "xx", "*", ";;;q=,", "ur;q=0", "ur;q=0.0, fr", "ur;q=2", "ur;q=nan", "ur_"] {
            assert_eq!(Language::asked_for(none), None, "{none}");
            assert_eq!(Language::accepted(none), Language::default(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(header in "\\PC{0,80}|([a-z]{1,3}(-[A-Z]{2})?(;q=[0-9.]{0,4})?,){0,200}") {
            let _ = Language::accepted(&header);
        }
    }

    #[test]
    fn every_file_can_be_read_and_says_the_same_with_the_same_places() {
        let files = files();
        let english = sentences(&files.iter().find(|(name, _)| name == "en.ftl").unwrap().1);
        assert!(files.len() >= 2 && english.len() > 50);
        for (name, file) in files {
            if let Err((_, mistakes)) = FluentResource::try_new(file.clone()) {
                panic!("{name}: {mistakes:?}");
            }
            assert_eq!(sentences(&file), english, "{name} (left) and en.ftl (right)");
        }
    }

    #[test]
    fn every_sentence_can_be_said_for_any_number() {
        let english = sentences(&files().into_iter().find(|(name, _)| name == "en.ftl").unwrap().1);
        for (name, places) in &english {
            for number in [0_u64, 1, 2, 3, 11, 21, 1_000_000] {
                let values: FluentArgs<'_> =
                    places.iter().map(|place| (place.as_str(), FluentValue::from(number))).collect();
                for language in Language::all() {
                    let said = language.0.say(name, Some(&values));
                    assert!(said.is_some_and(|said| !said.is_empty()), "{name} in {language:?} with {number}");
                }
            }
        }
    }

    #[test]
    fn a_language_is_one_file_and_what_it_lacks_is_said_in_english() {
        let file = "language-name = Deutsch\nanswer-broken-off = Die Antwort brach ab.\n\
            limit-in-seconds = in { $count } Sekunden\nmodel-busy = { $unknown }\nthis is no sentence\n";
        let german = language("de", file);
        assert_eq!((german.tag(), german.name(), german.direction().word()), ("de", "Deutsch".to_owned(), "ltr"));
        assert_eq!(german.say("answer-broken-off"), "Die Antwort brach ab.");
        assert_eq!(german.say_with("limit-in-seconds", &[("count", 1_u64.into())]), "in 1 Sekunden");
        assert_eq!(german.say("search-title"), "Searching the book");
        let busy = german.say_with("model-busy", &[("when", "soon".into())]);
        assert_eq!(busy, "The model is busy at the moment. Please try again soon.", "a place that nobody fills");
        assert_eq!(german.say("nameless"), "nameless");
    }

    #[test]
    fn numbers_are_written_without_marks_and_counted_as_the_language_does() {
        let said = |language: Language, count: u64| language.say_with("limit-in-seconds", &[("count", count.into())]);
        assert_eq!(said(Language::default(), 1), "in 1 second");
        assert_eq!(said(Language::default(), 1_234_567), "in 1234567 seconds");
        assert_eq!(said(urdu(), 45), "45 سیکنڈ بعد");
    }

    #[test]
    fn urdu_is_written_from_right_to_left_in_letters_of_its_own() {
        assert_eq!((urdu().direction().word(), urdu().name().as_str()), ("rtl", "اردو"));
        assert_eq!(Language::default().direction(), Direction::LeftToRight);
        let file = files().into_iter().find(|(name, _)| name == "ur.ftl").unwrap().1;
        for (arabic, urdu) in [('ك', 'ک'), ('ي', 'ی'), ('ى', 'ی'), ('ه', 'ہ'), ('ة', 'ۃ')] {
            assert!(!file.contains(arabic), "{arabic} should be {urdu}");
        }
        assert!(!file.contains(|c: char| matches!(c, '٠'..='٩' | '۰'..='۹')), "digits are Western ones");
        assert!(
            !file.contains(['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{200e}', '\u{200f}']),
            "marks are named"
        );
    }

    #[test]
    fn what_is_put_into_a_sentence_in_urdu_keeps_its_direction_to_itself() {
        let said = urdu().say_with("search-looking", &[("query", "What is a robot (ROS 2)?".into())]);
        assert_eq!(said, "کتاب میں تلاش جاری ہے: ”\u{2068}What is a robot (ROS 2)?\u{2069}“");
        let english = Language::default().say_with("search-looking", &[("query", "a { $query } \u{2068}".into())]);
        assert_eq!(english, "Looking in the book for “a { $query } \u{2068}”", "what is put in is no pattern");
    }
}
