//! A server with OpenAI's `/embeddings` for texts that are numbers, and no more of them at once than it likes.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use chatkit_gateway::embedding::models::Told;
use chatkit_gateway::embedding::remote::RemoteEmbedder;
use chatkit_gateway::embedding::{BatchLimits, EmbeddingEndpoint, Limits, Wire};
use chatkit_gateway::llm::http;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The server. Dropping it stops it.
pub(crate) struct NumberServer {
    base_url: String,
    state: Arc<Numbers>,
    server: JoinHandle<()>,
}

struct Numbers {
    texts_max: usize,
    inputs: Mutex<Vec<Vec<String>>>,
}

impl NumberServer {
    /// Takes at most so many texts in a request.
    pub(crate) async fn start(texts_max: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let state = Arc::new(Numbers { texts_max, inputs: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        #[expect(clippy::disallowed_methods, reason = "the server is no turn; it ends with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, state, server }
    }

    /// The production client, pointed here.
    pub(crate) fn embedder(&self, batch: BatchLimits) -> RemoteEmbedder {
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
        RemoteEmbedder::new(http::client(None).unwrap(), endpoint, Limits::default()).unwrap()
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
    let entry = |(index, text): (usize, &String)| {
        let angle = angle_of(text);
        json!({ "index": index, "embedding": [angle.cos() as f32, angle.sin() as f32] })
    };
    // Backwards, since the order is told by the index.
    let data: Vec<Value> = texts.iter().enumerate().map(entry).rev().collect();
    numbers.inputs.lock().unwrap().push(texts);
    (StatusCode::OK, Json(json!({ "data": data })))
}
