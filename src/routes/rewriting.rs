//! What the doors of personalizing and of translating have in common: an order becomes one answer or a stream, and a
//! refusal becomes a status and a sentence.

mod members;

use std::time::Duration;

use async_stream::stream;
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chatkit_protocol::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use super::accept::{Form, form};
use super::error::ApiError;
use super::identity::Caller;
use super::sse;
use crate::app::App;
use crate::chat::ChatError;
use crate::identity::{Identity, OwnerId};
use crate::language::Language;
use crate::quota::{Day, DayStatus, PerDay};
use crate::rewrite::{Failure, Order, Refusal, Task};

pub(super) use members::{CONTENT_CHARS_MIN, CONTEXT_CHARS_MAX, HASH_CHARS_MAX, TEXT_CHARS_MAX, page_url, tag, target};

/// A stream begins with the first piece, so that what fails before has a status; but not later than after this.
const FIRST_PIECE_WAIT: Duration = Duration::from_secs(5);
/// What nobody can say how long to wait for is worth another try after so long.
const WAIT_SECONDS: u32 = 5;

/// An answer that is one value, of which a stream tells all but the text at its end.
pub(super) trait Answer: Serialize {
    /// The member that holds the text.
    const TEXT: &'static str;
}

/// How much of a day's number is used.
#[derive(Serialize, ToSchema)]
pub(super) struct QuotaStatus {
    /// How many there are in a day; 1000000000 where there is no limit.
    #[schema(example = 50)]
    limit: u64,
    /// How many of them are used.
    #[schema(example = 3)]
    used: u64,
    /// How many are left.
    #[schema(example = 47)]
    remaining: u64,
    /// When there are as many as in the beginning again: midnight UTC.
    #[schema(value_type = String, format = DateTime)]
    resets_at: Timestamp,
}

impl From<DayStatus> for QuotaStatus {
    fn from(DayStatus { limit, used, remaining, resets_at, wait_seconds: _ }: DayStatus) -> Self {
        Self { limit, used, remaining, resets_at }
    }
}

/// What is known when a text is written.
pub(super) struct After {
    pub(super) now: Timestamp,
    pub(super) processing_time_ms: u64,
    pub(super) quota: DayStatus,
}

/// What has to be known at the end of a text.
struct End {
    app: App,
    day: Day,
    begun: Instant,
    language: Language,
    what: PerDay,
}

impl End {
    async fn after(&self) -> Result<After, ApiError> {
        let processing_time_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let quota = self.day.status().await;
        let quota = quota.map_err(|error| refused(self.language, self.what, Refusal::Store(error)))?;
        Ok(After { now: self.app.clock.now(), processing_time_ms, quota })
    }
}

/// The user who asks.
pub(super) fn user(caller: &Caller) -> Result<&OwnerId, ApiError> {
    match &caller.who {
        Identity::User { id } => Ok(id),
        Identity::Visitor { .. } | Identity::Stranger => Err(ApiError::sign_in_required()),
    }
}

/// How much of the day's number the caller has used.
pub(super) async fn quota(app: &App, caller: &Caller, what: PerDay) -> Result<Json<QuotaStatus>, ApiError> {
    let status = app.quota.of_day(&caller.who, caller.address, what).status().await;
    Ok(Json(status.map_err(|error| refused(caller.language, what, Refusal::Store(error)))?.into()))
}

/// Has a text written anew, and answers with it as the caller asks: as one value, or as it is written.
pub(super) async fn answer<A: Answer + Send + 'static>(
    app: &App,
    caller: Caller,
    headers: &HeaderMap,
    (task, text, page_url): (Task, String, Option<String>),
    made: impl FnOnce(String, &After) -> A + Send + 'static,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let what = match task {
        Task::Personalize { .. } => PerDay::Personalizations,
        Task::Translate { .. } => PerDay::Translations,
    };
    let language = caller.language;
    let day = app.quota.of_day(&caller.who, caller.address, what);
    let allowance = app.quota.of(&caller.who, caller.address);
    let order = Order { task, text: text.into(), page_url, who: caller.who, allowance, day: day.clone() };
    let mut listening = app.rewrites.order(order).await.map_err(|refusal| refused(language, what, refusal))?;
    let end = End { app: app.clone(), day, begun, language, what };
    if form(headers) != Some(Form::Events) {
        let text = listening.whole().await.map_err(|failure| failed(language, failure))?;
        return Ok(Json(made(text, &end.after().await?)).into_response());
    }
    let first = match timeout(FIRST_PIECE_WAIT, listening.next()).await {
        Ok(Some(Err(failure))) => return Err(failed(language, failure)),
        Ok(Some(Ok(piece))) => Some(piece),
        Ok(None) => {
            let last = done(&made(String::new(), &end.after().await?));
            return Ok(sse::answer_of(futures_util::stream::iter([last])));
        }
        Err(_) => None,
    };
    Ok(sse::answer_of(stream! {
        if let Some(piece) = first {
            yield content(&piece);
        }
        while let Some(piece) = listening.next().await {
            match piece {
                Ok(piece) => yield content(&piece),
                Err(failure) => yield error_event(&failed(language, failure)),
            }
        }
        match end.after().await {
            Ok(after) => yield done(&made(String::new(), &after)),
            Err(error) => yield error_event(&error),
        }
    }))
}

fn content(piece: &str) -> String {
    json!({"type": "content", "delta": piece}).to_string()
}

/// The last event: the members of the answer, without the text.
fn done<A: Answer>(answer: &A) -> String {
    let mut event = json!({"type": "done"});
    if let (Some(event), Ok(Value::Object(mut members))) = (event.as_object_mut(), serde_json::to_value(answer)) {
        members.shift_remove(A::TEXT);
        event.extend(members);
    }
    event.to_string()
}

fn error_event(error: &ApiError) -> String {
    let (code, message) = (error.code(), error.message());
    json!({"type": "error", "code": code, "message": message, "allow_retry": error.may_pass()}).to_string()
}

/// What whoever ordered a text hears when it was not begun.
pub(super) fn refused(language: Language, what: PerDay, refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::QuotaExceeded(status) => {
            let sentence = match what {
                PerDay::Personalizations => "rewrite-quota-personalizations",
                PerDay::Translations => "rewrite-quota-translations",
            };
            let message = language.say_with(sentence, &[("limit", status.limit.into())]);
            let wait_seconds = status.wait_seconds;
            ApiError::spoken(StatusCode::TOO_MANY_REQUESTS, "quota_exceeded", message)
                .with_details(json!(QuotaStatus::from(status)))
                .after(wait_seconds)
        }
        Refusal::Reached(reached) => ChatError::Reached(Box::new(reached)).into(),
        Refusal::Failure(failure) => failed(language, failure),
        Refusal::Store(error) => ChatError::Store(error).into(),
    }
}

fn failed(language: Language, failure: Failure) -> ApiError {
    let (status, code, sentence) = match failure {
        Failure::NoModel => (StatusCode::SERVICE_UNAVAILABLE, "no_model", "rewrite-no-model"),
        Failure::TooSlow => (StatusCode::GATEWAY_TIMEOUT, "too_slow", "rewrite-too-slow"),
        Failure::Damaged => (StatusCode::BAD_GATEWAY, "damaged", "rewrite-damaged"),
        Failure::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "model_busy", "rewrite-busy"),
        Failure::Failed => (StatusCode::BAD_GATEWAY, "model_failed", "rewrite-failed"),
        Failure::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "stopping", "rewrite-stopped"),
    };
    let error = ApiError::spoken(status, code, language.say(sentence));
    match failure {
        Failure::Busy { retry_after_s } => error.after(retry_after_s.unwrap_or(WAIT_SECONDS)),
        Failure::Stopped => error.after(WAIT_SECONDS),
        Failure::NoModel | Failure::TooSlow | Failure::Damaged | Failure::Failed => error,
    }
}
