//! `/chat/new` and `/chat/history`: conversations that are begun, listed and read again.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chatkit_protocol::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::sources::{QueryMode, SourceAnswer, sources};
use super::{session_of, text_of, thread_of};
use crate::app::App;
use crate::chat::{ChatError, Conversation, Interaction, Stretch};
use crate::routes::error::ApiError;
use crate::routes::identity::Caller;
use crate::routes::members::wrong;
use crate::routes::openapi::ErrorBody;
use crate::routes::spoken;

/// A conversation that was begun.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// The conversation, to be brought along with questions.
    #[schema(example = "6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    conversation_id: String,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A stretch of a reader's conversations.
#[derive(Serialize, ToSchema)]
pub(super) struct Conversations {
    /// The conversations, the one that changed last first.
    conversations: Vec<Listed>,
    /// How many there are all together.
    total: u64,
}

/// A conversation on the list.
#[derive(Serialize, ToSchema)]
struct Listed {
    /// Its name.
    conversation_id: String,
    /// What it is called; null as long as it has no title.
    title: Option<String>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When anything of it changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Questions and answers in it.
    message_count: u64,
}

/// A conversation with what was asked and answered in it.
#[derive(Serialize, ToSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    listed: Listed,
    /// Questions with their answers, in their order; of a very long conversation, the last of them.
    interactions: Vec<Exchange>,
}

/// A question with its answer.
#[derive(Serialize, ToSchema)]
struct Exchange {
    /// The name of the answer, for feedback; where there is none, of the question.
    interaction_id: String,
    /// The question.
    query: String,
    /// The whole answer, in Markdown; empty where there is none.
    answer: String,
    /// What it rests on.
    sources: Vec<SourceAnswer>,
    /// What it was to rest on.
    query_mode: QueryMode,
    /// When the question was asked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Conversation> for Listed {
    fn from(Conversation { thread, updated_at, messages }: Conversation) -> Self {
        Self {
            conversation_id: session_of(&thread.id),
            title: thread.title,
            created_at: thread.created_at,
            updated_at,
            message_count: messages,
        }
    }
}

impl From<Interaction> for Exchange {
    fn from(Interaction { question_id, question, note, asked_at, answers }: Interaction) -> Self {
        let id = answers.last().map_or(&question_id, |answer| &answer.id);
        Self {
            interaction_id: id.as_str().to_owned(),
            query: question.text(),
            answer: text_of(&answers),
            sources: sources(&note, question.quoted_text.as_deref(), &answers),
            query_mode: QueryMode::of(&note),
            created_at: asked_at,
        }
    }
}

/// Begins a conversation without a question.
#[utoipa::path(
    post,
    path = "/chat/new",
    tag = "chat",
    responses((status = 201, body = Begun, description = "The conversation."))
)]
pub(super) async fn begin(State(app): State<App>, caller: Caller) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let thread = caller.desk(&app).begin_thread(&caller.who).await?;
    let begun = Begun { conversation_id: session_of(&thread.id), created_at: thread.created_at };
    Ok((StatusCode::CREATED, Json(begun)))
}

/// Lists the caller's conversations, whichever door they were begun at.
///
/// A caller without any identity has none, though they can read one whose name they know.
#[utoipa::path(
    get,
    path = "/chat/history",
    tag = "chat",
    params(
        ("limit" = Option<u32>, Query, description = "How many at most: 20 when not given, and never more than 200."),
        ("offset" = Option<u32>, Query, description = "How many are passed over."),
    ),
    responses(
        (status = 200, body = Conversations, description = "The conversations."),
        (status = 400, body = ErrorBody, description = "A parameter is wrong."),
    )
)]
pub(super) async fn conversations(
    State(app): State<App>,
    caller: Caller,
    asked: Result<Query<HashMap<String, String>>, QueryRejection>,
) -> Result<Json<Conversations>, ApiError> {
    let (conversations, total) = caller.desk(&app).conversations(&caller.who, stretch(asked)?).await?;
    Ok(Json(Conversations { conversations: conversations.into_iter().map(Listed::from).collect(), total }))
}

fn stretch(asked: Result<Query<HashMap<String, String>>, QueryRejection>) -> Result<Stretch, ApiError> {
    let unreadable = |_| wrong(&[("query", spoken::say("door-member-stretch"))]);
    let Query(asked) = asked.map_err(unreadable)?;
    let mut problems = Vec::new();
    let mut number = |name: &'static str| match asked.get(name).map(|text| text.parse()) {
        None => 0,
        Some(Ok(number)) => number,
        Some(Err(_)) => {
            problems.push((name, spoken::say("door-member-count")));
            0
        }
    };
    let stretch = Stretch { limit: number("limit"), offset: number("offset") };
    match problems.is_empty() {
        true => Ok(stretch),
        false => Err(wrong(&problems)),
    }
}

/// Shows a conversation with its questions and answers, whichever doors they came through.
#[utoipa::path(
    get,
    path = "/chat/history/{conversation_id}",
    tag = "chat",
    params(("conversation_id" = String, Path, description = "The conversation.")),
    responses(
        (status = 200, body = Whole, description = "The conversation."),
        (status = 404, body = ErrorBody, description = "The caller has no such conversation."),
    )
)]
pub(super) async fn conversation(
    State(app): State<App>,
    caller: Caller,
    Path(conversation_id): Path<String>,
) -> Result<Json<Whole>, ApiError> {
    let missing = || {
        let message = spoken::say("simple-no-conversation");
        ApiError::spoken(StatusCode::NOT_FOUND, "conversation_not_found", message)
    };
    let thread_id = thread_of(&conversation_id).ok_or_else(missing)?;
    match caller.desk(&app).look_back(&caller.who, &thread_id).await {
        Ok((conversation, interactions)) => Ok(Json(Whole {
            listed: conversation.into(),
            interactions: interactions.into_iter().map(Exchange::from).collect(),
        })),
        Err(ChatError::NoThread) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}
