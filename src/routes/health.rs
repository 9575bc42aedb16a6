//! `GET /livez`, `/readyz`, `/health`: whether the process, what it needs, and the service are well.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::routes;

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
    knowledge: Kept<Option<Knowledge>>,
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

/// That the process lives.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Whether the server takes requests, and what it needs for that.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: &'static str,
    components: Components,
}

/// What the server needs.
#[derive(Serialize, ToSchema)]
struct Components {
    /// `up`, or `closing` once it was told to stop.
    #[schema(example = "up")]
    server: &'static str,
    /// `up` or `down`.
    #[schema(example = "up")]
    database: &'static str,
}

/// How the service is, and what is in use.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `degraded`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The name of the program.
    #[schema(example = "chatkit-gateway")]
    service: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// `connected` or `disconnected`.
    #[schema(example = "connected")]
    database: &'static str,
    /// Where passages are kept: `embedded`, `qdrant`, or `disconnected`; only where the tutor answers, as all below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "embedded")]
    vector_store: Option<&'static str>,
    /// What is known of the knowledge base, unless it is disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    knowledge: Option<Knowledge>,
    /// Which model answers: its provider and its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "offline/extractive")]
    model: Option<String>,
    /// How many models answer in its place when it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0)]
    model_fallbacks: Option<usize>,
}

/// A knowledge base.
#[derive(Clone, Serialize, ToSchema)]
struct Knowledge {
    /// `embedded` or `qdrant`.
    #[schema(example = "embedded")]
    kind: &'static str,
    /// How it compares texts: `lexical` by words alone, `hybrid` by words and vectors.
    #[schema(example = "lexical")]
    retrieval: &'static str,
    /// The model of its vectors, if it has any.
    embedding_model: Option<String>,
    /// The name of the collection.
    #[schema(example = "knowledge_base")]
    collection: String,
    /// Documents in it.
    documents: usize,
    /// Passages in it.
    passages: usize,
}

pub(super) fn doors() -> Doors {
    Doors::new()
        .open(Entry::Everybody, routes!(live))
        .open(Entry::Everybody, routes!(ready))
        .open(Entry::Everybody, routes!(health))
        .layer(Extension(Probes::default()))
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/livez", tag = "operation", responses((status = 200, body = Alive, description = "It is.")))]
async fn live() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Whether the server takes requests.
///
/// The answer is good for a second, so that nobody wears the database out by asking.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, body = Readiness, description = "It does."),
        (status = 503, body = Readiness, description = "It does not: it is closing, or something that it needs is down."),
    )
)]
async fn ready(State(app): State<App>, Extension(probes): Extension<Probes>) -> (StatusCode, Json<Readiness>) {
    let accepting = app.chat.turns().is_open();
    let database = probes.database.or(database_answers(&app)).await;
    let ready = accepting && database;
    let components =
        Components { server: if accepting { "up" } else { "closing" }, database: if database { "up" } else { "down" } };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: if ready { "ready" } else { "not_ready" }, components }))
}

/// How the service is, and what is in use: database, knowledge base, model.
///
/// The status is 200 even while something is down; the body says so.
#[utoipa::path(get, path = "/health", tag = "operation", responses((status = 200, body = Health, description = "How it is.")))]
async fn health(State(app): State<App>, Extension(probes): Extension<Probes>) -> Json<Health> {
    let database = probes.database.or(database_answers(&app)).await;
    let mut told = Health {
        status: if database { "ok" } else { "degraded" },
        service: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        database: if database { "connected" } else { "disconnected" },
        vector_store: None,
        knowledge: None,
        model: None,
        model_fallbacks: None,
    };
    if let Some(desk) = &app.tutor {
        told.knowledge = probes.knowledge.or(describe(&*desk.knowledge)).await;
        if told.knowledge.is_none() {
            told.status = "degraded";
        }
        told.vector_store = Some(told.knowledge.as_ref().map_or("disconnected", |knowledge| knowledge.kind));
        let model = desk.model.name();
        told.model = Some(format!("{}/{}", model.provider, model.model));
        told.model_fallbacks = Some(desk.model.fallbacks());
    }
    Json(told)
}

async fn database_answers(app: &App) -> bool {
    matches!(tokio::time::timeout(PROBE_TIME_MAX, app.store.ping()).await, Ok(Ok(())))
}

async fn describe(knowledge: &dyn KnowledgeBase) -> Option<Knowledge> {
    let description = tokio::time::timeout(PROBE_TIME_MAX, knowledge.describe()).await.ok()?.ok()?;
    Some(Knowledge {
        kind: description.kind,
        retrieval: description.retrieval,
        embedding_model: description.space.map(|space| space.model),
        collection: description.collection,
        documents: description.documents,
        passages: description.passages,
    })
}
