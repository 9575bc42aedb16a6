//! `POST /chatkit`: the ChatKit protocol over HTTP.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chatkit_protocol::Envelope;

use super::body;
use super::error::ApiError;
use super::identity::Caller;
use super::sse;
use crate::app::App;
use crate::chat::{ChatError, Reply};

pub(super) fn router(paths: &[String]) -> Router<App> {
    paths.iter().fold(Router::new(), |router, path| router.route(path, post(handle)))
}

/// Reads the whole body, whatever its content type says, and answers as the request's type asks for.
async fn handle(State(app): State<App>, Caller(who): Caller, body: Body) -> Result<Response, ApiError> {
    let body = body::read(body, app.body_bytes_max).await?;
    let asked = Envelope::parse(&body).map_err(ChatError::from)?;
    match app.chat.handle(&who, asked).await? {
        Reply::Single(value) => Ok(Json(value).into_response()),
        Reply::Stream(listening) => Ok(sse::answer(listening)),
    }
}
