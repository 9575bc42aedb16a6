//! A selected text grounds the turn, through all its ways in, and its citation leads to where it was selected.

use serde_json::{Value, json};

use crate::support::client::{done_items, input, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::House;

const SELECTED: &str =
    "An inertial measurement unit, or IMU, combines a three-axis gyroscope and a three-axis accelerometer.";
const FOREIGN: &str =
    "A sourdough starter is a culture of wild yeast. It is fed with flour and water every single day.";

fn answer(events: &[Value]) -> Value {
    done_items(events).pop().unwrap()["content"][0].clone()
}

/// What the model was told as the result of a search, and the messages around it.
fn told(model: &FakeModel, request: usize) -> (Vec<Value>, Value) {
    let messages = model.requests()[request].body["messages"].as_array().unwrap().clone();
    let result = messages.iter().rfind(|message| message["role"] == "tool").expect("something was brought along");
    let told = serde_json::from_str(result["content"].as_str().unwrap()).unwrap();
    (messages, told)
}

async fn ask(house: &House, text: &str, quoted: Option<&str>) -> Vec<Value> {
    let mut message = input(text);
    message["quoted_text"] = json!(quoted);
    house.stranger().open("threads.create", json!({"input": message})).await.rest().await
}

#[tokio::test]
async fn a_selection_is_the_first_source_and_its_citation_opens_where_it_was_selected() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["It joins two sensors [1]."]));
    let house = House::with_model(&model).await;
    let explain = [
        ("Explain this.".to_owned(), Some(SELECTED)),
        (format!("Explain this context: \"{SELECTED}\""), None),
        (format!("Please explain this context: “{SELECTED}” in short"), None),
    ];
    for (at, (text, quoted)) in explain.iter().enumerate() {
        let events = ask(&house, text, *quoted).await;
        let (messages, told) = told(&model, at);
        assert!(told["passages"][0]["text"].as_str().unwrap().contains("three-axis gyroscope"), "{told}");
        assert!(told["passages"][0]["url"].as_str().unwrap().ends_with("#imu"), "{told}");
        assert!(!messages[0]["content"].as_str().unwrap().contains("gyroscope"), "no selection in the task");
        let source = answer(&events)["annotations"][0]["source"].clone();
        assert_eq!(source["url"], told["passages"][0]["url"]);
        assert!(source["title"].as_str().unwrap().ends_with("Inertial measurement units"), "{source}");
    }
}

#[tokio::test]
async fn a_selection_from_elsewhere_is_a_source_that_leads_nowhere() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["It is yeast [1]."]));
    let house = House::with_model(&model).await;
    let events = ask(&house, "Explain this.", Some(FOREIGN)).await;
    let (_, told) = told(&model, 0);
    assert_eq!((&told["passages"][0]["text"], &told["passages"][0]["url"]), (&json!(FOREIGN), &Value::Null));
    let source = answer(&events)["annotations"][0]["source"].clone();
    assert_eq!(source["type"], "file", "{source}");
    assert!(source["url"].is_null(), "{source}");
}

#[tokio::test]
async fn a_question_beside_a_selection_is_looked_up_as_well() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["ok"]));
    let house = House::with_model(&model).await;
    ask(&house, "How does this differ from a lidar?", Some(SELECTED)).await;
    let (_, told) = told(&model, 0);
    let texts: Vec<&str> = told["passages"].as_array().unwrap().iter().map(|p| p["text"].as_str().unwrap()).collect();
    assert!(texts[0].contains("gyroscope"), "{texts:?}");
    assert!(texts[1..].iter().any(|text| text.to_lowercase().contains("lidar")), "{texts:?}");
}

#[tokio::test]
async fn the_offline_model_explains_a_selection_with_its_own_sentences() {
    let house = House::offline().await;
    for (text, quoted) in [
        ("Explain this.".to_owned(), Some(FOREIGN)),
        (format!("Explain this context: \"{FOREIGN}\""), None),
        ("what does it mean?".to_owned(), Some(FOREIGN)),
    ] {
        let events = ask(&house, &text, quoted).await;
        assert!(answer(&events)["text"].as_str().unwrap().contains("culture of wild yeast"), "{events:?}");
    }
    let events = ask(&house, "Explain this", Some(SELECTED)).await;
    let shown = answer(&events);
    assert!(shown["text"].as_str().unwrap().contains("three-axis gyroscope"), "{shown}");
    assert!(shown["annotations"][0]["source"]["url"].as_str().unwrap().ends_with("#imu"), "{shown}");
}

#[tokio::test]
async fn strict_explains_a_selection_from_the_book_and_refuses_one_from_elsewhere() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["An IMU combines a gyroscope and an accelerometer [1]."]));
    let house = House::with_model_and(&model, &[("GROUNDING", "strict")]).await;
    let events = ask(&house, "Explain this.", Some(SELECTED)).await;
    assert!(!answer(&events)["text"].as_str().unwrap().contains("Note:"), "{events:?}");
    let events = ask(&house, "Explain this.", Some(FOREIGN)).await;
    assert!(answer(&events)["text"].as_str().unwrap().contains("does not cover"), "{events:?}");
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_from_the_selection_alone_leaves_the_conversation_and_the_book_out() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Feed the starter with flour [1]."]));
    let house = House::with_model_and(&model, &[("GROUNDING", "strict")]).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("What does an IMU consist of?").await);
    let asked = json!({"query": "How often is it fed?", "selected_text": FOREIGN, "conversation_id": thread_id});
    let answer = reader.post_to("/chat/local", asked.to_string()).await;
    assert_eq!(answer.body["answer"], "Feed the starter with flour.", "{:?}", answer.body);
    let (messages, told) = told(&model, 1);
    assert_eq!(told["passages"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["passages"][0]["text"], FOREIGN);
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
    assert!(model.requests()[1].body["tools"].is_null());
    assert!(!json!(messages).to_string().contains("IMU"), "{messages:?}");
}

#[tokio::test]
async fn a_selection_that_is_too_long_is_cut_at_a_sentence() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["ok"]));
    let house = House::with_model(&model).await;
    ask(&house, "Explain this.", Some(&"Yeast eats sugar all night. ".repeat(600))).await;
    let (messages, told) = told(&model, 0);
    let text = told["passages"][0]["text"].as_str().unwrap();
    assert!(text.len() <= 8_000 && text.ends_with("night."), "{}", text.len());
    assert!(messages[1]["content"].as_str().unwrap().len() < 9_000);
}

#[tokio::test]
async fn a_call_of_the_house_is_signed_for_gemini_and_for_nobody_else() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["ok"]));
    let house = House::with_model(&model).await;
    ask(&house, "Explain this.", Some(SELECTED)).await;
    let url = model.base_url();
    let gemini = [("GEMINI_API_KEY", "k"), ("GEMINI_BASE_URL", url.as_str())];
    let house = crate::support::house::Ground::sqlite(&gemini).build().await;
    ask(&house, "Explain this.", Some(SELECTED)).await;
    let calls = [0, 1].map(|at| {
        let (messages, _) = told(&model, at);
        messages.iter().find(|message| message["tool_calls"].is_array()).unwrap()["tool_calls"][0].clone()
    });
    assert!(calls[0]["extra_content"].is_null(), "{}", calls[0]);
    assert!(calls[1]["extra_content"]["google"]["thought_signature"].is_string(), "{}", calls[1]);
}
