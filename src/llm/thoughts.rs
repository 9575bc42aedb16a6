//! Pure: takes the thoughts off the front of an answer whose server leaves them in the text.
//!
//! Small servers run reasoning models as they are: the answer then begins with `<think>…</think>`. Only a block at the
//! very front counts, so an answer may still speak of the tag.

use std::borrow::Cow;

const OPENING: &str = "<think>";
const CLOSING: &str = "</think>";

/// Where in an answer its text has come to.
#[derive(Debug, Default)]
pub(super) enum Thoughts {
    /// Nothing but what may become the opening tag, which is held back.
    #[default]
    Beginning,
    HeldBack(String),
    /// Inside the block; so much of the end of it may be the front of the closing tag.
    Thinking(String),
    /// Behind the block, before the first word.
    Thought,
    /// In the answer.
    Answering,
}

impl Thoughts {
    /// What is left of the next piece of text once thoughts are taken out.
    pub(super) fn without<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        match self {
            Self::Answering => text,
            Self::Beginning => self.begin(text),
            Self::HeldBack(held) => {
                let whole = std::mem::take(held) + &text;
                self.begin(whole.into())
            }
            Self::Thinking(end) => {
                let whole = std::mem::take(end) + &text;
                self.think(&whole).into()
            }
            Self::Thought => self.go_on(&text).into(),
        }
    }

    /// What was held back and is no tag after all, now that the answer is over.
    pub(super) fn end(&mut self) -> String {
        match std::mem::replace(self, Self::Answering) {
            Self::HeldBack(held) => held,
            Self::Beginning | Self::Thinking(_) | Self::Thought | Self::Answering => String::new(),
        }
    }

    fn begin<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        let words = text.trim_start();
        if let Some(thought) = words.strip_prefix(OPENING) {
            return self.think(thought).into();
        }
        if OPENING.starts_with(words) {
            *self = Self::HeldBack(text.into_owned());
            return Cow::Borrowed("");
        }
        *self = Self::Answering;
        text
    }

    fn think(&mut self, text: &str) -> String {
        if let Some((_, answer)) = text.split_once(CLOSING) {
            return self.go_on(answer);
        }
        let kept = (1..CLOSING.len()).rev().find(|length| text.ends_with(&CLOSING[..*length])).unwrap_or_default();
        *self = Self::Thinking(CLOSING[..kept].to_owned());
        String::new()
    }

    fn go_on(&mut self, text: &str) -> String {
        let words = text.trim_start();
        *self = if words.is_empty() { Self::Thought } else { Self::Answering };
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[&str]) -> String {
        let mut thoughts = Thoughts::default();
        let mut said: String = pieces.iter().map(|piece| thoughts.without(Cow::Borrowed(*piece))).collect();
        said.push_str(&thoughts.end());
        said
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(said(&[text]), expected, "whole");
        let single: Vec<String> = text.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(said(&single), expected, "letter by letter");
    }

    #[test]
    fn thoughts_at_the_front_are_taken_off_and_everything_else_stays() {
        check("<think>Hm </thin, <b>ok</b>.</think>\n\nRobots 🤖.", "Robots 🤖.");
        check("\n<think></think>Robots", "Robots");
        check("<think>A robot is", "");
        check("<thing> is no tag", "<thing> is no tag");
        check("  Robots <think>stay</think>", "  Robots <think>stay</think>");
        check("<thin", "<thin");
        check(" ", " ");
        check("<think>a</think>b<think>c</think>", "b<think>c</think>");
        check("<think>a<</think>b", "b");
    }

    #[test]
    fn text_of_an_answer_is_handed_on_as_it_is() {
        let mut thoughts = Thoughts::default();
        assert!(matches!(thoughts.without(Cow::Borrowed("Ro")), Cow::Borrowed("Ro")));
        assert!(matches!(thoughts.without(Cow::Borrowed("bots")), Cow::Borrowed("bots")));
    }
}
