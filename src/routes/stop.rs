//! `POST /chatkit/threads/{id}/stop`: ends the turn that runs in a thread, wherever it runs.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use chatkit_protocol::ThreadId;
use serde_json::{Value, json};

use super::error::ApiError;
use super::identity::Caller;
use crate::app::App;

pub(super) fn router(paths: &[String]) -> Router<App> {
    paths.iter().fold(Router::new(), |router, path| router.route(&format!("{path}/threads/{{id}}/stop"), post(stop)))
}

/// Answers `{"stopped": bool}` once what was shown is kept: whether there was anything to stop.
async fn stop(
    State(app): State<App>,
    Caller(who): Caller,
    Path(thread_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let stopped = app.chat.stop(&who, &ThreadId::from(thread_id)).await?;
    Ok(Json(json!({"stopped": stopped})))
}
