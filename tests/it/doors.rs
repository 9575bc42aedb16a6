//! The doors around the protocol: browsers' questions before theirs, identities, health, and everything that is not there.

use serde_json::json;

use crate::support::client::input;
use crate::support::house::{Ground, House, until};

#[tokio::test]
async fn a_preflight_of_the_widget_passes_with_whatever_headers_it_asks_for() {
    let house =
        Ground::sqlite(&[("CORS_ORIGINS", "https://book.example.org,https://*.preview.example.org")]).build().await;
    let asked = async |origin: &str| {
        let request = house.stranger().request("OPTIONS", "/chatkit").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let headers = "content-type,chatkit-frame-instance-id,x-anything";
        request.header("access-control-request-headers", headers).send().await.unwrap()
    };
    for origin in ["https://book.example.org", "https://pr-7.preview.example.org"] {
        let answer = asked(origin).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
        let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains("chatkit-frame-instance-id") && allowed.contains("x-anything"), "{allowed}");
        assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        assert!(answer.headers().contains_key("access-control-max-age"));
    }
    assert!(!asked("https://evil.example.net").await.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_page_of_a_listed_site_may_read_answers_and_errors() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", "https://book.example.org")]).build().await;
    for body in [json!({"type": "threads.list", "params": {}}), json!({"type": "nonsense"})] {
        let request = house.stranger().request("POST", "/chatkit").header("origin", "https://book.example.org");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://book.example.org");
        assert!(answer.headers()["access-control-expose-headers"].to_str().unwrap().contains("x-request-id"));
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_asked_wrongly_is_refused_in_the_same_shape() {
    let house = House::offline().await;
    house.stranger().get("/nowhere").await.refuses(404, "/nowhere");
    house.stranger().get("/chatkit").await.refuses(405, "GET");
    house.stranger().get("/book/nowhere").await.refuses(404, "page");
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused_and_not_taken_for_nobody() {
    let house = House::offline().await;
    let list = json!({"type": "threads.list", "params": {}}).to_string();
    for (header, value) in [
        ("authorization", "Bearer abc"),
        ("authorization", "Basic abc"),
        ("x-chatkit-visitor", "v1.visitor_1.00"),
        ("x-chatkit-visitor", ""),
        ("cookie", "theme=dark; chatkit_visitor=forged"),
    ] {
        let request = house.stranger().request("POST", "/chatkit").header(header, value).body(list.clone());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{header}: {value}");
        assert!(answer.headers().contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn a_visitor_is_the_same_by_cookie_and_by_header() {
    let house = House::offline().await;
    let answer = house.stranger().post_to("/visitor", "").await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("HttpOnly"));
    let by_header =
        crate::support::client::Reader::new(&house.url, Some(answer.body["token"].as_str().unwrap().to_owned()));
    by_header.create("hello").await;
    let list = json!({"type": "threads.list", "params": {}}).to_string();
    let by_cookie =
        house.stranger().request("POST", "/chatkit").header("cookie", cookie).body(list).send().await.unwrap();
    let listed: serde_json::Value = by_cookie.json().await.unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn identity_is_never_taken_from_a_body_or_a_plain_header() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    reader.create("hello").await;
    let body = json!({"type": "threads.list", "params": {"user_id": "visitor"}, "user_id": "visitor"}).to_string();
    let request = house.stranger().request("POST", "/chatkit").header("x-user-id", "visitor").body(body);
    let listed: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn the_protocol_is_served_at_every_path_of_the_settings() {
    let house = Ground::sqlite(&[("CHATKIT_PATHS", "/here,/and/there")]).build().await;
    let list = json!({"type": "threads.list", "params": {}}).to_string();
    for path in ["/here", "/and/there"] {
        assert_eq!(house.stranger().post_to(path, list.clone()).await.status, 200);
    }
    house.stranger().post_to("/chatkit", list).await.refuses(404, "/chatkit");
}

#[tokio::test]
async fn health_names_what_is_in_use() {
    let house = House::offline().await;
    let health = house.stranger().get("/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.body["status"], "ok");
    assert_eq!(health.body["database"], "connected");
    assert_eq!(health.body["vector_store"], "embedded");
    assert_eq!(health.body["knowledge"]["retrieval"], "lexical");
    assert_eq!(health.body["model"], "offline/extractive");
    assert_eq!(health.body["model_fallbacks"], 0);
    assert!(health.body["knowledge"]["passages"].as_u64().unwrap() > 50);
    assert_eq!(house.stranger().get("/livez").await.status, 200);
    assert_eq!(house.stranger().get("/readyz").await.body["components"]["database"], "up");
}

#[tokio::test]
async fn a_database_that_goes_away_makes_the_house_unready_and_answers_stay_in_band() {
    let house = Ground::postgres(&[]).await.build().await;
    let reader = house.visitor().await;
    reader.create("hello").await;
    house.ground().wire().cut();
    until("the house is not ready", async || house.stranger().get("/readyz").await.status == 503).await;
    assert_eq!(house.stranger().get("/health").await.body["status"], "degraded");
    assert_eq!(house.stranger().get("/livez").await.status, 200);
    let events = reader.open("threads.create", json!({"input": input("hello")})).await.rest().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((&events[0]["type"], &events[0]["allow_retry"]), (&json!("error"), &json!(true)));
    reader.ask("threads.list", json!({})).await.refuses(503, "try again");
    house.ground().wire().mend();
    until("the house is ready again", async || house.stranger().get("/readyz").await.status == 200).await;
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"].as_array().unwrap().len(), 1);
}
