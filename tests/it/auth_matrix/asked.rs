//! What is asked: a request for each row, about something that belongs to somebody.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatkit_gateway::llm::http;
use serde_json::{Value, json};

use super::SECRET;
use super::cast::{OTHER_PAIR, Shown};
use crate::support::client::input;
use crate::support::fake_model::PATIENCE;
use crate::support::house::House;

/// Something of everything that one can have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belongings {
    pub(super) thread_id: String,
    pub(super) message_id: String,
    pub(super) call_id: String,
    pub(super) form_id: String,
    pub(super) widget_id: String,
    pub(super) attachment_id: String,
    /// Where the bytes of another attachment are to go.
    pub(super) upload_url: String,
    pub(super) upload_id: String,
    pub(super) preview_url: String,
    pub(super) download_url: String,
    /// How a profile calls them; nothing for who has none.
    pub(super) user_id: String,
}

/// A text of a book.
const BOOK_TEXT: &str = "A gyroscope measures how fast something turns.";

/// What came back.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) told: String,
}

/// The smallest picture.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

impl Belongings {
    /// Somebody writes a message whose answer has an item of each kind that can be answered, and uploads a picture.
    pub(super) async fn of(house: &House, shown: &Shown) -> Self {
        let done = |id: &str, rest: Value| {
            let mut item = json!({"id": id, "thread_id": "$thread", "created_at": "$now"});
            item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            json!({"emit": {"type": "thread.item.done", "item": item}})
        };
        let form =
            json!({"type": "structured_input", "inputs": [{"type": "freeform", "id": "why", "question": "Why?"}]});
        let widget =
            json!({"type": "widget", "widget": {"type": "Card", "children": [{"type": "Text", "value": SECRET}]}});
        let call = json!({"type": "client_tool_call", "call_id": "call_1", "name": "look", "arguments": {}});
        let steps = [done("$id:f:message", form), done("$id:w:message", widget), done("$id:c:tool_call", call)];
        let script = json!({"about": SECRET, "respond": steps}).to_string();
        let create = json!({"type": "threads.create", "params": {"input": input(&script)}}).to_string();
        let events = post(house, "/chatkit", create, shown).await;
        assert_eq!(events.status, 200, "{events:?}");
        let events: Vec<Value> = events
            .told
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        let item = |kind: &str| {
            let item = events.iter().find(|event| event["item"]["type"] == kind);
            item.unwrap_or_else(|| panic!("no {kind} in {events:#?}"))["item"]["id"].as_str().unwrap().to_owned()
        };
        let thread_id = events[0]["thread"]["id"].as_str().unwrap().to_owned();
        let [there, announced] = [announce(house, shown).await, announce(house, shown).await];
        let url = |descriptor: &Value| descriptor["upload_descriptor"]["url"].as_str().unwrap().to_owned();
        let sent = send(reqwest(house, "PUT", &url(&there)).body(PICTURE), &Shown::default()).await;
        assert_eq!(sent.status, 200, "{sent:?}");
        // Visitors are refused, and whoever has one keeps it.
        let profile = send(reqwest(house, "POST", "/profile").body("{}"), shown).await;
        assert!([201, 401, 409].contains(&profile.status), "{profile:?}");
        let profile = send(reqwest(house, "GET", "/profile"), shown).await;
        let profile: Value = serde_json::from_str(&profile.told).unwrap();
        let user_id = profile["user_id"].as_str().unwrap_or_default().to_owned();
        let attachment_id = there["id"].as_str().unwrap().to_owned();
        let found = send(reqwest(house, "GET", &format!("/attachments/{attachment_id}")), shown).await;
        Self {
            message_id: item("user_message"),
            call_id: item("client_tool_call"),
            form_id: item("structured_input"),
            widget_id: item("widget"),
            thread_id,
            attachment_id,
            upload_url: url(&announced),
            upload_id: announced["id"].as_str().unwrap().to_owned(),
            preview_url: there["preview_url"].as_str().unwrap().to_owned(),
            download_url: found.told,
            user_id,
        }
    }

    /// The same kind of things where there are none.
    pub(super) fn elsewhere(&self) -> Self {
        let other = |id: &String| id.chars().map(|char| if char.is_ascii_digit() { '7' } else { char }).collect();
        Self {
            thread_id: other(&self.thread_id),
            message_id: other(&self.message_id),
            call_id: other(&self.call_id),
            form_id: other(&self.form_id),
            widget_id: other(&self.widget_id),
            attachment_id: other(&self.attachment_id),
            ..self.clone()
        }
    }

    /// What their owner sees of them.
    pub(super) async fn seen_by(&self, house: &House, shown: &Shown) -> (String, u16) {
        let asked = json!({"type": "threads.get_by_id", "params": {"thread_id": self.thread_id}}).to_string();
        let thread = post(house, "/chatkit", asked, shown).await;
        assert_eq!(thread.status, 200, "{thread:?}");
        let file = send(reqwest(house, "GET", &format!("/attachments/{}", self.attachment_id)), shown).await;
        (thread.told, file.status)
    }

    fn ids(&self) -> [&str; 6] {
        [&self.thread_id, &self.message_id, &self.call_id, &self.form_id, &self.widget_id, &self.attachment_id]
    }
}

impl Heard {
    /// The answer without the names of what was asked for, and of the request.
    pub(super) fn masked(&self, of: &Belongings) -> (u16, String) {
        let mut told = self.without_request_id();
        for id in of.ids() {
            told = told.replace(id, "…");
        }
        (self.status, told)
    }

    pub(super) fn without_request_id(&self) -> String {
        let Ok(mut body) = serde_json::from_str::<Value>(&self.told) else { return self.told.clone() };
        if let Some(body) = body.as_object_mut() {
            body.remove("request_id");
        }
        body.to_string()
    }
}

async fn announce(house: &House, shown: &Shown) -> Value {
    let params = json!({"name": "a.png", "size": PICTURE.len(), "mime_type": "image/png"});
    let asked = json!({"type": "attachments.create", "params": params}).to_string();
    let announced = post(house, "/chatkit", asked, shown).await;
    assert_eq!(announced.status, 200, "{announced:?}");
    serde_json::from_str(&announced.told).unwrap()
}

/// The request of a row.
pub(super) async fn ask(house: &House, row: &str, of: &Belongings, shown: &Shown) -> Heard {
    let (door, about) = row.split_once(", ").unwrap_or((row, ""));
    let mut words = door.splitn(3, ' ');
    let (method, path, kind) = (words.next().unwrap(), words.next().unwrap(), words.next());
    match (path, kind) {
        ("/chatkit", Some(kind)) if kind.starts_with("action ") => {
            post(house, path, action(&kind["action ".len()..], about, of).to_string(), shown).await
        }
        ("/chatkit", Some(kind)) => {
            let body = json!({"type": kind, "params": params(kind, about, of)}).to_string();
            post(house, path, body, shown).await
        }
        ("/chatkit/upload", _) => send(reqwest(house, method, path).multipart(form()), shown).await,
        ("/attachments/{id}/upload", _) if method == "PUT" => {
            send(reqwest(house, method, &of.upload_url).body(PICTURE), shown).await
        }
        ("/attachments/{id}/upload", _) => send(reqwest(house, method, &of.upload_url).multipart(form()), shown).await,
        ("/attachments/{id}/preview", _) => send(reqwest(house, method, &of.preview_url), shown).await,
        ("/attachments/{id}/download", _) => send(reqwest(house, method, &of.download_url), shown).await,
        ("/chat", _) => {
            let session = (about == "in the owner's session").then_some(&of.thread_id);
            post(house, path, json!({"message": "Hello", "session_id": session}).to_string(), shown).await
        }
        ("/chat/global", _) => {
            let session = (about == "in the owner's session").then_some(&of.thread_id);
            let body = json!({"query": "What is this?", "conversation_id": session});
            post(house, path, body.to_string(), shown).await
        }
        ("/chat/local", _) => {
            let body = json!({"query": "What is this?", "selected_text": "A gyroscope measures how fast something turns. ".repeat(2)});
            post(house, path, body.to_string(), shown).await
        }
        ("/ws" | "/ws/chat", _) => {
            let shake = reqwest(house, method, path).header("connection", "upgrade").header("upgrade", "websocket");
            let shake = shake.header("sec-websocket-version", "13");
            send(shake.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), shown).await
        }
        ("/personalize", _) => {
            let body = json!({"content": BOOK_TEXT, "profile": {"focus_area": "hardware"}});
            post(house, path, body.to_string(), shown).await
        }
        ("/translate", _) => {
            post(house, path, json!({"text": BOOK_TEXT, "target_language": "ur"}).to_string(), shown).await
        }
        ("/personalization/personalize" | "/api/personalization/personalize" | "/api/translate/urdu", _) => {
            let body = json!({"page_url": "/docs/gyroscopes", "page_content": BOOK_TEXT});
            post(house, path, body.to_string(), shown).await
        }
        ("/api/translate/history", _) => {
            send(reqwest(house, method, "/api/translate/history?page_url=/docs/gyroscopes"), shown).await
        }
        ("/auth/signup", _) => {
            let body = json!({"email": somebody_new(), "password": "a long password", "full_name": "Somebody"});
            post(house, path, body.to_string(), shown).await
        }
        ("/profile", _) if method != "GET" => {
            let user_id = (about == "in the owner's name").then_some(&of.user_id);
            send(reqwest(house, method, path).body(json!({"user_id": user_id}).to_string()), shown).await
        }
        ("/auth/signin", _) => post(house, path, OTHER_PAIR.to_owned(), shown).await,
        _ => {
            let id = if path.starts_with("/attachments") { &of.attachment_id } else { &of.thread_id };
            let path = path
                .replace("{*page_url}", "docs/gyroscopes")
                .replace("{id}", id)
                .replace("{conversation_id}", id)
                .replace("{file}", if path.starts_with("/docs") { "swagger-ui.css" } else { "page.js" })
                .replace("{*page}", "module-1-foundations/what-is-physical-ai");
            send(reqwest(house, method, &path), shown).await
        }
    }
}

/// A body of the simple dialect, with whatever members any action has.
fn action(name: &str, about: &str, of: &Belongings) -> Value {
    let mut body = json!({"action": name, "message": "Hello", "title": "Another title", "item_ids": [of.widget_id]});
    body["kind"] = json!("positive");
    if name != "chat" || about == "in the owner's thread" {
        body["thread_id"] = json!(of.thread_id);
    }
    body
}

fn params(kind: &str, about: &str, of: &Belongings) -> Value {
    let thread_id = &of.thread_id;
    let action = json!({"type": "go", "payload": {"respond": [], "updated_item": null}});
    match kind {
        "threads.create" if about == "with the owner's attachment" => {
            let mut input = input("Look");
            input["attachments"] = json!([of.attachment_id]);
            json!({"input": input})
        }
        "threads.create" => json!({"input": input("Hello")}),
        "threads.add_user_message" => json!({"thread_id": thread_id, "input": input("Hello")}),
        "threads.retry_after_item" => json!({"thread_id": thread_id, "item_id": of.message_id}),
        "threads.add_client_tool_output" => json!({"thread_id": thread_id, "result": {"seen": true}}),
        "threads.add_structured_input" => {
            let input = json!({"status": "answered", "answers": {"why": {"values": ["Because"]}}});
            json!({"thread_id": thread_id, "item_id": of.form_id, "input": input})
        }
        "threads.custom_action" | "threads.sync_custom_action" => {
            json!({"thread_id": thread_id, "item_id": of.widget_id, "action": action})
        }
        "threads.update" => json!({"thread_id": thread_id, "title": "Another title"}),
        "threads.list" if about == "after the owner's thread" => json!({"after": thread_id}),
        "threads.list" => json!({}),
        "items.feedback" => json!({"thread_id": thread_id, "item_ids": [of.widget_id], "kind": "positive"}),
        "attachments.create" => json!({"name": "b.png", "size": PICTURE.len(), "mime_type": "image/png"}),
        "attachments.delete" => json!({"attachment_id": of.attachment_id}),
        "input.transcribe" => json!({"audio_base64": "aGVsbG8=", "mime_type": "audio/webm"}),
        // `threads.get_by_id`, `threads.delete`, `items.list`, and what is no type.
        _ => json!({"thread_id": thread_id}),
    }
}

/// An address that nobody has signed up with.
fn somebody_new() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("reader{}@example.org", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn form() -> reqwest::multipart::Form {
    let part = reqwest::multipart::Part::bytes(PICTURE).file_name("a.png").mime_str("image/png").unwrap();
    reqwest::multipart::Form::new().part("file", part)
}

fn reqwest(house: &House, method: &str, path: &str) -> reqwest::RequestBuilder {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", house.url) };
    // A connection for each request: two tests with a runtime each share no pool.
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| http::inspecting_client().unwrap());
    CLIENT.request(method.parse().unwrap(), url).timeout(PATIENCE)
}

pub(super) async fn post(house: &House, path: &str, body: String, shown: &Shown) -> Heard {
    send(reqwest(house, "POST", path).header("content-type", "application/json").body(body), shown).await
}

/// Sends a request with what is shown. Who is sent elsewhere has heard where.
async fn send(request: reqwest::RequestBuilder, shown: &Shown) -> Heard {
    let request = shown.iter().fold(request, |request, (name, value)| request.header(*name, value));
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let told = response.bytes().await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            Heard { status, told: location.unwrap_or_else(|| told.unwrap_or_default()) }
        }
        // Whoever sends more than anybody reads may lose the answer together with the connection.
        Err(_) if shown.iter().any(|(_, value)| value.len() > 1 << 20) => Heard { status: 431, told: String::new() },
        Err(error) => panic!("{error:?}"),
    }
}
