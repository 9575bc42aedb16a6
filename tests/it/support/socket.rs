//! A client with a WebSocket: a browser's, as far as the house can tell.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::fake_model::PATIENCE;
use super::house::House;

/// One open socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// How the house ended a socket: the code and the reason, if it said one.
pub(crate) type Ending = Option<(u16, String)>;

impl Socket {
    /// Opens one for somebody who shows nothing.
    pub(crate) async fn open(house: &House) -> Self {
        Self::open_at(house, "/ws", &[]).await.unwrap()
    }

    /// Opens one, or hears the status and the body of the refusal.
    pub(crate) async fn open_at(house: &House, path: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, Value)> {
        Self::open_url(&format!("{}{path}", house.url.replace("http://", "ws://")), headers).await
    }

    pub(crate) async fn open_url(url: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, Value)> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("the house answers") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(refused)) => {
                let body = refused.body().as_deref().unwrap_or_default();
                Err((refused.status().as_u16(), serde_json::from_slice(body).unwrap_or_default()))
            }
            // Whoever is turned away before saying anything may lose the answer together with the connection.
            Err(error) => Err((0, Value::String(error.to_string()))),
        }
    }

    pub(crate) async fn send(&mut self, request: Value) {
        self.send_message(Message::text(request.to_string())).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        // Whoever was sent away hears why when they read.
        let _ = timeout(PATIENCE, self.0.send(message)).await.expect("the house reads");
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        match self.heard().await {
            Ok(frame) => frame,
            Err(ending) => panic!("the socket ended: {ending:?}"),
        }
    }

    /// Frames up to the first for which `so` holds, that one included.
    pub(crate) async fn until(&mut self, so: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            let frame = self.next().await;
            let enough = so(&frame);
            heard.push(frame);
            if enough {
                return heard;
            }
        }
    }

    /// What a request with this id is answered with, the end left out.
    pub(crate) async fn ask(&mut self, mut request: Value, id: Value) -> Vec<Value> {
        request["id"] = id.clone();
        self.send(request).await;
        let mut heard = self.until(|frame| *frame == json!({"id": id, "type": "end"})).await;
        heard.pop();
        heard
    }

    /// How the house ends it, whatever comes before.
    pub(crate) async fn ending(mut self) -> Ending {
        loop {
            if let Err(ending) = self.heard().await {
                return ending;
            }
        }
    }

    /// Waits until a ping has come.
    pub(crate) async fn pinged(&mut self) {
        while !matches!(self.message().await, Some(Ok(Message::Ping(_)))) {}
    }

    async fn heard(&mut self) -> Result<Value, Ending> {
        loop {
            match self.message().await {
                Some(Ok(Message::Text(frame))) => return Ok(serde_json::from_str(&frame).unwrap()),
                Some(Ok(Message::Close(told))) => {
                    return Err(told.map(|told| (told.code.into(), told.reason.to_string())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    async fn message(&mut self) -> Option<Result<Message, Error>> {
        timeout(PATIENCE, self.0.next()).await.expect("something comes")
    }
}

/// A request of the protocol.
pub(crate) fn chatkit(kind: &str, params: &Value) -> Value {
    json!({"type": kind, "params": params})
}
