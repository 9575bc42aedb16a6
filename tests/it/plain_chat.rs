//! `/chat` and `/chat/local`: one question, one JSON answer, on the conversations of every other door.

use serde_json::{Value, json};

use crate::support::client::{Answer, Reader};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::House;

const SELECTION: &str = "A hinge joint turns about one axis only, and its range is limited by the frame.";

async fn chat(reader: &Reader, body: &Value) -> Answer {
    reader.post_to("/chat", body.to_string()).await
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
