//! What a text says, for comparing it with another: its telling words, its numbers, its names in code.

use super::terms::{self, Look};
use super::words;

/// Numbers that are written as words, with the digits that say the same. Smaller ones are as often mere grammar.
const NUMBER_WORDS: [(&str, &str); 9] = [
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
];

/// What a term is, which says how strictly it must be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An ordinary word, or a name.
    Word,
    /// A name in code, or a quantity with its unit: `create_timer`, `5V`.
    Identifier,
    /// A number, in digits without what groups them.
    Number,
}

/// A term that says something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// What it is compared by.
    pub stem: String,
    /// What it is.
    pub kind: Kind,
}

/// The terms of a text that say something, in order, as often as they come.
pub fn telling(text: &str) -> impl Iterator<Item = Told> {
    terms::terms(text).filter(|term| !words::is_silent(&term.form) && !words::is_quiet(&term.stem)).map(|term| {
        let number = NUMBER_WORDS.iter().find(|(word, _)| *word == term.form).map(|(_, digits)| (*digits).to_owned());
        match (term.look, number) {
            (_, Some(stem)) => Told { stem, kind: Kind::Number },
            (Look::Number, None) => Told { stem: digits(&term.form), kind: Kind::Number },
            (Look::Identifier, None) => Told { stem: term.form, kind: Kind::Identifier },
            (Look::Word | Look::Name, None) => Told { stem: term.stem, kind: Kind::Word },
        }
    })
}

/// All words of a text as they are written in lower case, letters and digits only, in order.
pub fn forms(text: &str) -> impl Iterator<Item = String> {
    terms::terms(text).map(|term| term.form.chars().filter(|c| c.is_alphanumeric()).collect())
}

/// All stems of a text, of the parts of names in code as well.
pub fn stems(text: &str) -> impl Iterator<Item = String> {
    terms::terms(text).flat_map(|term| term.parts.into_iter().chain([term.stem]))
}

/// Stems that say nearly the same as this one.
pub fn alike(stem: &str) -> &'static [String] {
    words::alike(stem)
}

/// A number without what groups its digits, and without a fraction of nothing: `1,000.0` is `1000`.
fn digits(form: &str) -> String {
    let plain: String = form.chars().filter(|c| *c != ',' && *c != '\'').collect();
    match plain.split_once('.') {
        Some((whole, fraction)) if fraction.chars().all(|c| c == '0') => whole.to_owned(),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_left_out_and_the_rest_is_told_apart() {
        let told: Vec<_> = telling("The `create_timer` call takes 1,000.0 ms, about seven times.").collect();
        let is = |stem: &str, kind| Told { stem: stem.to_owned(), kind };
        assert_eq!(told[0], is("createtimer", Kind::Identifier));
        assert!(told.contains(&is("1000", Kind::Number)) && told.contains(&is("7", Kind::Number)), "{told:?}");
        assert!(told.iter().all(|term| term.stem != "the" && term.stem != "about"), "{told:?}");
    }
}
