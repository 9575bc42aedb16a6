//! The one place where an error becomes a status and a body.

mod reasons;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chatkit_protocol::Malformed;
use serde_json::{Value, json};

use super::spoken;
use crate::language::Language;
use crate::quota::{Reached, Resource};

/// An answer that is not what was asked for.
///
/// Its body has the shape
/// `{"error": {"code", "message", "details"?}, "message", "detail", "request_id"}`: the ChatKit widget reads `message`,
/// front ends written for FastAPI read `detail`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What the sentence was said in, if it is one of the catalogue.
    language: Option<Language>,
    details: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error with a snake-case code and a sentence for whoever wrote the request.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), language: None, details: None, headers: Vec::new() }
    }

    /// The same with a sentence for a reader, said in the language of the request.
    pub(super) fn spoken(status: StatusCode, code: &'static str, message: String) -> Self {
        Self { language: Some(spoken::current()), ..Self::new(status, code, message) }
    }

    /// Whether the same request may succeed when whatever is away is back.
    pub(super) fn may_pass(&self) -> bool {
        self.status.is_server_error()
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The same in other words.
    pub(super) fn reworded(self, reword: impl Fn(&str) -> String) -> Self {
        Self { message: reword(&self.message), ..self }
    }

    /// Its name, for programs.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// The same, with what else there is to know of it.
    #[must_use]
    pub(super) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// The sentence for its reader.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The caller's token is not one that this server accepts.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", message)
            .with_header(header::WWW_AUTHENTICATE, challenge(message))
    }

    /// The same with a sentence for a reader; the challenge takes only letters of ASCII, and says it in English.
    fn unauthorized_spoken(english: &str, message: String) -> Self {
        Self::spoken(StatusCode::UNAUTHORIZED, "invalid_token", message)
            .with_header(header::WWW_AUTHENTICATE, challenge(english))
    }

    /// The body is larger than the limit.
    pub fn body_too_large(max: usize) -> Self {
        let message = spoken::say_with("door-body-too-large", &[("max", max.into())]);
        Self::spoken(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }

    /// This server keeps no attachments.
    pub fn no_attachments() -> Self {
        Self::spoken(StatusCode::BAD_REQUEST, "attachments_off", spoken::say("attachment-off"))
    }

    /// This server has no accounts.
    pub(super) fn accounts_off() -> Self {
        let message = "this server has no accounts; its operator can set `SESSION_SECRET`";
        Self::new(StatusCode::NOT_FOUND, "accounts_off", message)
    }

    /// The caller is a user of another system, and has no account here.
    pub(super) fn no_account() -> Self {
        let message = "the token is not one of an account of this server; who gave it out knows whose it is";
        Self::new(StatusCode::NOT_FOUND, "no_account", message)
    }

    /// The caller is nobody we know by name.
    pub(super) fn sign_in_required() -> Self {
        Self::spoken(StatusCode::UNAUTHORIZED, "sign_in_required", spoken::say("account-sign-in"))
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Accounts cannot be looked at.
    fn no_accounts(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "The accounts cannot be reached");
        let message = spoken::say("account-away");
        Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "accounts_unavailable", message).after(5)
    }

    /// The same request may succeed after so many seconds.
    pub(super) fn after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The caller has done as much as they may for now.
    fn too_much(reached: &Reached) -> Self {
        let (status, code) = match reached.resource {
            Resource::Messages => (StatusCode::TOO_MANY_REQUESTS, "too_many_messages"),
            Resource::Recordings => (StatusCode::TOO_MANY_REQUESTS, "too_many_recordings"),
            Resource::Tokens => (StatusCode::TOO_MANY_REQUESTS, "too_many_tokens"),
            Resource::Streams => (StatusCode::TOO_MANY_REQUESTS, "too_many_streams"),
        };
        let message = reached.told(spoken::current());
        let mut answer = Self::spoken(status, code, message).after(reached.wait_seconds);
        answer.details = Some(Box::new(json!({"limit": reached.limit, "resets_at": reached.resets_at})));
        answer
    }

    /// A member of the request is wrong.
    fn malformed(error: &Malformed) -> Self {
        let mut answer = Self::new(StatusCode::BAD_REQUEST, "invalid_request", error.to_string());
        answer.details = Some(Box::new(json!({"member": error.member, "problem": error.problem})));
        answer
    }
}

/// What `WWW-Authenticate` says of a credential that was refused (RFC 6750).
fn challenge(message: &str) -> HeaderValue {
    // The sentence stands in quotes there, where these two would end it or mean something else.
    let description = message.replace(['"', '\\'], "'");
    HeaderValue::try_from(format!("Bearer error=\"invalid_token\", error_description=\"{description}\""))
        .unwrap_or(HeaderValue::from_static("Bearer error=\"invalid_token\""))
}

impl ApiError {
    /// What a client is told of it, whatever that travels on.
    fn body(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(details) = &self.details {
            error["details"] = (**details).clone();
        }
        let request_id = super::request_id::current();
        json!({"error": error, "message": self.message, "detail": self.message, "request_id": request_id})
    }

    /// The same where there is no status and no header: as an event of type `error`, with both as members.
    pub(super) fn event(&self) -> Value {
        let mut event = json!({"type": "error", "status": self.status.as_u16()});
        let wait = self.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER);
        if let Some(seconds) = wait.and_then(|(_, value)| value.to_str().ok()?.parse::<u64>().ok()) {
            event["retry_after"] = seconds.into();
        }
        if let (Some(event), Value::Object(body)) = (event.as_object_mut(), self.body()) {
            event.extend(body);
        }
        event
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_name(header::ACCEPT_LANGUAGE));
        if let Some(tag) = self.language.and_then(|language| HeaderValue::from_str(language.tag()).ok()) {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}
