//! The three wires of embedding models, side by side; what each looks like is in the file of its name.

use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::SecretString;

use super::{Role, cohere, gemini, openai};
use crate::llm::address::{self, EndpointError};

/// How a server wants to be asked for vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI's `/embeddings`, which nearly everybody has.
    OpenAi,
    /// Google's own `:batchEmbedContents`, since only there a text has a role.
    Gemini,
    /// Cohere's own `/v2/embed`, for the same reason.
    Cohere,
}

/// What a server is asked.
pub(super) struct Asked<'a> {
    /// The model, by the provider's name for it.
    pub(super) model: &'a str,
    /// The texts as they are sent.
    pub(super) texts: &'a [String],
    /// What they are to a search; none where a member cannot say it.
    pub(super) role: Option<Role>,
    /// How many numbers a vector is to have, when that is not what the model gives anyway.
    pub(super) dimensions: Option<u32>,
}

impl Wire {
    /// Where requests go.
    pub(super) fn url(self, base_url: &str, model: &str) -> Result<Url, EndpointError> {
        match self {
            Self::OpenAi => address::door(base_url, address::EMBEDDINGS),
            Self::Gemini => gemini::url(base_url, model),
            Self::Cohere => cohere::url(base_url),
        }
    }

    /// What goes along with them.
    pub(super) fn headers(self, key: Option<&SecretString>) -> Result<HeaderMap, EndpointError> {
        let mut headers = match self {
            Self::OpenAi | Self::Cohere => address::bearer(key)?,
            Self::Gemini => gemini::key_header(key)?,
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(headers)
    }

    /// A request's body.
    pub(super) fn body(self, asked: &Asked<'_>) -> Vec<u8> {
        let json = match self {
            Self::OpenAi => openai::body(asked),
            Self::Gemini => gemini::body(asked),
            Self::Cohere => cohere::body(asked),
        };
        json.expect("strings and numbers always become JSON")
    }

    /// The vectors of an answer, in the order of the texts; `None` when it holds none.
    pub(super) fn read(self, answer: &[u8]) -> Option<Vec<Vec<f32>>> {
        match self {
            Self::OpenAi => openai::read(answer),
            Self::Gemini => gemini::read(answer),
            Self::Cohere => cohere::read(answer),
        }
    }
}
