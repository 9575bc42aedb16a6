//! What each error of the house becomes: a status, a name, and a sentence.

use axum::http::{HeaderValue, StatusCode, header};

use super::ApiError;
use crate::attachments::{AttachmentError, Contradiction};
use crate::auth::AuthError;
use crate::auth::accounts::AccountError;
use crate::auth::visitor::InvalidToken;
use crate::chat::ChatError;
use crate::routes::spoken;

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        let message = error.to_string();
        match error {
            ChatError::Malformed(malformed) => Self::malformed(&malformed),
            ChatError::NoThread => {
                Self::spoken(StatusCode::NOT_FOUND, "thread_not_found", spoken::say("chat-thread-not-found"))
            }
            ChatError::NoItem => {
                Self::spoken(StatusCode::NOT_FOUND, "item_not_found", spoken::say("chat-item-not-found"))
            }
            ChatError::NoAttachment(id) => {
                let message = spoken::say_with("attachment-not-of-message", &[("id", id.as_str().into())]);
                Self::spoken(StatusCode::NOT_FOUND, "attachment_not_found", message)
            }
            ChatError::UnknownCursor => Self::new(StatusCode::BAD_REQUEST, "unknown_cursor", message),
            ChatError::MessageTooLarge { bytes, max } => {
                let message =
                    spoken::say_with("chat-message-too-large", &[("bytes", bytes.into()), ("max", max.into())]);
                Self::spoken(StatusCode::PAYLOAD_TOO_LARGE, "message_too_large", message)
            }
            ChatError::NoPendingCall => Self::new(StatusCode::CONFLICT, "no_pending_call", message),
            ChatError::NotAForm => Self::new(StatusCode::BAD_REQUEST, "not_a_form", message),
            ChatError::FormIsDone => Self::spoken(StatusCode::CONFLICT, "form_is_done", spoken::say("chat-form-done")),
            ChatError::NotAWidget => Self::new(StatusCode::BAD_REQUEST, "not_a_widget", message),
            ChatError::Changed => Self::spoken(StatusCode::CONFLICT, "changed_meanwhile", spoken::say("chat-changed")),
            ChatError::Reached(reached) => Self::too_much(&reached),
            // The responder has said it in the reader's language.
            ChatError::Refused(message) => Self::spoken(StatusCode::UNPROCESSABLE_ENTITY, "refused", message),
            ChatError::NotSupported(_) => Self::new(StatusCode::BAD_REQUEST, "not_supported", message),
            ChatError::Attachment(error) => error.into(),
            ChatError::Failed => Self::spoken(StatusCode::INTERNAL_SERVER_ERROR, "failed", spoken::say("chat-failed")),
            ChatError::TooSlow => Self::spoken(StatusCode::GATEWAY_TIMEOUT, "too_slow", spoken::say("chat-too-slow")),
            ChatError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "The conversation store failed");
                Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", spoken::say("chat-away")).after(5)
            }
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let english = error.to_string();
        match error {
            AuthError::NoTokens | AuthError::Token(_) => Self::unauthorized(&english),
            AuthError::NoSession => Self::unauthorized_spoken(&english, spoken::say("account-session-unknown")),
            AuthError::SessionOver => Self::unauthorized_spoken(&english, spoken::say("account-session-over")),
            AuthError::Visitor(InvalidToken::NotOurs) => {
                Self::unauthorized_spoken(&english, spoken::say("account-visitor-unknown"))
            }
            AuthError::Visitor(InvalidToken::Expired) => {
                Self::unauthorized_spoken(&english, spoken::say("account-visitor-expired"))
            }
            AuthError::KeysUnavailable { retry_after } => {
                let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                let message = spoken::say("account-keys-away");
                Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", message).after(seconds)
            }
            AuthError::Store(error) => Self::no_accounts(&error),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => {
                Self::spoken(StatusCode::CONFLICT, "email_taken", spoken::say("account-email-taken"))
            }
            AccountError::WrongPair => {
                Self::spoken(StatusCode::UNAUTHORIZED, "wrong_credentials", spoken::say("account-wrong-pair"))
                    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            AccountError::TooManyAttempts { again_after_s } => {
                let message = spoken::say_with("account-attempts", &[("seconds", again_after_s.into())]);
                Self::spoken(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message).after(again_after_s)
            }
            AccountError::Busy => {
                Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "busy", spoken::say("account-busy")).after(5)
            }
            AccountError::Auth(error) => error.into(),
            AccountError::Store(error) => Self::no_accounts(&error),
        }
    }
}

impl From<AttachmentError> for ApiError {
    fn from(error: AttachmentError) -> Self {
        use AttachmentError as Why;
        let message = in_attachments(&error);
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
                return Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "attachments_unavailable", message).after(5);
            }
        };
        let answer = Self::spoken(status, code, message);
        match error {
            Why::Busy => answer.after(5),
            Why::TooMany => answer.after(60 * 60),
            _ => answer,
        }
    }
}

/// What a reader is told of a file that was not taken, found or handed out.
fn in_attachments(error: &AttachmentError) -> String {
    use AttachmentError as Why;
    match error {
        Why::TooLarge { max } => spoken::say_with("attachment-too-large", &[("max", (*max).into())]),
        Why::Empty => spoken::say("attachment-empty"),
        Why::TypeNotAccepted { mime_type, accepted } => {
            spoken::say_with("attachment-type", &[("type", mime_type.into()), ("accepted", accepted.into())])
        }
        Why::NotWhatItSays { mime_type, why } => {
            let why = spoken::say(match why {
                Contradiction::IsPdf => "attachment-is-pdf",
                Contradiction::IsOther => "attachment-is-other",
                Contradiction::NoText => "attachment-no-text",
                Contradiction::NoUtf8 => "attachment-no-utf8",
            });
            spoken::say_with("attachment-not-what-it-says", &[("type", mime_type.into()), ("why", why.into())])
        }
        Why::AlreadyUploaded => spoken::say("attachment-already-there"),
        Why::TooMany => spoken::say("attachment-too-many"),
        Why::Busy => spoken::say("attachment-uploads"),
        Why::LinkWrong => spoken::say("attachment-link-wrong"),
        Why::LinkExpired => spoken::say("attachment-link-expired"),
        Why::NoAttachment(id) => spoken::say_with("attachment-not-found", &[("id", id.as_str().into())]),
        Why::NotArrived(id) => spoken::say_with("attachment-not-arrived", &[("id", id.as_str().into())]),
        Why::BrokenOff => spoken::say("attachment-broken-off"),
        Why::TooSlow { silence, whole } => {
            let places = [("silence", silence.as_secs().into()), ("whole", whole.as_secs().into())];
            spoken::say_with("attachment-too-slow", &places)
        }
        Why::Store(_) | Why::Bytes(_) | Why::BytesSlow(_) => spoken::say("attachment-away"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse;

    use super::*;
    use crate::language::Language;

    #[track_caller]
    fn says_the_same<E: std::error::Error + Into<ApiError>>(errors: impl IntoIterator<Item = E>) {
        for error in errors {
            let english = error.to_string();
            assert_eq!(error.into().message(), english);
        }
    }

    #[test]
    fn the_catalogue_says_in_english_what_errors_say_of_themselves() {
        use AttachmentError as Why;
        says_the_same([
            ChatError::NoThread,
            ChatError::NoItem,
            ChatError::NoAttachment("atc_1".into()),
            ChatError::MessageTooLarge { bytes: 40_000, max: 32_768 },
            ChatError::FormIsDone,
            ChatError::Changed,
            ChatError::Failed,
            ChatError::TooSlow,
        ]);
        says_the_same([
            AuthError::NoSession,
            AuthError::SessionOver,
            AuthError::Visitor(InvalidToken::NotOurs),
            AuthError::Visitor(InvalidToken::Expired),
            AuthError::KeysUnavailable { retry_after: Duration::ZERO },
        ]);
        says_the_same([
            AccountError::EmailTaken,
            AccountError::WrongPair,
            AccountError::TooManyAttempts { again_after_s: 7 },
            AccountError::Busy,
        ]);
        let not = |why| Why::NotWhatItSays { mime_type: "text/plain".to_owned(), why };
        says_the_same([
            Why::TooLarge { max: 20_971_520 },
            Why::Empty,
            Why::TypeNotAccepted { mime_type: "a/b".to_owned(), accepted: "c/d, e/*".to_owned() },
            not(Contradiction::IsPdf),
            not(Contradiction::IsOther),
            not(Contradiction::NoText),
            not(Contradiction::NoUtf8),
            Why::AlreadyUploaded,
            Why::TooMany,
            Why::Busy,
            Why::LinkWrong,
            Why::LinkExpired,
            Why::NoAttachment("atc_1".into()),
            Why::NotArrived("atc_1".into()),
            Why::BrokenOff,
            Why::TooSlow { silence: Duration::from_secs(30), whole: Duration::from_secs(600) },
        ]);
    }

    #[tokio::test]
    async fn a_challenge_is_in_english_whatever_its_reader_speaks() {
        let urdu = Language::of_tag("ur").unwrap();
        let refused = spoken::within(urdu, async { ApiError::from(AuthError::SessionOver).into_response() }).await;
        let headers = refused.headers();
        assert_eq!(headers[header::CONTENT_LANGUAGE], "ur");
        assert!(headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("the session has ended"));
    }
}
