//! A server with OpenAI's `/embeddings` for texts that are numbers, and no more of them at once than it likes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use chatkit_gateway::embedding::models::Told;
use chatkit_gateway::embedding::remote::RemoteEmbedder;
use chatkit_gateway::embedding::{BatchLimits, EmbeddingEndpoint, Limits, Wire};
use chatkit_gateway::llm::http;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The server. Dropping it stops it.
pub(crate) struct NumberServer {
    base_url: String,
    state: Arc<Numbers>,
    server: JoinHandle<()>,
}

struct Numbers {
    texts_max: usize,
    /// Between two requests that are answered; whoever comes too early is told how long to wait.
    pause: Duration,
    /// When the next one is answered.
    open_at: Mutex<Instant>,
    inputs: Mutex<Vec<Vec<String>>>,
}

impl NumberServer {
    /// Takes at most so many texts in a request.
    pub(crate) async fn start(texts_max: usize) -> Self {
        Self::rationed(texts_max, Duration::ZERO).await
    }

    /// Answers a request, and then none before the pause is over.
    pub(crate) async fn rationed(texts_max: usize, pause: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let state =
            Arc::new(Numbers { texts_max, pause, open_at: Mutex::new(Instant::now()), inputs: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        #[expect(clippy::disallowed_methods, reason = "the server is no turn; it ends with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, state, server }
    }

    /// The production client, pointed here.
    pub(crate) fn embedder(&self, batch: BatchLimits) -> RemoteEmbedder {
        self.embedder_with(batch, Limits::default())
    }

    /// The same with this patience.
    pub(crate) fn embedder_with(&self, batch: BatchLimits, limits: Limits) -> RemoteEmbedder {
        let endpoint = EmbeddingEndpoint {
            provider: "numbers",
            wire: Wire::OpenAi,
            base_url: self.base_url.clone(),
            api_key: None,
            model: "numbers".into(),
            dimensions: 2,
            asks_dimensions: false,
            told: Told::Nothing,
            tokens_max: 100,
            batch,
        };
        RemoteEmbedder::new(http::client(None).unwrap(), endpoint, limits).unwrap()
    }

    /// What was in each request that was answered.
    pub(crate) fn inputs(&self) -> Vec<Vec<String>> {
        self.state.inputs.lock().unwrap().clone()
    }

    /// The vector that belongs to a number, of length one.
    pub(crate) fn vector_of(text: &str) -> Vec<f32> {
        let angle = angle_of(text);
        // As it comes back: rounded, then made of length one again.
        let (x, y) = (f64::from(angle.cos() as f32), f64::from(angle.sin() as f32));
        let length = (x * x + y * y).sqrt();
        vec![(x / length) as f32, (y / length) as f32]
    }
}

impl Drop for NumberServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Numbers {
    /// Zero for a request whose turn it is, else how long to wait.
    fn take_turn(&self) -> Duration {
        let (mut open_at, now) = (self.open_at.lock().unwrap(), Instant::now());
        let wait = open_at.saturating_duration_since(now);
        if wait.is_zero() {
            *open_at = now + self.pause;
        }
        wait
    }
}

/// Another one for each number below 6,000.
fn angle_of(text: &str) -> f64 {
    text.parse::<f64>().unwrap() / 1000.0
}

async fn answer(State(numbers): State<Arc<Numbers>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    if texts.len() > numbers.texts_max {
        let said = format!("batch size {} > maximum allowed batch size {}", texts.len(), numbers.texts_max);
        return (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({ "error": { "message": said } })));
    }
    let wait = numbers.take_turn();
    if !wait.is_zero() {
        let said = format!("Rate limit reached. Please try again in {}ms.", wait.as_millis() + 1);
        return (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "error": { "message": said } })));
    }
    let entry = |(index, text): (usize, &String)| {
        let angle = angle_of(text);
        json!({ "index": index, "embedding": [angle.cos() as f32, angle.sin() as f32] })
    };
    // Backwards, since the order is told by the index.
    let data: Vec<Value> = texts.iter().enumerate().map(entry).rev().collect();
    numbers.inputs.lock().unwrap().push(texts);
    (StatusCode::OK, Json(json!({ "data": data })))
}
