//! What somebody wants written anew, read member by member: all that is wrong with a request is told at once.

use axum::body::Body;
use serde_json::{Map, Value};

use crate::app::App;
use crate::language::Language;
use crate::profile::is_language_tag;
use crate::routes::body;
use crate::routes::error::ApiError;
use crate::routes::members::wrong;

/// The longest text, in characters.
pub(in crate::routes) const TEXT_CHARS_MAX: usize = 100_000;
/// The shortest text that can be written for somebody, in characters without the space around it.
pub(in crate::routes) const CONTENT_CHARS_MIN: usize = 20;
/// The longest address of a page, in characters.
pub(in crate::routes) const PAGE_URL_CHARS_MAX: usize = 500;
/// The longest word on what a text is about, in characters.
pub(in crate::routes) const CONTEXT_CHARS_MAX: usize = 1_000;
/// The longest hash that is compared, in characters.
pub(in crate::routes) const HASH_CHARS_MAX: usize = 128;

/// The members of a request, and what is wrong with them.
pub(in crate::routes) struct Members {
    members: Map<String, Value>,
    problems: Vec<(&'static str, String)>,
    language: Language,
}

impl Members {
    /// Of a body, which must be a JSON object.
    pub(in crate::routes) async fn read(app: &App, body: Body, language: Language) -> Result<Self, ApiError> {
        let body = body::read(body, app.body_bytes_max, app.body_time_max).await?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(members)) => Ok(Self { members, problems: Vec::new(), language }),
            Ok(_) | Err(_) => Err(wrong(&[("body", language.say("rewrite-member-body"))])),
        }
    }

    /// Of the query of an address.
    pub(in crate::routes) fn of_query(query: Vec<(String, String)>, language: Language) -> Self {
        let members = query.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        Self { members, problems: Vec::new(), language }
    }

    /// The text that is to be written anew; it may be shorter than it has to be.
    pub(in crate::routes) fn content(&mut self, member: &'static str) -> String {
        match self.members.remove(member) {
            Some(Value::String(text)) if text.chars().count() <= TEXT_CHARS_MAX => text,
            _ => self.problem(member, "rewrite-member-content", TEXT_CHARS_MAX).unwrap_or_default(),
        }
    }

    /// A text of at least one character.
    pub(in crate::routes) fn text(&mut self, member: &'static str, chars_max: usize) -> String {
        match self.members.remove(member) {
            Some(Value::String(text)) if fits(&text, chars_max) => text,
            _ => self.problem(member, "rewrite-member-text", chars_max).unwrap_or_default(),
        }
    }

    /// The same; none where it is missing, null or empty.
    pub(in crate::routes) fn text_or_none(&mut self, member: &'static str, chars_max: usize) -> Option<String> {
        match self.members.remove(member) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::String(text)) if fits(&text, chars_max) => Some(text),
            Some(_) => self.problem(member, "rewrite-member-text", chars_max),
        }
    }

    /// The address of a page: one line.
    pub(in crate::routes) fn page_url(&mut self) -> String {
        match self.members.remove("page_url") {
            Some(Value::String(url)) if fits(&url, PAGE_URL_CHARS_MAX) && !url.chars().any(char::is_control) => url,
            _ => self.problem("page_url", "rewrite-member-page-url", PAGE_URL_CHARS_MAX).unwrap_or_default(),
        }
    }

    /// A language by its tag.
    pub(in crate::routes) fn tag(&mut self, member: &'static str, otherwise: Option<&str>) -> Option<String> {
        match self.members.remove(member) {
            None | Some(Value::Null) => otherwise.map(str::to_owned),
            Some(Value::String(tag)) if is_language_tag(tag.trim()) => Some(tag.trim().to_owned()),
            Some(_) => self.problem(member, "rewrite-member-tag", 0),
        }
    }

    /// The language that a text is to be in, which is another than the one that it is in.
    pub(in crate::routes) fn target(
        &mut self,
        member: &'static str,
        otherwise: Option<&str>,
        from: Option<&str>,
    ) -> String {
        let has_problems = self.problems.len();
        let to = self.tag(member, otherwise);
        match (to, from) {
            (Some(to), Some(from)) if to.eq_ignore_ascii_case(from) => {
                self.problem(member, "rewrite-member-same-language", 0).unwrap_or_default()
            }
            (Some(to), _) => to,
            (None, _) if self.problems.len() > has_problems => String::new(),
            (None, _) => self.problem(member, "rewrite-member-tag", 0).unwrap_or_default(),
        }
    }

    /// An object; none where it is missing or null.
    pub(in crate::routes) fn object(&mut self, member: &'static str) -> Option<Map<String, Value>> {
        match self.members.remove(member) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => self.problem(member, "rewrite-member-object", 0),
        }
    }

    /// True or false; false where it is missing or null.
    pub(in crate::routes) fn flag(&mut self, member: &'static str) -> bool {
        match self.members.remove(member) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => self.problem(member, "rewrite-member-flag", 0).unwrap_or_default(),
        }
    }

    /// Notes that a member is wrong, in the words of somebody else.
    pub(in crate::routes) fn wrong_with(&mut self, member: &'static str, problem: String) {
        self.problems.push((member, problem));
    }

    /// What is wrong with all of them together, if anything is.
    pub(in crate::routes) fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(wrong(&self.problems)) }
    }

    fn problem<T>(&mut self, member: &'static str, sentence: &'static str, chars_max: usize) -> Option<T> {
        let said = self.language.say_with(sentence, &[("limit", (chars_max as u64).into())]);
        self.problems.push((member, said));
        None
    }
}

fn fits(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.chars().count())
}
