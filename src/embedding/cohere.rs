//! Cohere's `/v2/embed`.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::Role;
use super::wire::Asked;
use crate::llm::address::{self, EndpointError};

/// What an address for chats may end in; none of it is part of this door.
const OTHER_DOORS: &[&str] =
    &["/compatibility/v1/chat/completions", "/compatibility/v1", "/v2/embed", "/v2/chat", "/v2", "/v1"];

const DOOR: &str = "/v2/embed";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    texts: &'a [String],
    input_type: &'static str,
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u32>,
}

#[derive(Deserialize)]
struct Answer {
    embeddings: Embeddings,
}

#[derive(Deserialize)]
struct Embeddings {
    float: Vec<Vec<f32>>,
}

pub(super) fn url(base_url: &str) -> Result<Url, EndpointError> {
    address::door_below(base_url, OTHER_DOORS, DOOR)
}

pub(super) fn body(asked: &Asked<'_>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Body {
        model: asked.model,
        texts: asked.texts,
        // All its models that are left insist on one.
        input_type: match asked.role {
            Some(Role::Query) => "search_query",
            Some(Role::Document) | None => "search_document",
        },
        embedding_types: ["float"],
        output_dimension: asked.dimensions,
    })
}

pub(super) fn read(answer: &[u8]) -> Option<Vec<Vec<f32>>> {
    Some(serde_json::from_slice::<Answer>(answer).ok()?.embeddings.float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_the_one_for_chats() {
        for base in ["https://h", "https://h/compatibility/v1", "https://h/v2/", "https://h/v1", "https://h/v2/embed"] {
            assert_eq!(url(base).unwrap().as_str(), "https://h/v2/embed", "{base}");
        }
    }
}
