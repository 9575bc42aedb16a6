//! `GET /livez`, `/readyz`, `/health`: whether the process, what it needs, and the service are well.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::App;

/// A probe may take so long before what it probes counts as down.
const PROBE_TIME_MAX: Duration = Duration::from_secs(2);
/// Probes within so long share one answer, so that nobody can wear the database out by asking.
const PROBE_KEPT: Duration = Duration::from_secs(1);

/// What the last probe said.
#[derive(Clone, Debug, Default)]
struct Probes(Arc<Mutex<Option<(Instant, bool)>>>);

pub(super) fn router() -> Router<App> {
    let doors = Router::new().route("/livez", get(live)).route("/readyz", get(ready)).route("/health", get(health));
    doors.layer(Extension(Probes::default()))
}

async fn live() -> Json<serde_json::Value> {
    Json(json!({"status": "alive"}))
}

async fn ready(State(app): State<App>, Extension(probes): Extension<Probes>) -> Response {
    let accepting = app.chat.turns().is_open();
    let database = accepting && database_answers(&app, &probes).await;
    let up = |yes: bool| if yes { "up" } else { "down" };
    let status = if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": if database { "ready" } else { "not_ready" },
        "components": {"server": if accepting { "up" } else { "closing" }, "database": up(database)},
    });
    (status, Json(body)).into_response()
}

async fn health(State(app): State<App>, Extension(probes): Extension<Probes>) -> Json<serde_json::Value> {
    let database = database_answers(&app, &probes).await;
    let knowledge = match tokio::time::timeout(PROBE_TIME_MAX, app.knowledge.describe()).await {
        Ok(Ok(description)) => Some(description),
        Ok(Err(_)) | Err(_) => None,
    };
    let model = app.model.name();
    Json(json!({
        "status": if database && knowledge.is_some() { "ok" } else { "degraded" },
        "service": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "database": if database { "connected" } else { "disconnected" },
        "vector_store": knowledge.as_ref().map_or("disconnected", |knowledge| knowledge.kind),
        "retrieval": knowledge.as_ref().map(|knowledge| knowledge.retrieval),
        "documents": knowledge.as_ref().map(|knowledge| knowledge.documents),
        "passages": knowledge.as_ref().map(|knowledge| knowledge.passages),
        "model": format!("{}/{}", model.provider, model.model),
    }))
}

async fn database_answers(app: &App, probes: &Probes) -> bool {
    let mut last = probes.0.lock().await;
    if let Some((when, answer)) = *last
        && when.elapsed() < PROBE_KEPT
    {
        return answer;
    }
    let answer = matches!(tokio::time::timeout(PROBE_TIME_MAX, app.store.ping()).await, Ok(Ok(())));
    *last = Some((Instant::now(), answer));
    answer
}
