//! A server with OpenAI's `/embeddings` whose vectors count the letters of a text, on a runtime of its own: tests of the program
//! need none.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Whoever waits longer for a request waits for nothing. Other tests are running beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server. Dropping it stops it.
pub(crate) struct LettersServer {
    address: SocketAddr,
    heard: Arc<Heard>,
    held: Receiver<()>,
    runtime: Option<Runtime>,
}

struct Heard {
    status: Mutex<StatusCode>,
    /// The texts of each request.
    requests: Mutex<Vec<Vec<String>>>,
    /// One for each request that may still be answered.
    answers: Semaphore,
    /// Hears of each request that has to wait for one.
    holds: Sender<()>,
}

impl LettersServer {
    /// Answers everybody.
    pub(crate) fn start() -> Self {
        Self::refusing(200)
    }

    /// Answers nobody, with this status.
    pub(crate) fn refusing(status: u16) -> Self {
        Self::listening("127.0.0.1:0", status, Semaphore::MAX_PERMITS)
    }

    /// Answers so many requests, and holds the others until it is told to [let them go](Self::open).
    pub(crate) fn holding_after(answers: usize) -> Self {
        Self::listening("127.0.0.1:0", 200, answers)
    }

    /// Goes away with all that it holds; what comes back listens at the same address.
    pub(crate) fn gone(self) -> impl FnOnce() -> Self {
        let address = self.address.to_string();
        drop(self);
        move || Self::listening(&address, 200, Semaphore::MAX_PERMITS)
    }

    fn listening(address: &str, status: u16, answers: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (holds, held) = channel();
        let heard = Arc::new(Heard {
            status: Mutex::new(StatusCode::from_u16(status).unwrap()),
            requests: Mutex::default(),
            answers: Semaphore::new(answers),
            holds,
        });
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&heard));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, heard, held, runtime: Some(runtime) }
    }

    /// What to set as the provider's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Waits until it holds a request that it did not hold before.
    #[track_caller]
    pub(crate) fn until_it_holds_one(&self) {
        self.held.recv_timeout(PATIENCE).expect("there is a request to hold");
    }

    /// Answers everybody from now on, those that wait first.
    pub(crate) fn open(&self) {
        self.open_with(200);
    }

    /// The same, with this status.
    pub(crate) fn open_with(&self, status: u16) {
        *self.heard.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
        self.heard.answers.add_permits(Semaphore::MAX_PERMITS / 2);
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

impl Drop for LettersServer {
    fn drop(&mut self) {
        // The test may have a runtime after all, and none may be waited for in another.
        let runtime = self.runtime.take();
        std::thread::spawn(move || drop(runtime)).join().unwrap();
    }
}

async fn answer(State(heard): State<Arc<Heard>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    let data: Vec<Value> = texts.iter().map(|text| json!({ "embedding": counts(text) })).collect();
    heard.requests.lock().unwrap().push(texts);
    if heard.answers.try_acquire().map(|answer| answer.forget()).is_err() {
        // Nobody may be waiting for it.
        let _ = heard.holds.send(());
        heard.answers.acquire().await.unwrap().forget();
    }
    let status = *heard.status.lock().unwrap();
    (status, Json(json!({ "data": data })))
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
