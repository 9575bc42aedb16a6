//! The bot on Spaces: a WebSocket that answers as it writes, a REST door beside it, and what the platform looks at.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Page;
use crate::support::fake_model::{FakeModel, PATIENCE, Reply};
use crate::support::house::House;

const SITE: &str = "https://somebody-bot.hf.space";

/// `new WebSocket(url)`, and the bubble that its messages are written into.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(house: &House, path: &str, origin: &str) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let mut request = format!("{}{path}", house.url.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (socket, _) = connect_async(request).await?;
        Ok(Self(socket))
    }

    async fn send(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.unwrap();
    }

    /// `JSON.parse(event.data)`
    async fn hear(&mut self) -> Value {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame comes");
            if let Message::Text(text) = heard.expect("the socket is open").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// What stands in the bubble, and the last frame.
    async fn bubble(&mut self) -> (String, Value) {
        let mut text = String::new();
        loop {
            let frame = self.hear().await;
            match frame["type"].as_str() {
                Some("content") => text.push_str(frame["delta"].as_str().unwrap()),
                Some("done" | "error") => return (text, frame),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_socket_answers_as_it_writes_and_stays_open_for_the_next_question() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["A joint ", "connects ", "two links."]));
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    for path in ["/ws", "/ws/chat"] {
        let mut socket = Socket::open(&house, path, SITE).await.unwrap();
        socket.send(&json!({"action": "chat", "message": "What is a joint?"}).to_string()).await;
        let thread = socket.hear().await;
        assert_eq!(thread["type"], "thread");
        let (text, last) = socket.bubble().await;
        assert_eq!(text, "A joint connects two links.");
        assert_eq!(last["type"], "done");
        let next = json!({"action": "chat", "message": "And two?", "thread_id": thread["thread_id"], "id": 7});
        socket.send(&next.to_string()).await;
        let (_, last) = socket.bubble().await;
        assert_eq!((&last["type"], &last["id"]), (&json!("done"), &json!(7)));
        // Whoever gives a request a name is told when nothing more comes of it.
        assert_eq!(socket.hear().await, json!({"id": 7, "type": "end"}));
        // What cannot be read is told, and the socket stays.
        socket.send("hello?").await;
        assert_eq!(socket.hear().await["type"], "error");
        socket.send(&json!({"action": "get_thread", "thread_id": thread["thread_id"]}).to_string()).await;
        assert!(socket.hear().await.to_string().contains("And two?"));
    }
    assert!(Socket::open(&house, "/ws", "https://elsewhere.example.net").await.is_err());
}

#[tokio::test]
async fn what_is_said_on_the_socket_can_be_read_at_the_rest_door() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Yes."]));
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    let page = Page::of(SITE, &house);
    let answer = page.fetch("POST", "/chat", Some(&json!({"message": "Is this on?"}))).await.unwrap().json();
    assert_eq!(answer["response"], "Yes.");
    let mut socket = Socket::open(&house, "/ws", SITE).await.unwrap();
    let thread = format!("thr_{}", answer["session_id"].as_str().unwrap().replace('-', ""));
    socket.send(&json!({"action": "get_thread", "thread_id": thread}).to_string()).await;
    assert!(socket.hear().await.to_string().contains("Is this on?"));
}

#[tokio::test]
async fn the_platform_finds_what_it_looks_at() {
    let house = House::offline().await;
    let health = house.stranger().get("/health").await;
    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    for member in ["service", "version", "database", "vector_store", "model"] {
        assert!(health.body[member].is_string(), "{member}: {:?}", health.body);
    }
    let metrics = house.stranger().get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(house.stranger().get("/livez").await.status, 200);
    assert_eq!(house.stranger().get("/readyz").await.status, 200);
}
