//! What needs no book: greetings, thanks, farewells, and messages of nothing.

use super::words;

const GREETING: &str = "Hello! Ask me anything about the book, and I will answer with what it says.";
const THANKS: &str = "You are welcome! Ask whenever something else in the book is unclear.";
const FAREWELL: &str = "Goodbye! The book and I will be here.";
const NOTHING_ASKED: &str = "What would you like to know? Ask me anything about the book.";
const URDU_GREETING: &str = "السلام علیکم! کتاب کے بارے میں جو چاہیں پوچھیں۔";

/// A longer message is about something.
const WORDS_MAX: usize = 5;

const GREETINGS: &str = "hi hello hey hiya howdy greetings morning afternoon evening hallo hola salam";
const URDU_GREETINGS: &str = "سلام السلام اسلام ہیلو آداب";
const THANKING: &str = "thanks thank thx ty cheers great cool nice perfect awesome شکریہ";
const FAREWELLS: &str = "bye goodbye cya خدا حافظ";
const FILLERS: &str = "there good you so much very a lot ok okay yes no the tutor assistant bot all everyone how are see then again \
    alaikum alaykum assalamu and for your help that was is it وعلیکم علیکم آپ کا بہت";

/// The reply to a message that asks nothing; `None` when it may be a question.
pub(super) fn reply(message: &str) -> Option<&'static str> {
    let words: Vec<String> = words::each(message).take(WORDS_MAX + 1).collect();
    if words.is_empty() {
        return Some(NOTHING_ASKED);
    }
    if words.len() > WORDS_MAX {
        return None;
    }
    let among = |list: &str, word: &String| list.split_whitespace().any(|known| known == word);
    let kinds = [
        (URDU_GREETINGS, URDU_GREETING),
        (GREETINGS, GREETING),
        (THANKING, THANKS),
        (FAREWELLS, FAREWELL),
        (FILLERS, NOTHING_ASKED),
    ];
    if !words.iter().all(|word| kinds.iter().any(|(list, _)| among(list, word))) {
        return None;
    }
    let said = |(list, _): &&(&str, &str)| words.iter().any(|word| among(list, word));
    let (_, reply) = kinds.iter().find(said)?;
    // "How are you?" is small talk, "how so?" goes on with the book.
    let only_fillers = *reply == NOTHING_ASKED;
    let asks = message.contains(['?', '؟']) && !words.iter().any(|word| word == "you");
    (!(only_fillers && asks)).then_some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courtesies_are_answered_in_kind() {
        for (said, expected) in [
            ("hi", GREETING),
            ("Hello there!", GREETING),
            ("good morning", GREETING),
            ("Thanks a lot 🙏", THANKS),
            ("ok great, thank you", THANKS),
            ("bye!", FAREWELL),
            ("سلام", URDU_GREETING),
            ("", NOTHING_ASKED),
            (" ?! 🤖", NOTHING_ASKED),
            ("ok", NOTHING_ASKED),
        ] {
            assert_eq!(reply(said), Some(expected), "{said}");
        }
    }

    #[test]
    fn questions_are_not_small_talk() {
        for asked in ["hi, what is a robot", "ROS 2", "servo", "how so?", "thanks, and in Python?", "روبوٹ کیا ہے"]
        {
            assert_eq!(reply(asked), None, "{asked}");
        }
    }
}
