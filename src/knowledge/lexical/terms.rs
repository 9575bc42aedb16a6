//! Words of texts and questions: cut, lowered, reduced to stems; names in code kept whole and taken apart.

use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Longest word that is looked at, in letters; the rest of a longer one is not.
const WORD_CHARS_MAX: usize = 64;
/// Shortest part of a name in code that is found on its own.
const PART_CHARS_MIN: usize = 3;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// What a word looks like, which says how much it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// An ordinary word.
    Word,
    /// Written like a name: a capital inside a sentence, or capitals only.
    Name,
    /// Written like code: `create_timer`, `LaunchDescription`, `g5.2xlarge`.
    Identifier,
    /// Digits only.
    Number,
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// As written, in lower case and without accents; of a name in code, its letters and digits.
    pub(super) form: String,
    /// What it is compared by.
    pub(super) stem: String,
    /// Stems of the parts of a name in code.
    pub(super) parts: Vec<String>,
    pub(super) look: Look,
}

/// The words of a text, in order.
pub(super) fn terms(text: &str) -> impl Iterator<Item = Term> {
    let mut sentence_begins = true;
    let mut behind = 0;
    text.unicode_word_indices().filter_map(move |(at, word)| {
        sentence_begins |= text[behind..at].contains(['.', '!', '?', ':', '\n', '"', '-']);
        behind = at + word.len();
        let term = term(word, std::mem::take(&mut sentence_begins));
        (!term.form.is_empty()).then_some(term)
    })
}

/// The words of a text as written, in order.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.unicode_words()
}

/// The stem of a word that is already in lower case.
pub(super) fn stem(form: &str) -> String {
    if form.is_ascii() && form.chars().all(|c| c.is_ascii_alphabetic()) {
        return STEMMER.stem(&spelling(form)).into_owned();
    }
    form.to_owned()
}

/// A single word.
pub(super) fn term(word: &str, sentence_begins: bool) -> Term {
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    let word = &word[..word.char_indices().nth(WORD_CHARS_MAX).map_or(word.len(), |(at, _)| at)];
    let look = look(word, sentence_begins);
    let folded = fold(word);
    let joins = |c: &char| c.is_alphanumeric() || !c.is_ascii() || look == Look::Number;
    let form: String = folded.chars().filter(joins).collect();
    if look != Look::Identifier {
        return Term { stem: stem(&form), form, parts: Vec::new(), look };
    }
    let parts = parts(word);
    let parts = if parts.len() > 1 { parts } else { Vec::new() };
    let parts = parts.iter().map(|part| fold(part)).filter(|part| part.chars().count() >= PART_CHARS_MIN);
    Term { parts: parts.map(|part| stem(&part)).collect(), stem: stem(&form), form, look }
}

fn look(word: &str, sentence_begins: bool) -> Look {
    let mut letters = word.chars();
    let first_is_upper = letters.next().is_some_and(char::is_uppercase);
    let later_upper = letters.clone().filter(|c| c.is_uppercase()).count();
    let lower = word.chars().any(char::is_lowercase);
    let digit = word.chars().any(|c| c.is_ascii_digit());
    let letter = word.chars().any(char::is_alphabetic);
    if digit && !letter {
        return Look::Number;
    }
    if digit || word.contains(['_', '.']) || (later_upper > 0 && lower) {
        return Look::Identifier;
    }
    if (first_is_upper && !sentence_begins) || later_upper > 0 { Look::Name } else { Look::Word }
}

/// The parts of a name in code: at `_`, `.`, between small and capital letters, between letters and digits.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let letters: Vec<char> = word.chars().collect();
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            parts.push(String::new());
            continue;
        }
        let before = index.checked_sub(1).map(|i| letters[i]);
        let after = letters.get(index + 1);
        let hump = letter.is_uppercase()
            && before
                .is_some_and(|b| b.is_lowercase() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase())));
        let edge = before.is_some_and(|b| b.is_ascii_digit() != letter.is_ascii_digit() && b.is_alphanumeric());
        if hump || edge {
            parts.push(String::new());
        }
        parts.last_mut().expect("there is always one part").push(letter);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Lower case, without accents and vowel marks, and with one form for letters that are written in several.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let mark = |c: &char| matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{200b}'..='\u{200f}');
    let one_form = |c| match c {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ه' | 'ة' => 'ہ',
        '’' => '\'',
        other => other,
    };
    word.to_lowercase().nfkd().filter(|c| !mark(c)).map(one_form).nfc().collect()
}

/// British spellings as American ones, so that both find the same.
fn spelling(form: &str) -> std::borrow::Cow<'_, str> {
    const ENDINGS: &[(&str, &str)] = &[
        ("isation", "ization"),
        ("isations", "izations"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("iser", "izer"),
        ("isers", "izers"),
        ("ises", "izes"),
        ("ise", "ize"),
        ("yse", "yze"),
        ("ysed", "yzed"),
        ("ysing", "yzing"),
        ("lled", "led"),
        ("lling", "ling"),
        ("our", "or"),
        ("ours", "ors"),
        ("oured", "ored"),
        ("metre", "meter"),
        ("metres", "meters"),
        ("centre", "center"),
        ("centres", "centers"),
    ];
    if form.len() >= 6 {
        for (british, american) in ENDINGS {
            if let Some(rest) = form.strip_suffix(british).filter(|rest| rest.len() >= 3 || *british == "centre") {
                return format!("{rest}{american}").into();
            }
        }
    }
    form.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> Vec<String> {
        terms(text).map(|term| term.stem).collect()
    }

    #[test]
    fn words_meet_in_their_stems() {
        assert_eq!(stems("Launching the robots' joints"), ["launch", "the", "robot", "joint"]);
        assert_eq!(stems("visualiser modelling colour"), stems("Visualizer modeling color"));
        assert_eq!(stems("Café"), ["cafe"]);
    }

    #[test]
    fn names_in_code_are_whole_and_in_parts() {
        let all: Vec<_> = terms("self.create_timer(1.0) LaunchDescription /cmd_vel ROS2").collect();
        assert_eq!(all[0].stem, stem("selfcreatetimer"));
        assert_eq!(all[0].parts, ["self", "creat", "timer"]);
        assert_eq!(all[2].parts, ["launch", "descript"]);
        assert_eq!((all[3].form.as_str(), all[3].look), ("cmdvel", Look::Identifier));
        assert_eq!(all[4].parts, ["ros"]);
    }

    #[test]
    fn other_scripts_are_cut_into_words_too() {
        assert_eq!(stems("روبوٹ کیا ہے؟").len(), 3);
        assert_eq!(stems("كيف"), stems("کیف"));
        assert_eq!(stems("机器人").len(), 3);
        assert_eq!(stems("हिन्दी में").len(), 2);
    }

    #[test]
    fn a_name_is_told_from_the_first_word_of_a_sentence() {
        let looks: Vec<_> = terms("How does PPO differ from Adam? Robots").map(|term| term.look).collect();
        assert_eq!(looks, [Look::Word, Look::Word, Look::Name, Look::Word, Look::Word, Look::Name, Look::Word]);
    }
}
