//! What bad input gets: a 4xx that names the member and the remedy, and nothing is stored.

use serde_json::{Value, json};

use crate::support::client::{Reader, input, thread_of, types};
use crate::support::house::House;

/// Sends a body, expects the refusal, and sees that the reader still has no thread.
async fn check(reader: &Reader, body: impl Into<reqwest::Body>, status: u16, named: &str) {
    reader.post_to("/chatkit", body).await.refuses(status, named);
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"], json!([]), "{named}");
}

fn create(content: &Value) -> String {
    let input = json!({"content": content, "attachments": [], "inference_options": {}});
    json!({"type": "threads.create", "params": {"input": input}}).to_string()
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused_with_the_name_of_what_is_wrong() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep = format!(r#"{{"type":"threads.create","params":{{"input":{deep}}}}}"#);
    for (body, named) in [
        ("", "body"),
        ("hello", "body"),
        ("{", "body"),
        ("[]", "body"),
        ("\u{feff}{}", "body"),
        (r#"{"type":"threads.list","params":{}} x"#, "body"),
        (deep.as_str(), "body"),
        ("{}", "type"),
        (r#"{"type":5,"params":{}}"#, "type"),
        (r#"{"type":"threads.fly","params":{}}"#, "threads.fly"),
        (r#"{"type":"threads.list"}"#, "params"),
        (r#"{"type":"threads.list","params":[]}"#, "params"),
        (r#"{"type":"threads.create","params":{}}"#, "params.input"),
        (r#"{"type":"threads.create","params":{"input":{}}}"#, "params.input"),
        (r#"{"type":"threads.get_by_id","params":{"thread_id":5}}"#, "params.thread_id"),
        (r#"{"type":"threads.list","params":{"limit":-1}}"#, "params.limit"),
        (r#"{"type":"threads.list","params":{"order":"ASC"}}"#, "params.order"),
        (r#"{"type":"threads.update","params":{"thread_id":"t"}}"#, "params.title"),
        (r#"{"type":"items.feedback","params":{"thread_id":"t","item_ids":[],"kind":"meh"}}"#, "params.kind"),
    ] {
        check(&reader, body.to_owned(), 400, named).await;
    }
    check(&reader, vec![b'{', 0xff, b'}'], 400, "body").await;
    check(&reader, create(&json!([{"type": "input_text"}])), 400, "params.input.content[0].text").await;
    check(&reader, create(&json!([{"type": "input_text", "text": 5}])), 400, "params.input.content[0].text").await;
    check(&reader, create(&json!([{"type": "shout", "text": "x"}])), 400, "params.input.content[0].type").await;
    check(&reader, create(&json!([])), 400, "params.input.content").await;
    check(&reader, create(&json!([{"type": "input_text", "text": " \n "}])), 400, "params.input.content").await;
}

#[tokio::test]
async fn a_message_or_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let of = |bytes: usize| create(&json!([{"type": "input_text", "text": "x".repeat(bytes)}]));
    check(&reader, of(32 * 1024 + 1), 413, "32768").await;
    check(&reader, vec![b' '; 1024 * 1024 + 1], 413, "1048576").await;
    check(&reader, vec![b' '; 8 * 1024 * 1024 + 1], 413, "8388608").await;
    let recording = |bytes: usize| json!({"audio_base64": "A".repeat(bytes), "mime_type": "audio/webm"});
    reader.ask("input.transcribe", recording(7 << 20)).await.refuses(400, "TRANSCRIPTION_MODEL");
    reader.ask("input.transcribe", recording(8 << 20)).await.refuses(413, "8388608");
    let fits = reader.request("POST", "/chatkit").body(of(32 * 1024)).send().await.unwrap();
    assert_eq!(fits.status(), 200);
}

#[tokio::test]
async fn an_attachment_that_nobody_knows_is_not_found_and_nothing_is_stored() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let mut message = input("look at this");
    message["attachments"] = json!(["atc_unknown"]);
    let body = json!({"type": "threads.create", "params": {"input": message}});
    check(&reader, body.to_string(), 404, "atc_unknown").await;
}

#[tokio::test]
async fn what_the_protocol_has_and_this_responder_does_not_do_is_said_so() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("What is a quaternion?").await);
    let act = json!({"thread_id": thread_id, "action": {"type": "a"}});
    reader.ask("threads.sync_custom_action", act.clone()).await.refuses(400, "does not do");
    reader
        .ask("input.transcribe", json!({"audio_base64": "", "mime_type": "audio/mp4"}))
        .await
        .refuses(400, "TRANSCRIPTION_MODEL");
    let events = reader.open("threads.custom_action", act).await.rest().await;
    assert_eq!(types(&events), ["stream_options", "error"]);
}

#[tokio::test]
async fn a_title_longer_than_the_table_holds_is_refused() {
    let house = House::offline().await;
    let params = json!({"thread_id": "thr_x", "title": "t".repeat(256)});
    house.stranger().ask("threads.update", params).await.refuses(400, "params.title");
}
