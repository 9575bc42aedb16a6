//! The simple dialect: eight actions on the ChatKit paths, for `curl -N` and small front ends.

use chatkit_gateway::chat::Responder;
use chatkit_protocol::sse::Decoder;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::client::{Answer, Reader, input, thread_of};
use crate::support::fake_model::{FakeModel, PATIENCE, Reply, choice};
use crate::support::house::{Ground, House};
use crate::support::simple::{Told, chat, events};

const QUESTION: &str = "Which gyroscope and which accelerometer does an IMU combine?";

async fn act(reader: &Reader, body: Value) -> Answer {
    reader.post_to("/chatkit", body.to_string()).await
}

#[tokio::test]
async fn an_answer_comes_as_thread_content_sources_and_done() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["An IMU combines ", "a three-axis gyroscope and a three-axis accelerometer [1]."]));
    let house = House::with_model_and(&model, &[("GROUNDING", "strict")]).await;
    let reader = house.visitor().await;
    let told = chat(&reader, json!({"action": "chat", "message": QUESTION})).await;
    let types = told.types();
    assert_eq!(types.first().map(String::as_str), Some("thread"), "{types:?}");
    assert_eq!(types[types.len() - 2..], ["sources", "done"], "{types:?}");
    assert!(types[1..types.len() - 2].iter().all(|kind| kind == "content"), "{types:?}");
    assert_eq!(told.text(), "An IMU combines a three-axis gyroscope and a three-axis accelerometer.");
    let source = &told.event("sources")["sources"][0];
    assert!(source["url"].as_str().unwrap().ends_with("#imu"), "{source}");
    assert!(source["title"].as_str().unwrap().contains("IMU") || !source["title"].as_str().unwrap().is_empty());
    let score = source["score"].as_f64().unwrap();
    assert!(score > 0.0 && score <= 1.0, "{source}");
    let items = reader.items(told.thread_id()).await;
    assert_eq!(told.event("done")["message_id"], items.last().unwrap()["id"]);
}

#[tokio::test]
async fn what_an_answer_cost_is_told_with_all_its_rounds() {
    let model = FakeModel::start().await;
    let usage = |input: u64, output: u64| json!({"id": "c", "choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}});
    let call = json!({"index": 0, "id": "call_1", "type": "function",
        "function": {"name": "query_knowledge_base", "arguments": "{\"query\":\"imu\"}"}});
    let first = [choice(json!({"tool_calls": [call]}), Some("tool_calls")), usage(30, 3)];
    model.reply(Reply::events(first).done());
    model.reply(Reply::events([choice(json!({"content": "Fine."}), Some("stop")), usage(70, 5)]).done());
    let house = House::with_model(&model).await;
    let told = chat(&house.stranger(), json!({"action": "chat", "message": "What is an IMU?"})).await;
    let done = told.event("done");
    assert_eq!(done["usage"], json!({"input_tokens": 100, "output_tokens": 8, "total_tokens": 108}));
    assert_eq!(told.text(), "Fine.");
}

#[tokio::test]
async fn a_conversation_goes_on_and_is_the_same_thread_in_the_protocol() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["One."])).reply(Reply::text(["Two."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("first?").await);
    let body =
        json!({"action": "chat", "message": "second?", "thread_id": thread_id, "selected_text": "A hinge turns."});
    let told = chat(&reader, body).await;
    assert_eq!(told.thread_id(), thread_id);
    assert_eq!(told.text(), "Two.");
    let asked = model.requests()[1].body["messages"].to_string();
    assert!(asked.contains("first?") && asked.contains("A hinge turns."), "{asked}");
    assert_eq!(reader.conversation(&thread_id).await.len(), 4);
    let items = reader.items(&thread_id).await;
    assert_eq!(items[2]["quoted_text"], "A hinge turns.");
}

#[tokio::test]
async fn the_model_that_a_page_names_is_kept_with_the_message_as_the_protocol_keeps_it() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let told = chat(&reader, json!({"action": "chat", "message": "hello", "model": "no-such-model"})).await;
    assert_eq!(reader.items(told.thread_id()).await[0]["inference_options"]["model"], "no-such-model");
}

#[tokio::test]
async fn bare_text_comes_as_it_is_written_and_nothing_else() {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots", " sense."]);
    model.reply(reply);
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let body = json!({"action": "chat", "message": "What do robots do?"}).to_string();
    let request = reader.request("POST", "/chatkit").header("accept", "text/plain").body(body);
    let mut response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/plain; charset=utf-8".parse().unwrap())
    );
    let thread_id = response.headers()["x-chatkit-thread"].to_str().unwrap().to_owned();
    gate.open();
    let first = tokio::time::timeout(PATIENCE, response.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(first, "Robots", "the first words come before the last are written");
    gate.open();
    assert_eq!(response.text().await.unwrap(), " sense.\n");
    assert_eq!(reader.conversation(&thread_id).await[1], "assistant_message: Robots sense.");
}

#[tokio::test]
async fn an_answer_that_fails_says_so_in_an_event_or_in_a_last_line() {
    let model = FakeModel::start().await;
    let broken = || Reply::events([choice(json!({"content": "Half"}), None)]).cut();
    model.reply(broken()).reply(broken());
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let told = chat(&reader, json!({"action": "chat", "message": "why?"})).await;
    assert_eq!(told.types(), ["thread", "content", "error", "done"]);
    let message = told.event("error")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("try again"), "{message}");
    assert!(told.event("done")["message_id"].is_string());
    let body = json!({"action": "chat", "message": "why?"}).to_string();
    let request = reader.request("POST", "/chatkit").header("accept", "text/plain").body(body);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text, format!("Half\n[error] {message}\n"));
}

#[tokio::test]
async fn threads_and_items_are_listed_shown_renamed_judged_and_deleted_on_both_databases() {
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let house = ground.build().await;
        let reader = house.visitor().await;
        let told = chat(&reader, json!({"action": "chat", "message": "What is a quaternion?"})).await;
        let thread_id = told.thread_id().to_owned();
        let other = chat(&reader, json!({"action": "chat", "message": "hello"})).await;
        let listed = act(&reader, json!({"action": "list_threads", "limit": 1})).await.body;
        assert_eq!((&listed["data"][0]["id"], &listed["has_more"]), (&json!(other.thread_id()), &json!(true)));
        let next = act(&reader, json!({"action": "list_threads", "limit": "1", "after": listed["after"]})).await.body;
        assert_eq!(next["data"][0]["id"], thread_id);
        let shown = act(&reader, json!({"action": "get_thread", "thread_id": thread_id})).await.body;
        assert_eq!(shown, reader.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.body);
        let renamed =
            act(&reader, json!({"action": "rename_thread", "thread_id": thread_id, "title": "Turning"})).await;
        assert_eq!((renamed.status, &renamed.body["title"]), (200, &json!("Turning")));
        let page = json!({"action": "list_items", "thread_id": thread_id, "limit": 1, "order": "asc"});
        let items = act(&reader, page).await.body;
        assert_eq!((&items["data"][0]["type"], &items["has_more"]), (&json!("user_message"), &json!(true)));
        let answer = told.event("done")["message_id"].clone();
        let judged = json!({"action": "feedback", "thread_id": thread_id, "item_ids": [answer], "kind": "positive"});
        let judged = act(&reader, judged).await;
        assert_eq!((judged.status, judged.body), (200, json!({})));
        assert_eq!(house.ground().rows("select kind from chat_feedback").await, ["positive"]);
        let stopped = act(&reader, json!({"action": "stop", "thread_id": thread_id})).await;
        assert_eq!((stopped.status, stopped.body), (200, json!({"stopped": false})));
        let deleted = act(&reader, json!({"action": "delete_thread", "thread_id": thread_id})).await;
        assert_eq!((deleted.status, deleted.body), (200, json!({})));
        act(&reader, json!({"action": "get_thread", "thread_id": thread_id})).await.refuses(404, "thread_id");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_member_by_member_in_the_words_of_the_dialect() {
    let house = Ground::sqlite(&[("MESSAGE_BYTES_MAX", "100")]).build().await;
    let reader = house.visitor().await;
    let unknown = act(&reader, json!({"action": "dance"})).await;
    for known in
        ["chat", "list_threads", "get_thread", "rename_thread", "delete_thread", "list_items", "feedback", "stop"]
    {
        unknown.refuses(400, &format!("`{known}`"));
    }
    act(&reader, json!({"action": 7})).await.refuses(400, "`action`");
    act(&reader, json!({"action": "chat"})).await.refuses(400, "`message`");
    act(&reader, json!({"action": "chat", "message": "  "})).await.refuses(400, "`message`");
    let both = act(&reader, json!({"action": "feedback", "item_ids": "msg_1", "kind": "so-so"})).await;
    for member in ["`thread_id`", "`item_ids`", "`kind`"] {
        both.refuses(400, member);
    }
    assert_eq!(both.body["error"]["details"]["problems"].as_array().unwrap().len(), 3);
    act(&reader, json!({"action": "list_threads", "limit": -1})).await.refuses(400, "`limit`");
    act(&reader, json!({"action": "list_threads", "after": "thr_none"})).await.refuses(400, "`after`");
    let thread_id = chat(&reader, json!({"action": "chat", "message": "hello"})).await.thread_id().to_owned();
    let title = "x".repeat(256);
    let renamed = act(&reader, json!({"action": "rename_thread", "thread_id": thread_id, "title": title})).await;
    renamed.refuses(400, "`title`");
    assert!(!renamed.body.to_string().contains("params"), "{}", renamed.body);
    let long = act(&reader, json!({"action": "chat", "message": "x".repeat(101)})).await;
    long.refuses(413, "`message`");
    act(&reader, json!({"action": "chat", "message": "hello", "thread_id": "thr_none"})).await.refuses(404, "thread");
    let theirs = json!({"action": "chat", "message": "hello", "thread_id": thread_id});
    act(&house.visitor().await, theirs).await.refuses(404, "thread");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_though_recordings_may_be_larger() {
    let house = House::offline().await;
    let body = json!({"action": "chat", "message": "x".repeat(1_100_000)});
    act(&house.stranger(), body).await.refuses(413, "1048576");
}

#[tokio::test]
async fn a_limit_that_is_reached_is_429_here_since_no_widget_listens() {
    let house = Ground::sqlite(&[("MESSAGES_PER_MINUTE", "1")]).build().await;
    let reader = house.visitor().await;
    chat(&reader, json!({"action": "chat", "message": "hello"})).await;
    let refused = act(&reader, json!({"action": "chat", "message": "hello"})).await;
    refused.refuses(429, "within a minute");
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_responder_that_says_all_at_once_is_told_whole_and_two_messages_stay_apart() {
    let responder: Arc<dyn Responder> = Arc::new(crate::conformance::scripted::Scripted { transcribes: false });
    let house = Ground::sqlite(&[]).build_for(Some(responder)).await;
    let message = |id: &str, text: &str| {
        let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
        json!({"emit": {"type": "thread.item.done", "item": {"type": "assistant_message", "id": id,
            "thread_id": "$thread", "created_at": "$now", "content": content}}})
    };
    let script = json!({"respond": [message("$id:a:message", "First."), message("$id:b:message", "Second.")]});
    let told = chat(&house.visitor().await, json!({"action": "chat", "message": script.to_string()})).await;
    assert_eq!(told.text(), "First.\n\nSecond.");
    assert_eq!(told.event("done")["usage"]["total_tokens"], 0);
}

#[tokio::test]
async fn the_dialect_is_spoken_on_every_path_of_the_protocol_and_type_wins_over_action() {
    let house = House::offline().await;
    let body = json!({"action": "list_threads"}).to_string();
    assert_eq!(house.stranger().post_to("/api/chatkit", body).await.body["data"], json!([]));
    let both = json!({"action": "dance", "type": "threads.create", "params": {"input": input("hello")}});
    let answer = act(&house.stranger(), both).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.as_str().unwrap().contains("thread.created"));
}

#[tokio::test]
async fn a_stopped_answer_ends_with_done() {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots", " never said"]);
    model.reply(reply);
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let body = json!({"action": "chat", "message": "What do robots do?"}).to_string();
    let mut response = reader.request("POST", "/chatkit").body(body).send().await.unwrap();
    let mut decoder = Decoder::new(1 << 20);
    gate.open();
    let mut heard: Vec<Value> = Vec::new();
    while !heard.iter().any(|event| event["type"] == "content") {
        let chunk = tokio::time::timeout(PATIENCE, response.chunk()).await.unwrap().unwrap().unwrap();
        decoder.push(&chunk).unwrap();
        heard.extend(std::iter::from_fn(|| decoder.next_payload()).map(|event| serde_json::from_str(&event).unwrap()));
    }
    let thread_id = heard[0]["thread_id"].clone();
    let stopped = act(&reader, json!({"action": "stop", "thread_id": thread_id})).await;
    assert_eq!(stopped.body, json!({"stopped": true}));
    let rest = events(&response.text().await.unwrap());
    assert_eq!(Told(rest).types(), ["done"]);
}
