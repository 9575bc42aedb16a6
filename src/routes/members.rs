//! What a JSON body says, member by member: all that is wrong with it is told at once.

use std::ops::RangeInclusive;

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::body;
use super::error::ApiError;
use super::spoken::{say, say_with};
use crate::app::App;

/// The members of a body, and what is wrong with them. A member that is wrong reads as an empty one until
/// [`Members::finish`], which refuses.
pub(super) struct Members {
    members: Map<String, Value>,
    problems: Vec<(&'static str, String)>,
}

impl Members {
    /// Of a body, which is read up to so many bytes.
    pub(super) async fn read(app: &App, body: Body, bytes_max: usize) -> Result<Self, ApiError> {
        Self::of(&body::read(body, bytes_max, app.body_time_max).await?)
    }

    /// Of the query of an address: each is a text.
    pub(super) fn of_query(query: Vec<(String, String)>) -> Self {
        let members = query.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        Self { members, problems: Vec::new() }
    }

    /// Of a JSON object.
    pub(super) fn of(body: &[u8]) -> Result<Self, ApiError> {
        let problem = match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => return Ok(Self { members, problems: Vec::new() }),
            Ok(_) => say("door-member-object"),
            // The sentence of the parser tells the place, and nothing of what stands there.
            Err(error) => {
                let places = [("line", error.line().into()), ("column", error.column().into())];
                say_with("door-member-object-at", &places)
            }
        };
        Err(wrong(&[("body", problem)]))
    }

    /// A text that must be there, of so many characters beside the space around it.
    pub(super) fn text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> String {
        let problem = match (*chars.start(), *chars.end()) {
            (1, usize::MAX) => say("door-member-text"),
            (0, most) if most < usize::MAX => say_with("door-member-text-up-to", &[("max", most.into())]),
            (least, usize::MAX) => say_with("door-member-text-from", &[("min", least.into())]),
            (least, most) => say_with("door-member-text-between", &[("min", least.into()), ("max", most.into())]),
        };
        let fits = |text: &str| chars.contains(&text.trim().chars().count());
        match self.members.get_mut(name).map(Value::take) {
            Some(Value::String(text)) if fits(&text) => text,
            _ => self.problem(name, problem).unwrap_or_default(),
        }
    }

    /// A text that may be missing, null or blank.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.members.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text).filter(|text| !text.trim().is_empty()),
            Some(_) => self.problem(name, say("door-member-text-or-null")),
        }
    }

    /// The same, of so many characters at most.
    pub(super) fn optional_text_of(&mut self, name: &'static str, chars_max: usize) -> Option<String> {
        let text = self.optional_text(name)?;
        if text.chars().count() > chars_max {
            return self.problem(name, say_with("door-member-text-up-to", &[("max", chars_max.into())]));
        }
        Some(text)
    }

    /// True or false; false where it is missing or null.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => self.problem(name, say("door-member-flag")).unwrap_or_default(),
        }
    }

    /// An object; none where it is missing or null.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.members.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => self.problem(name, say("door-member-object")),
        }
    }

    /// A member as it came; none where it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// How many rows are wanted; none where it is left to the server.
    pub(super) fn rows(&mut self, name: &'static str) -> Option<u32> {
        let number = match self.members.get(name) {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        match number {
            Some(number) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
            None => self.problem(name, say("door-member-number")),
        }
    }

    /// One of some words, or none where it is missing or null.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let given = match self.members.get(name) {
            None | Some(Value::Null) => return None,
            Some(given) => given.as_str(),
        };
        let known = words.iter().find(|(word, _)| Some(*word) == given);
        known.map(|(_, meaning)| *meaning).or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let words = words.join(&say("door-or"));
            self.problem(name, say_with("door-member-word", &[("words", words.into())]))
        })
    }

    /// The same, which must be there.
    pub(super) fn required_word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> T {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.members.insert(name.to_owned(), Value::Bool(false));
        }
        self.word(name, words).unwrap_or(words[0].1)
    }

    /// A list of texts that must be there.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = self.members.get(name).and_then(Value::as_array).and_then(|list| list.iter().map(text).collect());
        texts.or_else(|| self.problem(name, say("door-member-texts"))).unwrap_or_default()
    }

    /// A list of numbers that may be missing or null.
    pub(super) fn optional_numbers(&mut self, name: &'static str) -> Option<Vec<u32>> {
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(given) => {
                let numbers = given.as_array().and_then(|list| list.iter().map(number).collect());
                numbers.or_else(|| self.problem(name, say("door-member-numbers")))
            }
        }
    }

    /// The same, unless something is wrong already.
    pub(super) fn checked(self) -> Result<Self, ApiError> {
        match self.problems.is_empty() {
            true => Ok(self),
            false => Err(wrong(&self.problems)),
        }
    }

    /// What was made of the members, unless something is wrong with one of them.
    pub(super) fn finish<T>(self, made: T) -> Result<T, ApiError> {
        match self.problems.is_empty() {
            true => Ok(made),
            false => Err(wrong(&self.problems)),
        }
    }

    /// The same, where what is made may be missing because something is wrong.
    pub(super) fn finish_whole<T>(self, made: Option<T>) -> Result<T, ApiError> {
        made.filter(|_| self.problems.is_empty()).ok_or_else(|| wrong(&self.problems))
    }

    /// Something is wrong with a member.
    pub(super) fn problem<T>(&mut self, name: &'static str, problem: impl Into<String>) -> Option<T> {
        self.problems.push((name, problem.into()));
        None
    }
}

/// The answer to a request with these problems, of which there is at least one.
pub(super) fn wrong(problems: &[(&str, String)]) -> ApiError {
    let sentence = |(member, problem): &(&str, String)| {
        say_with("door-member", &[("member", (*member).into()), ("problem", problem.into())])
    };
    let sentences: Vec<String> = problems.iter().map(sentence).collect();
    let named: Vec<Value> =
        problems.iter().map(|(member, problem)| json!({"member": member, "problem": problem})).collect();
    let (member, problem) = &problems[0];
    let message = sentences.join(&say("door-between-members"));
    ApiError::spoken(StatusCode::BAD_REQUEST, "invalid_request", message)
        .with_details(json!({"member": member, "problem": problem, "problems": named}))
}
