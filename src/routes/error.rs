//! The one place where an error becomes a status and a body.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chatkit_protocol::Malformed;
use serde_json::{Value, json};

use crate::attachments::AttachmentError;
use crate::auth::AuthError;
use crate::auth::accounts::AccountError;
use crate::chat::ChatError;
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
    details: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error with a snake-case code and a sentence for its reader.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None, headers: Vec::new() }
    }

    /// Whether the same request may succeed when whatever is away is back.
    pub(super) fn may_pass(&self) -> bool {
        self.status.is_server_error()
    }

    /// The same with what else there is to know of it, for programs.
    pub(super) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// The same in other words.
    pub(super) fn reworded(self, reword: impl Fn(&str) -> String) -> Self {
        Self { message: reword(&self.message), ..self }
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

    /// The body is larger than the limit.
    pub fn body_too_large(max: usize) -> Self {
        let message = format!("the body is larger than {max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }

    /// This server keeps no attachments.
    pub fn no_attachments() -> Self {
        let message = "this server takes no attachments; its operator can set `ATTACHMENTS_URL`";
        Self::new(StatusCode::BAD_REQUEST, "attachments_off", message)
    }

    /// Members of the request are wrong.
    pub(super) fn invalid(message: String, details: Value) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message).with_details(details)
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
        let message = "this is for readers who have signed in: show the cookie of a session, or a token";
        Self::new(StatusCode::UNAUTHORIZED, "sign_in_required", message)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Accounts cannot be looked at.
    fn no_accounts(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "The accounts cannot be reached");
        let message = "accounts cannot be reached at the moment; try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "accounts_unavailable", message).after(5)
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
        let mut answer = Self::new(status, code, reached.to_string()).after(reached.wait_seconds);
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

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        let message = error.to_string();
        if let ChatError::Attachment(error) = error {
            return error.into();
        }
        match &error {
            ChatError::Malformed(malformed) => Self::malformed(malformed),
            ChatError::NoThread => Self::new(StatusCode::NOT_FOUND, "thread_not_found", message),
            ChatError::NoItem => Self::new(StatusCode::NOT_FOUND, "item_not_found", message),
            ChatError::NoAttachment(_) => Self::new(StatusCode::NOT_FOUND, "attachment_not_found", message),
            ChatError::UnknownCursor => Self::new(StatusCode::BAD_REQUEST, "unknown_cursor", message),
            ChatError::MessageTooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "message_too_large", message),
            ChatError::NoPendingCall => Self::new(StatusCode::CONFLICT, "no_pending_call", message),
            ChatError::NotAForm => Self::new(StatusCode::BAD_REQUEST, "not_a_form", message),
            ChatError::FormIsDone => Self::new(StatusCode::CONFLICT, "form_is_done", message),
            ChatError::NotAWidget => Self::new(StatusCode::BAD_REQUEST, "not_a_widget", message),
            ChatError::Changed => Self::new(StatusCode::CONFLICT, "changed_meanwhile", message),
            ChatError::Reached(reached) => Self::too_much(reached),
            ChatError::Refused(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message),
            ChatError::NotSupported(_) => Self::new(StatusCode::BAD_REQUEST, "not_supported", message),
            ChatError::Attachment(_) | ChatError::Failed => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message)
            }
            ChatError::TooSlow => Self::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", message),
            ChatError::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "The conversation store failed");
                let message = "the conversations cannot be reached at the moment; try again in a few seconds";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", message)
                    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
            }
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::NoTokens
            | AuthError::Token(_)
            | AuthError::NoSession
            | AuthError::SessionOver
            | AuthError::Visitor(_) => Self::unauthorized(&error.to_string()),
            AuthError::KeysUnavailable { retry_after } => {
                let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", error.to_string()).after(seconds)
            }
            AuthError::Store(error) => Self::no_accounts(&error),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::EmailTaken => Self::new(StatusCode::CONFLICT, "email_taken", message),
            AccountError::WrongPair => Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", message)
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            AccountError::TooManyAttempts { again_after_s } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message).after(again_after_s)
            }
            AccountError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(5),
            AccountError::Auth(error) => error.into(),
            AccountError::Store(error) => Self::no_accounts(&error),
        }
    }
}

/// What `WWW-Authenticate` says of a credential that was refused (RFC 6750).
fn challenge(message: &str) -> HeaderValue {
    // The sentence stands in quotes there, where these two would end it or mean something else.
    let description = message.replace(['"', '\\'], "'");
    HeaderValue::try_from(format!("Bearer error=\"invalid_token\", error_description=\"{description}\""))
        .unwrap_or(HeaderValue::from_static("Bearer error=\"invalid_token\""))
}

impl From<AttachmentError> for ApiError {
    fn from(error: AttachmentError) -> Self {
        use AttachmentError as Why;
        let (status, code) = match &error {
            Why::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "attachment_too_large"),
            Why::Empty => (StatusCode::BAD_REQUEST, "attachment_empty"),
            Why::TypeNotAccepted { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "attachment_type_not_accepted"),
            Why::NotWhatItSays { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "attachment_not_what_it_says"),
            Why::AlreadyUploaded => (StatusCode::CONFLICT, "attachment_already_uploaded"),
            Why::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_attachments"),
            Why::Busy => (StatusCode::TOO_MANY_REQUESTS, "too_many_uploads"),
            Why::LinkWrong => (StatusCode::FORBIDDEN, "link_wrong"),
            Why::LinkExpired => (StatusCode::FORBIDDEN, "link_expired"),
            Why::NoAttachment(_) => (StatusCode::NOT_FOUND, "attachment_not_found"),
            Why::NotArrived(_) => (StatusCode::NOT_FOUND, "attachment_not_uploaded"),
            Why::BrokenOff => (StatusCode::BAD_REQUEST, "upload_broken"),
            Why::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "upload_too_slow"),
            Why::Store(_) | Why::Bytes(_) | Why::BytesSlow(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "Attachments cannot be reached");
                let message = "attachments cannot be reached at the moment; try again in a few seconds";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "attachments_unavailable", message).after(5);
            }
        };
        let answer = Self::new(status, code, error.to_string());
        match error {
            Why::Busy => answer.after(5),
            Why::TooMany => answer.after(60 * 60),
            _ => answer,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(details) = self.details {
            error["details"] = *details;
        }
        let request_id = super::request_id::current();
        let body = json!({"error": error, "message": self.message, "detail": self.message, "request_id": request_id});
        let mut response = (self.status, Json(body)).into_response();
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
