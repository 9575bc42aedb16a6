//! A question becomes concepts: what is looked for, how much each part matters, and the words that may stand for it.

use super::index::Index;
use super::terms::{Look, Term, stem, terms};
use super::words::{alike, is_english, is_quiet, is_silent, meant, points_back};

/// Longest question that is read, in bytes.
const QUERY_BYTES_MAX: usize = 4_000;
/// Most concepts of one question; what comes after says little new.
const CONCEPTS_MAX: usize = 32;
/// Most earlier questions that are looked at, the latest ones.
pub(super) const EARLIER_MAX: usize = 2;

/// What a word that says little counts.
pub(super) const QUIET_SHARE: f32 = 0.3;
/// What a number counts; most are in many passages with other meanings.
pub(super) const NUMBER_SHARE: f32 = 0.5;
/// What an ordinary word counts that is nowhere in the book: readers have their own words for what the book explains.
const UNKNOWN_WORD: f32 = 0.35;
/// What a name counts that is nowhere in the book: whoever asks about it asks about something else.
const UNKNOWN_NAME: f32 = 1.6;
/// What an earlier question counts in a follow-up.
pub(super) const EARLIER_SHARE: f32 = 0.45;
/// Up to so many telling words a question is so short that it may lean on what was asked before.
const SHORT_QUESTION: usize = 2;

/// An unknown word with fewer letters is more often a slip of the pen than something to look for.
const TELLING_CHARS_MIN: usize = 4;
/// From so many letters on a name in code may be misspelt.
const LONG_NAME: usize = 8;
/// How far a name in code is outside the book when only its parts are in it.
const FOREIGN_WHOLE: f32 = 0.5;

/// How well a word with nearly the same meaning stands for the one that was asked for.
pub(super) const ALIKE_QUALITY: f32 = 0.6;
/// The same, when the one that was asked for is in the book as well.
pub(super) const ALIKE_BESIDE_QUALITY: f32 = 0.4;
/// How well a word stands for one that was probably misspelt.
const SLIP_QUALITY: f32 = 0.85;
/// How well a word stands for one that is derived from it.
const ROOT_QUALITY: f32 = 0.8;
/// How well two words written as one stand for the first of them.
pub(super) const JOINED_QUALITY: f32 = 0.9;
/// How well a part stands for a name in code that is not in the book itself.
pub(super) const PARTS_QUALITY: f32 = 0.6;

/// Something that is looked for.
#[derive(Debug)]
pub(super) struct Concept {
    /// How much it matters, from 0 to about 1.
    pub(super) weight: f32,
    /// How telling it is, whether the book knows it or not, from 0 to 1.
    pub(super) telling: f32,
    /// Words that stand for it, and how well, from 0 to 1.
    pub(super) words: Vec<(u32, f32)>,
    /// Comes from the question itself, not from an earlier one.
    pub(super) asked: bool,
    /// How far the book does not know it at all, from 0 to 1.
    pub(super) foreign: f32,
    /// Written like a name, in prose or in code.
    pub(super) name: bool,
}

/// Reads a question against the words the index knows.
pub(super) fn concepts(index: &Index, query: &str, earlier: &[String]) -> Vec<Concept> {
    let mut concepts = read(index, query);
    let telling = concepts.iter().filter(|concept| concept.weight > QUIET_SHARE).count();
    if leans_back(query) || telling <= SHORT_QUESTION {
        let start = earlier.len().saturating_sub(EARLIER_MAX);
        for question in earlier[start..].iter().rev() {
            for mut concept in read(index, question) {
                let known = concepts.iter().any(|c| c.words.first() == concept.words.first() && !c.words.is_empty());
                if !known && !concept.words.is_empty() {
                    concept.weight *= EARLIER_SHARE;
                    concept.asked = false;
                    concepts.push(concept);
                }
            }
        }
    }
    concepts.truncate(CONCEPTS_MAX);
    concepts
}

/// Whether a question refers to an earlier one.
fn leans_back(query: &str) -> bool {
    let query = cut(query);
    let mut words = terms(query);
    let begins = words
        .next()
        .is_some_and(|word| matches!(word.form.as_str(), "and" | "but" | "so" | "or" | "then" | "why" | "also"));
    begins || terms(query).any(|word| points_back(&word.form))
}

pub(super) fn cut(query: &str) -> &str {
    &query[..query.floor_char_boundary(QUERY_BYTES_MAX)]
}

fn read(index: &Index, query: &str) -> Vec<Concept> {
    let all: Vec<Term> = terms(cut(query)).collect();
    let mut asked: Vec<&Term> =
        all.iter().filter(|term| !is_silent(&term.form) || term.look == Look::Identifier).collect();
    if asked.is_empty() {
        // Somebody looks for a word that usually says nothing.
        asked = all.iter().filter(|term| index.word(&term.stem).is_some()).collect();
    }
    let shouting = asked.len() > 2 && asked.iter().all(|term| term.look == Look::Name);
    let mut seen: Vec<&str> = Vec::new();
    let mut concepts = Vec::new();
    for (place, term) in asked.iter().enumerate() {
        if seen.contains(&term.stem.as_str()) || concepts.len() >= CONCEPTS_MAX {
            continue;
        }
        seen.push(&term.stem);
        let next = asked.get(place + 1).map(|next| next.form.as_str());
        concepts.push(concept(index, term, next, shouting));
    }
    concepts
}

fn concept(index: &Index, term: &Term, next: Option<&str>, shouting: bool) -> Concept {
    let mut words: Vec<(u32, f32)> = index.word(&term.stem).map(|word| (word, 1.0)).into_iter().collect();
    let known = !words.is_empty();
    let mut share = match term.look {
        Look::Number => NUMBER_SHARE,
        Look::Word | Look::Name if is_quiet(&term.stem) => QUIET_SHARE,
        Look::Word | Look::Name | Look::Identifier => 1.0,
    };
    let mut weight = index.weight(words.first().map_or(1, |&(word, _)| index.spread(word)));
    if let Some(joined) = next.and_then(|next| index.word(&format!("{}{next}", term.form))) {
        words.push((joined, JOINED_QUALITY));
    }
    if share >= 1.0 {
        let neighbours = alike(&term.stem).iter().filter_map(|other| index.word(other));
        // Whoever uses the book's own word means it more often than another.
        let quality = if known { ALIKE_BESIDE_QUALITY } else { ALIKE_QUALITY };
        words.extend(neighbours.map(|word| (word, quality)));
    }
    let mut foreign = 0.0;
    if !known && term.look == Look::Word {
        if let Some(root) = roots(&term.form).iter().find_map(|root| index.word(root)) {
            words.push((root, ROOT_QUALITY));
            weight = index.weight(index.spread(root));
        }
    }
    if !known && words.iter().all(|&(_, quality)| quality < ROOT_QUALITY) {
        let has_digit = term.form.contains(|c: char| c.is_ascii_digit());
        // One letter more or less makes another short name, and another version.
        let is_code = has_digit || (term.look == Look::Identifier && term.form.len() < LONG_NAME);
        let is_name = !shouting && matches!(term.look, Look::Name | Look::Identifier);
        if !is_code && !is_english(&term.form, &term.stem) {
            let (near, apart) = index.spellings().near(&term.form);
            #[expect(clippy::cast_precision_loss, reason = "words are at most two letters apart")]
            words.extend(near.iter().map(|&word| (word, SLIP_QUALITY - 0.1 * (apart as f32 - 1.0))));
            if let Some(spread) = near.iter().map(|&word| index.spread(word)).max() {
                weight = index.weight(spread);
            }
        }
        let mut common = false;
        if words.is_empty() && !is_code && !is_name {
            // A slip for a word of everyday English.
            for english in meant(&term.form) {
                let stem = stem(english);
                common |= is_silent(english) || is_quiet(&stem);
                words.extend(
                    alike(&stem).iter().filter_map(|other| index.word(other)).map(|word| (word, ALIKE_QUALITY)),
                );
            }
        }
        let short = term.look == Look::Word && term.form.len() < TELLING_CHARS_MIN;
        if words.is_empty() && (common || short) {
            share = QUIET_SHARE;
        }
        if words.is_empty() {
            let parts = term.parts.iter().filter_map(|part| index.word(part)).chain(split(index, &term.form));
            words.extend(parts.map(|part| (part, PARTS_QUALITY)));
            foreign = if words.is_empty() { 1.0 } else { FOREIGN_WHOLE };
            weight = if is_name { UNKNOWN_NAME } else { UNKNOWN_WORD };
        } else if words.iter().all(|&(_, quality)| quality <= ALIKE_QUALITY) {
            weight = UNKNOWN_WORD;
        }
    }
    let weight = weight * share;
    // What the book never says counts little in a search, but a passage that lacks it may well lack the answer.
    let telling = if known || !words.is_empty() && weight > UNKNOWN_WORD { weight.min(1.0) } else { share };
    let name = !shouting && matches!(term.look, Look::Name | Look::Identifier);
    Concept { weight, telling, words, asked: true, foreign, name }
}

/// The stems of what a word may be derived from: a scanner scans, and what is measurable is measured.
fn roots(form: &str) -> Vec<String> {
    const ENDINGS: &[&str] = &["er", "ers", "or", "ors", "able", "ible", "ment", "ments", "ness", "ful", "less", "ist"];
    const ROOT_CHARS_MIN: usize = 4;
    let mut roots = Vec::new();
    for root in ENDINGS.iter().filter_map(|ending| form.strip_suffix(ending)).filter(|_| form.is_ascii()) {
        let doubled = root.len() > 1 && root.as_bytes()[root.len() - 1] == root.as_bytes()[root.len() - 2];
        let bare = if doubled { &root[..root.len() - 1] } else { root };
        if root.len() >= ROOT_CHARS_MIN {
            roots.extend([stem(root), stem(bare), stem(&format!("{root}e"))]);
        }
    }
    roots
}

/// The two words of the book an unknown word is made of (`quickstart`), if it is.
fn split(index: &Index, form: &str) -> Vec<u32> {
    const PIECE_CHARS_MIN: usize = 3;
    if !form.is_ascii() || form.len() < 2 * PIECE_CHARS_MIN {
        return Vec::new();
    }
    (PIECE_CHARS_MIN..=form.len() - PIECE_CHARS_MIN)
        .find_map(|at| Some(vec![index.word(&stem(&form[..at]))?, index.word(&stem(&form[at..]))?]))
        .unwrap_or_default()
}
