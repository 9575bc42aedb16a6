//! Visitors: how a reader without an account becomes one, stays one, and is nobody else.

use serde_json::json;

use super::{BOOK, Browser, EVIL, set_cookies, token};
use crate::support::client::{Reader, input, thread_of};
use crate::support::house::{Ground, House};

fn list() -> String {
    json!({"type": "threads.list", "params": {}}).to_string()
}

#[tokio::test]
async fn a_page_of_this_server_has_a_visitor_without_asking_for_one() {
    let house = House::offline().await;
    let mut browser = Browser::at_home();
    assert_eq!(browser.list(&house).await, Vec::<String>::new());
    assert_eq!(browser.cookies.len(), 1, "the list brought a cookie");
    let thread_id = browser.create(&house, "hello").await;
    assert_eq!(browser.list(&house).await, [thread_id.as_str()]);
    let mut other = Browser::at_home();
    assert_eq!(other.list(&house).await, Vec::<String>::new());
    assert_eq!(other.open(&house, &thread_id).await, 404);
    assert_eq!(Browser::default().open(&house, &thread_id).await, 404);
}

#[tokio::test]
async fn a_listed_page_that_sends_cookies_has_one_too_and_programs_and_other_pages_have_none() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", BOOK)]).build().await;
    let mut listed = Browser::at(BOOK);
    listed.list(&house).await;
    assert_eq!(listed.cookies.len(), 1);
    let thread_id = listed.create(&house, "hello").await;
    assert_eq!(listed.list(&house).await, [thread_id]);
    for mut other in [Browser::at(EVIL), Browser::at("null"), Browser::default()] {
        other.list(&house).await;
        assert!(other.cookies.is_empty());
    }
}

#[tokio::test]
async fn a_thread_that_was_begun_before_its_browser_had_a_cookie_stays_open_to_it() {
    let house = House::offline().await;
    let (mut page, mut same_page) = (Browser::at_home(), Browser::at_home());
    // Both are on their way before either is answered.
    let (thread_id, _) = tokio::join!(page.create(&house, "hello"), same_page.list(&house));
    page.cookies.clone_from(&same_page.cookies);
    assert_eq!(page.cookies.len(), 1);
    assert_eq!(page.open(&house, &thread_id).await, 200);
    let more = json!({"thread_id": thread_id, "input": input("and more")});
    assert_eq!(page.ask(&house, "threads.add_user_message", more).await.status, 200);
    let stopped = page.post(&house, &format!("/chatkit/threads/{thread_id}/stop"), "").await;
    assert_eq!((stopped.status, &stopped.body), (200, &json!({"stopped": false})));
}

#[tokio::test]
async fn a_file_that_was_uploaded_before_goes_along_into_the_visitors_own_threads() {
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let house = ground.build().await;
        let (stranger, visitor) = (house.stranger(), house.visitor().await);
        let uploaded = async || {
            let params = json!({"name": "a.txt", "size": 5, "mime_type": "text/plain"});
            let file = stranger.ask("attachments.create", params).await.body;
            let target = file["upload_descriptor"]["url"].as_str().unwrap();
            assert_eq!(stranger.send(stranger.request("PUT", target).body("hello")).await.status, 200);
            file["id"].as_str().unwrap().to_owned()
        };
        let with = |id: &str| {
            let mut input = input("look");
            input["attachments"] = json!([id]);
            input
        };
        let (first, second) = (uploaded().await, uploaded().await);
        let events = visitor.open("threads.create", json!({"input": with(&first)})).await.rest().await;
        let thread_id = thread_of(&events);
        let listed = visitor.ask("threads.list", json!({})).await.body;
        assert_eq!(listed["data"][0]["id"], thread_id, "the thread is the visitor's");
        let more = json!({"thread_id": thread_id, "input": with(&second)});
        let events = visitor.open("threads.add_user_message", more).await.rest().await;
        assert_eq!(events[0]["item"]["attachments"][0]["id"], second, "{events:?}");
        assert_eq!(visitor.get(&format!("/attachments/{second}")).await.status, 303);
        for other in [house.visitor().await, stranger.clone()] {
            let asked = json!({"input": with(&first)});
            other.ask("threads.create", asked).await.refuses(404, &first);
        }
    }
}

#[tokio::test]
async fn what_neither_a_visitor_nor_a_stranger_has_is_missing_for_the_reason_it_is_missing_for_the_visitor() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("hello").await);
    let asked = json!({"thread_id": thread_id, "item_id": "msg_none"});
    reader.ask("threads.retry_after_item", asked).await.refuses(404, "item");
    let asked = json!({"thread_id": "thr_none", "item_id": "msg_none"});
    reader.ask("threads.retry_after_item", asked).await.refuses(404, "thread");
}

#[tokio::test]
async fn asking_again_keeps_a_visitor_the_same_by_cookie_and_by_header() {
    let house = House::offline().await;
    let mut browser = Browser::at_home();
    browser.post(&house, "/visitor", "").await;
    let thread_id = browser.create(&house, "hello").await;
    let answer = browser.post(&house, "/visitor", "").await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(browser.list(&house).await, [thread_id.as_str()]);
    let by_header = Reader::new(&house.url, Some(answer.body["token"].as_str().unwrap().to_owned()));
    let again = by_header.post_to("/visitor", "").await;
    let by_header = Reader::new(&house.url, Some(again.body["token"].as_str().unwrap().to_owned()));
    assert_eq!(by_header.items(&thread_id).await.len(), 2);
}

#[tokio::test]
async fn a_cookie_that_is_not_ours_is_refused_once_and_taken_back() {
    let house = House::offline().await;
    let mut browser = Browser::at_home().with_cookie("chatkit_visitor", "v1.visitor_1.00");
    browser.post(&house, "/chatkit", list()).await.refuses(401, "POST /visitor");
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.list(&house).await, Vec::<String>::new());
    let mut browser = Browser::at_home().with_cookie("chatkit_visitor", "forged");
    let answer = browser.post(&house, "/visitor", "").await;
    assert_eq!(answer.status, 200, "the remedy works for whoever needs it");
    assert!(browser.create(&house, "hello").await.starts_with("thr_"));
    // A page that keeps the token itself is told, and cookies are left alone.
    let request = Browser::at_home().saying("x-chatkit-visitor", "forged").request(&house, "POST", "/chatkit");
    let answer = house.stranger().send(request.body(list())).await;
    answer.refuses(401, "POST /visitor");
    assert_eq!(set_cookies(&answer.headers), Vec::<String>::new());
}

#[tokio::test]
async fn two_cookies_of_one_name_are_believed_only_if_they_say_the_same() {
    let house = House::offline().await;
    let (one, two) = (token(&house.app), token(&house.app));
    let mut browser = Browser::at_home().with_cookie("chatkit_visitor", &one).with_cookie("chatkit_visitor", &two);
    browser.post(&house, "/chatkit", list()).await.refuses(401, "chatkit_visitor");
    let mut browser = Browser::at_home().with_cookie("chatkit_visitor", &one).with_cookie("chatkit_visitor", &one);
    assert_eq!(browser.list(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_of_a_secret_that_may_go_is_replaced_in_passing_for_the_same_visitor() {
    const OLD: &str = "the old secret that somebody may have seen";
    const NEW: &str = "the new secret that nobody has seen as yet";
    let house = Ground::sqlite(&[("VISITOR_SECRET", OLD)]).build().await;
    let mut browser = Browser::at_home();
    browser.list(&house).await;
    let thread_id = browser.create(&house, "hello").await;
    let header_token = token(&house.app);
    let ground = house.shut_down().await.with("VISITOR_SECRET", &format!("{NEW},{OLD}"));
    let house = ground.build().await;
    assert_eq!(browser.list(&house).await, [thread_id.as_str()]);
    let renewed = Reader::new(&house.url, Some(header_token)).ask("threads.list", json!({})).await;
    let renewed = renewed.headers["x-chatkit-visitor"].to_str().unwrap().to_owned();
    let house = house.shut_down().await.with("VISITOR_SECRET", NEW).build().await;
    assert_eq!(browser.list(&house).await, [thread_id]);
    assert_eq!(Reader::new(&house.url, Some(renewed)).ask("threads.list", json!({})).await.status, 200);
    let old = Ground::sqlite(&[("VISITOR_SECRET", OLD)]).build().await;
    Reader::new(&house.url, Some(token(&old.app))).ask("threads.list", json!({})).await.refuses(401, "POST /visitor");
}

#[tokio::test]
async fn a_caller_without_a_credential_has_threads_by_their_id_alone() {
    let house = House::offline().await;
    let stranger = house.stranger();
    let thread_id = thread_of(&stranger.create("hello").await);
    assert_eq!(house.stranger().items(&thread_id).await.len(), 2);
    assert_eq!(stranger.ask("threads.list", json!({})).await.body, json!({"data": [], "has_more": false}));
}

#[tokio::test]
async fn nothing_in_a_body_a_query_or_a_plain_header_is_an_identity() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("hello").await);
    let owner = reader.owner(&house).as_str().to_owned();
    let key = owner.strip_prefix("visitor:").unwrap();
    for claimed in [owner.as_str(), key] {
        for header in
            ["x-user-id", "x-forwarded-user", "x-remote-user", "user-id", "x-auth-request-user", "remote-user"]
        {
            let get = json!({"type": "threads.get_by_id", "params": {"thread_id": thread_id, "user_id": claimed}, "user_id": claimed, "owner": claimed});
            let path = format!("/chatkit?user_id={claimed}&owner={claimed}");
            let request = house.stranger().request("POST", &path).header(header, claimed).body(get.to_string());
            assert_eq!(house.stranger().send(request).await.status, 404, "{header}");
            let request = house.stranger().request("POST", &path).header(header, claimed).body(list());
            assert_eq!(house.stranger().send(request).await.body["data"], json!([]), "{header}");
        }
        for cookie in ["user_id", "owner", "visitor"] {
            let mut browser = Browser::at_home().with_cookie(cookie, claimed);
            assert_eq!(browser.open(&house, &thread_id).await, 404, "{cookie}");
        }
    }
}

#[tokio::test]
async fn without_anonymous_readers_conversations_want_a_sign_in_and_the_rest_stays_open() {
    let house = Ground::sqlite(&[("ANONYMOUS", "false")]).build().await;
    let visitor = Reader::new(&house.url, Some(token(&house.app)));
    for reader in [house.stranger(), visitor] {
        for (path, body) in [
            ("/chatkit", list()),
            ("/api/chatkit", list()),
            ("/chat", json!({"message": "hello"}).to_string()),
            ("/chatkit/threads/thr_1/stop", String::new()),
            ("/chatkit/upload", String::new()),
            ("/visitor", String::new()),
        ] {
            let answer = reader.post_to(path, body).await;
            answer.refuses(401, "signed in");
            assert_eq!(answer.body["error"]["code"], "sign_in_required", "{path}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
        for path in ["/livez", "/health", "/readyz", "/book"] {
            assert_eq!(reader.get(path).await.status, 200, "{path}");
        }
        reader.get("/attachments/atc_1/preview?signature=00").await.refuses(403, "link");
    }
    assert!(set_cookies(&Browser::at_home().post(&house, "/chatkit", list()).await.headers).is_empty());
}

#[tokio::test]
async fn whoever_is_signed_in_is_no_visitor_and_counts_where_strangers_do_not() {
    let secret = ("SESSION_SECRET", "a secret of at least thirty-two characters");
    let house = Ground::sqlite(&[secret, ("ANONYMOUS", "false"), ("CORS_ORIGINS", BOOK)]).build().await;
    let mut browser = Browser::at_home();
    let asked = json!({"email": "ada@example.org", "password": "correct horse battery", "full_name": "Ada"});
    assert_eq!(browser.post(&house, "/auth/signup", asked.to_string()).await.status, 201);
    assert_eq!(browser.cookies.len(), 1);
    let thread_id = browser.create(&house, "hello").await;
    assert_eq!(browser.list(&house).await, [thread_id.as_str()]);
    assert_eq!(browser.cookies.len(), 1, "a list brings nothing to a user");
    browser.moved_to(EVIL).post(&house, "/chatkit", list()).await.refuses(403, "CORS_ORIGINS");
    browser.moved_to(EVIL).post(&house, "/auth/signout", "").await.refuses(403, "CORS_ORIGINS");
    assert_eq!(browser.moved_to(BOOK).list(&house).await, [thread_id]);
    let house = house.shut_down().await.with("ANONYMOUS", "true").build().await;
    let answer = browser.post(&house, "/visitor", "").await;
    answer.refuses(409, "signed in");
    assert_eq!(answer.body["error"]["code"], "signed_in");
}

#[tokio::test]
async fn a_cookie_says_what_the_settings_say() {
    const HTTPS: (&str, &str) = ("PUBLIC_URL", "https://tutor.example.org");
    for (variables, attributes) in [
        (vec![], "HttpOnly; SameSite=Lax"),
        (vec![("COOKIE_SAME_SITE", "strict")], "HttpOnly; SameSite=Strict"),
        (vec![HTTPS], "HttpOnly; Secure; SameSite=None; Partitioned"),
        (vec![HTTPS, ("COOKIE_SAME_SITE", "lax")], "HttpOnly; Secure; SameSite=Lax"),
        (vec![("PUBLIC_URL", "http://192.0.2.7")], "HttpOnly; Secure; SameSite=None; Partitioned"),
    ] {
        let house = Ground::sqlite(&variables).build().await;
        let answer = house.stranger().post_to("/visitor", "").await;
        let cookies = set_cookies(&answer.headers);
        let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
        let token = answer.body["token"].as_str().unwrap();
        assert_eq!(*cookie, format!("chatkit_visitor={token}; Path=/; Max-Age=31536000; {attributes}"));
    }
}
