//! Who may open a socket, and who they are on it from request to request.

use axum::body::Body;
use axum::http::{Request, Version};
use chatkit_gateway::routes;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::refuses;
use crate::accounts::ACCOUNTS;
use crate::cli::program::Home;
use crate::support::client::{input, thread_of};
use crate::support::house::{Ground, House};
use crate::support::socket::{Socket, chatkit};

const LISTED: &str = "https://book.example.org";

#[tokio::test]
async fn what_is_no_handshake_is_told_what_one_is() {
    let house = House::offline().await;
    let plain = house.stranger().get("/ws").await;
    plain.refuses(426, "WebSocket");
    assert_eq!(plain.headers["upgrade"], "websocket");
    let shake = |version: &str, key: &str| {
        let request = house.stranger().request("GET", "/ws").header("connection", "keep-alive, Upgrade");
        let request = request.header("upgrade", "WebSocket").header("sec-websocket-version", version);
        request.header("sec-websocket-key", key)
    };
    let old = house.stranger().send(shake("8", "dGhlIHNhbXBsZSBub25jZQ==")).await;
    old.refuses(426, "13");
    assert_eq!(old.headers["sec-websocket-version"], "13");
    house.stranger().send(shake("13", "short")).await.refuses(400, "Sec-WebSocket-Key");
    let answer = shake("13", "dGhlIHNhbXBsZSBub25jZQ==").send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["sec-websocket-accept"]),
        (101.try_into().unwrap(), &"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap())
    );
    house.stranger().post_to("/ws", "{}").await.refuses(405, "POST");
    for method in ["GET", "CONNECT"] {
        let request = Request::builder().method(method).uri("/ws").version(Version::HTTP_2);
        let answer = routes::router(house.app.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 405, "{method} on HTTP/2");
    }
}

#[tokio::test]
async fn pages_of_sites_that_are_not_listed_get_no_socket() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", LISTED)]).build().await;
    let (status, body) = Socket::open_at(&house, "/ws", &[("origin", "https://evil.example")]).await.err().unwrap();
    assert_eq!((status, &body["error"]["code"]), (403, &json!("cross_site")));
    assert_eq!(body["detail"], body["message"]);
    for headers in [&[("origin", LISTED)][..], &[("origin", house.url.as_str())], &[]] {
        assert!(Socket::open_at(&house, "/ws", headers).await.is_ok(), "{headers:?}");
    }
}

#[tokio::test]
async fn where_every_site_is_listed_the_cookies_of_its_readers_do_not_count() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", "*")]).build().await;
    let token = house.stranger().post_to("/visitor", "").await.body["token"].as_str().unwrap().to_owned();
    let cookie = format!("chatkit_visitor={token}");
    let shows = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    for (headers, threads) in [(&shows[..1], 1), (&shows[..], 0)] {
        let mut own = Socket::open_at(&house, "/ws", &shows[..1]).await.unwrap();
        if threads == 1 {
            own.ask(chatkit("threads.create", &json!({"input": input("Hello")})), json!(1)).await;
        }
        let mut socket = Socket::open_at(&house, "/ws", headers).await.unwrap();
        let listed = socket.ask(chatkit("threads.list", &json!({})), json!(2)).await;
        assert_eq!(listed[0]["result"]["data"].as_array().unwrap().len(), threads, "{headers:?}");
    }
}

#[tokio::test]
async fn a_page_that_can_send_no_headers_shows_its_token_in_the_address() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("Hello").await);
    let shown = reader.request("GET", "/").build().unwrap();
    let token = shown.headers()["x-chatkit-visitor"].to_str().unwrap();
    let mut socket = Socket::open_at(&house, &format!("/ws?visitor_token={token}"), &[]).await.unwrap();
    let listed = socket.ask(chatkit("threads.list", &json!({})), json!(1)).await;
    assert_eq!(listed[0]["result"]["data"][0]["id"], thread_id);
    for (path, headers, expected) in [
        ("/ws?visitor_token=wrong", &[][..], 401),
        ("/ws?access_token=wrong", &[], 401),
        ("/ws?access_token=", &[], 401),
        ("/ws?access_token=a%0Ab", &[], 401),
        ("/ws?access_token=a", &[("authorization", "Bearer a")], 401),
        ("/ws?access_token=a&access_token=b", &[], 400),
    ] {
        let (status, body) = Socket::open_at(&house, path, headers).await.err().unwrap();
        assert_eq!(status, expected, "{path}: {body}");
    }
}

#[tokio::test]
async fn a_session_that_ends_is_refused_from_the_next_request_on() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let body = json!({"email": "ada@example.org", "password": "a long password", "full_name": "Ada"}).to_string();
    let signed_up = house.stranger().post_to("/auth/signup", body).await;
    let token = signed_up.body["session"]["token"].as_str().unwrap().to_owned();
    let mut socket = Socket::open_at(&house, &format!("/ws?access_token={token}"), &[]).await.unwrap();
    let create = || chatkit("threads.create", &json!({"input": input("Hello")}));
    let thread_id = socket.ask(create(), json!(1)).await[0]["thread"]["id"].clone();
    let reader = house.stranger().bearing(&token);
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"][0]["id"], thread_id, "it is the same reader");
    assert_eq!(reader.post_to("/auth/signout", "").await.status, 204);
    for request in [create(), json!({"action": "list_threads"})] {
        let refused = socket.ask(request, json!(2)).await;
        refuses(&refused[0], 401, "invalid_token", "sign in again");
    }
}

#[tokio::test]
async fn a_token_in_the_address_is_in_no_log() {
    let home = Home::new();
    let serving = home.serve(&[("LOG_LEVEL", "trace")]);
    let url = format!("{}/ws?visitor_token=SECRET-IN-THE-ADDRESS", serving.url.replace("http://", "ws://"));
    assert_eq!(Socket::open_url(&url, &[]).await.err().unwrap().0, 401);
    let url = format!("{}/ws?access_token=SECRET-IN-THE-ADDRESS", serving.url.replace("http://", "ws://"));
    assert_eq!(Socket::open_url(&url, &[]).await.err().unwrap().0, 401);
    let log = serving.stopped().err;
    assert!(log.contains("/ws"), "{log}");
    assert!(!log.contains("SECRET-IN-THE-ADDRESS"), "{log}");
}

#[tokio::test]
async fn requests_on_a_socket_count_for_the_address_they_come_from() {
    let house = Ground::sqlite(&[("REQUESTS_PER_MINUTE_PER_ADDRESS", "3")]).build().await;
    let mut socket = Socket::open(&house).await;
    let list = || json!({"action": "list_threads"});
    for id in 1..3 {
        assert_eq!(socket.ask(list(), json!(id)).await[0]["type"], "result");
    }
    let refused: Vec<Value> = socket.ask(list(), json!(3)).await;
    refuses(&refused[0], 429, "too_many_requests", "too many requests");
    assert!((1..=20).contains(&refused[0]["retry_after"].as_u64().unwrap()), "{refused:?}");
    house.stranger().get("/nowhere").await.refuses(429, "too many requests");
}
