//! `GET /metrics`: what happened in this instance, counted, for Prometheus and what reads like it.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use tokio::time::Instant;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::openapi::ErrorBody;
use crate::app::App;
use crate::auth::operator;
use crate::metrics::Format;

/// The route of a request that no door is for.
const NO_ROUTE: &str = "none";

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Everybody, routes!(metrics))
}

/// What happened in this instance, counted.
///
/// In Prometheus' text format or, for an `Accept` that names it, in OpenMetrics. Where the operator has set a token, it
/// is to be shown as `Authorization: Bearer`.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses(
        (status = 200, description = "The counts.", content(
            (String = "text/plain"),
            (String = "application/openmetrics-text"),
        )),
        (status = 401, body = ErrorBody, description = "A token is needed, or this is another one."),
    )
)]
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(token) = &app.metrics_token {
        check(token, &headers)?;
    }
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    let format = accepted.map_or(Format::Plain, Format::accepted);
    Ok(([(CONTENT_TYPE, format.content_type())], app.metrics.written(format)).into_response())
}

fn check(token: &SecretString, headers: &HeaderMap) -> Result<(), ApiError> {
    let shown =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
    match shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
        Some((_, shown)) if operator::shows(shown.trim(), token) => Ok(()),
        _ => Err(ApiError::unauthorized("the counts are for whoever shows the token of METRICS_TOKEN")),
    }
}

/// Counts a request when its answer has a head.
pub(super) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    app.metrics.answered(method, route, response.status().as_u16(), began.elapsed());
    response
}

/// A method by its name; anybody can make up others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
