//! `POST /chatkit/threads/{id}/stop`: ends the turn that runs in a thread, wherever it runs.

use axum::Json;
use axum::extract::State;
use chatkit_protocol::ThreadId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use super::named::Named;
use super::openapi::ErrorBody;
use crate::app::App;

/// What became of a wish to stop.
#[derive(Serialize, ToSchema)]
struct Stopped {
    /// Whether there was anything to stop.
    stopped: bool,
}

pub(super) fn doors(paths: &[String]) -> Doors {
    let path = |path| format!("{path}/threads/{{id}}/stop");
    paths.iter().map(path).fold(Doors::new(), |doors, path| doors.at(&path, Entry::Caller, routes!(stop)))
}

/// Ends the answer that is being written in a thread.
///
/// Answers once what was shown is kept, and says whether there was anything to stop.
#[utoipa::path(
    post,
    path = "/chatkit/threads/{id}/stop",
    tag = "chatkit",
    params(("id" = String, Path, description = "The thread.")),
    responses(
        (status = 200, body = Stopped, description = "Whether there was anything to stop."),
        (status = 404, body = ErrorBody, description = "The caller has no such thread."),
    )
)]
async fn stop(
    State(app): State<App>,
    Caller { who, .. }: Caller,
    Named(thread_id): Named,
) -> Result<Json<Stopped>, ApiError> {
    let stopped = app.chat.stop(&who, &ThreadId::from(thread_id)).await?;
    Ok(Json(Stopped { stopped }))
}
