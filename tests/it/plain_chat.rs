//! `/chat`, `/chat/global` and `/chat/local`: one question, one answer, on the conversations of every other door.

use serde_json::{Value, json};

use crate::support::client::{Answer, Reader};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};
use crate::support::simple::listen;

const QUESTION: &str = "Which gyroscope and which accelerometer does an IMU combine?";
const FROM_THE_BOOK: &str = "An IMU combines a three-axis gyroscope and a three-axis accelerometer [1].";
const UNKNOWN: &str = "How do I bake a sourdough baguette with rye flour?";

const SELECTION: &str = "A hinge joint turns about one axis only, and its range is limited by the frame.";

async fn chat(reader: &Reader, body: &Value) -> Answer {
    reader.post_to("/chat", body.to_string()).await
}

async fn global(reader: &Reader, body: &Value) -> Answer {
    reader.post_to("/chat/global", body.to_string()).await
}

/// A question that is to be answered as the answer is written.
fn asking(reader: &Reader, path: &str, body: &Value) -> reqwest::RequestBuilder {
    reader.request("POST", path).header("accept", "text/event-stream").body(body.to_string())
}

async fn local(reader: &Reader, body: &Value) -> Answer {
    reader.post_to("/chat/local", body.to_string()).await
}

#[tokio::test]
async fn a_session_goes_on_and_is_the_same_thread_at_every_door() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["One."])).reply(Reply::text(["Two."])).reply(Reply::text(["Three."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let first = chat(&reader, &json!({"message": "first?", "session_id": null})).await;
    assert_eq!((first.status, &first.body["response"]), (200, &json!("One.")));
    let session = first.body["session_id"].as_str().unwrap();
    assert_eq!(session.len(), 36, "{session}");
    assert!(first.body["timestamp"].as_str().unwrap().contains('T'));
    let second = chat(&reader, &json!({"message": "second?", "session_id": session})).await;
    assert_eq!(second.body["session_id"], session);
    let thread = format!("thr_{}", session.replace('-', ""));
    reader.say(&thread, "third?").await;
    let said = reader.conversation(&thread).await;
    assert_eq!(said.len(), 6, "{said:?}");
    let told = model.requests()[2].body["messages"].to_string();
    assert!(told.contains("first?") && told.contains("Two."), "{told}");
}

#[tokio::test]
async fn a_session_of_somebody_else_counts_as_unknown_and_an_unknown_one_begins_anew() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["Yours."])).reply(Reply::text(["Mine."])).reply(Reply::text(["New."]));
    let house = House::with_model(&model).await;
    let theirs = chat(&house.visitor().await, &json!({"message": "a secret"})).await.body["session_id"].clone();
    let reader = house.visitor().await;
    let mine = chat(&reader, &json!({"message": "hello?", "session_id": theirs})).await;
    assert_eq!(mine.status, 200);
    assert_ne!(mine.body["session_id"], theirs);
    assert!(!model.requests()[1].body.to_string().contains("a secret"));
    let new = chat(&reader, &json!({"message": "hello?", "session_id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"})).await;
    assert_eq!(new.status, 200);
    assert_ne!(new.body["session_id"], "6f9619ff-8b86-d011-b42d-00c04fc964ff");
}

#[tokio::test]
async fn what_is_missing_is_named_and_a_model_that_fails_is_a_500_with_a_sentence() {
    let model = FakeModel::start().await;
    model.reply(Reply::status(401, r#"{"error":{"message":"no such key sk-secret"}}"#));
    let house = House::with_model(&model).await;
    let reader = house.stranger();
    chat(&reader, &json!({"message": "  "})).await.refuses(400, "message");
    chat(&reader, &json!({})).await.refuses(400, "message");
    reader.post_to("/chat", "nonsense").await.refuses(400, "body");
    local(&reader, &json!({"query": "", "selected_text": SELECTION})).await.refuses(400, "query");
    local(&reader, &json!({"query": "why?", "selected_text": "short"})).await.refuses(400, "selected_text");
    let failed = chat(&reader, &json!({"message": "why?"})).await;
    assert_eq!(failed.status, 500);
    assert!(failed.body["message"].as_str().unwrap().len() > 20 && !failed.body.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn an_answer_about_a_selection_rests_on_it_alone() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["Earlier."])).reply(Reply::text(["It turns about one axis [1]."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let session = chat(&reader, &json!({"message": "earlier words"})).await.body["session_id"].clone();
    let body =
        json!({"query": "What turns?", "selected_text": SELECTION, "conversation_id": session, "file_path": "a.md"});
    let answered = local(&reader, &body).await;
    assert_eq!((answered.status, &answered.body["answer"]), (200, &json!("It turns about one axis.")));
    assert_eq!(answered.body["query_mode"], "local");
    assert_eq!(answered.body["conversation_id"], session);
    assert_eq!(answered.body["sources"][0]["content"], SELECTION);
    let asked = &model.requests()[1].body;
    assert!(asked["messages"].to_string().contains("range is limited by the frame"));
    assert!(!asked["messages"].to_string().contains("earlier words"), "{asked}");
    assert!(asked.get("tools").is_none(), "{asked}");
}

#[tokio::test]
async fn a_very_long_selection_is_cut_and_not_refused() {
    let house = House::offline().await;
    let long = format!("{SELECTION} ").repeat(2_000);
    let answered =
        chat(&house.stranger(), &json!({"message": "What does a hinge joint do?", "selected_text": long})).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
    assert!(answered.body["response"].as_str().unwrap().contains("one axis"), "{:?}", answered.body);
}

#[tokio::test]
async fn an_answer_from_the_book_alone_names_the_passages_that_it_rests_on() {
    let model = FakeModel::start().await;
    model.always(Reply::text([FROM_THE_BOOK]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let answered = global(&reader, &json!({"query": QUESTION})).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
    assert_eq!(answered.body["answer"], "An IMU combines a three-axis gyroscope and a three-axis accelerometer.");
    assert_eq!(answered.body["query_mode"], "global");
    assert_eq!(answered.body["conversation_id"].as_str().unwrap().len(), 36);
    let sources = answered.body["sources"].as_array().unwrap();
    let first = &sources[0];
    assert!(first["content"].as_str().unwrap().contains("three-axis gyroscope"), "{first}");
    assert!(first["file_path"].as_str().unwrap().contains('.') && first["chunk_id"].is_string(), "{first}");
    assert!(sources.iter().all(|source| (0.0..=1.0).contains(&source["score"].as_f64().unwrap())), "{sources:?}");
    let asked = model.requests()[0].body["messages"].to_string();
    assert!(asked.contains("Answer from the passages alone"), "{asked}");
    let broad = global(&reader, &json!({"query": "What do sensors and actuators of a robot do?"})).await;
    let count = broad.body["sources"].as_array().unwrap().len();
    assert_eq!(count, 5, "five passages, though a search brings three elsewhere: {:?}", broad.body);
}

#[tokio::test]
async fn what_the_book_does_not_cover_is_a_404_that_says_so_and_no_model_is_asked() {
    let model = FakeModel::start().await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let refused = global(&reader, &json!({"query": UNKNOWN})).await;
    refused.refuses(404, "The book does not cover this");
    assert_eq!(refused.body["error"]["code"], "not_covered");
    assert_eq!(model.requests().len(), 0);
    let conversation = refused.body["error"]["details"]["conversation_id"].as_str().unwrap();
    let kept = reader.get(&format!("/chat/history/{conversation}")).await.body;
    assert_eq!(kept["interactions"][0]["query"], UNKNOWN);
    assert_eq!(kept["interactions"][0]["interaction_id"], refused.body["error"]["details"]["interaction_id"]);
    let written = listen(asking(&reader, "/chat/global", &json!({"query": UNKNOWN}))).await;
    assert!(written.text().contains("The book does not cover this"), "{written:?}");
}

#[tokio::test]
async fn an_answer_from_the_book_sees_five_turns_of_history_whatever_others_see() {
    let model = FakeModel::start().await;
    model.always(Reply::text([FROM_THE_BOOK]));
    let house = House::with_model_and(&model, &[("HISTORY_MESSAGES", "2")]).await;
    let reader = house.visitor().await;
    let mut conversation = Value::Null;
    for turn in 1..=7 {
        let asked = json!({"query": format!("{QUESTION} Time {turn}."), "conversation_id": conversation});
        conversation = global(&reader, &asked).await.body["conversation_id"].clone();
    }
    let told = model.requests()[6].body["messages"].to_string();
    let seen: Vec<usize> = (1..=7).filter(|turn| told.contains(&format!("Time {turn}."))).collect();
    assert_eq!(seen, [2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_retry_rests_on_what_the_first_answer_rested_on() {
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let model = FakeModel::start().await;
        model.always(Reply::text([FROM_THE_BOOK]));
        let ground = answered_by(&model).iter().fold(ground, |ground, (name, value)| ground.with(name, value));
        let house = ground.build().await;
        let reader = house.visitor().await;
        let session = chat(&reader, &json!({"message": "earlier words"})).await.body["session_id"].clone();
        let asked = json!({"query": "What turns?", "selected_text": SELECTION, "conversation_id": session});
        let about_selection = local(&reader, &asked).await.body;
        let thread = format!("thr_{}", session.as_str().unwrap().replace('-', ""));
        let again = json!({"thread_id": thread, "item_id": about_selection["interaction_id"]});
        reader.open("threads.retry_after_item", again).await.rest().await;
        let told = model.requests().pop().unwrap().body;
        assert!(told["messages"].to_string().contains("range is limited by the frame"));
        assert!(!told["messages"].to_string().contains("earlier words"), "{told}");
        assert!(told.get("tools").is_none(), "{told}");
        let kept = reader.get(&format!("/chat/history/{}", session.as_str().unwrap())).await.body;
        assert_eq!(kept["interactions"][1]["query_mode"], "local");

        let from_book = global(&reader, &json!({"query": QUESTION, "conversation_id": session})).await.body;
        let again = json!({"thread_id": thread, "item_id": from_book["interaction_id"]});
        reader.open("threads.retry_after_item", again).await.rest().await;
        let told = model.requests().pop().unwrap().body["messages"].to_string();
        assert!(told.contains("Answer from the passages alone"), "{told}");

        reader.say(&thread, "And in general?").await;
        let told = model.requests().pop().unwrap().body["messages"].to_string();
        assert!(told.contains("general knowledge if you say"), "the next question is any question: {told}");
    }
}

#[tokio::test]
async fn answers_come_as_they_are_written_where_that_is_accepted() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["An IMU combines ", "a three-axis gyroscope and a three-axis accelerometer [1]."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let selected = json!({"query": "What turns?", "selected_text": SELECTION});
    let mut session = Value::Null;
    for (path, body, sources) in [
        ("/chat", json!({"message": QUESTION}), false),
        ("/chat/global", json!({"query": QUESTION}), true),
        ("/chat/local", selected, true),
    ] {
        let told = listen(asking(&reader, path, &body)).await;
        assert_eq!(told.text(), "An IMU combines a three-axis gyroscope and a three-axis accelerometer.", "{path}");
        let types = told.types();
        assert_eq!((types[0].as_str(), types[types.len() - 1].as_str()), ("thread", "done"), "{path}");
        assert_eq!(types.contains(&"sources".to_owned()), sources, "{path}");
        session = json!(told.thread_id());
    }
    // The thread that the events name is a session by another name.
    let next = chat(&reader, &json!({"message": "And then?", "session_id": session})).await;
    assert_eq!(format!("thr_{}", next.body["session_id"].as_str().unwrap().replace('-', "")), session);
    let request = reader.request("POST", "/chat").header("accept", "text/plain");
    let text = request.body(json!({"message": "hello"}).to_string()).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "An IMU combines a three-axis gyroscope and a three-axis accelerometer.\n");
    let common = reader.request("POST", "/chat").header("accept", "application/json, text/plain, */*");
    let answer = reader.send(common.body(json!({"message": "hello"}).to_string())).await;
    assert!(answer.body["response"].is_string(), "{:?}", answer.body);
}

#[tokio::test]
async fn every_member_that_is_wrong_is_named() {
    let house = House::offline().await;
    let reader = house.stranger();
    global(&reader, &json!({})).await.refuses(400, "`query`");
    global(&reader, &json!({"query": "x".repeat(1_001)})).await.refuses(400, "1 to 1000 characters");
    global(&reader, &json!(["query"])).await.refuses(400, "`body`");
    let many =
        json!({"query": 7, "selected_text": "short", "file_path": [], "chunk_indices": [-1], "conversation_id": 1});
    let refused = local(&reader, &many).await;
    for member in ["`query`", "`selected_text`", "`file_path`", "`chunk_indices`", "`conversation_id`"] {
        refused.refuses(400, member);
    }
    chat(&reader, &json!({"message": "hi", "session_id": {}})).await.refuses(400, "`session_id`");
    let long = chat(&reader, &json!({"message": "x".repeat(40_000)})).await;
    long.refuses(413, "`message`");
    reader.get("/chat").await.refuses(405, "GET");
    let taken =
        json!({"query": "What turns?", "selected_text": SELECTION, "chunk_indices": [0, 2], "file_path": "a.md"});
    assert_eq!(local(&reader, &taken).await.status, 200);
}

#[tokio::test]
async fn questions_are_limited_like_messages_and_the_refusal_says_when_there_are_more() {
    let house = Ground::sqlite(&[("MESSAGES_PER_MINUTE", "1")]).build().await;
    let reader = house.visitor().await;
    assert_eq!(chat(&reader, &json!({"message": "hello"})).await.status, 200);
    let refused = global(&reader, &json!({"query": QUESTION})).await;
    refused.refuses(429, "within a minute");
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn how_much_of_a_selection_counts_is_a_setting_and_a_small_message_limit_refuses_none() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["It turns."]));
    let variables = [("SELECTED_TEXT_BYTES_MAX", "200"), ("MESSAGE_BYTES_MAX", "600")];
    let house = House::with_model_and(&model, &variables).await;
    let sentences: Vec<String> = (1..=40).map(|number| format!("Joint {number} turns about one axis only.")).collect();
    let asked = json!({"message": "What turns?", "selected_text": sentences.join(" ")});
    assert_eq!(chat(&house.stranger(), &asked).await.status, 200);
    let told = model.requests()[0].body["messages"].to_string();
    assert!(told.contains("Joint 4 turns about one axis only."), "{told}");
    assert!(!told.contains("Joint 6"), "cut at the end of a sentence: {told}");
}
