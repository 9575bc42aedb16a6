//! A reader's browser: sends requests, reads answers and streams, and checks what every answer must be.

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::llm::http;
use chatkit_protocol::sse::Decoder;
use serde_json::{Value, json};

use super::fake_model::PATIENCE;
use super::house::House;
use super::transcript;

/// Somebody who uses the house.
#[derive(Clone)]
pub(crate) struct Reader {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    bearer: Option<String>,
    frame: Option<String>,
    languages: Option<String>,
}

/// An answer that is one value.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

/// An answer that is a stream, read event by event.
pub(crate) struct Stream {
    kind: String,
    response: reqwest::Response,
    decoder: Decoder,
}

impl Reader {
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        Self {
            http: http::client(None).unwrap(),
            url: url.to_owned(),
            token,
            bearer: None,
            frame: None,
            languages: None,
        }
    }

    /// Whose rows are theirs.
    pub(crate) fn owner(&self, house: &House) -> OwnerId {
        match &self.token {
            Some(token) => house.app.auth.visitors().identify(token).unwrap().owner(),
            None => OwnerId::stranger(),
        }
    }

    /// The same reader at another house.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The same reader with a token in `Authorization`.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    /// The same reader with a widget that names its frame.
    pub(crate) fn in_frame(&self, frame: &str) -> Self {
        Self { frame: Some(frame.to_owned()), ..self.clone() }
    }

    /// The same reader with a browser that asks for these languages.
    pub(crate) fn speaking(&self, languages: &str) -> Self {
        Self { languages: Some(languages.to_owned()), ..self.clone() }
    }

    /// A request to any path, ready to be changed and sent.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let mut request = self.http.request(method.parse().unwrap(), url).timeout(PATIENCE);
        if let Some(token) = &self.token {
            request = request.header("x-chatkit-visitor", token);
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        if let Some(frame) = &self.frame {
            request = request.header("chatkit-frame-instance-id", frame);
        }
        if let Some(languages) = &self.languages {
            request = request.header("accept-language", languages);
        }
        request
    }

    pub(crate) async fn post_to(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.request("POST", path).body(body)).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    /// A ChatKit request that is answered by one value.
    pub(crate) async fn ask(&self, kind: &str, params: Value) -> Answer {
        self.post_to("/chatkit", json!({"type": kind, "params": params}).to_string()).await
    }

    /// A ChatKit request that is answered by a stream, opened and not read.
    pub(crate) async fn open(&self, kind: &str, params: Value) -> Stream {
        let body = json!({"type": kind, "params": params}).to_string();
        let response = self.request("POST", "/chatkit").body(body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Stream { kind: kind.to_owned(), response, decoder: Decoder::new(1 << 24) }
    }

    /// Begins a thread; all events.
    pub(crate) async fn create(&self, text: &str) -> Vec<Value> {
        self.open("threads.create", json!({"input": input(text)})).await.rest().await
    }

    /// Writes another message; all events.
    pub(crate) async fn say(&self, thread_id: &str, text: &str) -> Vec<Value> {
        self.open("threads.add_user_message", json!({"thread_id": thread_id, "input": input(text)})).await.rest().await
    }

    /// The items of a thread, oldest first.
    pub(crate) async fn items(&self, thread_id: &str) -> Vec<Value> {
        let answer = self.ask("threads.get_by_id", json!({"thread_id": thread_id})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["items"]["data"].as_array().unwrap().clone()
    }

    /// The same, as `type: text` lines.
    pub(crate) async fn conversation(&self, thread_id: &str) -> Vec<String> {
        self.items(thread_id).await.iter().map(line).collect()
    }
}

impl Answer {
    /// Checks that it is an error of the shape every error has, and names `named`.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, named: &str) {
        assert_eq!(self.status, status, "{:?}", self.body);
        let message = self.body["message"].as_str().unwrap();
        assert!(message.contains(named), "{message:?} does not name {named:?}");
        assert_eq!(self.body["error"]["message"], message);
        assert_eq!(self.body["detail"], message);
        assert!(self.body["error"]["code"].as_str().is_some_and(|code| !code.is_empty()));
        assert_eq!(self.body["request_id"].as_str().unwrap(), self.headers["x-request-id"]);
    }
}

impl Stream {
    pub(crate) fn headers(&self) -> &reqwest::header::HeaderMap {
        self.response.headers()
    }

    /// The next event; `None` at the end of the body.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(payload) = self.decoder.next_payload() {
                transcript::heard(&self.kind, &payload);
                return Some(serde_json::from_str(&payload).unwrap());
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("the stream goes on");
            self.decoder.push(&chunk.unwrap()?).unwrap();
        }
    }

    /// Events up to the first for which `so` holds, that one included.
    pub(crate) async fn until(&mut self, so: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut heard = Vec::new();
        while let Some(event) = self.next().await {
            let enough = so(&event);
            heard.push(event);
            if enough {
                return heard;
            }
        }
        panic!("the stream ended before it came: {heard:#?}");
    }

    /// All events that are left.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        while let Some(event) = self.next().await {
            heard.push(event);
        }
        heard
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let kind = transcript::kind_of(&request);
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    if let (Some(kind), Some(content_type)) = (kind, headers.get("content-type")) {
        transcript::answered(&kind, status, content_type.to_str().unwrap(), &text);
    }
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}

/// The input of a message with this text.
pub(crate) fn input(text: &str) -> Value {
    json!({"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}})
}

/// The id of the thread that a stream began.
pub(crate) fn thread_of(events: &[Value]) -> String {
    assert_eq!(events[0]["type"], "thread.created", "{:?}", events[0]);
    events[0]["thread"]["id"].as_str().unwrap().to_owned()
}

/// The types of events, runs of text deltas as one.
pub(crate) fn types(events: &[Value]) -> Vec<String> {
    let mut types: Vec<String> = events.iter().map(type_of).collect();
    types.dedup_by(|a, b| a == b && a.ends_with("text_delta"));
    types
}

fn type_of(event: &Value) -> String {
    let name = match event["type"].as_str().unwrap() {
        "thread.item.updated" => event["update"]["type"].as_str().unwrap(),
        kind @ ("thread.item.added" | "thread.item.done") => {
            return format!("{kind} {}", event["item"]["type"].as_str().unwrap());
        }
        other => other,
    };
    name.to_owned()
}

/// All text that came as deltas.
pub(crate) fn streamed_text(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["update"]["delta"].as_str()).collect()
}

/// The items that were shown as done.
pub(crate) fn done_items(events: &[Value]) -> Vec<Value> {
    let done = events.iter().filter(|event| event["type"] == "thread.item.done");
    done.map(|event| event["item"].clone()).collect()
}

/// `type: text` of an item.
pub(crate) fn line(item: &Value) -> String {
    let kind = item["type"].as_str().unwrap();
    let texts = item["content"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    match texts.collect::<String>() {
        text if text.is_empty() => kind.to_owned(),
        text => format!("{kind}: {text}"),
    }
}
