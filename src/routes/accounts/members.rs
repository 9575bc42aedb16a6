//! What a body says of somebody, member by member: all that is wrong with it is told at once.

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::auth::accounts::{Background, EmailAddress, SignIn, SignUp};
use crate::auth::email;
use crate::auth::password::{self, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::routes::error::ApiError;
use crate::routes::members::wrong;
use crate::routes::spoken::{say, say_with};

/// The longest name.
const NAME_CHARS_MAX: usize = 200;
/// The longest answer to a question of the questionnaire, or word of a list.
const ANSWER_CHARS_MAX: usize = 100;
/// Words of one list.
const WORDS_MAX: usize = 50;

/// The members of a body, and what is wrong with them.
pub(super) struct Members {
    members: Map<String, Value>,
    problems: Vec<(&'static str, String)>,
}

impl Members {
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

    /// What a sign-up needs.
    pub(super) fn sign_up(mut self) -> Result<SignUp, ApiError> {
        let email = self.email();
        let password = self.password(PASSWORD_CHARS_MIN);
        let full_name = match self.words_of("full_name", NAME_CHARS_MAX) {
            Ok(None) => self.problem("full_name", say("account-name")),
            Ok(name) => name,
            Err(problem) => self.problem("full_name", problem),
        };
        let background = Background {
            experience_level: self.answer("experience_level"),
            programming_languages: self.list("programming_languages"),
            frameworks: self.list("frameworks"),
            available_hardware: self.list("available_hardware"),
            robotics_hardware: self.list("robotics_hardware"),
        };
        match (email, password, full_name) {
            (Some(email), Some(password), Some(full_name)) if self.problems.is_empty() => {
                Ok(SignUp { email, password, full_name, background })
            }
            _ => Err(wrong(&self.problems)),
        }
    }

    /// What a sign-in needs. A password that earlier rules allowed is tried.
    pub(super) fn sign_in(mut self) -> Result<SignIn, ApiError> {
        let (email, password) = (self.email(), self.password(1));
        let remember = match self.members.get("remember_me") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(remember)) => *remember,
            Some(_) => self.problem("remember_me", say("account-flag")).unwrap_or_default(),
        };
        match (email, password) {
            (Some(email), Some(password)) if self.problems.is_empty() => Ok(SignIn { email, password, remember }),
            _ => Err(wrong(&self.problems)),
        }
    }

    fn email(&mut self) -> Option<EmailAddress> {
        let email = self.members.get("email").and_then(Value::as_str).and_then(email::read);
        email.or_else(|| self.problem("email", say("account-email")))
    }

    fn password(&mut self, chars_min: usize) -> Option<SecretString> {
        let Some(password) = self.members.get("password").and_then(Value::as_str) else {
            return self.problem("password", say("account-password-text"));
        };
        if password::chars(password) < chars_min {
            let problem = match chars_min {
                1 => say("account-password-empty"),
                _ => say_with("account-password-short", &[("min", chars_min.into())]),
            };
            return self.problem("password", problem);
        }
        if password.len() > PASSWORD_BYTES_MAX {
            let problem = say_with("account-password-long", &[("max", PASSWORD_BYTES_MAX.into())]);
            return self.problem("password", problem);
        }
        Some(SecretString::from(password))
    }

    fn answer(&mut self, member: &'static str) -> Option<String> {
        self.words_of(member, ANSWER_CHARS_MAX).unwrap_or_else(|problem| self.problem(member, problem))
    }

    fn list(&mut self, member: &'static str) -> Vec<String> {
        let words = match self.members.get(member) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(words)) if words.len() <= WORDS_MAX => {
                words.iter().map(|word| line(word, ANSWER_CHARS_MAX).ok().flatten()).collect()
            }
            Some(_) => None,
        };
        let places = [("words", WORDS_MAX.into()), ("max", ANSWER_CHARS_MAX.into())];
        let problem = || say_with("account-list", &places);
        words.or_else(|| self.problem(member, problem())).unwrap_or_default()
    }

    /// A member that may be missing or empty.
    fn words_of(&self, member: &str, chars_max: usize) -> Result<Option<String>, String> {
        self.members.get(member).map_or(Ok(None), |value| line(value, chars_max))
    }

    fn problem<T>(&mut self, member: &'static str, problem: String) -> Option<T> {
        self.problems.push((member, problem));
        None
    }
}

/// One line of text, without the space around it; none if it is null or empty.
fn line(value: &Value, chars_max: usize) -> Result<Option<String>, String> {
    let problem = || say_with("account-line", &[("max", chars_max.into())]);
    match value {
        Value::Null => Ok(None),
        Value::String(text) => {
            let text = text.trim();
            if text.chars().count() > chars_max || text.chars().any(char::is_control) {
                return Err(problem());
            }
            Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
        }
        _ => Err(problem()),
    }
}
