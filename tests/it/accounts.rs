//! Accounts as their owners see them: signing up, in and out, and what becomes of sessions.

mod bodies;
mod several;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::client::{Answer, Reader};
use crate::support::house::{Ground, House};

/// What makes a house one with accounts. Attempts are not counted but where a test is about that.
pub(crate) const ACCOUNTS: &[(&str, &str)] =
    &[("SESSION_SECRET", "a secret of at least thirty-two characters"), ("AUTH_ATTEMPTS_PER_MINUTE", "0")];

/// Makes two tests of each function, on a file and on a server.
macro_rules! on_both_grounds {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let ground = crate::support::house::Ground::sqlite(crate::accounts::ACCOUNTS);
                super::$name(ground.build().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let ground = crate::support::house::Ground::postgres(crate::accounts::ACCOUNTS).await;
                super::$name(ground.build().await).await;
            })+
        }
    };
}

on_both_grounds!(
    an_account_is_made_and_its_session_is_good_as_a_cookie_and_as_a_token,
    what_was_told_at_sign_up_is_told_again,
    threads_of_an_account_are_its_own_from_whichever_session,
    a_session_that_was_closed_is_good_for_nothing_and_its_cookie_goes,
    a_refreshed_session_goes_on_and_the_old_one_is_over,
    a_wrong_password_and_an_unknown_address_are_told_alike_after_the_same_work,
    of_sign_ups_at_once_with_one_address_one_is_heard,
    an_address_is_the_same_in_capitals,
    who_asks_to_be_remembered_is_remembered_longer,
    the_doors_of_an_account_are_closed_to_visitors_and_strangers,
    what_people_do_is_written_down_without_who_and_where_they_are,
);

/// Somebody's browser, or another program of theirs.
pub(crate) struct Client {
    reader: Reader,
    header: (&'static str, String),
}

impl Client {
    pub(crate) fn with_token(house: &House, token: &str) -> Self {
        Self { reader: house.stranger(), header: ("authorization", format!("Bearer {token}")) }
    }

    pub(crate) fn with_cookie(house: &House, token: &str) -> Self {
        Self { reader: house.stranger(), header: ("cookie", format!("theme=dark; session={token}")) }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.reader.request(method, path).header(self.header.0, &self.header.1);
        self.reader.send(request.body(body.to_string())).await
    }

    pub(crate) async fn me(&self) -> Answer {
        self.send("GET", "/auth/me", &Value::Null).await
    }

    async fn chatkit(&self, kind: &str, params: Value) -> Answer {
        self.send("POST", "/chatkit", &json!({"type": kind, "params": params})).await
    }

    async fn threads(&self) -> usize {
        self.chatkit("threads.list", json!({})).await.body["data"].as_array().unwrap().len()
    }
}

pub(crate) fn ada() -> Value {
    json!({"email": "ada@example.org", "password": "correct horse", "full_name": "Ada Lovelace"})
}

/// Signs somebody up; the token of their session.
pub(crate) async fn sign_up(house: &House, who: &Value) -> String {
    token(&post(house, "/auth/signup", who).await, 201)
}

pub(crate) async fn sign_in(house: &House, who: &Value) -> String {
    token(&post(house, "/auth/signin", who).await, 200)
}

pub(crate) async fn post(house: &House, path: &str, body: &Value) -> Answer {
    house.stranger().post_to(path, body.to_string()).await
}

#[track_caller]
fn token(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    answer.body["session"]["token"].as_str().unwrap().to_owned()
}

/// What a browser is to keep: the value of the cookie, and its attributes.
#[track_caller]
fn cookie(answer: &Answer) -> (String, BTreeSet<String>) {
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let mut parts = cookie.split("; ");
    let value = parts.next().unwrap().strip_prefix("session=").unwrap().to_owned();
    (value, parts.map(str::to_owned).collect())
}

async fn an_account_is_made_and_its_session_is_good_as_a_cookie_and_as_a_token(house: House) {
    let made = post(&house, "/auth/signup", &ada()).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let (kept, attributes) = cookie(&made);
    assert_eq!(made.body["session"]["token"], kept.as_str());
    // The house is plain http on loopback, where a browser keeps no cookie that is secure.
    let expected = ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"].map(str::to_owned);
    assert_eq!(attributes, BTreeSet::from(expected));
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(made.body["user"]["email"], "ada@example.org");
    assert!(!made.body.to_string().contains("argon2"), "{:?}", made.body);
    for client in [Client::with_token(&house, &kept), Client::with_cookie(&house, &kept)] {
        let me = client.me().await;
        assert_eq!((me.status, &me.body), (200, &made.body["user"]));
    }
    let again = post(&house, "/auth/signin", &ada()).await;
    assert_eq!((again.status, &again.body["user"]), (200, &made.body["user"]));
    assert_ne!(again.body["session"]["token"], kept.as_str());
}

async fn what_was_told_at_sign_up_is_told_again(house: House) {
    let mut who = ada();
    who["experience_level"] = json!("Intermediate");
    who["programming_languages"] = json!(["Rust", "C++", "日本語"]);
    who["frameworks"] = json!(["ROS 2"]);
    who["available_hardware"] = json!(["Jetson \"Orin\""]);
    who["robotics_hardware"] = json!([]);
    let session = sign_up(&house, &who).await;
    let me = Client::with_token(&house, &session).me().await;
    for member in who.as_object().unwrap().keys().filter(|member| *member != "password") {
        assert_eq!(me.body[member], who[member], "{member}");
    }
    assert!(me.body["created_at"].as_str().unwrap().ends_with('Z'), "{:?}", me.body);
}

async fn threads_of_an_account_are_its_own_from_whichever_session(house: House) {
    let first = Client::with_cookie(&house, &sign_up(&house, &ada()).await);
    let input = crate::support::client::input("hello");
    let made = first.chatkit("threads.create", json!({"input": input})).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    let second = Client::with_token(&house, &sign_in(&house, &ada()).await);
    assert_eq!(second.threads().await, 1);
    let grace = json!({"email": "grace@example.org", "password": "another horse", "full_name": "Grace Hopper"});
    let grace = Client::with_token(&house, &sign_up(&house, &grace).await);
    assert_eq!(grace.threads().await, 0);
    let listed = second.chatkit("threads.list", json!({})).await;
    let id = &listed.body["data"][0]["id"];
    assert_eq!(grace.chatkit("threads.get_by_id", json!({"thread_id": id})).await.status, 404);
    assert_eq!(house.stranger().ask("threads.get_by_id", json!({"thread_id": id})).await.status, 404);
}

async fn a_session_that_was_closed_is_good_for_nothing_and_its_cookie_goes(house: House) {
    let session = sign_up(&house, &ada()).await;
    let other = sign_in(&house, &ada()).await;
    let client = Client::with_cookie(&house, &session);
    let out = client.send("POST", "/auth/signout", &Value::Null).await;
    assert_eq!(out.status, 204);
    let (value, attributes) = cookie(&out);
    assert_eq!(value, "");
    assert!(attributes.contains("Max-Age=0"));
    for (method, path) in [("GET", "/auth/me"), ("POST", "/auth/refresh"), ("POST", "/chatkit")] {
        let body = json!({"type": "threads.list", "params": {}});
        let refused = client.send(method, path, &body).await;
        refused.refuses(401, "sign in again");
        assert!(refused.headers.contains_key("www-authenticate"), "{path}");
        assert!(cookie(&refused).1.contains("Max-Age=0"), "{path}");
        // What a program keeps is its own affair.
        let refused = Client::with_token(&house, &session).send(method, path, &body).await;
        refused.refuses(401, "sign in again");
    }
    assert_eq!(Client::with_token(&house, &other).me().await.status, 200, "other sessions go on");
}

async fn a_refreshed_session_goes_on_and_the_old_one_is_over(house: House) {
    let old = sign_up(&house, &ada()).await;
    let refreshed = Client::with_cookie(&house, &old).send("POST", "/auth/refresh", &Value::Null).await;
    let new = token(&refreshed, 200);
    assert_eq!(cookie(&refreshed).0, new);
    assert_eq!(refreshed.body["user"]["email"], "ada@example.org");
    assert_ne!(new, old);
    Client::with_token(&house, &old).me().await.refuses(401, "ended");
    Client::with_token(&house, &old).send("POST", "/auth/refresh", &Value::Null).await.refuses(401, "ended");
    assert_eq!(Client::with_token(&house, &new).me().await.status, 200, "two tabs may refresh at once");
    // Of many at once one is heard.
    let client = Client::with_token(&house, &new);
    let answers = join_all((0..6).map(|_| client.send("POST", "/auth/refresh", &Value::Null))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
}

async fn a_wrong_password_and_an_unknown_address_are_told_alike_after_the_same_work(house: House) {
    sign_up(&house, &ada()).await;
    let accounts = house.app.auth.accounts().unwrap();
    let mut told = Vec::new();
    for (email, password) in [("ada@example.org", "wrong horse"), ("nobody@example.org", "correct horse")] {
        let before = accounts.hashes_computed();
        let asked = std::time::Instant::now();
        let mut answer = post(&house, "/auth/signin", &json!({"email": email, "password": password})).await;
        assert!(asked.elapsed().as_millis() >= 500, "a refusal takes its time");
        answer.refuses(401, "wrong");
        assert!(answer.headers.get("set-cookie").is_none());
        answer.body["request_id"].take();
        told.push((answer.body, accounts.hashes_computed() - before));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].1, 1);
}

async fn of_sign_ups_at_once_with_one_address_one_is_heard(house: House) {
    let who = ada();
    let answers = join_all((0..6).map(|_| post(&house, "/auth/signup", &who))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.body["error"]["code"], "email_taken");
    sign_in(&house, &who).await;
}

async fn an_address_is_the_same_in_capitals(house: House) {
    sign_up(&house, &ada()).await;
    let mut who = ada();
    who["email"] = json!("  ADA@Example.ORG ");
    post(&house, "/auth/signup", &who).await.refuses(409, "e-mail");
    sign_in(&house, &who).await;
}

async fn who_asks_to_be_remembered_is_remembered_longer(house: House) {
    sign_up(&house, &ada()).await;
    let mut who = ada();
    who["remember_me"] = json!(true);
    let remembered = post(&house, "/auth/signin", &who).await;
    assert!(cookie(&remembered).1.contains("Max-Age=2592000"), "{:?}", remembered.headers);
    // And a refresh does not forget it.
    let client = Client::with_token(&house, &token(&remembered, 200));
    let refreshed = client.send("POST", "/auth/refresh", &Value::Null).await;
    assert!(cookie(&refreshed).1.contains("Max-Age=2592000"), "{:?}", refreshed.headers);
}

async fn the_doors_of_an_account_are_closed_to_visitors_and_strangers(house: House) {
    let visitor = house.visitor().await;
    for (method, path) in [("GET", "/auth/me"), ("POST", "/auth/refresh"), ("POST", "/auth/signout")] {
        for reader in [&visitor, &house.stranger()] {
            let refused = reader.send(reader.request(method, path)).await;
            refused.refuses(401, "signed in");
            assert_eq!(refused.body["error"]["code"], "sign_in_required");
            assert!(refused.headers.contains_key("www-authenticate"));
        }
        for forged in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.x"] {
            Client::with_token(&house, forged).send(method, path, &Value::Null).await.refuses(401, "session");
            Client::with_cookie(&house, forged).send(method, path, &Value::Null).await.refuses(401, "session");
        }
    }
}

async fn what_people_do_is_written_down_without_who_and_where_they_are(house: House) {
    let session = sign_up(&house, &ada()).await;
    let client = Client::with_token(&house, &session);
    let new = token(&client.send("POST", "/auth/refresh", &Value::Null).await, 200);
    client.send("POST", "/auth/refresh", &Value::Null).await.refuses(401, "ended");
    post(&house, "/auth/signup", &ada()).await.refuses(409, "e-mail");
    let mut wrong = ada();
    wrong["password"] = json!("wrong horse");
    post(&house, "/auth/signin", &wrong).await.refuses(401, "wrong");
    sign_in(&house, &ada()).await;
    Client::with_token(&house, &new).send("POST", "/auth/signout", &Value::Null).await;
    let rows = house.ground().rows("select event_type || ' ' || case when user_id is null then 'nobody' else 'somebody' end || ' ' || coalesce(address_hash, '-') || ' ' || coalesce(email_hash, '-') || ' ' || request_id from audit_logs order by created_at").await;
    let events: Vec<String> = rows.iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        events,
        [
            "signup somebody",
            "refresh somebody",
            "refresh_refused somebody",
            "signup_refused nobody",
            "signin_failed somebody",
            "signin somebody",
            "signout somebody",
        ]
    );
    let addresses: BTreeSet<&str> = rows.iter().filter_map(|row| row.split(' ').nth(2)).collect();
    assert!(addresses.len() == 1 && addresses.first().unwrap().len() == 32, "{rows:?}");
    let whole = rows.join("\n");
    for secret in ["ada@", "127.0.0.1", "horse", session.as_str(), new.as_str()] {
        assert!(!whole.contains(secret), "{secret} stands in {whole}");
    }
    let sessions = house.ground().rows("select token_hash from auth_sessions").await;
    assert!(sessions.iter().all(|hash| hash.len() == 64 && !hash.contains('.')), "{sessions:?}");
}

#[tokio::test]
async fn without_a_secret_there_are_no_accounts_and_cookies_of_others_are_left_alone() {
    let house = House::offline().await;
    for (method, path) in [
        ("POST", "/auth/signup"),
        ("POST", "/auth/signin"),
        ("POST", "/auth/signout"),
        ("POST", "/auth/refresh"),
        ("GET", "/auth/me"),
    ] {
        let refused = house.stranger().send(house.stranger().request(method, path)).await;
        refused.refuses(404, "SESSION_SECRET");
        assert_eq!(refused.body["error"]["code"], "accounts_off");
    }
    let client = Client::with_cookie(&house, "of-another-program-on-this-host");
    assert_eq!(client.chatkit("threads.list", json!({})).await.status, 200);
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_comes_along_from_other_sites() {
    let mut variables = ACCOUNTS.to_vec();
    variables.push(("PUBLIC_URL", "https://chat.example.org"));
    let house = Ground::sqlite(&variables).build().await;
    let (_, attributes) = cookie(&post(&house, "/auth/signup", &ada()).await);
    assert!(attributes.contains("Secure") && attributes.contains("SameSite=None"), "{attributes:?}");
}

#[tokio::test]
async fn sessions_outlive_the_secret_that_signed_them_until_it_is_taken_away() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let session = sign_up(&house, &ada()).await;
    let old = ACCOUNTS[0].1;
    let both = format!("another secret of thirty-two characters,{old}");
    let house = house.shut_down().await.with("SESSION_SECRET", &both).build().await;
    assert_eq!(Client::with_token(&house, &session).me().await.status, 200);
    let newer = sign_in(&house, &ada()).await;
    let house = house.shut_down().await.with("SESSION_SECRET", &both[..both.find(',').unwrap()]).build().await;
    Client::with_token(&house, &session).me().await.refuses(401, "session");
    assert_eq!(Client::with_token(&house, &newer).me().await.status, 200);
}
