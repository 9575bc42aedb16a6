//! `POST /chatkit/threads/{id}/stop`: ends the turn that runs in a thread, wherever it runs.

use axum::Json;
use axum::extract::{Path, State};
use chatkit_protocol::ThreadId;
use serde_json::{Value, json};

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use crate::app::App;

pub(super) fn doors(paths: &[String]) -> Doors {
    let path = |path| format!("{path}/threads/{{id}}/stop");
    paths.iter().map(path).fold(Doors::new(), |doors, path| doors.post(&path, Entry::Caller, stop))
}

/// Answers `{"stopped": bool}` once what was shown is kept: whether there was anything to stop.
async fn stop(
    State(app): State<App>,
    Caller { who, .. }: Caller,
    Path(thread_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let stopped = app.chat.stop(&who, &ThreadId::from(thread_id)).await?;
    Ok(Json(json!({"stopped": stopped})))
}
