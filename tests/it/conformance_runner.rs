//! The conformance runner against servers that do it wrong: what it says, and that it comes to an end.

use std::time::Duration;

use chatkit_gateway::conformance::{Corpus, Limits, NotTested, Report, Target};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::raw_server::{RawServer, Reply};

const HELLO: &str = "data: {\"type\":\"hello\"}\n\n";

/// Runs one case with these steps.
async fn run(steps: &Value, server: &RawServer, limits: Limits) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let case = json!({"name": "odd", "about": "What an odd server gets", "steps": steps});
    std::fs::write(folder.path().join("odd.json"), case.to_string()).unwrap();
    let corpus = Corpus::read(folder.path()).unwrap();
    corpus.run(&Target { limits, ..Target::at(server.url()) }).await.unwrap()
}

/// A server that answers the runner's first question, whether it is there, and then so.
fn server(replies: impl IntoIterator<Item = Reply>) -> RawServer {
    RawServer::start([Reply::json("{}")].into_iter().chain(replies))
}

async fn check_within(limits: Limits, steps: Value, replies: impl IntoIterator<Item = Reply>, told: Expect) {
    told.assert_eq(&run(&steps, &server(replies), limits).await.to_string());
}

async fn check(steps: Value, replies: impl IntoIterator<Item = Reply>, told: Expect) {
    check_within(Limits::default(), steps, replies, told).await;
}

/// A request of which one event is expected.
fn hello() -> Value {
    json!([{"request": {"type": "threads.create"}, "expect": {"events": [{"type": "hello"}]}}])
}

#[tokio::test]
async fn a_server_that_does_it_right_passes() {
    check(hello(), [Reply::stream(&format!(": ping\n\n{HELLO}"))], expect!["1 passed, 0 failed, 0 skipped"]).await;
}

#[tokio::test]
async fn wrong_framing_is_told_with_its_place() {
    check(
        hello(),
        [Reply::stream("data: {\"type\": \"hello\"}\n\n")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               event 0: the JSON is not compact: `{"type": "hello"}`
               events received: hello
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        hello(),
        [Reply::stream("event: message\ndata: {\"type\":\"hello\"}\n\n")],
        expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.create)
                   byte 0: expected `data: …` and an empty line, got `event: message\ndata: {"type":"hello"}\n\n`
                   events/0: missing, expected {"type":"hello"}
                   events received: none
            0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        hello(),
        [Reply::stream(&format!("{HELLO}data: [DONE]\n\n"))],
        expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.create)
                   event 1: no JSON (expected value at line 1 column 2): `[DONE]`
                   events/1: not expected, got null
                   events received: hello ?
            0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        hello(),
        [Reply::stream("data: {\"type\":\"hello\"}\r\n\r\n")],
        expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.create)
                   byte 0: expected `data: …` and an empty line, got `data: {"type":"hello"}\r\n\r\n`
                   events/0: missing, expected {"type":"hello"}
                   events received: none
            0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn a_body_that_was_cut_is_not_taken_for_a_whole_one() {
    check(
        hello(),
        [Reply::endless_stream(HELLO)],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               the connection broke off before the body was complete
               events received: hello
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    let short = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\n";
    check(
        hello(),
        [Reply::raw(format!("{short}{HELLO}"))],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               the connection broke off before the body was complete
               events received: hello
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    let expected = json!([{"request": {}, "expect": {"events": [{"type": "hello"}], "cut": true}}]);
    check(expected.clone(), [Reply::endless_stream(HELLO)], expect!["1 passed, 0 failed, 0 skipped"]).await;
    check(
        expected,
        [Reply::stream(HELLO)],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (request)
               the body is complete, expected a cut
               events received: hello
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_up_or_talks_another_language_has_not_answered() {
    check(hello(), [Reply::raw("")], expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               the connection ended without an answer: error sending request: client error (SendRequest): connection closed before message completed
        0 passed, 1 failed, 0 skipped"#]]).await;
    check(hello(), [Reply::raw("SSH-2.0-OpenSSH_9.2\r\n")], expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               the connection ended without an answer: error sending request: client error (SendRequest): invalid HTTP version parsed
        0 passed, 1 failed, 0 skipped"#]]).await;
}

#[tokio::test]
async fn an_answer_that_does_not_end_ends_the_case() {
    let silent = Limits { silence: Duration::from_secs(1), ..Limits::default() };
    let brief = Limits { whole: Duration::from_secs(1), ..Limits::default() };
    let small = Limits { bytes: 1_000, ..Limits::default() };
    let busy = Reply::endless_stream(HELLO).then_repeat(": ping\n\n");
    for (limits, reply, told) in [
        (
            silent.clone(),
            Reply::endless_stream(HELLO).then_hold(),
            "nothing came for 1s; the last of its 24 bytes: `data: {",
        ),
        (silent, Reply::raw("").then_hold(), "within 1s there was no status"),
        (brief, busy.clone(), "it took more than 1s; the last of its "),
        (small, busy, "it has more than 1000 bytes; the last of its "),
    ] {
        let report = run(&hello(), &server([reply]), limits).await.to_string();
        assert!(report.contains(&format!("\n       the answer did not end: {told}")), "{report}");
    }
}

#[tokio::test]
async fn the_content_type_decides_how_a_body_is_read() {
    check(
        hello(),
        [Reply::json("[]")],
        expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.create)
                   content type: expected text/event-stream, got `application/json`
                   events received: none
            0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        hello(),
        [Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.create)
               content type: expected text/event-stream, got none
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    let list = json!([{"request": {"type": "threads.list"}, "expect": {"json": {"data": []}}}]);
    check(
        list.clone(),
        [Reply::of(200, "text/html", "<html>")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.list)
               content type: expected application/json, got `text/html`
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        list.clone(),
        [Reply::json("{\"data\":[}")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.list)
               the body is no JSON (expected value at line 1 column 10): `{"data":[}`
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        list,
        [Reply::of(200, "Application/JSON ; charset=utf-8", "{\"data\": []}")],
        expect!["1 passed, 0 failed, 0 skipped"],
    )
    .await;
}

#[tokio::test]
async fn nulls_are_refused_even_where_anything_is_expected() {
    let anything = json!([{"request": {"type": "threads.list"}, "expect": {"json": "$any"}}]);
    let body = "{\"title\":null,\"items\":[{\"type\":\"client_tool_call\",\"arguments\":{\"a\":null}}]}";
    check(
        anything,
        [Reply::json(body)],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.list)
               body/title: null; what is not there is left out
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_says_what_is_wrong() {
    let refused = json!([{"request": {"type": "x"}, "expect": {"error": "4xx"}}]);
    let good = "{\"message\":\"no\",\"error\":{\"message\":\"no\"}}";
    check(refused.clone(), [Reply::of(422, "application/json", good)], expect!["1 passed, 0 failed, 0 skipped"]).await;
    check(
        refused.clone(),
        [Reply::of(400, "application/json", "{\"message\":\"\"}")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (x)
               body/message: expected a sentence on what is wrong, got ""
               body/error/message: expected a sentence on what is wrong, got nothing
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        refused.clone(),
        [Reply::of(404, "text/plain", "not found")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (x)
               content type: expected application/json, got `text/plain`
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    check(
        refused,
        [Reply::of(500, "application/json", good)],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (x)
               status: expected 4xx, got 500 `{"message":"no","error":{"message":"no"}}`
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_sent_is_what_the_case_says() {
    let steps = json!([
        {"request": {"type": "a"}, "capture": {"thread": "/0/id"}},
        {
            "request": {"id": "$cap:thread", "text": {"$script": {"respond": [{"z": 1, "a": "$thread"}]}}},
            "headers": {"Content-Type": "text/plain", "X-Extra": "ü"},
        },
        {"raw_body": ["é", {"text": "[", "times": 5}]},
        {"raw_body_base64": "/w=="},
        {"method": "GET", "expect": {"headers": {"X-Seen": "tw"}}},
        {"request": {"type": "b"}, "repeat": 2},
    ]);
    let seen = "HTTP/1.1 200 OK\r\nX-Seen: one\r\nX-Seen: two\r\nContent-Length: 0\r\n\r\n";
    let replies = [
        Reply::json("[{\"id\":\"thr_1\"}]"),
        Reply::json("{}"),
        Reply::json("{}"),
        Reply::json("{}"),
        Reply::raw(seen),
        Reply::json("{}"),
        Reply::json("{}"),
    ];
    let server = server(replies);
    let report = run(&steps, &server, Limits::default()).await;
    assert!(report.is_good(), "{report}");
    let asked = server.asked();
    let bodies: Vec<String> = asked.iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    assert_eq!(
        bodies[1..],
        [
            r#"{"type":"a"}"#,
            r#"{"id":"thr_1","text":"{\"respond\":[{\"z\":1,\"a\":\"$thread\"}]}"}"#,
            "é[[[[[",
            "\u{fffd}",
            "",
            r#"{"type":"b"}"#,
            r#"{"type":"b"}"#,
        ]
    );
    assert_eq!(asked[4].body, [0xff]);
    let heads: Vec<String> = asked.iter().map(|asked| asked.head.to_ascii_lowercase()).collect();
    assert!(heads[1].starts_with("post /chatkit http/1.1") && heads[1].contains("content-type: application/json\r\n"));
    assert!(heads[1].contains("accept-encoding: identity\r\n"), "{}", heads[1]);
    assert!(heads[2].contains("content-type: text/plain\r\n") && !heads[2].contains("application/json"));
    assert!(heads[2].contains("x-extra: "));
    assert!(heads[5].starts_with("get /chatkit http/1.1"), "{}", heads[5]);
}

#[tokio::test]
async fn a_case_ends_at_its_first_step_that_fails() {
    let steps = json!([
        {"request": {"type": "a"}, "note": "the first of two", "expect": {"json": {"id": "$cap:x"}}},
        {"request": {"type": "$cap:x"}},
    ]);
    let server = server([Reply::json("{\"id\":5,\"more\":[]}"), Reply::json("{}")]);
    let report = run(&steps, &server, Limits::default()).await;
    expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (a) the first of two
               body/id: expected an identifier ($cap:x), got 5
               body/more: not expected, got []
        0 passed, 1 failed, 0 skipped"#]]
    .assert_eq(&report.to_string());
    assert_eq!(server.asked().len(), 2);
    check(
        json!([{"request": {"id": "$cap:y"}}]),
        [],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (request)
               the request needs $cap:y, which no step before has shown
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    let capturing = json!([{"request": {}, "expect": {"json": "$any"}, "capture": {"a": "/0/id"}}]);
    check(
        capturing,
        [Reply::json("[]")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (request)
               nothing is at /0/id, which is to be called $cap:a
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_may_be_asked_for_again_until_it_fits() {
    let steps = json!([{"request": {}, "within_ms": 60_000, "expect": {"json": {"done": true}}}]);
    let waiting = Reply::json("{\"done\":false}");
    check(steps, [waiting.clone(), waiting, Reply::json("{\"done\":true}")], expect!["1 passed, 0 failed, 0 skipped"])
        .await;
}

#[tokio::test]
async fn a_client_that_has_enough_events_closes_the_connection() {
    // The next request is answered only once the connection before it is closed.
    let steps = json!([
        {"request": {}, "cancel_after_events": 2, "expect": {"events": [{"type": "hello"}, {"type": "hello"}]}},
        {"request": {}, "expect": {"json": {}}},
    ]);
    let three = Reply::endless_stream(&format!("{}data: {{\"ty", HELLO.repeat(3))).then_hold();
    check(steps.clone(), [three, Reply::json("{}")], expect!["1 passed, 0 failed, 0 skipped"]).await;
    check(
        steps,
        [Reply::stream(HELLO)],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (request)
               events/1: missing, expected {"type":"hello"}
               events received: hello
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_told_although_it_is_right() {
    let mut steps = hello();
    steps[0]["max_ms"] = json!(0);
    let report = run(&steps, &server([Reply::stream(HELLO)]), Limits::default()).await.to_string();
    assert!(report.contains("\n       time: expected at most 0 ms, got "), "{report}");
}

fn walk(by: &str) -> Value {
    json!([{
        "walk": {"type": "threads.get_by_id", "params": {"thread_id": "t"}},
        "by": by,
        "expect": {"json": [{"id": "a"}, {"id": "b"}, {"id": "c"}]},
    }])
}

#[tokio::test]
async fn a_list_is_walked_to_its_last_page() {
    let pages = [
        Reply::json(r#"{"id":"t","items":{"data":[{"id":"a"}],"has_more":true,"after":"x1"}}"#),
        Reply::json(r#"{"data":[],"has_more":true,"after":"x2"}"#),
        Reply::json(r#"{"data":[{"id":"b"}],"has_more":true,"after":"x3"}"#),
        Reply::json(r#"{"data":[{"id":"c"}],"has_more":false}"#),
    ];
    for (by, cursors) in [("after", ["x1", "x2", "x3"]), ("last_id", ["a", "x2", "b"])] {
        let server = server(pages.clone());
        let report = run(&walk(by), &server, Limits::default()).await;
        assert!(report.is_good(), "{report}");
        let asked: Vec<Value> =
            server.asked().iter().map(|asked| serde_json::from_slice(&asked.body).unwrap()).collect();
        assert_eq!(asked[1], json!({"type": "threads.get_by_id", "params": {"thread_id": "t"}}));
        for (request, after) in asked[2..].iter().zip(cursors) {
            let params = json!({"thread_id": "t", "order": "asc", "after": after});
            assert_eq!(request, &json!({"type": "items.list", "params": params}));
        }
    }
}

#[tokio::test]
async fn a_list_without_an_end_or_with_broken_pages_is_told() {
    let page = r#"{"data":[{"id":"a"}],"has_more":true,"after":"x"}"#;
    let few = Limits { pages: 3, ..Limits::default() };
    check_within(
        few,
        walk("after"),
        vec![Reply::json(page); 3],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.get_by_id)
               the pages do not end: 3 were read, 147 bytes together
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    let small = Limits { bytes: 80, ..Limits::default() };
    check_within(
        small,
        walk("after"),
        vec![Reply::json(page); 3],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.get_by_id)
               the pages do not end: 2 were read, 98 bytes together
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
    for (page, told) in [
        (
            r#"{"data":[],"has_more":true}"#,
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 says that there is more, and not where (`after`)
            0 passed, 1 failed, 0 skipped"#]],
        ),
        (
            r#"{"data":[],"has_more":true,"after":null}"#,
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 says that there is more, and not where (`after`)
            0 passed, 1 failed, 0 skipped"#]],
        ),
        (
            r#"{"data":[],"has_more":false,"after":"x"}"#,
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 is the last and has a cursor: "x"
            0 passed, 1 failed, 0 skipped"#]],
        ),
        (
            r#"{"data":{},"has_more":false}"#,
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 has no list `data`: `{"data":{},"has_more":false}`
            0 passed, 1 failed, 0 skipped"#]],
        ),
        (
            r#"{"data":[]}"#,
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 has no `has_more`: `{"data":[]}`
            0 passed, 1 failed, 0 skipped"#]],
        ),
        (
            "[",
            expect![[r#"
            FAIL odd — What an odd server gets
                 step 1 (threads.get_by_id)
                   page 1 has no JSON: `[`
            0 passed, 1 failed, 0 skipped"#]],
        ),
    ] {
        check(walk("after"), [Reply::json(page)], told).await;
    }
    check(
        walk("after"),
        [Reply::of(404, "application/json", "{}")],
        expect![[r#"
        FAIL odd — What an odd server gets
             step 1 (threads.get_by_id)
               status: expected 200, got 404 `{}`
        0 passed, 1 failed, 0 skipped"#]],
    )
    .await;
}

#[tokio::test]
async fn without_a_server_nothing_is_tested() {
    let corpus = Corpus::bundled().unwrap();
    for address in ["127.0.0.1:8000/chatkit", "localhost/chatkit", "ftp://localhost/chatkit", ""] {
        let refused = corpus.run(&Target::at(address)).await.unwrap_err();
        assert!(matches!(refused, NotTested::Address(_)), "{address}: {refused}");
        assert!(refused.to_string().contains("http://127.0.0.1:8000/chatkit"), "{refused}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = corpus.run(&Target::at(format!("http://{free}/chatkit"))).await.unwrap_err();
    assert!(matches!(refused, NotTested::Unreachable { .. }), "{refused}");
    let silent = RawServer::start([Reply::raw("").then_hold()]);
    let limits = Limits { silence: Duration::from_millis(200), ..Limits::default() };
    let refused = corpus.run(&Target { limits, ..Target::at(silent.url()) }).await.unwrap_err();
    assert!(matches!(refused, NotTested::Unreachable { .. }), "{refused}");
}
