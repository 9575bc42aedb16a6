//! The simple dialect: a body with `action` in place of `type`, on the same paths as the protocol.
//!
//! It is the protocol in fewer words. What is asked becomes a request of it, and what is answered is told from the
//! events of the same turn.

mod asked;
mod events;
mod text;

use std::pin::Pin;

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chatkit_protocol::{
    Envelope, FeedbackKind, InferenceOptions, ItemId, ItemsFeedback, ItemsList, Malformed, Order, Request, ThreadId,
    ThreadsAddUserMessage, ThreadsCreate, ThreadsDelete, ThreadsGetById, ThreadsList, ThreadsUpdate, UserContent,
    UserMessageInput,
};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

pub(super) use self::asked::read;
pub(super) use self::events::Event;
use self::events::events;
pub(super) use self::text::THREAD_HEADER;
use super::accept::{Form, form};
use super::error::ApiError;
use super::identity::Caller;
use super::{sse, visitor};
use crate::app::App;
use crate::chat::{ChatError, Listening, Reply};

/// What can be asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Write a message and hear the answer.
    Chat(Question),
    /// List threads.
    ListThreads {
        /// Rows at most.
        limit: Option<u32>,
        /// The last row of the page before.
        after: Option<String>,
    },
    /// Show a thread with its items.
    GetThread {
        /// Which.
        thread_id: ThreadId,
    },
    /// Give a thread another title.
    RenameThread {
        /// Which.
        thread_id: ThreadId,
        /// The title; may be empty.
        title: String,
    },
    /// Delete a thread.
    DeleteThread {
        /// Which.
        thread_id: ThreadId,
    },
    /// List the items of a thread.
    ListItems {
        /// Of which.
        thread_id: ThreadId,
        /// Rows at most.
        limit: Option<u32>,
        /// The last row of the page before.
        after: Option<String>,
        /// Which end first.
        order: Order,
    },
    /// Say how good an answer was.
    Feedback {
        /// Where.
        thread_id: ThreadId,
        /// The items of the answer.
        item_ids: Vec<ItemId>,
        /// How good it was.
        kind: FeedbackKind,
    },
    /// End the turn that runs in a thread.
    Stop {
        /// Which.
        thread_id: ThreadId,
    },
}

/// A message that wants an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    /// The words.
    pub(super) message: String,
    /// Where; in a new thread, when nowhere.
    pub(super) thread_id: Option<ThreadId>,
    /// What the reader marked on the page.
    pub(super) selected_text: Option<String>,
    /// A model, by the name the page gave it.
    pub(super) model: Option<String>,
}

impl Question {
    /// The same as a request of the protocol.
    pub(super) fn request(self) -> Request {
        let input = UserMessageInput {
            content: vec![UserContent::Text { text: self.message }],
            attachments: Vec::new(),
            quoted_text: self.selected_text,
            inference_options: InferenceOptions { tool_choice: None, model: self.model },
        };
        match self.thread_id {
            Some(thread_id) => Request::ThreadsAddUserMessage(ThreadsAddUserMessage { thread_id, input }),
            None => Request::ThreadsCreate(ThreadsCreate { input }),
        }
    }
}

/// What an action is answered with, whatever it travels on.
pub(super) enum Told {
    /// One value.
    Value(Value),
    /// Events, each as its JSON.
    Stream(Pin<Box<dyn Stream<Item = String> + Send>>),
}

/// Does what is asked.
pub(super) async fn carry_out(app: &App, caller: &Caller, action: Action) -> Result<Told, ApiError> {
    let request = match action {
        Action::Chat(question) => {
            let told = chat(app, caller, question).await?.map(|event| event.to_json());
            return Ok(Told::Stream(Box::pin(told)));
        }
        Action::Stop { thread_id } => {
            let stopped = app.chat.stop(&caller.who, &thread_id).await.map_err(|error| refused(error, "message"))?;
            return Ok(Told::Value(json!({"stopped": stopped})));
        }
        Action::ListThreads { limit, after } => {
            Request::ThreadsList(ThreadsList { limit, after, order: Order::default() })
        }
        Action::GetThread { thread_id } => Request::ThreadsGetById(ThreadsGetById { thread_id }),
        Action::RenameThread { thread_id, title } => Request::ThreadsUpdate(ThreadsUpdate { thread_id, title }),
        Action::DeleteThread { thread_id } => Request::ThreadsDelete(ThreadsDelete { thread_id }),
        Action::ListItems { thread_id, limit, after, order } => {
            Request::ItemsList(ItemsList { thread_id, limit, after, order })
        }
        Action::Feedback { thread_id, item_ids, kind } => {
            Request::ItemsFeedback(ItemsFeedback { thread_id, item_ids, kind })
        }
    };
    match caller
        .desk(app)
        .handle(&caller.who, Envelope::from(request))
        .await
        .map_err(|error| refused(error, "message"))?
    {
        Reply::Single(value) => Ok(Told::Value(serde_json::to_value(value).expect("answers have text keys only"))),
        Reply::Stream(_) => unreachable!("only messages are answered by a stream"),
    }
}

/// The events of the answer to a question.
async fn chat(
    app: &App,
    caller: &Caller,
    question: Question,
) -> Result<impl Stream<Item = Event> + Send + use<>, ApiError> {
    let thread_id = question.thread_id.clone();
    match caller
        .desk(app)
        .handle(&caller.who, Envelope::from(question.request()))
        .await
        .map_err(|error| refused(error, "message"))?
    {
        Reply::Stream(listening) => Ok(events(listening, thread_id)),
        Reply::Single(_) => unreachable!("messages are answered by a stream"),
    }
}

/// The same over HTTP.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    action: Action,
) -> Result<Response, ApiError> {
    match action {
        Action::Chat(question) => {
            let events = chat(app, caller, question).await?;
            Ok(written(headers, events).await)
        }
        action => {
            let in_passing = match action {
                Action::ListThreads { .. } => visitor::in_passing(app, &caller.who, headers),
                _ => None,
            };
            match carry_out(app, caller, action).await? {
                Told::Value(value) => Ok((in_passing.map(|header| [header]), Json(value)).into_response()),
                Told::Stream(events) => Ok(sse::answer_of(events)),
            }
        }
    }
}

/// The answer to a question that another door asked, as it is written.
pub(super) async fn stream(headers: &HeaderMap, listening: Listening, thread_id: Option<ThreadId>) -> Response {
    written(headers, events(listening, thread_id)).await
}

async fn written(headers: &HeaderMap, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    match form(headers) {
        Some(Form::Text) => text::answer(events).await,
        Some(Form::Value | Form::Events) | None => sse::answer_of(events.map(|event| event.to_json())),
    }
}

/// What the protocol calls its members is called otherwise at doors of few words; `message` is what they call the words
/// of a reader.
pub(super) fn refused(error: ChatError, message: &str) -> ApiError {
    let spelled = |text: &str| text.replace("params.input.content", message).replace("params.", "");
    match error {
        ChatError::Malformed(Malformed { member, problem }) => {
            ChatError::from(Malformed { member: spelled(&member), problem }).into()
        }
        error => ApiError::from(error).reworded(spelled),
    }
}
