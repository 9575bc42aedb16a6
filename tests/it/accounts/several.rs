//! Several instances on one database, and accounts that somebody else made or changes there.

use serde_json::json;

use super::{ACCOUNTS, Client, ada, post, sign_in, sign_up};
use crate::support::house::{Ground, House, until};

async fn two_houses() -> (House, House) {
    let ground = Ground::postgres(ACCOUNTS).await;
    let beside = ground.beside();
    (ground.build().await, beside.build().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_good_at_every_house_and_over_at_all_of_them_at_once() {
    let (here, there) = two_houses().await;
    let session = sign_up(&here, &ada()).await;
    assert_eq!(Client::with_token(&there, &session).me().await.status, 200);
    let out = Client::with_token(&there, &session).send("POST", "/auth/signout", &json!(null)).await;
    assert_eq!(out.status, 204);
    Client::with_token(&here, &session).me().await.refuses(401, "ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_an_account_that_is_disabled_or_gone_are_over() {
    let (here, there) = two_houses().await;
    let session = sign_up(&here, &ada()).await;
    here.ground().rows("update users set disabled = true returning id").await;
    for house in [&here, &there] {
        Client::with_token(house, &session).me().await.refuses(401, "ended");
        Client::with_token(house, &session).send("POST", "/auth/refresh", &json!(null)).await.refuses(401, "ended");
        post(house, "/auth/signin", &ada()).await.refuses(401, "wrong");
    }
    here.ground().rows("update users set disabled = false returning id").await;
    assert_eq!(Client::with_token(&there, &session).me().await.status, 200);
    here.ground().rows("delete from users returning id").await;
    for house in [&here, &there] {
        Client::with_token(house, &session).me().await.refuses(401, "ended");
    }
    post(&there, "/auth/signin", &ada()).await.refuses(401, "wrong");
    sign_up(&there, &ada()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_from_one_address_are_counted_at_all_houses_together() {
    let variables = [ACCOUNTS[0], ("AUTH_ATTEMPTS_PER_MINUTE", "5")];
    let ground = Ground::postgres(&variables).await;
    let (here, there) = (ground.beside().build().await, ground.build().await);
    sign_up(&here, &ada()).await;
    let mut wrong = ada();
    wrong["password"] = json!("wrong horse");
    for house in [&there, &here, &there] {
        post(house, "/auth/signin", &wrong).await.refuses(401, "wrong");
    }
    sign_in(&here, &ada()).await;
    for house in [&here, &there] {
        for path in ["/auth/signin", "/auth/signup"] {
            let refused = post(house, path, &ada()).await;
            refused.refuses(429, "too many attempts");
            let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
        }
    }
    // What is no attempt is not counted as one.
    post(&here, "/auth/signin", &json!({})).await.refuses(400, "email");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_of_an_earlier_back_end_opens_the_account_and_is_hashed_anew() {
    let (here, there) = two_houses().await;
    let mut connection = here.ground().database().connect().await;
    let kept = bcrypt::hash("correct horse", 4).unwrap();
    sqlx::query("insert into users (id, email, email_key, password_hash, full_name) values ('old', 'ada@example.org', 'ada@example.org', $1, 'Ada')")
        .bind(kept)
        .execute(&mut connection)
        .await
        .unwrap();
    let mut wrong = ada();
    wrong["password"] = json!("wrong horse");
    post(&here, "/auth/signin", &wrong).await.refuses(401, "wrong");
    let session = sign_in(&here, &ada()).await;
    let hash = here.ground().rows("select password_hash from users").await.remove(0);
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    sign_in(&there, &ada()).await;
    assert_eq!(here.ground().rows("select password_hash from users").await, [hash], "once is enough");
    let me = Client::with_token(&there, &session).me().await;
    assert_eq!((me.body["id"].as_str(), me.body["frameworks"].as_array().map(Vec::len)), (Some("old"), Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_told_in_the_stream_and_takes_nobody_for_a_stranger() {
    let house = Ground::postgres(ACCOUNTS).await.build().await;
    let session = sign_up(&house, &ada()).await;
    let client = Client::with_cookie(&house, &session);
    house.ground().wire().cut();
    let message = json!({"type": "threads.create", "params": {"input": crate::support::client::input("hello")}});
    let told = client.send("POST", "/chatkit", &message).await;
    assert_eq!(
        (told.status, told.headers["content-type"].to_str().unwrap()),
        (200, "text/event-stream; charset=utf-8")
    );
    let body = told.body.as_str().unwrap();
    assert!(body.contains("\"type\":\"error\"") && body.contains("try again"), "{body}");
    let refused = client.me().await;
    refused.refuses(503, "try again");
    assert!(refused.headers.contains_key("retry-after") && !refused.headers.contains_key("set-cookie"));
    post(&house, "/auth/signin", &ada()).await.refuses(503, "try again");
    house.ground().wire().mend();
    until("the session is good again", async || client.me().await.status == 200).await;
}
