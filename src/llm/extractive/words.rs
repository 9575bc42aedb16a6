//! Words as they are compared: lower case, without endings, without the ones that say nothing.

use std::collections::HashSet;

use rust_stemmers::{Algorithm, Stemmer};

const STOP_WORDS: &str = "a about above after again against all also am an and any are as at be because been before being below \
    between both but by can could define describe did do does doing down during each explain few for from further give had has have having he her here hers him his how \
    i if in into is it its just know let like main me mean meaning means more most my no nor not now of off on once one only or other our out over own please same \
    say she should show so some such tell than that the their them then there these they this those through to too under until up us use used very was we were what \
    when where which while who whom why will with would you your \
    ہے ہیں کیا کی کے کا کو سے میں نے پر اور یہ وہ تھا تھی تھے ہو ہوتا ہوتی ہوتے کر کرتا کرتی کرتے کرنا جو کہ بھی تو ایک اس ان کیسے کیوں کون کہاں کب بتائیں مجھے";

/// The stems of the informative words of a text, each once, in order.
pub(super) fn informative(text: &str) -> Vec<String> {
    let stop: HashSet<&str> = STOP_WORDS.split_whitespace().collect();
    let mut seen = HashSet::new();
    let words = each(text).filter(|word| !stop.contains(word.as_str())).map(|word| stem(&word));
    words.filter(|word| seen.insert(word.clone())).collect()
}

/// All stems of a text.
pub(super) fn stems(text: &str) -> HashSet<String> {
    each(text).map(|word| stem(&word)).collect()
}

/// The words of a text in lower case; `C++` and `ROS 2` keep what tells them apart.
pub(super) fn each(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#' | '_' | '\u{64b}'..='\u{652}')))
        .map(|word| word.trim_start_matches(['+', '#']).to_lowercase())
        .filter(|word| !word.is_empty())
}

fn stem(word: &str) -> String {
    if word.is_ascii() && word.len() > 3 {
        return Stemmer::create(Algorithm::English).stem(word).into_owned();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_tell_something_are_left() {
        assert_eq!(informative("What is a humanoid robot? Explain C++ robots!"), ["humanoid", "robot", "c++"]);
        assert_eq!(informative("روبوٹ کیا ہے؟"), ["روبوٹ"]);
        assert!(informative("what is it").is_empty());
    }
}
