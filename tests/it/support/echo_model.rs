//! A model's provider behind a real socket that gives back what it was given: robots in capitals, for a change.
//!
//! What it is given tells it to behave otherwise: `REFUSE` is refused, of `DAMAGE` nothing is left, `HANG` waits for the
//! gate, and `MUTE` is never answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::fake_model::{PATIENCE, choice};

pub(crate) struct EchoModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Value>>,
    arrived: watch::Sender<usize>,
    is_open: watch::Sender<bool>,
}

impl EchoModel {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        #[expect(clippy::disallowed_methods, reason = "the fake is no turn; it ends with the test")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OPENAI_BASE_URL", format!("http://{}/v1", self.address)),
            ("OPENAI_API_KEY", "sk-test".to_owned()),
            ("OPENAI_MODEL", "echo".to_owned()),
        ]
    }

    /// Bodies of requests so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn was_asked(&self, times: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        let so = arrived.wait_for(|count| *count >= times);
        tokio::time::timeout(PATIENCE, so).await.expect("the model is asked").unwrap();
    }

    /// Lets through what hangs.
    pub(crate) fn open(&self) {
        self.shared.is_open.send_replace(true);
    }
}

impl Drop for EchoModel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let section = asked["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    shared.asked.lock().unwrap().push(asked);
    shared.arrived.send_modify(|count| *count += 1);
    let respond = |status: StatusCode, kind: &str, body: String| {
        Response::builder().status(status).header("content-type", kind).body(Body::from(body)).unwrap()
    };
    if section.contains("MUTE") {
        std::future::pending::<()>().await;
    }
    if section.contains("HANG") {
        shared.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
    }
    if section.contains("REFUSE") {
        let error = json!({"error": {"message": "no", "type": "invalid_request_error"}});
        return respond(StatusCode::BAD_REQUEST, "application/json", error.to_string());
    }
    let echo =
        if section.contains("DAMAGE") { "Nothing is left.".to_owned() } else { section.replace("robots", "ROBOTS") };
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}});
    let events = [choice(json!({"content": echo}), None), choice(json!({}), Some("stop")), usage];
    let frames: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    respond(StatusCode::OK, "text/event-stream", frames + "data: [DONE]\n\n")
}
