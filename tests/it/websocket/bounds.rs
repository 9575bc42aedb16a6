//! What a socket does not bear: frames that are none, silence, floods, clients that do not read; and how a server that
//! stops takes its leave.

use std::time::Duration;

use chatkit_gateway::config::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{create, delta};
use crate::support::client::{streamed_text, thread_of};
use crate::support::fake_model::{FakeModel, PATIENCE, Reply};
use crate::support::house::{Ground, House, until};
use crate::support::socket::{Socket, chatkit};

/// A socket to which bytes can be written that no client would write.
struct Raw(TcpStream);

impl Raw {
    async fn open(house: &House) -> Self {
        let mut connection = TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap();
        let shake = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        connection.write_all(shake.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, connection.read_u8()).await.expect("the house answers").unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self(connection)
    }

    async fn write(mut self, bytes: &[u8]) -> Self {
        self.0.write_all(bytes).await.unwrap();
        self
    }

    /// The code with which the house closes, whatever it says before.
    async fn closed(mut self) -> u16 {
        loop {
            let mut head = [0; 2];
            timeout(PATIENCE, self.0.read_exact(&mut head)).await.expect("a frame comes").unwrap();
            assert!(head[1] < 126, "a small frame: {head:?}");
            let mut payload = vec![0; head[1].into()];
            self.0.read_exact(&mut payload).await.unwrap();
            if head[0] == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

fn short_silence(settings: &mut Settings) {
    settings.http.patience.ping = Duration::from_millis(30);
    settings.http.patience.silence = Duration::from_millis(150);
}

#[tokio::test]
async fn what_is_no_request_of_any_kind_closes_the_socket_with_the_reason() {
    let house = House::offline().await;
    let ending = async |message: Message| {
        let mut socket = Socket::open(&house).await;
        socket.send_message(message).await;
        socket.ending().await.map(|(code, _)| code)
    };
    assert_eq!(ending(Message::binary(vec![1, 2])).await, Some(1003));
    assert_eq!(ending(Message::text(format!("{{\"type\":\"{}\"}}", "x".repeat(1 << 20)))).await, Some(1009));
    // More than any request may have, a recording included: nobody reads it, and its sender hears of it all the same.
    assert_eq!(ending(Message::text("x".repeat(9 << 20))).await, Some(1009));
    let masked = |opcode: u8, bytes: &[u8]| [&[opcode, 0x80 | bytes.len() as u8, 0, 0, 0, 0], bytes].concat();
    assert_eq!(Raw::open(&house).await.write(&masked(0x81, &[0xff, 0xfe])).await.closed().await, 1007);
    assert_eq!(Raw::open(&house).await.write(b"\x81\x02{}").await.closed().await, 1002, "a frame without a mask");
    assert_eq!(Raw::open(&house).await.write(&masked(0x83, b"{}")).await.closed().await, 1002, "a kind that is none");
}

#[tokio::test]
async fn who_says_nothing_and_answers_no_ping_is_let_go() {
    let house = Ground::sqlite(&[]).changed(short_silence).build().await;
    assert_eq!(Raw::open(&house).await.closed().await, 1008);
    let half = b"\x81\xfe\x04\x00\0\0\0\0{\"action\":";
    assert_eq!(Raw::open(&house).await.write(half).await.closed().await, 1008, "half a frame is nothing");
}

#[tokio::test]
async fn who_answers_pings_may_be_silent_for_long() {
    let house = Ground::sqlite(&[]).changed(short_silence).build().await;
    let mut socket = Socket::open(&house).await;
    for _ in 0..10 {
        socket.pinged().await;
    }
    assert_eq!(socket.ask(json!({"action": "list_threads"}), json!(1)).await.len(), 1);
}

#[tokio::test]
async fn who_goes_on_after_many_refusals_is_sent_away() {
    let house = House::offline().await;
    let mut socket = Socket::open(&house).await;
    for _ in 0..60 {
        socket.send_message("{".into()).await;
    }
    let (code, reason) = socket.ending().await.unwrap();
    assert_eq!((code, reason.contains("refused")), (1008, true), "{reason}");
}

#[tokio::test]
async fn more_requests_at_once_than_a_socket_may_have_are_refused_one_by_one() {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots"]);
    model.always(reply);
    let house = House::with_model(&model).await;
    let mut socket = Socket::open(&house).await;
    for id in 0..33 {
        let mut request = create("What do robots do?");
        request["id"] = id.into();
        socket.send(request).await;
    }
    let refused = socket.until(|frame| frame["status"] == 429).await;
    assert_eq!(refused.last().unwrap()["id"], 32);
    for _ in 0..32 {
        gate.open();
    }
    let mut ended = Vec::new();
    while ended.len() < 33 {
        let frame = socket.next().await;
        ended.extend((frame["type"] == "end").then(|| frame["id"].as_u64().unwrap()));
    }
    ended.sort_unstable();
    assert_eq!(ended, (0..33).collect::<Vec<_>>());
    assert_eq!(socket.ask(json!({"action": "list_threads"}), json!(40)).await[0]["type"], "result");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_bounded_and_let_go() {
    let model = FakeModel::start().await;
    let words = "robots sense and act ".repeat(10_000);
    model.always(Reply::text([words.as_str()]));
    let fake = crate::support::house::answered_by(&model);
    let variables: Vec<(&str, &str)> = fake.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ground = Ground::sqlite(&variables).with("CONNECTIONS_PER_ADDRESS_MAX", "2");
    let house = ground.changed(|settings| settings.http.patience.unread = Duration::from_millis(200)).build().await;
    let reader = house.stranger();
    let thread_id = thread_of(&reader.create("What do robots do?").await);
    for _ in 0..4 {
        reader.say(&thread_id, "And then?").await;
    }
    drop(reader);
    let mut socket = Socket::open(&house).await;
    // More than the system keeps for a client that does not read.
    for _ in 0..32 {
        socket.send(chatkit("threads.get_by_id", &json!({"thread_id": thread_id}))).await;
    }
    until("its place is free", async || {
        let held = [Socket::open_at(&house, "/ws", &[]).await, Socket::open_at(&house, "/ws", &[]).await];
        held.iter().all(Result::is_ok)
    })
    .await;
}

#[tokio::test]
async fn a_socket_has_a_place_among_the_connections_of_its_address_as_long_as_it_is_open() {
    let house = Ground::sqlite(&[("CONNECTIONS_PER_ADDRESS_MAX", "2")]).build().await;
    let held = [Socket::open(&house).await, Socket::open(&house).await];
    let refused = async || {
        let mut connection = TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap();
        let _ = connection.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, connection.read_to_end(&mut answer)).await.expect("it is answered");
        answer.starts_with(b"HTTP/1.1 429 ")
    };
    assert!(refused().await);
    drop(held);
    until("a place is free", async || !refused().await).await;
}

#[tokio::test]
async fn a_server_that_stops_tells_its_answers_to_the_end_and_then_takes_its_leave() {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots", " sense."]);
    model.reply(reply);
    let house = House::with_model(&model).await;
    let idle = Socket::open(&house).await;
    let mut busy = Socket::open(&house).await;
    let mut request = create("What do robots do?");
    request["id"] = json!(1);
    busy.send(request).await;
    gate.open();
    let mut heard = busy.until(delta).await;
    let stopping = house.begin_to_stop();
    assert_eq!(idle.ending().await.map(|(code, _)| code), Some(1001));
    gate.open();
    heard.extend(busy.until(|frame: &Value| frame["type"] == "end").await);
    assert_eq!(streamed_text(&heard), "Robots sense.");
    assert_eq!(busy.ending().await.map(|(code, _)| code), Some(1001));
    stopping.finished().await;
}
