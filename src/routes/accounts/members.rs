//! What a body says of somebody.

use secrecy::SecretString;
use serde_json::Value;

use crate::auth::accounts::{Background, EmailAddress, SignIn, SignUp};
use crate::auth::email;
use crate::auth::password::{self, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::routes::error::ApiError;
use crate::routes::members::Members;
use crate::routes::spoken::{say, say_with};

/// The longest name.
const NAME_CHARS_MAX: usize = 200;
/// The longest answer to a question of the questionnaire, or word of a list.
const ANSWER_CHARS_MAX: usize = 100;
/// Words of one list.
const WORDS_MAX: usize = 50;

/// What a sign-up needs.
pub(super) fn sign_up(mut members: Members) -> Result<SignUp, ApiError> {
    let email = email(&mut members);
    let password = password(&mut members, PASSWORD_CHARS_MIN);
    let full_name = match words_of(&members, "full_name", NAME_CHARS_MAX) {
        Ok(None) => members.problem("full_name", say("account-name")),
        Ok(name) => name,
        Err(problem) => members.problem("full_name", problem),
    };
    let background = Background {
        experience_level: answer(&mut members, "experience_level"),
        programming_languages: list(&mut members, "programming_languages"),
        frameworks: list(&mut members, "frameworks"),
        available_hardware: list(&mut members, "available_hardware"),
        robotics_hardware: list(&mut members, "robotics_hardware"),
    };
    let ((email, password), full_name) = members.finish_whole(email.zip(password).zip(full_name))?;
    Ok(SignUp { email, password, full_name, background })
}

/// What a sign-in needs. A password that earlier rules allowed is tried.
pub(super) fn sign_in(mut members: Members) -> Result<SignIn, ApiError> {
    let (email, password) = (email(&mut members), password(&mut members, 1));
    let remember = members.flag("remember_me");
    let (email, password) = members.finish_whole(email.zip(password))?;
    Ok(SignIn { email, password, remember })
}

fn email(members: &mut Members) -> Option<EmailAddress> {
    let email = members.get("email").and_then(Value::as_str).and_then(email::read);
    email.or_else(|| members.problem("email", say("account-email")))
}

fn password(members: &mut Members, chars_min: usize) -> Option<SecretString> {
    let Some(password) = members.get("password").and_then(Value::as_str) else {
        return members.problem("password", say("account-password-text"));
    };
    if password::chars(password) < chars_min {
        let problem = match chars_min {
            1 => say("account-password-empty"),
            _ => say_with("account-password-short", &[("min", chars_min.into())]),
        };
        return members.problem("password", problem);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        let problem = say_with("account-password-long", &[("max", PASSWORD_BYTES_MAX.into())]);
        return members.problem("password", problem);
    }
    Some(SecretString::from(password))
}

fn answer(members: &mut Members, name: &'static str) -> Option<String> {
    words_of(members, name, ANSWER_CHARS_MAX).unwrap_or_else(|problem| members.problem(name, problem))
}

fn list(members: &mut Members, name: &'static str) -> Vec<String> {
    let words = match members.get(name) {
        None => return Vec::new(),
        Some(Value::Array(words)) if words.len() <= WORDS_MAX => {
            words.iter().map(|word| line(word, ANSWER_CHARS_MAX).ok().flatten()).collect()
        }
        Some(_) => None,
    };
    let places = [("words", WORDS_MAX.into()), ("max", ANSWER_CHARS_MAX.into())];
    words.or_else(|| members.problem(name, say_with("account-list", &places))).unwrap_or_default()
}

/// A member that may be missing or empty.
fn words_of(members: &Members, name: &str, chars_max: usize) -> Result<Option<String>, String> {
    members.get(name).map_or(Ok(None), |value| line(value, chars_max))
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
