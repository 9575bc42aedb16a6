//! Pages: which of them may read what, which may act in a reader's name, and what every answer tells their browser.

use std::sync::Arc;

use chatkit_gateway::chat::{EventStream, Recording, Responder, Turn, TurnError};
use chatkit_gateway::identity::Identity;
use serde_json::json;

use super::{BOOK, Browser, EVIL, token};
use crate::support::client::{Answer, input};
use crate::support::house::{Ground, House};

fn list() -> String {
    json!({"type": "threads.list", "params": {}}).to_string()
}

async fn listing_the_book() -> House {
    Ground::sqlite(&[("CORS_ORIGINS", "https://book.example.org, https://*.preview.example.org")]).build().await
}

/// What a browser asks before it sends what the widget wants to send.
async fn preflight(house: &House, origin: &str, further: &[(&str, &str)]) -> reqwest::Response {
    let mut request = house.stranger().request("OPTIONS", "/chatkit").header("origin", origin);
    request = request.header("access-control-request-method", "POST");
    request =
        request.header("access-control-request-headers", "chatkit-frame-instance-id,content-type,x-chatkit-visitor");
    for (name, value) in further {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn varies_by_origin(headers: &reqwest::header::HeaderMap) -> bool {
    let mut values = headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(','));
    values.any(|name| name.trim().eq_ignore_ascii_case("origin"))
}

#[tokio::test]
async fn a_listed_origin_may_send_cookies_and_any_header_and_is_asked_once_a_day() {
    let house = listing_the_book().await;
    for origin in [BOOK, "https://pr-7.preview.example.org"] {
        let answer = preflight(&house, origin, &[("access-control-request-private-network", "true")]).await;
        assert_eq!(answer.status(), 200);
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], origin);
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-allow-private-network"], "true");
        assert_eq!(headers["access-control-max-age"], "86400");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert_eq!(allowed, "chatkit-frame-instance-id,content-type,x-chatkit-visitor");
        assert!(varies_by_origin(headers));
    }
}

#[tokio::test]
async fn an_origin_that_is_not_listed_is_told_nothing() {
    let house = listing_the_book().await;
    for origin in
        [EVIL, "null", "https://preview.example.org", "http://book.example.org", "https://book.example.org:444"]
    {
        let answer = preflight(&house, origin, &[("access-control-request-private-network", "true")]).await;
        for header in ["origin", "credentials", "private-network"] {
            assert!(!answer.headers().contains_key(format!("access-control-allow-{header}")), "{origin} {header}");
        }
        assert!(varies_by_origin(answer.headers()));
        let answer = Browser::at(origin).request(&house, "POST", "/chatkit").body(list()).send().await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        assert!(varies_by_origin(answer.headers()));
    }
}

#[tokio::test]
async fn everybody_may_call_without_cookies_and_listed_origins_beside_them_with() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", "*,https://book.example.org")]).build().await;
    for origin in [EVIL, "null"] {
        let answer = preflight(&house, origin, &[]).await;
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }
    assert_eq!(preflight(&house, BOOK, &[]).await.headers()["access-control-allow-credentials"], "true");
    let visitor = token(&house.app);
    let with_header = Browser::at(EVIL).saying("x-chatkit-visitor", &visitor).request(&house, "POST", "/chatkit");
    assert_eq!(house.stranger().send(with_header.body(list())).await.status, 200);
    let mut with_cookie = Browser::at(EVIL).with_cookie("chatkit_visitor", &visitor);
    with_cookie.post(&house, "/chatkit", list()).await.refuses(403, "CORS_ORIGINS");
}

#[tokio::test]
async fn a_listed_page_can_read_every_answer_and_every_refusal() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", BOOK), ("BODY_BYTES_MAX", "1024"), ("RECORDING_BYTES_MAX", "0")])
        .build()
        .await;
    let create = json!({"type": "threads.create", "params": {"input": input("hello")}}).to_string();
    for (status, method, path, header, body) in [
        (200, "POST", "/chatkit", ("x-nothing", ""), list()),
        (200, "POST", "/chatkit", ("x-nothing", ""), create),
        (200, "POST", "/visitor", ("x-nothing", ""), String::new()),
        (400, "POST", "/chatkit", ("x-nothing", ""), "{".to_owned()),
        (401, "POST", "/chatkit", ("authorization", "Bearer nonsense"), list()),
        (401, "POST", "/chatkit", ("x-chatkit-visitor", "nonsense"), list()),
        (404, "POST", "/nowhere", ("x-nothing", ""), String::new()),
        (405, "DELETE", "/chatkit", ("x-nothing", ""), String::new()),
        (413, "POST", "/chatkit", ("x-nothing", ""), "x".repeat(2000)),
        (403, "GET", "/attachments/atc_1/preview?signature=0", ("x-nothing", ""), String::new()),
    ] {
        let request = Browser::at(BOOK).request(&house, method, path).header(header.0, header.1).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], BOOK, "{status}");
        assert_eq!(answer.headers()["access-control-allow-credentials"], "true", "{status}");
        let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_owned();
        for name in ["x-request-id", "retry-after", "x-chatkit-visitor", "content-disposition", "www-authenticate"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

/// A responder with a defect.
struct Defective;

#[async_trait::async_trait]
impl Responder for Defective {
    fn respond(&self, _: Turn) -> EventStream {
        Box::pin(futures_util::stream::empty())
    }

    async fn transcribe(&self, _: &Identity, _: Recording) -> Result<String, TurnError> {
        panic!("a defect, on purpose")
    }
}

#[tokio::test]
async fn a_listed_page_can_read_that_a_defect_of_ours_came_between() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", BOOK)]).build_for(Some(Arc::new(Defective))).await;
    let asked = json!({"audio_base64": "AAAA", "mime_type": "audio/webm"});
    let answer = Browser::at(BOOK).ask(&house, "input.transcribe", asked).await;
    answer.refuses(500, "our side");
    assert_eq!(answer.headers["access-control-allow-origin"], BOOK);
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

/// Every way in which a page can have a browser post without asking first, and one with asking.
const KINDS: [&str; 4] =
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"];

#[tokio::test]
async fn a_page_of_another_site_does_not_act_with_a_readers_cookie_however_it_sends() {
    let house = listing_the_book().await;
    let mut browser = Browser::at_home();
    browser.list(&house).await;
    let thread_id = browser.create(&house, "hello").await;
    let delete = json!({"type": "threads.delete", "params": {"thread_id": thread_id}}).to_string();
    for origin in [EVIL, "null", "https://example.org", "http://book.example.org"] {
        for kind in KINDS {
            let request = browser.moved_to(origin).request(&house, "POST", "/chatkit").header("content-type", kind);
            let refused = house.stranger().send(request.body(delete.clone())).await;
            refused.refuses(403, "CORS_ORIGINS");
            assert_eq!(refused.body["error"]["code"], "cross_site");
        }
        for path in ["/visitor", "/chat", "/chatkit/upload", &format!("/chatkit/threads/{thread_id}/stop")] {
            let refused: Answer = browser.moved_to(origin).post(&house, path, "{}").await;
            refused.refuses(403, "CORS_ORIGINS");
        }
    }
    assert_eq!(browser.list(&house).await, [thread_id.as_str()]);
    let answer = browser.moved_to(BOOK).post(&house, "/chatkit", delete).await;
    assert_eq!(answer.status, 200);
    assert_eq!(browser.list(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn older_browsers_are_judged_by_their_origin_and_our_own_address() {
    let house = Ground::sqlite(&[("PUBLIC_URL", "https://tutor.example.org")]).build().await;
    let visitor = token(&house.app);
    let status = async |origin: &str| {
        let browser = Browser::default().saying("origin", origin).with_cookie("chatkit_visitor", &visitor);
        let request = browser.request(&house, "POST", "/chatkit").body(list());
        house.stranger().send(request).await.status
    };
    assert_eq!(status(&house.url).await, 200);
    assert_eq!(status("https://tutor.example.org").await, 200);
    for other in [EVIL, "null", "https://tutor.example.org.evil.net", "http://127.0.0.1"] {
        assert_eq!(status(other).await, 403, "{other}");
    }
}

#[tokio::test]
async fn a_proxys_word_on_the_host_makes_no_page_ours() {
    let house = House::offline().await;
    let browser = Browser::default().saying("origin", EVIL).with_cookie("chatkit_visitor", &token(&house.app));
    let browser = browser.saying("x-forwarded-host", "evil.example.net").saying("forwarded", "host=evil.example.net");
    let request = browser.request(&house, "POST", "/chatkit").body(list());
    house.stranger().send(request).await.refuses(403, "CORS_ORIGINS");
}

#[tokio::test]
async fn a_token_that_the_page_itself_sends_makes_cookies_play_no_part() {
    let secret = ("SESSION_SECRET", "a secret of at least thirty-two characters");
    let house = Ground::sqlite(&[("CORS_ORIGINS", "*"), secret]).build().await;
    let (kept, sent) = (token(&house.app), token(&house.app));
    let browser = Browser::at(EVIL).with_cookie("chatkit_visitor", &kept).saying("x-chatkit-visitor", &sent);
    let request = browser.request(&house, "POST", "/chatkit").body(list());
    assert_eq!(house.stranger().send(request).await.status, 200);
    // A session's cookie would come before the visitor's header.
    let request = browser.with_cookie("session", "x").request(&house, "POST", "/chatkit").body(list());
    house.stranger().send(request).await.refuses(403, "CORS_ORIGINS");
}

#[tokio::test]
async fn no_page_of_another_site_signs_a_reader_in_even_without_any_cookie() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", "*,https://book.example.org")]).build().await;
    for path in ["/auth/signin", "/auth/signup", "/auth/refresh"] {
        Browser::at(EVIL).post(&house, path, "{}").await.refuses(403, "CORS_ORIGINS");
        assert_ne!(Browser::at(BOOK).post(&house, path, "{}").await.status, 403);
        assert_ne!(Browser::default().post(&house, path, "{}").await.status, 403);
    }
}

#[tokio::test]
async fn every_answer_is_taken_for_what_it_is_and_kept_by_nobody() {
    let house = House::offline().await;
    let mut answers = vec![house.stranger().post_to("/visitor", "").await.headers];
    for path in ["/health", "/nowhere", "/attachments/atc_1"] {
        answers.push(house.stranger().get(path).await.headers);
    }
    let stream = house.stranger().open("threads.create", json!({"input": input("hello")})).await;
    answers.push(stream.headers().clone());
    stream.rest().await;
    answers.push(house.stranger().ask("threads.list", json!({})).await.headers);
    for headers in answers {
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert!(headers["cache-control"].to_str().unwrap().contains("no-store"), "{headers:?}");
        assert!(!headers.contains_key("server") && !headers.contains_key("strict-transport-security"));
    }
    let house = Ground::sqlite(&[("PUBLIC_URL", "https://tutor.example.org")]).build().await;
    let headers = house.stranger().get("/livez").await.headers;
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn a_page_of_the_book_runs_nothing_and_has_the_style_that_its_policy_names() {
    let house = listing_the_book().await;
    let page = house.stranger().get("/book").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(
        policy.contains("frame-ancestors 'self' https://book.example.org https://*.preview.example.org"),
        "{policy}"
    );
    let html = page.body.as_str().unwrap();
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, <sha2::Sha256 as sha2::Digest>::digest(style));
    assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    assert!(page.headers["permissions-policy"].to_str().unwrap().contains("microphone=()"));
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}
