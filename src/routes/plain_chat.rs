//! `POST /chat` and `POST /chat/local`: one question, one JSON answer, on the same conversations as the protocol.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use chatkit_protocol::{
    Envelope, InferenceOptions, Malformed, Request, ThreadId, ThreadsAddUserMessage, ThreadsCreate, UserContent,
    UserMessageInput,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body;
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use crate::app::App;
use crate::chat::{Chat, ChatError, Collected, QuestionNote, Reply, RestsOn, collect};
use crate::identity::Identity;

/// The shortest selection that an answer can rest on.
const SELECTION_CHARS_MIN: usize = 50;
/// The longest question about a selection.
const QUERY_CHARS_MAX: usize = 1_000;
/// A selection is kept up to so many bytes, more than any answer looks at; a longer one is no mistake of the reader.
const SELECTION_BYTES_MAX: usize = 16_000;

pub(super) fn doors() -> Doors {
    Doors::new().post("/chat", Entry::Caller, chat).post("/chat/local", Entry::Caller, local)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    message: String,
    session_id: Option<String>,
    selected_text: Option<String>,
}

/// Answers `{"response", "session_id", "timestamp"}`. A session that is not the caller's counts as unknown, and an
/// unknown one begins anew.
async fn chat(State(app): State<App>, caller: Caller, body: Body) -> Result<Json<Value>, ApiError> {
    let asked: Asked = read(&app, body).await?;
    if asked.message.trim().is_empty() {
        return Err(wrong("message", "must hold a question"));
    }
    let selected = asked.selected_text.filter(|text| !text.trim().is_empty());
    let thread_id = asked.session_id.as_deref().and_then(thread_of);
    let answered = ask(&app, &caller, thread_id, asked.message, selected).await?;
    Ok(Json(json!({
        "response": answered.collected.text(),
        "session_id": session_of(&answered.thread_id),
        "timestamp": app.clock.now(),
    })))
}

#[derive(Deserialize)]
struct Local {
    #[serde(default)]
    query: String,
    #[serde(default)]
    selected_text: String,
    file_path: Option<String>,
    conversation_id: Option<String>,
}

/// Answers `{"answer", "sources", "conversation_id", "interaction_id", "query_mode"}`, from the selected text alone.
async fn local(State(app): State<App>, caller: Caller, body: Body) -> Result<Json<Value>, ApiError> {
    let asked: Local = read(&app, body).await?;
    let query_chars = asked.query.trim().chars().count();
    if query_chars == 0 || query_chars > QUERY_CHARS_MAX {
        return Err(wrong("query", format!("must have 1 to {QUERY_CHARS_MAX} characters")));
    }
    if asked.selected_text.trim().chars().count() < SELECTION_CHARS_MIN {
        return Err(wrong("selected_text", format!("must have at least {SELECTION_CHARS_MIN} characters")));
    }
    let thread_id = asked.conversation_id.as_deref().and_then(thread_of);
    let selected = asked.selected_text;
    let answered = ask(&app, &caller, thread_id, asked.query, Some(selected.clone())).await?;
    Ok(Json(json!({
        "answer": answered.collected.text(),
        "sources": [{"chunk_id": null, "file_path": asked.file_path, "content": selected, "score": 1.0}],
        "conversation_id": session_of(&answered.thread_id),
        "interaction_id": answered.collected.messages.last().map(|(id, _)| id),
        "query_mode": "local",
    })))
}

struct Answered {
    thread_id: ThreadId,
    collected: Collected,
}

/// Asks in a thread, or in a new one when there is no such thread for the caller. Where something is selected, the
/// answer rests on that alone.
async fn ask(
    app: &App,
    caller: &Caller,
    thread_id: Option<ThreadId>,
    text: String,
    selected: Option<String>,
) -> Result<Answered, ApiError> {
    let rests_on = if selected.is_some() { RestsOn::SelectionAlone } else { RestsOn::Anything };
    let note = QuestionNote { rests_on, ..QuestionNote::default() };
    let (who, desk) = (&caller.who, caller.desk(app).noting(note));
    let input = UserMessageInput {
        content: vec![UserContent::Text { text }],
        attachments: Vec::new(),
        quoted_text: selected.map(shortened),
        inference_options: InferenceOptions::default(),
    };
    if let Some(thread_id) = thread_id {
        let request = ThreadsAddUserMessage { thread_id: thread_id.clone(), input: input.clone() };
        match answer(&desk, who, Request::ThreadsAddUserMessage(request)).await {
            Err(ChatError::NoThread) => {}
            collected => return finished(Some(thread_id), collected?),
        }
    }
    finished(None, answer(&desk, who, Request::ThreadsCreate(ThreadsCreate { input })).await?)
}

fn shortened(mut selected: String) -> String {
    selected.truncate(selected.floor_char_boundary(SELECTION_BYTES_MAX));
    selected
}

async fn answer(desk: &Chat, who: &Identity, request: Request) -> Result<Collected, ChatError> {
    match desk.handle(who, Envelope::from(request)).await? {
        Reply::Stream(listening) => Ok(collect(listening).await),
        Reply::Single(_) => unreachable!("messages are answered by a stream"),
    }
}

fn finished(thread_id: Option<ThreadId>, collected: Collected) -> Result<Answered, ApiError> {
    let failed = |message| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "no_answer", message);
    if let Some(failure) = &collected.failure {
        return Err(failed(failure.message.clone()));
    }
    match thread_id.or_else(|| collected.thread_id.clone()) {
        Some(thread_id) => Ok(Answered { thread_id, collected }),
        None => Err(failed("The conversation could not be kept. Please try again.".to_owned())),
    }
}

/// The session of a thread: the UUID in its id, or the id itself where another door gave it another form.
fn session_of(thread_id: &ThreadId) -> String {
    let uuid = thread_id.as_str().strip_prefix("thr_").and_then(|rest| Uuid::try_parse(rest).ok());
    uuid.map_or_else(|| thread_id.as_str().to_owned(), |uuid| uuid.hyphenated().to_string())
}

/// The thread of a session, given as a UUID or as the thread's own id.
fn thread_of(session_id: &str) -> Option<ThreadId> {
    let session_id = session_id.trim();
    match Uuid::try_parse(session_id) {
        Ok(uuid) => Some(ThreadId::from(format!("thr_{}", uuid.simple()))),
        Err(_) => (!session_id.is_empty()).then(|| ThreadId::from(session_id.to_owned())),
    }
}

async fn read<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, ApiError> {
    let body = body::read(body, app.body_bytes_max, app.body_time_max).await?;
    serde_json::from_slice(&body).map_err(|error| wrong("body", format!("is not what this route takes ({error})")))
}

fn wrong(member: &str, problem: impl Into<String>) -> ApiError {
    ChatError::from(Malformed { member: member.to_owned(), problem: problem.into() }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_thread_by_another_name() {
        let thread_id = ThreadId::from("thr_6f9619ff8b86d011b42d00c04fc964ff");
        let session_id = session_of(&thread_id);
        assert_eq!(session_id, "6f9619ff-8b86-d011-b42d-00c04fc964ff");
        assert_eq!(thread_of(&session_id), Some(thread_id));
        assert_eq!(thread_of(&session_of(&ThreadId::from("old-1"))), Some(ThreadId::from("old-1")));
        assert_eq!(thread_of("  "), None);
    }
}
