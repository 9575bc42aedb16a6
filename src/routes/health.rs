//! `GET /livez`, `/readyz`, `/health`: whether the process, what it needs, and the service are well.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::doors::{Doors, Entry};
use crate::app::App;
use crate::knowledge::KnowledgeBase;

/// A probe may take so long before what it probes counts as down.
const PROBE_TIME_MAX: Duration = Duration::from_secs(2);
/// Probes within so long share one answer, so that nobody can wear the database out by asking.
const PROBE_KEPT: Duration = Duration::from_secs(1);

/// Where orchestrators ask, as often as they like.
pub(super) const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// What the last probes said.
#[derive(Clone, Default)]
struct Probes {
    database: Kept<bool>,
    knowledge: Kept<Option<Value>>,
}

/// An answer that is good for [`PROBE_KEPT`].
#[derive(Clone, Default)]
struct Kept<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T: Clone> Kept<T> {
    /// The kept answer, or that of the probe; whoever asks meanwhile waits for it.
    async fn or(&self, probe: impl Future<Output = T>) -> T {
        let mut last = self.0.lock().await;
        match &*last {
            Some((when, answer)) if when.elapsed() < PROBE_KEPT => answer.clone(),
            _ => last.insert((Instant::now(), probe.await)).1.clone(),
        }
    }
}

pub(super) fn doors() -> Doors {
    let doors = Doors::new().get("/livez", Entry::Everybody, live).get("/readyz", Entry::Everybody, ready).get(
        "/health",
        Entry::Everybody,
        health,
    );
    doors.layer(Extension(Probes::default()))
}

async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

async fn ready(State(app): State<App>, Extension(probes): Extension<Probes>) -> Response {
    let accepting = app.chat.turns().is_open();
    let database = probes.database.or(database_answers(&app)).await;
    let ready = accepting && database;
    let up = |yes: bool| if yes { "up" } else { "down" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": if ready { "ready" } else { "not_ready" },
        "components": {"server": if accepting { "up" } else { "closing" }, "database": up(database)},
    });
    (status, Json(body)).into_response()
}

async fn health(State(app): State<App>, Extension(probes): Extension<Probes>) -> Json<Value> {
    let database = probes.database.or(database_answers(&app)).await;
    let mut told = json!({
        "status": if database { "ok" } else { "degraded" },
        "service": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "database": if database { "connected" } else { "disconnected" },
    });
    if let Some(desk) = &app.tutor {
        let knowledge = probes.knowledge.or(describe(&*desk.knowledge)).await;
        if knowledge.is_none() {
            told["status"] = "degraded".into();
        }
        let kind = knowledge.as_ref().and_then(|knowledge| knowledge["kind"].as_str());
        told["vector_store"] = kind.unwrap_or("disconnected").into();
        told["knowledge"] = knowledge.into();
        let model = desk.model.name();
        told["model"] = format!("{}/{}", model.provider, model.model).into();
        told["model_fallbacks"] = desk.model.fallbacks().into();
    }
    Json(told)
}

async fn database_answers(app: &App) -> bool {
    matches!(tokio::time::timeout(PROBE_TIME_MAX, app.store.ping()).await, Ok(Ok(())))
}

async fn describe(knowledge: &dyn KnowledgeBase) -> Option<Value> {
    let description = tokio::time::timeout(PROBE_TIME_MAX, knowledge.describe()).await.ok()?.ok()?;
    Some(json!({
        "kind": description.kind,
        "retrieval": description.retrieval,
        "embedding_model": description.space.as_ref().map(|space| &space.model),
        "collection": description.collection,
        "documents": description.documents,
        "passages": description.passages,
    }))
}
