//! The client of models, against a provider that misbehaves in every way that was seen outside.

use std::time::Duration;

use chatkit_gateway::identity::Ids;
use chatkit_gateway::llm::openai::{Endpoint, Limits, OpenAiCompatible};
use chatkit_gateway::llm::{
    ChatModel, Chunk, Image, LlmError, Message, ModelName, Prompt, ToolCall, ToolSpec, Usage, http, presets,
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::fake_model::{FakeModel, PATIENCE, Reply, choice};

/// What came of an answer.
#[derive(Debug, Default)]
struct Heard {
    text: String,
    calls: Vec<ToolCall>,
    usage: Option<Usage>,
    model: Option<String>,
    error: Option<LlmError>,
}

async fn hear(model: &OpenAiCompatible, prompt: Prompt) -> Heard {
    let mut heard = Heard::default();
    let answer = async {
        let mut chunks = match model.stream(prompt).await {
            Ok(chunks) => chunks,
            Err(error) => return heard.error = Some(error),
        };
        while let Some(chunk) = chunks.next().await {
            assert!(
                heard.error.is_none() && heard.calls.is_empty() | matches!(chunk, Ok(Chunk::Usage(_)) | Err(_)),
                "{chunk:?}"
            );
            match chunk {
                Ok(Chunk::Text(text)) => heard.text.push_str(&text),
                Ok(Chunk::ToolCalls(calls)) => heard.calls = calls,
                Ok(Chunk::Usage(usage)) => heard.usage = Some(usage),
                Ok(Chunk::Model(name)) => assert!(heard.text.is_empty() && heard.model.replace(name.model).is_none()),
                Err(error) => heard.error = Some(error),
            }
        }
    };
    tokio::time::timeout(PATIENCE, answer).await.expect("the answer ends");
    heard
}

fn question() -> Prompt {
    Prompt { messages: vec![Message::user("What is a robot?")], ..Prompt::default() }
}

async fn ask(reply: Reply) -> Heard {
    let fake = FakeModel::start().await;
    fake.reply(reply);
    hear(&fake.client(), question()).await
}

#[track_caller]
fn assert_said(heard: &Heard, text: &str) {
    assert!(heard.error.is_none(), "{heard:?}");
    assert_eq!(heard.text, text);
}

fn text(piece: &str) -> Value {
    choice(json!({ "content": piece }), None)
}

fn stop() -> Value {
    choice(json!({}), Some("stop"))
}

#[tokio::test]
async fn a_well_behaved_answer_is_heard() {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9 } });
    let heard = ask(Reply::events([text("Ro"), text("bots 🤖"), stop(), usage]).done()).await;
    assert_said(&heard, "Robots 🤖");
    assert_eq!(heard.usage, Some(Usage { input_tokens: 7, output_tokens: 2 }));
    assert_eq!(heard.model.as_deref(), Some("test-model-2026"));
}

#[tokio::test]
async fn however_the_bytes_come_the_answer_is_the_same() {
    for framing in [
        "\u{feff}data: X\n\n",
        "data: X\r\n\r\n",
        "data:X\n\n",
        ": ping\n\nevent: message\nid: 1\ndata: X\n\n",
        "data: X\r\r",
    ] {
        let body: String =
            [text("روبوٹ "), text("🤖"), stop()].map(|event| framing.replace('X', &event.to_string())).concat();
        let body = body.replacen('\u{feff}', "\0", 1).replace('\u{feff}', "").replacen('\0', "\u{feff}", 1);
        assert_said(&ask(Reply::raw(body.clone())).await, "روبوٹ 🤖");
        assert_said(&ask(Reply::raw(body).byte_by_byte()).await, "روبوٹ 🤖");
    }
}

#[tokio::test]
async fn the_request_says_all_that_the_prompt_says() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::text(["ok"]));
    let extra = json!({ "extra_content": { "google": { "thought_signature": "c2ln" } } });
    let call = ToolCall {
        id: "call_1".into(),
        name: "search".into(),
        arguments: String::new(),
        extra: extra.as_object().unwrap().clone(),
        made_by: None,
    };
    let prompt = Prompt {
        messages: vec![
            Message::System("Be brief.".into()),
            Message::user("What is \"it\"?"),
            Message::Assistant { text: String::new(), tool_calls: vec![call] },
            Message::Tool { call_id: "call_1".into(), name: "search".into(), output: "{}".into() },
            Message::Assistant { text: "It is.".into(), tool_calls: vec![] },
        ],
        tools: vec![ToolSpec {
            name: "search".into(),
            description: "Looks.".into(),
            parameters: json!({ "type": "object" }),
        }],
        answer_tokens_max: Some(100),
        ..Prompt::default()
    };
    hear(&fake.client(), prompt).await;
    let request = fake.request().await;
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(request.headers["authorization"], "Bearer sk-test");
    assert!(request.headers["user-agent"].to_str().unwrap().starts_with("chatkit-gateway/"));
    let sent = json!({
        "model": "test-model",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "What is \"it\"?" },
            { "role": "assistant", "tool_calls": [{ "id": "call_1", "type": "function",
                "function": { "name": "search", "arguments": "{}" },
                "extra_content": { "google": { "thought_signature": "c2ln" } } }] },
            { "role": "tool", "tool_call_id": "call_1", "content": "{}" },
            { "role": "assistant", "content": "It is." },
        ],
        "tools": [{ "type": "function",
            "function": { "name": "search", "description": "Looks.", "parameters": { "type": "object" } } }],
        "max_tokens": 100,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    assert_eq!(request.body, sent);
}

#[tokio::test]
async fn pictures_and_files_go_along_with_the_words() {
    let fake = FakeModel::start().await;
    fake.always(Reply::text(["ok"]));
    let image = |mime_type: &str, bytes: &'static [u8]| Image { mime_type: mime_type.into(), bytes: bytes.into() };
    let message = |text: &str, material: &[&str], images: &[Image]| Message::User {
        text: text.into(),
        material: material.iter().copied().map(String::from).collect(),
        images: images.to_vec(),
    };
    let messages = vec![
        message("What is it?", &["A note."], &[]),
        message("", &["A note.", "Another."], &[]),
        message("And these?", &["A note."], &[image("image/png", b"\x89PNG"), image("image/webp", &[0xff; 2])]),
        message("", &[], &[image("image/gif", b"GIF89a")]),
    ];
    hear(&fake.client(), Prompt { messages, ..Prompt::default() }).await;
    let sent: Vec<Value> = fake.request().await.body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    let picture = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    let expected = [
        json!("A note.\n\nWhat is it?"),
        json!("A note.\n\nAnother."),
        json!([
            { "type": "text", "text": "A note." },
            { "type": "text", "text": "And these?" },
            picture("data:image/png;base64,iVBORw=="),
            picture("data:image/webp;base64,//8="),
        ]),
        json!([picture("data:image/gif;base64,R0lGODlh")]),
    ];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_tool_turn_is_told_by_its_calls_and_not_by_its_reason() {
    let signed = json!({ "extra_content": { "google": { "thought_signature": "c2ln" } } });
    let call = json!({ "id": "", "type": "", "function": { "name": "search", "arguments": "{\"q\":" }, "x": 1 });
    let rest = json!({ "index": null, "function": { "arguments": "1}" }, "extra_content": signed["extra_content"] });
    let events = [
        choice(json!({ "role": null, "content": null, "tool_calls": [call] }), Some("stop")),
        choice(json!({ "tool_calls": [rest] }), Some("stop")),
        stop(),
    ];
    let heard = ask(Reply::events(events)).await;
    assert!(heard.error.is_none(), "{heard:?}");
    let [call] = &heard.calls[..] else { panic!("{heard:?}") };
    assert_eq!((&*call.id, &*call.name, &*call.arguments), ("call_1", "search", "{\"q\":1}"));
    assert_eq!(Value::Object(call.extra.clone()), json!({ "x": 1, "extra_content": signed["extra_content"] }));
}

#[tokio::test]
async fn a_plain_tool_call_keeps_the_providers_id() {
    let heard = ask(Reply::tool_call("search", &json!({ "q": 1 }))).await;
    assert_eq!(heard.calls[0].id, "call_of_provider");
    assert_eq!(heard.calls[0].arguments, "{\"q\":1}");
}

#[tokio::test]
async fn stop_on_every_event_does_not_stop_the_answer() {
    let piece = |piece| choice(json!({ "content": piece }), Some("stop"));
    assert_said(&ask(Reply::events([piece("Ro"), piece("bo"), piece("ts")])).await, "Robots");
}

#[tokio::test]
async fn odd_members_and_empty_choices_do_no_harm() {
    let events = [
        json!({ "choices": [] }),
        json!({ "model": "other", "choices": [{ "delta": { "role": "model", "content": null, "reasoning_content": "hm" } }] }),
        json!({ "created": 1.5, "choices": [{ "finish_reason": "", "delta": { "content": [{ "type": "text", "text": "Ro" }] } }] }),
        json!({ "choices": [{ "index": 1, "delta": { "content": "another" } }] }),
        json!({ "choices": [{ "delta": { "refusal": "bots" } }], "usage": { "prompt_tokens": 1 } }),
        json!({ "type": "ping" }),
        json!({ "choices": [{ "finish_reason": "STOP" }], "usage": { "prompt_tokens": 5, "completion_tokens": 6 }, "error": null }),
    ];
    let heard = ask(Reply::events(events)).await;
    assert_said(&heard, "Robots");
    assert_eq!(heard.usage, Some(Usage { input_tokens: 5, output_tokens: 6 }));
    assert_eq!(heard.model.as_deref(), Some("other"));
}

#[tokio::test]
async fn an_end_after_a_reason_is_an_end_and_one_without_is_a_cut() {
    assert_said(&ask(Reply::events([text("Robots"), stop()])).await, "Robots");
    assert_said(&ask(Reply::events([text("Robots")]).done()).await, "Robots");
    assert_said(&ask(Reply::events([text("Robots"), stop()]).cut()).await, "Robots");
    for reply in [
        Reply::events([text("Robots")]),
        Reply::events([text("Robots")]).cut(),
        // A reason beside text may stand on every event, so a break behind it is a break.
        Reply::events([choice(json!({ "content": "Robots" }), Some("stop"))]).cut(),
        Reply::raw(format!("data: {}\n\ndata: {{\"choices\":[{{\"del", text("Robots"))),
    ] {
        let heard = ask(reply).await;
        assert!(matches!(heard.error, Some(LlmError::Cut)) && heard.text == "Robots", "{heard:?}");
    }
    assert!(matches!(ask(Reply::raw("")).await.error, Some(LlmError::Cut)));
}

#[tokio::test]
async fn a_last_event_without_its_blank_line_counts() {
    let body = format!("data: {}\n\ndata: {}", text("Ro"), choice(json!({ "content": "bots" }), Some("stop")));
    assert_said(&ask(Reply::raw(body)).await, "Robots");
}

#[tokio::test]
async fn what_was_spent_is_told_even_when_the_answer_breaks_off() {
    let spent = json!({ "choices": [{ "delta": { "content": "Ro" } }], "usage": { "prompt_tokens": 5, "completion_tokens": 6 } });
    let heard = ask(Reply::events([spent]).cut()).await;
    assert_eq!(heard.usage, Some(Usage { input_tokens: 5, output_tokens: 6 }));
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_an_answer() {
    let whole = r#" {"model":"m","choices":[{"message":{"content":"Robots","tool_calls":[{"id":"a","function":{"name":"f"}}]},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    for content_type in ["application/json", "text/event-stream"] {
        let heard = ask(Reply::status(200, whole).header("content-type", content_type)).await;
        assert_said(&heard, "Robots");
        assert_eq!((heard.calls.len(), heard.usage.unwrap().output_tokens), (1, 2));
    }
    let stream = Reply::text(["Robots"]).header("content-type", "application/json");
    assert_said(&ask(stream).await, "Robots");
}

#[tokio::test]
async fn an_error_inside_a_success_is_an_error() {
    let busy = r#"[{"error":{"code":429,"message":"Please retry in 3s.","status":"RESOURCE_EXHAUSTED"}}]"#;
    let of = |error: Option<LlmError>| format!("{error:?}");
    assert_eq!(of(ask(Reply::status(200, busy)).await.error), "Some(Busy { retry_after: Some(3s) })");
    assert_eq!(of(ask(Reply::raw(format!("data: {busy}\n\n"))).await.error), "Some(Busy { retry_after: Some(3s) })");
    let late = Reply::events([text("Ro"), json!({ "error": { "message": "overloaded", "type": "server_error" } })]);
    let heard = ask(late).await;
    assert_eq!((&*heard.text, &*of(heard.error)), ("Ro", "Some(ProviderFailed(500))"));
    assert_eq!(of(ask(Reply::status(200, "{}")).await.error), r#"Some(Garbled("neither an answer nor an error"))"#);
}

#[tokio::test]
async fn a_first_event_that_is_an_error_fails_before_anything_is_shown() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::events([json!({ "error": { "code": 503, "status": "UNAVAILABLE" } })]));
    assert!(matches!(fake.client().stream(question()).await.err(), Some(LlmError::Busy { .. })));
}

#[tokio::test]
async fn refusals_are_told_apart_by_what_can_be_done() {
    let of = |heard: Heard| format!("{:?}", heard.error.unwrap());
    assert_eq!(of(ask(Reply::status(401, "{}")).await), "Unauthorized");
    assert_eq!(of(ask(Reply::status(429, "{}").header("retry-after", "7")).await), "Busy { retry_after: Some(7s) }");
    let zero = r#"[{"error":{"code":429,"message":"Quota exceeded, limit: 0, model: m. Please retry in 5s."}}]"#;
    assert_eq!(of(ask(Reply::status(429, zero)).await), "NoQuota");
    assert_eq!(of(ask(Reply::status(500, "<html>")).await), "ProviderFailed(500)");
    assert_eq!(of(ask(Reply::status(200, "<html>")).await), r#"Garbled("a page for people")"#);
    let elsewhere = Reply::status(307, "").header("location", "http://127.0.0.1:1/");
    assert!(of(ask(elsewhere).await).starts_with("Refused(\"the address redirects"));
}

#[tokio::test]
async fn usage_is_asked_for_until_it_is_refused() {
    let fake = FakeModel::start().await;
    let refusal = Reply::status(400, r#"{"error":{"message":"unknown member stream_options"}}"#);
    fake.reply(refusal.clone()).reply(Reply::text(["one"])).reply(Reply::text(["two"]));
    let model = fake.client();
    assert_said(&hear(&model, question()).await, "one");
    assert_said(&hear(&model, question()).await, "two");
    let asked: Vec<bool> = fake.requests().iter().map(|request| request.body.get("stream_options").is_some()).collect();
    assert_eq!(asked, [true, false, false]);

    fake.reply(refusal.clone()).reply(refusal);
    let heard = hear(&fake.client(), question()).await;
    assert!(matches!(heard.error, Some(LlmError::Refused(_))), "{heard:?}");

    fake.reply(Reply::text(["three"]));
    let limits = Limits::default();
    assert_said(&hear(&fake.client_with(&presets::COHERE, limits), question()).await, "three");
    assert!(fake.requests().last().unwrap().body.get("stream_options").is_none());
}

#[tokio::test]
async fn garbage_is_called_garbage() {
    let invalid =
        [b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xffb\"},\"finish_reason\":\"stop\"}]}\n\n".as_slice()]
            .concat();
    assert_said(&ask(Reply::raw(invalid)).await, "a\u{fffd}b");
    let nonsense = format!("data: {{nonsense\n\ndata: {}\n\n", text("Ro"));
    assert!(matches!(ask(Reply::raw(nonsense)).await.error, Some(LlmError::Garbled(_))));
    let endless = format!("data: {}", "x".repeat(2 << 20));
    assert!(matches!(ask(Reply::raw(endless)).await.error, Some(LlmError::Garbled(_))));
    assert!(matches!(ask(Reply::raw("hello")).await.error, Some(LlmError::Cut)));
    let filtered = Reply::events([choice(json!({}), Some("content_filter"))]);
    assert!(matches!(ask(filtered).await.error, Some(LlmError::Filtered(_))));
}

#[tokio::test]
async fn an_answer_without_end_is_stopped() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::events((0..100).map(|_| text("0123456789"))).silence());
    let limits = Limits { answer_bytes_max: 500, ..Limits::default() };
    let heard = hear(&fake.client_with(&presets::OPENAI, limits), question()).await;
    assert!(matches!(heard.error, Some(LlmError::Garbled(_))) && heard.text.len() == 500, "{heard:?}");
    fake.abandoned().await;
}

#[tokio::test]
async fn silence_has_an_end_before_the_answer_and_within_it() {
    let fake = FakeModel::start().await;
    let short = Duration::from_millis(50);
    let long = Duration::from_secs(60);
    fake.reply(Reply::raw("").silence());
    let limits = Limits { first_byte: short, idle: long, ..Limits::default() };
    let heard = hear(&fake.client_with(&presets::OPENAI, limits), question()).await;
    assert!(matches!(heard.error, Some(LlmError::Silent(limit)) if limit == short), "{heard:?}");

    fake.reply(Reply::events([text("Ro")]).silence());
    let limits = Limits { first_byte: long, idle: short, ..Limits::default() };
    let heard = hear(&fake.client_with(&presets::OPENAI, limits), question()).await;
    assert!(matches!(heard.error, Some(LlmError::Silent(limit)) if limit == short) && heard.text == "Ro", "{heard:?}");
}

#[tokio::test]
async fn text_is_heard_while_the_rest_is_still_being_written() {
    let fake = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Ro", "bots"]);
    fake.reply(reply);
    let model = fake.client();
    let mut chunks = model.stream(question()).await.unwrap();
    let name = ModelName { provider: "gemini".into(), model: "test-model-2026".into() };
    assert_eq!(chunks.next().await.unwrap().unwrap(), Chunk::Model(name));
    gate.open();
    assert_eq!(chunks.next().await.unwrap().unwrap(), Chunk::Text("Ro".into()));
    gate.open();
    assert_eq!(chunks.next().await.unwrap().unwrap(), Chunk::Text("bots".into()));
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn letting_go_of_an_answer_hangs_up() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::events([text("Ro")]).silence());
    let mut chunks = fake.client().stream(question()).await.unwrap();
    chunks.next().await.unwrap().unwrap();
    drop(chunks);
    fake.abandoned().await;
}

#[tokio::test]
async fn answers_one_after_the_other_share_a_connection() {
    let fake = FakeModel::start().await;
    fake.always(Reply::text(["Robots"]));
    let model = fake.client();
    for _ in 0..3 {
        assert_said(&hear(&model, question()).await, "Robots");
    }
    let peers: std::collections::HashSet<_> = fake.requests().iter().map(|request| request.peer).collect();
    assert_eq!(peers.len(), 1);
}

#[tokio::test]
async fn nobody_at_home_is_unreachable_and_the_address_is_not_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1?key=secret", listener.local_addr().unwrap());
    drop(listener);
    let endpoint = Endpoint { base_url, ..Endpoint::of(&presets::OLLAMA, None) };
    let model =
        OpenAiCompatible::new(http::client(None).unwrap(), endpoint, Limits::default(), Ids::counting()).unwrap();
    let error = hear(&model, question()).await.error.unwrap();
    assert!(matches!(error, LlmError::Unreachable(_)) && !format!("{error:?}").contains("secret"), "{error:?}");
}
