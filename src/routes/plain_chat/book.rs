//! `POST /chat/global` and `/chat/local`: questions to the book alone, and to a selected text alone.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::sources::{QueryMode, SourceAnswer, sources};
use super::{Asked, Question, ask, hear, members, session_of};
use crate::app::App;
use crate::chat::{QuestionNote, RestsOn, is_refusal};
use crate::routes::error::ApiError;
use crate::routes::identity::Caller;
use crate::routes::openapi::ErrorBody;
use crate::routes::{accept, simple};

/// The longest question.
const QUERY_CHARS_MAX: usize = 1_000;
/// The shortest selection that an answer can rest on.
const SELECTION_CHARS_MIN: usize = 50;

/// A question to the book.
#[derive(ToSchema)]
pub(super) struct Global {
    /// The question.
    #[schema(min_length = 1, max_length = 1_000, example = "Which sensors does an IMU combine?")]
    query: String,
    /// The conversation to go on in; without one, and with one that the caller does not have, a new one begins.
    conversation_id: Option<String>,
}

/// A question about a selected text.
#[derive(ToSchema)]
pub(super) struct Local {
    /// The question.
    #[schema(min_length = 1, max_length = 1_000, example = "What swivels?")]
    query: String,
    /// The text, all that the answer rests on. A very long one is cut.
    #[schema(
        min_length = 50,
        example = "A castor swivels freely about a vertical axis, so it carries weight without steering."
    )]
    selected_text: String,
    /// The file that it stands in, to be given back as the source.
    file_path: Option<String>,
    /// Which parts of that file it stands in; taken, and not looked at.
    #[expect(dead_code, reason = "front ends send it, and no answer depends on it")]
    chunk_indices: Option<Vec<u32>>,
    /// The conversation to go on in, as with a question to the book.
    conversation_id: Option<String>,
}

/// The answer to a question.
#[derive(Serialize, ToSchema)]
#[schema(as = BookAnswer)]
struct Answer {
    /// The whole answer, in Markdown.
    answer: String,
    /// What it rests on.
    sources: Vec<SourceAnswer>,
    /// The conversation, to be brought along with the next question.
    #[schema(example = "6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    conversation_id: String,
    /// The answer's name, for feedback.
    #[schema(example = "msg_6f9619ff8b86d011b42d00c04fc964ff")]
    interaction_id: String,
    /// What the answer was to rest on.
    query_mode: QueryMode,
}

/// Answers from the book, and from nothing else.
///
/// With `Accept: text/event-stream` the answer comes as it is written, in events of the simple dialect; with
/// `Accept: text/plain`, as bare text. Then a question that the book does not cover is answered with a sentence, since
/// the status is sent before the book was searched.
#[utoipa::path(
    post,
    path = "/chat/global",
    tag = "chat",
    request_body = Global,
    responses(
        (status = 200, description = "The answer.", content((Answer = "application/json"), (String = "text/event-stream"), (String = "text/plain"))),
        (status = 400, body = ErrorBody, description = "A member is missing or wrong."),
        (status = 404, body = ErrorBody, description = "The book does not cover the question."),
    )
)]
pub(super) async fn global(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut members = members(&app, body).await?;
    let global = Global {
        query: members.text("query", 1..=QUERY_CHARS_MAX),
        conversation_id: members.optional_text("conversation_id"),
    };
    let Global { query, conversation_id } = members.finish(global)?;
    let note = QuestionNote { rests_on: RestsOn::Knowledge, ..QuestionNote::default() };
    answer(
        &app,
        &caller,
        &headers,
        Question { member: "query", text: query, selected: None, note, session_id: conversation_id },
    )
    .await
}

/// Answers from a selected text, and from nothing else.
///
/// With `Accept: text/event-stream` the answer comes as it is written, in events of the simple dialect; with
/// `Accept: text/plain`, as bare text.
#[utoipa::path(
    post,
    path = "/chat/local",
    tag = "chat",
    request_body = Local,
    responses(
        (status = 200, description = "The answer.", content((Answer = "application/json"), (String = "text/event-stream"), (String = "text/plain"))),
        (status = 400, body = ErrorBody, description = "A member is missing or wrong."),
    )
)]
pub(super) async fn local(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut members = members(&app, body).await?;
    let local = Local {
        query: members.text("query", 1..=QUERY_CHARS_MAX),
        selected_text: members.text("selected_text", SELECTION_CHARS_MIN..=usize::MAX),
        file_path: members.optional_text("file_path"),
        chunk_indices: members.optional_numbers("chunk_indices"),
        conversation_id: members.optional_text("conversation_id"),
    };
    let Local { query, selected_text, file_path, conversation_id, .. } = members.finish(local)?;
    let note = QuestionNote { rests_on: RestsOn::SelectionAlone, file_path };
    let selected = Some(selected_text);
    let question = Question { member: "query", text: query, selected, note, session_id: conversation_id };
    answer(&app, &caller, &headers, question).await
}

async fn answer(app: &App, caller: &Caller, headers: &HeaderMap, question: Question) -> Result<Response, ApiError> {
    let (note, selected) = (question.note.clone(), question.selected.clone());
    let asked: Asked = ask(app, caller, question).await?;
    if accept::streams(headers) {
        return Ok(simple::stream(headers, asked.listening, asked.thread_id).await);
    }
    let answered = hear(asked).await?;
    let answer = Answer {
        answer: answered.text(),
        sources: sources(&note, selected.as_deref(), &answered.answers),
        conversation_id: session_of(&answered.thread_id),
        interaction_id: answered.last().map(|last| last.id.as_str().to_owned()).unwrap_or_default(),
        query_mode: QueryMode::of(&note),
    };
    match answered.last() {
        Some(last) if note.rests_on == RestsOn::Knowledge && is_refusal(&last.note) => Err(not_covered(&answer)),
        _ => Ok(Json(answer).into_response()),
    }
}

/// The book has nothing on a question; the conversation has both, the question and this.
fn not_covered(Answer { answer, conversation_id, interaction_id, .. }: &Answer) -> ApiError {
    let details = json!({"conversation_id": conversation_id, "interaction_id": interaction_id});
    ApiError::spoken(StatusCode::NOT_FOUND, "not_covered", answer.clone()).with_details(details)
}
