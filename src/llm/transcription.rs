//! Speech becomes text at any server with OpenAI's `/audio/transcriptions`.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::LlmError;
use super::address::{self, EndpointError};
use super::errors::{self, Complaint, ERROR_BODY_BYTES_MAX};
use super::sse::{Body, Patience};
use crate::config::Shown;

/// The longest recording: OpenAI takes no more either.
pub const AUDIO_BYTES_MAX: usize = 25 << 20;

/// The answer to a recording, which is its text and little around it.
const TRANSCRIPT_BYTES_MAX: usize = 1 << 20;

/// Media types of recordings, and the ending by which servers know what they get.
const SOUNDS: [(&str, &str); 15] = [
    ("audio/webm", "webm"),
    ("audio/mp4", "mp4"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("audio/mpeg", "mp3"),
    ("audio/flac", "flac"),
    ("audio/m4a", "m4a"),
    ("audio/mp3", "mp3"),
    ("audio/wave", "wav"),
    ("audio/x-flac", "flac"),
    ("audio/x-m4a", "m4a"),
    ("audio/x-wav", "wav"),
    ("audio/vnd.wave", "wav"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
];

/// Where recordings go.
#[derive(Clone)]
pub struct TranscriptionEndpoint {
    /// An absolute `http` or `https` address, up to before `/audio/transcriptions`; a query is kept.
    pub base_url: String,
    /// Sent as a bearer token when there is one; white space around it is taken off.
    pub api_key: Option<SecretString>,
    /// The model, by the provider's name for it.
    pub model: String,
}

impl fmt::Debug for TranscriptionEndpoint {
    /// Shows no password or key that stands in the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, api_key, model } = self;
        let mut shown = f.debug_struct("TranscriptionEndpoint");
        shown.field("base_url", &Shown(base_url)).field("api_key", api_key).field("model", model).finish()
    }
}

/// Why a recording did not become text.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptionError {
    /// No server is known to read such recordings.
    #[error(
        "recordings of the type `{0}` cannot be read; send audio/webm, audio/mp4, audio/ogg, audio/wav, audio/mpeg or audio/flac"
    )]
    UnknownType(String),
    /// There is nothing to hear.
    #[error("the recording is empty")]
    Empty,
    /// It has too many bytes.
    #[error("the recording has {0} bytes; it may have {AUDIO_BYTES_MAX}")]
    TooLarge(usize),
    /// The model did not do its part.
    #[error(transparent)]
    Model(#[from] LlmError),
}

/// Turns speech into text. Cheap to clone.
#[derive(Clone)]
pub struct Transcriber {
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    endpoint: TranscriptionEndpoint,
    patience: Duration,
}

impl fmt::Debug for Transcriber {
    /// Shows what it was made of; what it sends holds the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Transcriber");
        shown.field("endpoint", &self.endpoint).field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Transcriber {
    /// A client for `endpoint`, which gets `patience` for each recording from its first byte out to its last byte in;
    /// nothing is sent yet.
    ///
    /// # Errors
    /// The address, the key or the model's name cannot be used.
    pub fn new(
        http: reqwest::Client,
        endpoint: TranscriptionEndpoint,
        patience: Duration,
    ) -> Result<Self, EndpointError> {
        if endpoint.model.trim().is_empty() {
            return Err(EndpointError::Model);
        }
        let url = address::door(&endpoint.base_url, address::TRANSCRIPTIONS)?;
        let mut headers = address::bearer(endpoint.api_key.as_ref())?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Self { http, url, headers, endpoint, patience })
    }

    /// What was said, in the speaker's language, without white space around it; empty where nothing was said.
    ///
    /// `mime_type` is what the client says the recording is, such as `audio/webm;codecs=opus`.
    ///
    /// # Errors
    /// The recording is none, or the model failed, in the same ways as one that chats.
    pub async fn transcribe(&self, audio: Bytes, mime_type: &str) -> Result<String, TranscriptionError> {
        let (mime_type, ending) = sound(mime_type)?;
        match audio.len() {
            0 => return Err(TranscriptionError::Empty),
            bytes if bytes > AUDIO_BYTES_MAX => return Err(TranscriptionError::TooLarge(bytes)),
            _ => {}
        }
        Ok(self.ask(audio, mime_type, ending).await?)
    }

    async fn ask(&self, audio: Bytes, mime_type: &str, ending: &str) -> Result<String, LlmError> {
        let bytes = audio.len() as u64;
        let file = Part::stream_with_length(audio, bytes).file_name(format!("speech.{ending}"));
        let file = file.mime_str(mime_type).expect("the table has media types only");
        let model = self.endpoint.model.trim().to_owned();
        let form = Form::new().text("model", model).text("response_format", "json").part("file", file);
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).multipart(form);
        let deadline = Instant::now() + self.patience;
        let late = |_| LlmError::Silent(self.patience);
        let response = timeout_at(deadline, request.send()).await.map_err(late)?;
        // The address may hold a key.
        let response = response.map_err(|error| LlmError::Unreachable(error.without_url()))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Body::new(response, Patience { first: (deadline, self.patience), idle: self.patience });
        if !status.is_success() {
            // A body that is too long, too late or breaks off explains nothing; the status still does.
            let body = timeout_at(deadline, body.rest(Bytes::new(), ERROR_BODY_BYTES_MAX)).await;
            let body = body.unwrap_or(Ok(BytesMut::new())).unwrap_or_default();
            return Err(errors::of_response(status.as_u16(), &headers, &String::from_utf8_lossy(&body), self.key()));
        }
        let body = timeout_at(deadline, body.rest(Bytes::new(), TRANSCRIPT_BYTES_MAX)).await.map_err(late)??;
        self.read(&String::from_utf8_lossy(&body))
    }

    fn read(&self, body: &str) -> Result<String, LlmError> {
        if let Ok(Value::Object(answer)) = serde_json::from_str(body)
            && let Some(text) = answer.get("text").and_then(Value::as_str)
        {
            return Ok(text.trim().to_owned());
        }
        let complaint = Complaint::read(body).filter(Complaint::is_certain);
        Err(complaint.map_or_else(
            || LlmError::Garbled("a transcription without `text`".into()),
            |complaint| complaint.into_error(self.key()),
        ))
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.api_key.as_ref().map(|key| key.expose_secret().trim())
    }
}

/// The base type as servers know it, and the ending that fits it.
fn sound(mime_type: &str) -> Result<(&'static str, &'static str), TranscriptionError> {
    let base = mime_type.split(';').next().unwrap_or_default().trim();
    let known = SOUNDS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(base));
    known.ok_or_else(|| TranscriptionError::UnknownType(base.chars().take(80).collect()))
}
