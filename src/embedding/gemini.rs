//! Google's `:batchEmbedContents`.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::Role;
use super::wire::Asked;
use crate::llm::address::{self, EndpointError};

/// What an address for chats may end in; none of it is part of this door.
const OTHER_DOORS: &[&str] = &["/openai/chat/completions", "/openai/embeddings", "/openai", "/models"];

/// What an address without a path means.
const VERSION: &str = "/v1beta";

#[derive(Serialize)]
struct Body<'a> {
    requests: Vec<Request<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    embeddings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    values: Vec<f32>,
}

/// The model is part of the address, the key is not: addresses stand in the logs of proxies.
pub(super) fn url(base_url: &str, model: &str) -> Result<Url, EndpointError> {
    let mut url = address::door_below(base_url, OTHER_DOORS, "")?;
    let version = match url.path().trim_end_matches('/') {
        "" => VERSION.to_owned(),
        path => path.to_owned(),
    };
    url.set_path(&format!("{version}/{}:batchEmbedContents", resource(model)));
    Ok(url)
}

pub(super) fn key_header(key: Option<&SecretString>) -> Result<HeaderMap, EndpointError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key.map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty()) {
        let mut value = HeaderValue::from_str(key).map_err(|_| EndpointError::Key)?;
        value.set_sensitive(true);
        headers.insert("x-goog-api-key", value);
    }
    Ok(headers)
}

pub(super) fn body(asked: &Asked<'_>) -> serde_json::Result<Vec<u8>> {
    let model = resource(asked.model);
    let task_type = asked.role.map(|role| match role {
        Role::Query => "RETRIEVAL_QUERY",
        Role::Document => "RETRIEVAL_DOCUMENT",
    });
    let request = |text| Request {
        model: &model,
        content: Content { parts: [Part { text }] },
        task_type,
        output_dimensionality: asked.dimensions,
    };
    serde_json::to_vec(&Body { requests: asked.texts.iter().map(|text| request(text)).collect() })
}

pub(super) fn read(answer: &[u8]) -> Option<Vec<Vec<f32>>> {
    let answer = serde_json::from_slice::<Answer>(answer).ok()?;
    Some(answer.embeddings.into_iter().map(|entry| entry.values).collect())
}

/// People copy the name with `models/` before it, and without.
fn resource(model: &str) -> String {
    format!("models/{}", model.trim().trim_start_matches("models/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_the_one_for_chats() {
        for base in [
            "https://h",
            "https://h/v1beta",
            "https://h/v1beta/openai/",
            "https://h/v1beta/openai/chat/completions",
            " https://h/v1beta/models/ ",
        ] {
            let expected = "https://h/v1beta/models/gemini-embedding-001:batchEmbedContents";
            assert_eq!(url(base, "gemini-embedding-001").unwrap().as_str(), expected, "{base}");
            assert_eq!(url(base, "models/gemini-embedding-001").unwrap().as_str(), expected, "{base}");
        }
        assert!(url("h/v1beta", "m").is_err());
    }
}
