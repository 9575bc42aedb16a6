//! The simple dialect: a body with `action` in place of `type`, on the same path as the protocol.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chatkit_protocol::{Malformed, ThreadId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error::ApiError;
use super::identity::Caller;
use crate::app::App;
use crate::chat::ChatError;

/// What can be asked.
const ACTIONS: &[&str] = &["stop"];

/// What is asked.
pub(super) enum Action {
    /// End the turn that runs in a thread.
    Stop {
        /// Which.
        thread_id: ThreadId,
    },
}

/// A request of the simple dialect.
#[derive(ToSchema)]
#[schema(as = SimpleRequest)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(dead_code, reason = "it is read member by member, and only described here")]
pub(super) enum SimpleRequest {
    /// Ends the answer that is being written in a thread.
    Stop {
        /// The thread.
        thread_id: String,
    },
}

/// The members of every body that this dialect is recognized by.
#[derive(Deserialize)]
struct Body {
    action: Option<String>,
    #[serde(rename = "type")]
    kind: Option<serde::de::IgnoredAny>,
    thread_id: Option<ThreadId>,
}

/// Reads a body; `None` when it is not of this dialect.
pub(super) fn read(body: &[u8]) -> Option<Result<Action, ApiError>> {
    let Body { action: Some(action), kind: None, thread_id } = serde_json::from_slice(body).ok()? else { return None };
    let wrong =
        |member: &str, problem: String| ChatError::from(Malformed { member: member.to_owned(), problem }).into();
    Some(match (action.as_str(), thread_id) {
        ("stop", Some(thread_id)) => Ok(Action::Stop { thread_id }),
        ("stop", None) => Err(wrong("thread_id", "must be the id of a thread".to_owned())),
        _ => Err(wrong("action", format!("must be one of `{}`", ACTIONS.join("`, `")))),
    })
}

/// What an action is answered with, whatever it travels on.
pub(super) enum Told {
    /// One value.
    Value(Value),
}

/// Does what is asked.
pub(super) async fn carry_out(app: &App, caller: &Caller, action: Action) -> Result<Told, ApiError> {
    match action {
        Action::Stop { thread_id } => {
            let stopped = app.chat.stop(&caller.who, &thread_id).await?;
            Ok(Told::Value(json!({"stopped": stopped})))
        }
    }
}

/// The same over HTTP.
pub(super) fn answer(told: Told) -> Response {
    match told {
        Told::Value(value) => Json(value).into_response(),
    }
}
