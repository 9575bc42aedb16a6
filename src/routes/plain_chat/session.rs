//! `POST /chat`: a message, and a session that remembers.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chatkit_protocol::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Question, ask, hear, members, session_of};
use crate::app::App;
use crate::chat::{QuestionNote, RestsOn};
use crate::routes::error::ApiError;
use crate::routes::identity::Caller;
use crate::routes::openapi::ErrorBody;
use crate::routes::{accept, simple};

/// A message of a session.
#[derive(ToSchema)]
pub(super) struct Message {
    /// The words.
    #[schema(min_length = 1, example = "What are the three terms of a PID controller?")]
    message: String,
    /// The session to go on in; without one, and with one that the caller does not have, a new one begins.
    session_id: Option<String>,
    /// What the reader has marked: the answer then rests on it and the message alone. A very long text is cut.
    selected_text: Option<String>,
}

/// The answer to a message.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatAnswer)]
struct Answer {
    /// The whole answer, in Markdown.
    #[schema(example = "A PID controller has three terms: a proportional, an integral and a derivative one.")]
    response: String,
    /// The session, to be brought along with the next message.
    #[schema(example = "6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    session_id: String,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

/// Answers a message.
///
/// With `Accept: text/event-stream` the answer comes as it is written, in events of the simple dialect; with
/// `Accept: text/plain`, as bare text.
#[utoipa::path(
    post,
    path = "/chat",
    tag = "chat",
    request_body = Message,
    responses(
        (status = 200, description = "The answer.", content((Answer = "application/json"), (String = "text/event-stream"), (String = "text/plain"))),
        (status = 400, body = ErrorBody, description = "A member is missing or wrong."),
    )
)]
pub(super) async fn chat(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut members = members(&app, body).await?;
    let message = Message {
        message: members.text("message", 1..=usize::MAX),
        session_id: members.optional_text("session_id"),
        selected_text: members.optional_text("selected_text"),
    };
    let Message { message, session_id, selected_text } = members.finish(message)?;
    let rests_on = if selected_text.is_some() { RestsOn::SelectionAlone } else { RestsOn::Anything };
    let note = QuestionNote { rests_on, ..QuestionNote::default() };
    let question = Question { member: "message", text: message, selected: selected_text, note, session_id };
    let asked = ask(&app, &caller, question).await?;
    if accept::streams(&headers) {
        return Ok(simple::stream(&headers, asked.listening, asked.thread_id).await);
    }
    let answered = hear(asked).await?;
    let session_id = session_of(&answered.thread_id);
    Ok(Json(Answer { response: answered.text(), session_id, timestamp: app.clock.now() }).into_response())
}
