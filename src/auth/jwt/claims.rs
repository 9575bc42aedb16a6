//! What a token claims, and whether that holds here and now.

use serde::Deserialize;
use serde_json::Value;

use super::TokenError;

/// Clocks may differ by so much, in seconds.
const LEEWAY_SECONDS: f64 = 60.0;
/// A longer subject names nobody.
const SUBJECT_BYTES_MAX: usize = 255;

/// The registered claims (RFC 7519), in whatever shape they came: a claim that comes twice fails the whole token.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: Option<Value>,
    sub: Option<Value>,
    aud: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
    iat: Option<Value>,
}

impl Claims {
    /// The issuer's name, without the one slash that it may have at its end.
    ///
    /// # Errors
    /// There is none, or it is no text.
    pub(super) fn issuer(&self) -> Result<&str, TokenError> {
        match &self.iss {
            Some(Value::String(name)) => Ok(without_slash(name)),
            Some(_) => Err(TokenError::Claim("iss", "is not text")),
            None => Err(TokenError::Claim("iss", "is missing")),
        }
    }

    /// Whom the token is about.
    ///
    /// # Errors
    /// There is none, or it cannot be the name of anybody.
    pub(super) fn subject(&self) -> Result<&str, TokenError> {
        match &self.sub {
            Some(Value::String(subject)) if subject.is_empty() => Err(TokenError::Claim("sub", "is empty")),
            Some(Value::String(subject)) if subject.len() > SUBJECT_BYTES_MAX => {
                Err(TokenError::Claim("sub", "is too long"))
            }
            Some(Value::String(subject)) if subject.chars().any(char::is_control) => {
                Err(TokenError::Claim("sub", "has characters that are none"))
            }
            Some(Value::String(subject)) => Ok(subject),
            Some(_) => Err(TokenError::Claim("sub", "is not text")),
            None => Err(TokenError::Claim("sub", "is missing")),
        }
    }

    /// Checks that the token is meant for one of these, or for anybody when there are none.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn audience(&self, audiences: &[String]) -> Result<(), TokenError> {
        if audiences.is_empty() {
            return Ok(());
        }
        let is_meant = |claimed: &Value| {
            claimed.as_str().is_some_and(|claimed| audiences.iter().any(|own| own == without_slash(claimed)))
        };
        let is_for_us = match &self.aud {
            Some(Value::Array(list)) => list.iter().any(is_meant),
            Some(one) => is_meant(one),
            None => return Err(TokenError::Claim("aud", "is missing")),
        };
        if is_for_us { Ok(()) } else { Err(TokenError::Claim("aud", "does not name this server")) }
    }

    /// Checks that the token is good at `now` (seconds since 1970); when it ceases to be.
    ///
    /// # Errors
    /// It does not say until when, or is of another time.
    pub(super) fn time(&self, now: i64) -> Result<i64, TokenError> {
        #[expect(clippy::cast_precision_loss, reason = "seconds are exact in f64 for millions of years")]
        let now = now as f64;
        let exp = time("exp", self.exp.as_ref())?.ok_or(TokenError::Claim("exp", "is missing"))?;
        if now >= exp + LEEWAY_SECONDS {
            return Err(TokenError::Claim("exp", "is past; get a new one"));
        }
        if time("nbf", self.nbf.as_ref())?.is_some_and(|nbf| nbf > now + LEEWAY_SECONDS) {
            return Err(TokenError::Claim("nbf", "is still to come"));
        }
        if time("iat", self.iat.as_ref())?.is_some_and(|iat| iat > now + LEEWAY_SECONDS) {
            return Err(TokenError::Claim("iat", "is still to come"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a cast of what is out of range ends at the range's end")]
        Ok((exp + LEEWAY_SECONDS) as i64)
    }
}

/// A moment in seconds since 1970, which may have a fraction.
fn time(claim: &'static str, value: Option<&Value>) -> Result<Option<f64>, TokenError> {
    match value {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|seconds| seconds.is_finite()) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(TokenError::Claim(claim, "is not a number of seconds")),
        },
    }
}

fn without_slash(name: &str) -> &str {
    name.strip_suffix('/').unwrap_or(name)
}
