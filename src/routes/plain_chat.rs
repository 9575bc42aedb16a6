//! `/chat` and what lies below it: questions with one JSON answer each, on the same conversations as the protocol.

mod book;
mod history;
mod session;
mod sources;

use axum::body::Body;
use axum::http::StatusCode;
use chatkit_protocol::{
    Envelope, InferenceOptions, Request, ThreadId, ThreadsAddUserMessage, ThreadsCreate, UserContent, UserMessageInput,
};
use utoipa_axum::routes;
use uuid::Uuid;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use super::members::Members;
use super::{simple, spoken};
use crate::app::App;
use crate::chat::{ChatError, Listening, Noted, QuestionNote, Reply, collect};

/// A selection is kept up to so many bytes, more than any answer looks at; a longer one is no mistake of the reader.
const SELECTION_BYTES_MAX: usize = 16_000;

pub(super) fn doors() -> Doors {
    Doors::new()
        .open(Entry::Caller, routes!(session::chat))
        .open(Entry::Caller, routes!(book::global))
        .open(Entry::Caller, routes!(book::local))
        .open(Entry::Caller, routes!(history::begin))
        .open(Entry::Caller, routes!(history::conversations))
        .open(Entry::Caller, routes!(history::conversation))
}

/// A question of one of these doors.
struct Question {
    /// What the door calls the member with the words.
    member: &'static str,
    text: String,
    selected: Option<String>,
    note: QuestionNote,
    /// The conversation that the caller names.
    session_id: Option<String>,
}

/// A turn that has begun.
struct Asked {
    /// Where, if it did not begin a new thread.
    thread_id: Option<ThreadId>,
    listening: Listening,
}

/// What a turn came to.
struct Answered {
    thread_id: ThreadId,
    /// At least one.
    answers: Vec<Noted>,
}

impl Answered {
    /// The whole answer, a blank line between its messages.
    fn text(&self) -> String {
        text_of(&self.answers)
    }

    /// The message that was answered last.
    fn last(&self) -> Option<&Noted> {
        self.answers.last()
    }
}

/// Asks in the conversation that is named, or in a new one when the caller has no such conversation.
async fn ask(app: &App, caller: &Caller, question: Question) -> Result<Asked, ApiError> {
    let desk = caller.desk(app).noting(question.note);
    let room = desk.message_bytes_max().saturating_sub(question.text.len()).min(SELECTION_BYTES_MAX);
    let input = UserMessageInput {
        content: vec![UserContent::Text { text: question.text }],
        attachments: Vec::new(),
        quoted_text: question.selected.map(|selected| shortened(selected, room)),
        inference_options: InferenceOptions::default(),
    };
    let begin = async |request: Request| match desk.handle(&caller.who, Envelope::from(request)).await? {
        Reply::Stream(listening) => Ok(listening),
        Reply::Single(_) => unreachable!("messages are answered by a stream"),
    };
    let refused = |error| simple::refused(error, question.member);
    if let Some(thread_id) = question.session_id.as_deref().and_then(thread_of) {
        let request = ThreadsAddUserMessage { thread_id: thread_id.clone(), input: input.clone() };
        match begin(Request::ThreadsAddUserMessage(request)).await {
            Err(ChatError::NoThread) => {}
            begun => return Ok(Asked { thread_id: Some(thread_id), listening: begun.map_err(refused)? }),
        }
    }
    let begun = begin(Request::ThreadsCreate(ThreadsCreate { input })).await;
    Ok(Asked { thread_id: None, listening: begun.map_err(refused)? })
}

fn shortened(mut selected: String, bytes_max: usize) -> String {
    selected.truncate(selected.floor_char_boundary(bytes_max));
    selected
}

/// Listens to the end.
async fn hear(Asked { thread_id, listening }: Asked) -> Result<Answered, ApiError> {
    let account = listening.account();
    let collected = collect(listening).await;
    let failed = |message| ApiError::spoken(StatusCode::INTERNAL_SERVER_ERROR, "no_answer", message);
    if let Some(failure) = collected.failure {
        return Err(failed(failure.message));
    }
    let Some(thread_id) = thread_id.or(collected.thread_id) else {
        return Err(failed(spoken::say("chat-not-saved")));
    };
    let answers = collected.messages.into_iter().map(|(id, message)| {
        let note = account.note(&id).unwrap_or_default();
        Noted { id, message, note }
    });
    Ok(Answered { thread_id, answers: answers.collect() })
}

/// The messages of an answer as one text, a blank line between them.
fn text_of(answers: &[Noted]) -> String {
    let texts: Vec<String> = answers.iter().map(|answer| answer.message.text()).collect();
    texts.join("\n\n")
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

async fn members(app: &App, body: Body) -> Result<Members, ApiError> {
    Members::read(app, body, app.body_bytes_max).await
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
