//! A model's provider behind a real socket, which answers as it is told and remembers what it was asked.

#![expect(clippy::needless_pass_by_value, reason = "scripts read better without a `&` before every `json!`")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chatkit_gateway::identity::Ids;
use chatkit_gateway::llm::openai::{Endpoint, Limits, OpenAiCompatible};
use chatkit_gateway::llm::{http, presets};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A thing that is waited for longer than this will not happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The fake. It answers every path; requests without a scripted reply get status 500.
pub(crate) struct FakeModel {
    address: SocketAddr,
    script: Arc<Script>,
    server: JoinHandle<()>,
}

/// Makes a reply of a request.
type Answerer = Box<dyn Fn(&Recorded) -> Reply + Send>;

struct Script {
    replies: Mutex<VecDeque<Reply>>,
    always: Mutex<Option<Reply>>,
    by: Mutex<Option<Answerer>>,
    requests: Mutex<Vec<Recorded>>,
    arrived: Semaphore,
    abandoned: Arc<Semaphore>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// The JSON of the body, with its members in their order; null where it is none.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) bytes: Bytes,
    /// The other end of the connection: the same one means the same connection.
    pub(crate) peer: SocketAddr,
}

/// A field of a form as it arrived.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    /// Its headers, lower case, without the space after the colon.
    pub(crate) headers: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Recorded {
    /// The fields of a `multipart/form-data` body, in their order.
    pub(crate) fn form(&self) -> Vec<Field> {
        let content_type = self.headers["content-type"].to_str().unwrap();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect("a form");
        let (opening, line) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}"));
        let mut left = self.bytes.strip_prefix(opening.as_bytes()).expect("a form begins with its boundary");
        let mut fields = Vec::new();
        while left != b"--\r\n" && left != b"--" {
            left = left.strip_prefix(b"\r\n").unwrap_or(left);
            let (headers, rest) = left.split_at(find(left, b"\r\n\r\n"));
            let rest = &rest[4..];
            let (bytes, rest) = rest.split_at(find(rest, line.as_bytes()));
            let headers = String::from_utf8(headers.to_vec()).unwrap();
            let headers = headers.lines().map(|header| header.to_lowercase().replace(": ", ":")).collect();
            fields.push(Field { headers, bytes: bytes.to_vec() });
            left = &rest[line.len()..];
        }
        fields
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).expect("a form is well-formed")
}

/// What the fake answers to one request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Bytes(Bytes),
    Wait(Gate),
    Cut,
    Silence,
}

/// Holds a reply back until the test opens it.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// Lets the reply pass once.
    pub(crate) fn open(&self) {
        self.0.add_permits(1);
    }
}

impl FakeModel {
    /// Listens on a free port of the loopback.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script {
            replies: Mutex::default(),
            always: Mutex::default(),
            by: Mutex::default(),
            requests: Mutex::default(),
            arrived: Semaphore::new(0),
            abandoned: Arc::new(Semaphore::new(0)),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        #[expect(clippy::disallowed_methods, reason = "the fake is no turn; it ends with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, script, server }
    }

    /// What to set as the provider's address.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The production client, pointed here, with the default limits.
    pub(crate) fn client(&self) -> OpenAiCompatible {
        self.client_with(&presets::GEMINI, Limits::default())
    }

    /// The production client, pointed here.
    pub(crate) fn client_with(&self, preset: &'static presets::Preset, limits: Limits) -> OpenAiCompatible {
        let key = Some("sk-test".to_owned().into());
        let endpoint = Endpoint { base_url: self.base_url(), model: "test-model".into(), ..Endpoint::of(preset, key) };
        OpenAiCompatible::new(http::client(None).unwrap(), endpoint, limits, Ids::counting()).unwrap()
    }

    /// Answers the next request that has no reply yet.
    pub(crate) fn reply(&self, reply: Reply) -> &Self {
        self.script.replies.lock().unwrap().push_back(reply);
        self
    }

    /// Answers whatever has no reply of its own.
    pub(crate) fn always(&self, reply: Reply) -> &Self {
        *self.script.always.lock().unwrap() = Some(reply);
        self
    }

    /// Answers whatever has no reply of its own with what this makes of the request.
    pub(crate) fn by(&self, answer: impl Fn(&Recorded) -> Reply + Send + 'static) -> &Self {
        *self.script.by.lock().unwrap() = Some(Box::new(answer));
        self
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.script.requests.lock().unwrap().clone()
    }

    /// The next request that nobody waited for yet; it has arrived, and is perhaps not answered.
    pub(crate) async fn request(&self) -> Recorded {
        let arrived = tokio::time::timeout(PATIENCE, self.script.arrived.acquire()).await;
        arrived.expect("a request arrives").unwrap().forget();
        let requests = self.requests();
        requests[requests.len() - 1 - self.script.arrived.available_permits()].clone()
    }

    /// Waits until a client hangs up before its answer is complete.
    pub(crate) async fn abandoned(&self) {
        let left = tokio::time::timeout(PATIENCE, self.script.abandoned.acquire()).await;
        left.expect("the client hangs up").unwrap().forget();
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Reply {
    /// An answer in pieces, with everything a well-behaved provider sends around it.
    pub(crate) fn text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let pieces = pieces.into_iter().map(|piece| choice(json!({ "content": piece }), None));
        Self::events(pieces).event(choice(json!({}), Some("stop"))).done()
    }

    /// The same, where each piece waits for the gate to be opened once.
    pub(crate) fn gated_text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> (Self, Gate) {
        let gate = Gate(Arc::new(Semaphore::new(0)));
        let mut reply = Self::events([choice(json!({ "role": "assistant" }), None)]);
        for piece in pieces {
            reply.steps.push(Step::Wait(gate.clone()));
            reply = reply.event(choice(json!({ "content": piece }), None));
        }
        (reply.event(choice(json!({}), Some("stop"))).done(), gate)
    }

    /// One call of a tool.
    pub(crate) fn tool_call(name: &str, arguments: &Value) -> Self {
        let call = json!({ "index": 0, "id": "call_of_provider", "type": "function",
            "function": { "name": name, "arguments": arguments.to_string() } });
        Self::events([choice(json!({ "tool_calls": [call] }), None), choice(json!({}), Some("tool_calls"))]).done()
    }

    /// These JSON objects as events, and nothing after them.
    pub(crate) fn events(events: impl IntoIterator<Item = Value>) -> Self {
        let reply =
            Self { status: 200, headers: vec![("content-type", "text/event-stream".into())], steps: Vec::new() };
        events.into_iter().fold(reply, Self::event)
    }

    /// These bytes as an event stream.
    pub(crate) fn raw(bytes: impl Into<Bytes>) -> Self {
        let mut reply = Self::events([]);
        reply.steps.push(Step::Bytes(bytes.into()));
        reply
    }

    /// A status with a JSON body.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "application/json".into())];
        Self { status, headers, steps: vec![Step::Bytes(Bytes::copy_from_slice(body.as_bytes()))] }
    }

    /// An answer as it was recorded, in its pieces.
    pub(crate) fn recorded(status: u16, headers: Vec<(&'static str, String)>, pieces: Vec<Bytes>) -> Self {
        Self { status, headers, steps: pieces.into_iter().map(Step::Bytes).collect() }
    }

    /// With one more event.
    pub(crate) fn event(mut self, event: Value) -> Self {
        self.steps.push(Step::Bytes(format!("data: {event}\n\n").into()));
        self
    }

    /// With `[DONE]` at its end.
    pub(crate) fn done(mut self) -> Self {
        self.steps.push(Step::Bytes("data: [DONE]\n\n".into()));
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// With the connection broken here, without the end that HTTP wants.
    pub(crate) fn cut(mut self) -> Self {
        self.steps.push(Step::Cut);
        self
    }

    /// With silence from here on.
    pub(crate) fn silence(mut self) -> Self {
        self.steps.push(Step::Silence);
        self
    }

    /// The same bytes, as far as they follow each other, in one write.
    pub(crate) fn in_one_piece(mut self) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for step in self.steps {
            match (steps.last_mut(), step) {
                (Some(Step::Bytes(before)), Step::Bytes(bytes)) => *before = [&**before, &*bytes].concat().into(),
                (_, step) => steps.push(step),
            }
        }
        self.steps = steps;
        self
    }

    /// The same bytes, each in a write of its own.
    pub(crate) fn byte_by_byte(mut self) -> Self {
        let single = |step| match step {
            Step::Bytes(bytes) => bytes.iter().map(|byte| Step::Bytes(Bytes::copy_from_slice(&[*byte]))).collect(),
            other => vec![other],
        };
        self.steps = self.steps.into_iter().flat_map(single).collect();
        self
    }
}

/// One event of an answer: what is new in it, and why the answer ends if it does.
pub(crate) fn choice(delta: Value, finish_reason: Option<&str>) -> Value {
    json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "test-model-2026",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }] })
}

async fn answer(
    State(script): State<Arc<Script>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let path = head.uri.path().into();
    let request = Recorded { path, headers: head.headers, body, bytes, peer };
    script.requests.lock().unwrap().push(request.clone());
    script.arrived.add_permits(1);
    let reply = script.replies.lock().unwrap().pop_front();
    let reply = reply.or_else(|| script.by.lock().unwrap().as_ref().map(|answer| answer(&request)));
    let reply = reply.or_else(|| script.always.lock().unwrap().clone());
    let mut reply = reply.unwrap_or_else(|| Reply::status(500, r#"{"error":"no reply was scripted"}"#));
    let unanswered = matches!(reply.steps.first(), Some(Step::Silence)) && reply.headers.is_empty();
    let mut leaving =
        Leaving { steps: std::mem::take(&mut reply.steps).into(), abandoned: Arc::clone(&script.abandoned) };
    if unanswered {
        leaving.next().await;
    }
    let body = stream::unfold(leaving, |mut leaving| async { Some((leaving.next().await?, leaving)) });
    let mut response = Response::new(Body::from_stream(body.fuse()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// The rest of a reply; tells when it is dropped before its end.
struct Leaving {
    steps: VecDeque<Step>,
    abandoned: Arc<Semaphore>,
}

impl Leaving {
    async fn next(&mut self) -> Option<Result<Bytes, &'static str>> {
        loop {
            match self.steps.front()? {
                Step::Wait(gate) => gate.0.acquire().await.unwrap().forget(),
                Step::Silence => std::future::pending().await,
                Step::Bytes(_) | Step::Cut => {}
            }
            match self.steps.pop_front()? {
                Step::Bytes(bytes) => return Some(Ok(bytes)),
                Step::Cut => {
                    self.steps.clear();
                    // What was written before has to leave before the connection breaks.
                    tokio::task::yield_now().await;
                    return Some(Err("cut"));
                }
                Step::Wait(_) | Step::Silence => {}
            }
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.steps.is_empty() {
            self.abandoned.add_permits(1);
        }
    }
}
