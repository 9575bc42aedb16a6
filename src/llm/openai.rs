//! A model behind the OpenAI wire: asks, and listens to the answer whatever state it comes in.
//!
//! What the JSON looks like is in `openai_wire.rs`; what the events of an answer amount to, in `answer.rs`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::address;
pub use super::address::EndpointError;
use super::answer::Answer;
use super::errors::{self, ERROR_BODY_BYTES_MAX};
use super::openai_wire::AskedFor;
use super::presets::Preset;
use super::sse::{Body, Patience};
use super::{ChatModel, ChunkStream, LlmError, ModelName, Prompt};
use crate::config::Shown;
use crate::identity::Ids;

/// Where a model is found and how it is addressed.
#[derive(Clone)]
pub struct Endpoint {
    /// The provider and its habits.
    pub preset: &'static Preset,
    /// An absolute `http` or `https` address, with or without a trailing slash or `chat/completions`; a query is kept.
    pub base_url: String,
    /// Sent as a bearer token when there is one; white space around it is taken off.
    pub api_key: Option<SecretString>,
    /// The model, by the provider's name for it.
    pub model: String,
    /// Whether the model may be given pictures.
    pub sees: bool,
}

impl fmt::Debug for Endpoint {
    /// Shows no password or key that stands in the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { preset, base_url, api_key, model, sees } = self;
        let mut shown = f.debug_struct("Endpoint");
        shown.field("preset", preset).field("base_url", &Shown(base_url)).field("api_key", api_key);
        shown.field("model", model).field("sees", sees).finish()
    }
}

impl Endpoint {
    /// The preset's own address and model.
    pub fn of(preset: &'static Preset, api_key: Option<SecretString>) -> Self {
        Self { preset, base_url: preset.base_url.into(), api_key, model: preset.model.into(), sees: preset.sees }
    }
}

/// How much patience an answer gets, and how much room.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the request to the first bytes of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer; comments of the provider count as pieces.
    pub idle: Duration,
    /// The text of one answer, in bytes.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    /// A minute to begin with, a minute between pieces, 1 MiB of text.
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(60), idle: Duration::from_secs(60), answer_bytes_max: 1 << 20 }
    }
}

/// A model behind an OpenAI-compatible endpoint.
pub struct OpenAiCompatible {
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    endpoint: Endpoint,
    limits: Limits,
    ids: Ids,
    /// Learnt from a refusal that went away without it.
    refuses_usage: AtomicBool,
}

impl fmt::Debug for OpenAiCompatible {
    /// Shows what it was made of; what it sends holds the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OpenAiCompatible");
        shown.field("endpoint", &self.endpoint).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl OpenAiCompatible {
    /// A client for `endpoint`; nothing is sent yet.
    pub fn new(http: reqwest::Client, endpoint: Endpoint, limits: Limits, ids: Ids) -> Result<Self, EndpointError> {
        if endpoint.model.trim().is_empty() {
            return Err(EndpointError::Model);
        }
        let url = address::door(&endpoint.base_url, address::COMPLETIONS)?;
        let headers = headers(endpoint.api_key.as_ref())?;
        let refuses_usage = AtomicBool::new(!endpoint.preset.usage_on_request);
        Ok(Self { http, url, headers, endpoint, limits, ids, refuses_usage })
    }

    async fn ask(&self, prompt: &Prompt) -> Result<Body, LlmError> {
        let mut with_usage = !self.refuses_usage.load(Ordering::Relaxed);
        let mut suspects_usage = false;
        loop {
            let (response, patience) = self.send(prompt, with_usage).await?;
            let status = response.status();
            if status.is_success() {
                if suspects_usage {
                    self.refuses_usage.store(true, Ordering::Relaxed);
                }
                return Ok(Body::new(response, patience));
            }
            let error = self.refusal(response, patience).await;
            suspects_usage = with_usage
                && matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY)
                && matches!(error, LlmError::Refused(_));
            if !suspects_usage {
                return Err(error);
            }
            with_usage = false;
        }
    }

    /// Any response will do here, whatever its status.
    async fn send(&self, prompt: &Prompt, with_usage: bool) -> Result<(reqwest::Response, Patience), LlmError> {
        let asked = AskedFor {
            model: self.endpoint.model.trim(),
            prompt,
            answer_limit: self.endpoint.preset.answer_limit,
            with_usage,
        };
        let json = serde_json::to_vec(&asked).expect("a prompt's strings always become JSON");
        let patience = Patience {
            first: (Instant::now() + self.limits.first_byte, self.limits.first_byte),
            idle: self.limits.idle,
        };
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).body(json);
        match timeout_at(patience.first.0, request.send()).await {
            Err(_) => Err(LlmError::Silent(self.limits.first_byte)),
            // The address may hold a key.
            Ok(Err(error)) => Err(LlmError::Unreachable(error.without_url())),
            Ok(Ok(response)) => Ok((response, patience)),
        }
    }

    async fn answer(&self, prompt: &Prompt) -> Result<ChunkStream, LlmError> {
        let body = self.ask(prompt).await?;
        let mut answer =
            Answer::open(body, self.limits.answer_bytes_max, self.name(), self.ids.clone(), self.key()).await?;
        // Waiting for the first piece turns an error in its place into one that another model can still make good.
        let first = match answer.next().await {
            Some(chunk) => Some(Ok(chunk?)),
            None => None,
        };
        let rest = futures_util::stream::unfold(answer, |mut answer| async move {
            Some((answer.next().await?.map_err(LlmError::without_words), answer))
        });
        Ok(Box::pin(futures_util::stream::iter(first).chain(rest)))
    }

    async fn refusal(&self, response: reqwest::Response, patience: Patience) -> LlmError {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        // A body that is too long or breaks off explains nothing; the status still does.
        let body =
            Body::new(response, patience).rest(Default::default(), ERROR_BODY_BYTES_MAX).await.unwrap_or_default();
        errors::of_response(status, &headers, &String::from_utf8_lossy(&body), self.key())
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.api_key.as_ref().map(|key| key.expose_secret().trim())
    }
}

#[async_trait]
impl ChatModel for OpenAiCompatible {
    async fn stream(&self, prompt: Prompt) -> Result<ChunkStream, LlmError> {
        self.answer(&prompt).await.map_err(|error| error.without_prompt(&prompt))
    }

    fn name(&self) -> ModelName {
        ModelName { provider: self.endpoint.preset.name.into(), model: self.endpoint.model.trim().into() }
    }

    fn sees(&self) -> bool {
        self.endpoint.sees
    }
}

fn headers(key: Option<&SecretString>) -> Result<HeaderMap, EndpointError> {
    let mut headers = address::bearer(key)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
    // A compressed stream arrives in the compressor's pieces, late.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}
