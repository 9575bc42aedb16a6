//! Where requests to a provider go, and the key that goes with them.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::config::Shown;

/// Where chats are answered, below a provider's address.
pub(super) const COMPLETIONS: &str = "/chat/completions";

/// Where speech becomes text, below a provider's address.
pub(super) const TRANSCRIPTIONS: &str = "/audio/transcriptions";

/// Where texts become vectors, below a provider's address.
pub(crate) const EMBEDDINGS: &str = "/embeddings";

/// Why an endpoint cannot be used: found when the house starts, not when somebody asks.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is not an absolute `http` or `https` one.
    #[error("the model's address is not an absolute http or https address: {0}")]
    Address(String),
    /// The key holds characters no header can carry.
    #[error("the model's key holds characters that no header can carry")]
    Key,
    /// There is no model by an empty name.
    #[error("the model's name is empty")]
    Model,
}

/// A door of a provider; `base` may name another of its doors, or this one, and keeps its query.
pub(crate) fn door(base: &str, door: &str) -> Result<Url, EndpointError> {
    door_below(base, &[COMPLETIONS, TRANSCRIPTIONS, EMBEDDINGS], door)
}

/// The same, where `base` may end in one of `known`, which is no part of the address.
pub(crate) fn door_below(base: &str, known: &[&str], door: &str) -> Result<Url, EndpointError> {
    let wrong = || EndpointError::Address(without_secrets(base));
    let mut url = Url::parse(base.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    let given = url.path().trim_end_matches('/');
    let root = known.iter().find_map(|known| given.strip_suffix(known)).unwrap_or(given);
    let path = format!("{}{door}", root.trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// What may be shown of an address, which may not even begin like one.
fn without_secrets(address: &str) -> String {
    let shown = Shown(address).to_string();
    let shown = shown.split('?').next().unwrap_or_default();
    shown.rsplit('@').next().unwrap_or_default().chars().take(200).collect()
}

/// The key as a bearer token, marked as sensitive; nothing without a key.
pub(crate) fn bearer(key: Option<&SecretString>) -> Result<HeaderMap, EndpointError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key.map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty()) {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| EndpointError::Key)?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_as_it_likes() {
        for (base, expected) in [
            ("http://h/v1", "http://h/v1/chat/completions"),
            ("http://h/v1beta/openai/", "http://h/v1beta/openai/chat/completions"),
            (" http://h ", "http://h/chat/completions"),
            ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/v1/audio/transcriptions/", "http://h/v1/chat/completions"),
            ("http://h/a%2Fb//", "http://h/a%2Fb/chat/completions"),
            ("https://h/deployments/d?api-version=1", "https://h/deployments/d/chat/completions?api-version=1"),
        ] {
            assert_eq!(door(base, COMPLETIONS).unwrap().as_str(), expected);
        }
        let heard = door("https://h/v1/chat/completions?key=k", TRANSCRIPTIONS).unwrap();
        assert_eq!(heard.as_str(), "https://h/v1/audio/transcriptions?key=k");
    }

    #[test]
    fn an_address_that_makes_no_sense_is_named_without_its_secrets() {
        for base in ["h/v1", "ftp://me:secret@h/?key=secret", "", "file:///etc?secret"] {
            let error = door(base, COMPLETIONS).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_key_with_a_line_break_inside_is_refused_and_one_around_it_is_not() {
        assert!(bearer(Some(&SecretString::from("sk-1\n"))).unwrap().contains_key(AUTHORIZATION));
        assert!(matches!(bearer(Some(&SecretString::from("sk\n1"))), Err(EndpointError::Key)));
        assert!(!bearer(Some(&SecretString::from(" "))).unwrap().contains_key(AUTHORIZATION));
    }
}
