//! What needs no book: greetings, thanks, farewells, and messages of nothing.

use super::words;
use crate::language::Language;

/// A longer message is about something.
const WORDS_MAX: usize = 5;

const GREETINGS: &str = "hi hello hey hiya howdy greetings morning afternoon evening hallo hola salam";
const URDU_GREETINGS: &str = "سلام السلام اسلام ہیلو آداب";
const THANKING: &str = "thanks thank thx ty cheers great cool nice perfect awesome شکریہ";
const FAREWELLS: &str = "bye goodbye cya خدا حافظ";
const FILLERS: &str = "there good you so much very a lot ok okay yes no the tutor assistant bot all everyone how are see then again \
    alaikum alaykum assalamu and for your help that was is it وعلیکم علیکم آپ کا بہت";

/// What a message is that asks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Courtesy {
    /// A greeting in Urdu, which is returned in Urdu.
    UrduGreeting,
    Greeting,
    Thanks,
    Farewell,
    /// Nothing that could be answered.
    Nothing,
}

impl Courtesy {
    /// What is replied to it.
    pub(super) fn reply(self, language: Language) -> String {
        let language = match self {
            Self::UrduGreeting => Language::of_tag("ur").unwrap_or(language),
            Self::Greeting | Self::Thanks | Self::Farewell | Self::Nothing => language,
        };
        language.say(match self {
            Self::UrduGreeting | Self::Greeting => "offline-greeting",
            Self::Thanks => "offline-thanks",
            Self::Farewell => "offline-farewell",
            Self::Nothing => "offline-nothing-asked",
        })
    }
}

/// What a message is, if it asks nothing; `None` when it may be a question.
pub(super) fn heard(message: &str) -> Option<Courtesy> {
    let words: Vec<String> = words::each(message).take(WORDS_MAX + 1).collect();
    if words.is_empty() {
        return Some(Courtesy::Nothing);
    }
    if words.len() > WORDS_MAX {
        return None;
    }
    let among = |list: &str, word: &String| list.split_whitespace().any(|known| known == word);
    let kinds = [
        (URDU_GREETINGS, Courtesy::UrduGreeting),
        (GREETINGS, Courtesy::Greeting),
        (THANKING, Courtesy::Thanks),
        (FAREWELLS, Courtesy::Farewell),
        (FILLERS, Courtesy::Nothing),
    ];
    if !words.iter().all(|word| kinds.iter().any(|(list, _)| among(list, word))) {
        return None;
    }
    let said = |(list, _): &&(&str, Courtesy)| words.iter().any(|word| among(list, word));
    let (_, courtesy) = kinds.iter().find(said)?;
    // "How are you?" is small talk, "how so?" goes on with the book.
    let only_fillers = *courtesy == Courtesy::Nothing;
    let asks = message.contains(['?', '؟']) && !words.iter().any(|word| word == "you");
    (!(only_fillers && asks)).then_some(*courtesy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courtesies_are_answered_in_kind() {
        for (said, expected) in [
            ("hi", Courtesy::Greeting),
            ("Hello there!", Courtesy::Greeting),
            ("good morning", Courtesy::Greeting),
            ("Thanks a lot 🙏", Courtesy::Thanks),
            ("ok great, thank you", Courtesy::Thanks),
            ("bye!", Courtesy::Farewell),
            ("سلام", Courtesy::UrduGreeting),
            ("", Courtesy::Nothing),
            (" ?! 🤖", Courtesy::Nothing),
            ("ok", Courtesy::Nothing),
        ] {
            assert_eq!(heard(said), Some(expected), "{said}");
        }
    }

    #[test]
    fn a_greeting_in_urdu_is_returned_in_urdu_and_others_in_the_readers_language() {
        let (english, urdu) = (Language::default(), Language::of_tag("ur").unwrap());
        assert_eq!(Courtesy::UrduGreeting.reply(english), "السلام علیکم! کتاب کے بارے میں جو چاہیں پوچھیں۔");
        assert_eq!(Courtesy::Greeting.reply(urdu), Courtesy::UrduGreeting.reply(english));
        assert_eq!(Courtesy::Farewell.reply(english), "Goodbye! The book and I will be here.");
    }

    #[test]
    fn questions_are_not_small_talk() {
        for asked in ["hi, what is a robot", "ROS 2", "servo", "how so?", "thanks, and in Python?", "روبوٹ کیا ہے"]
        {
            assert_eq!(heard(asked), None, "{asked}");
        }
    }
}
