//! A server with OpenAI's `/embeddings` whose vectors count the letters of a text, for tests that have no runtime.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The server. Dropping it stops it.
pub(crate) struct LettersServer {
    url: String,
    heard: Arc<Heard>,
    _runtime: Runtime,
}

struct Heard {
    status: StatusCode,
    /// The texts of each request.
    requests: Mutex<Vec<Vec<String>>>,
}

impl LettersServer {
    /// Answers everybody.
    pub(crate) fn start() -> Self {
        Self::refusing(200)
    }

    /// Answers nobody, with this status.
    pub(crate) fn refusing(status: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let heard = Arc::new(Heard { status: StatusCode::from_u16(status).unwrap(), requests: Mutex::default() });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&heard));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, heard, _runtime: runtime }
    }

    /// What to set as the provider's address.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// How often it was asked.
    pub(crate) fn requests(&self) -> usize {
        self.heard.requests.lock().unwrap().len()
    }

    /// Every text it was asked about, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.heard.requests.lock().unwrap().concat()
    }
}

async fn answer(State(heard): State<Arc<Heard>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    let data: Vec<Value> = texts.iter().map(|text| json!({ "embedding": counts(text) })).collect();
    heard.requests.lock().unwrap().push(texts);
    (heard.status, Json(json!({ "data": data })))
}

/// How often each letter occurs, and at the end a one, so that no text is nothing.
fn counts(text: &str) -> Vec<u32> {
    let mut counts = vec![0; 27];
    counts[26] = 1;
    for letter in text.bytes().filter(u8::is_ascii_alphabetic) {
        counts[usize::from(letter.to_ascii_lowercase() - b'a')] += 1;
    }
    counts
}
