//! The edge of one instance: how many requests and connections it takes from whom, and for how long it waits for them.

use std::net::TcpStream as BlockingStream;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::program::Home;
use crate::support::client::{Answer, Reader, input};
use crate::support::fake_model::PATIENCE;
use crate::support::house::{Ground, House, until};

/// A request for a list, said to be forwarded for somebody.
async fn forwarded(reader: &Reader, client: &str) -> Answer {
    let body = json!({"type": "threads.list", "params": {}}).to_string();
    reader.send(reader.request("POST", "/chatkit").header("x-forwarded-for", client).body(body)).await
}

async fn connect(house: &House) -> TcpStream {
    TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Everything that comes until the other side closes.
async fn rest(mut connection: TcpStream) -> String {
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, connection.read_to_end(&mut rest)).await.expect("the connection ends").unwrap();
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn more_requests_than_an_address_may_send_are_refused_in_the_shape_of_all_errors() {
    let house = Ground::sqlite(&[("REQUESTS_PER_MINUTE_PER_ADDRESS", "3")]).build().await;
    let reader = house.stranger();
    for _ in 0..3 {
        assert_eq!(reader.ask("threads.list", json!({})).await.status, 200);
    }
    let request = reader.request("POST", "/chatkit").header("origin", "http://localhost:3000");
    // A body that would be refused as well, if anybody looked at it.
    let answer = reader.send(request.body(vec![b' '; 9 * 1024 * 1024])).await;
    answer.refuses(429, "too many requests");
    assert_eq!(answer.body["error"]["code"], "too_many_requests");
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(answer.headers.contains_key("access-control-allow-origin"), "a page may read why");
    reader.ask("threads.create", json!({"input": input("hello")})).await.refuses(429, "try again");
    reader.get("/nowhere").await.refuses(429, "too many requests");
    for probe in ["/livez", "/readyz"] {
        assert_eq!(reader.get(probe).await.status, 200, "{probe} is not counted");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_limit_of_its_own() {
    let variables = [("REQUESTS_PER_MINUTE_PER_ADDRESS", "2"), ("TRUSTED_PROXIES", "127.0.0.0/8")];
    let house = Ground::sqlite(&variables).build().await;
    let proxy = house.stranger();
    for client in ["192.0.2.1", "192.0.2.2"] {
        let answers = [forwarded(&proxy, client).await, forwarded(&proxy, client).await];
        assert_eq!(answers.map(|answer| answer.status), [200, 200]);
        forwarded(&proxy, client).await.refuses(429, "too many requests");
        forwarded(&proxy, &format!("198.51.100.7, {client}")).await.refuses(429, "too many requests");
    }
    assert_eq!(forwarded(&proxy, "2001:db8:0:1::1").await.status, 200);
    assert_eq!(forwarded(&proxy, "2001:db8:0:1::2").await.status, 200);
    forwarded(&proxy, "2001:db8:0:1::3").await.refuses(429, "too many requests");
}

#[tokio::test]
async fn nobody_gets_another_limit_by_saying_to_be_somebody_else() {
    let house = Ground::sqlite(&[("REQUESTS_PER_MINUTE_PER_ADDRESS", "2")]).build().await;
    let statuses = [
        forwarded(&house.stranger(), "192.0.2.1").await.status,
        forwarded(&house.stranger(), "192.0.2.2").await.status,
        forwarded(&house.stranger(), "192.0.2.3").await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn a_limit_of_zero_is_none() {
    let house = Ground::sqlite(&[("REQUESTS_PER_MINUTE_PER_ADDRESS", "0"), ("CONNECTIONS_MAX", "0")]).build().await;
    let reader = house.stranger();
    for _ in 0..620 {
        assert_eq!(reader.get("/nowhere").await.status, 404);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let ground = Ground::sqlite(&[]).changed(|settings| settings.http.patience.body = Duration::from_millis(60));
    let house = ground.build().await;
    for path in ["/chatkit", "/chat", "/chatkit/upload"] {
        let mut connection = connect(&house).await;
        let kind = "content-type: multipart/form-data; boundary=b";
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\n{kind}\r\nconnection: close\r\ncontent-length: 9\r\n\r\n{{");
        connection.write_all(head.as_bytes()).await.unwrap();
        let answer = rest(connection).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{path}: {answer}");
        assert!(answer.contains("body_too_slow"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let ground = Ground::sqlite(&[]).changed(|settings| settings.http.patience.head = Duration::from_millis(60));
    let house = ground.build().await;
    let mut dumb = connect(&house).await;
    let mut slow = connect(&house).await;
    slow.write_all(b"POST /chatkit HTTP/1.1\r\nhost").await.unwrap();
    assert_eq!(rest(slow).await, "");
    tokio::time::timeout(PATIENCE, dumb.read_u8()).await.expect("it is closed").unwrap_err();
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_the_settings_say() {
    let house = Ground::sqlite(&[("CONNECTIONS_PER_ADDRESS_MAX", "2")]).build().await;
    let held = [connect(&house).await, connect(&house).await];
    assert!(rest(connect(&house).await).await.starts_with("HTTP/1.1 429 "));
    drop(held);
    until("a place is free", async || {
        let mut connection = connect(&house).await;
        let _ = connection.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        answer.starts_with(b"HTTP/1.1 200")
    })
    .await;
}

/// A request with what a proxy would write, on a connection of its own.
async fn passed_on(url: &str) -> u16 {
    forwarded(&Reader::new(url, None), "203.0.113.77").await.status
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_told_of_once_and_without_anybodys_address() {
    let home = Home::new();
    let serving = home.serve(&[("CONNECTIONS_PER_ADDRESS_MAX", "4")]);
    for _ in 0..3 {
        assert_eq!(passed_on(&serving.url).await, 200);
    }
    let address = serving.url.strip_prefix("http://").unwrap();
    let refused: Vec<_> = (0..12).map(|_| BlockingStream::connect(address).unwrap()).collect();
    let log = serving.stopped().err;
    drop(refused);
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("says for whom it was forwarded"), 1, "{log:#?}");
    assert_eq!(lines("on this machine: 127.0.0.0/8"), 1, "{log:#?}");
    assert_eq!(lines("all the connections it may have"), 1, "{log:#?}");
    assert_eq!(lines("203.0.113.77"), 0, "{log:#?}");
}

#[tokio::test]
async fn a_server_that_ran_out_of_files_answers_again_when_there_are_some() {
    let home = Home::new();
    let mut serving = home.serve_with_files(&[("CONNECTIONS_PER_ADDRESS_MAX", "0")], 48);
    let address = serving.url.strip_prefix("http://").unwrap().to_owned();
    let held: Vec<_> = (0..64).map(|_| BlockingStream::connect(&address).unwrap()).collect();
    serving.until_it_says("raise the limit of open files");
    drop(held);
    assert_eq!(Reader::new(&serving.url, None).get("/livez").await.status, 200);
    let log = serving.stopped().err;
    assert_eq!(log.lines().filter(|line| line.contains("limit of open files")).count(), 1, "said once: {log}");
}
