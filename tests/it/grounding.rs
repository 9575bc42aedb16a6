//! What an answer may rest on: the two modes, the check after the fact, links, and a book that cannot be looked into.

use chatkit_gateway::store::{ItemNote, Tokens};
use chatkit_protocol::{ItemId, Timestamp};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::support::client::{Reader, done_items, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Reply, choice};
use crate::support::house::{Ground, House};

const QUESTION: &str = "What does an IMU consist of?";
const FROM_THE_BOOK: &str = "An IMU combines a three-axis gyroscope and a three-axis accelerometer [1].";
const UNKNOWN: &str = "How do I bake a sourdough baguette with rye flour?";
const STRICT: (&str, &str) = ("GROUNDING", "strict");

async fn strict(model: &FakeModel) -> House {
    House::with_model_and(model, &[STRICT]).await
}

/// The last item that was shown as done.
fn answer(events: &[Value]) -> Value {
    done_items(events).pop().unwrap()
}

fn text(item: &Value) -> &str {
    item["content"][0]["text"].as_str().unwrap()
}

/// What is noted of the last answer.
async fn noted(house: &House, reader: &Reader, thread_id: &str) -> ItemNote {
    house.quiet().await;
    let id = ItemId::from(reader.items(thread_id).await.pop().unwrap()["id"].as_str().unwrap().to_owned());
    let ids = [id.clone()];
    let mut notes = house.app.store.item_notes(&reader.owner(house), &thread_id.into(), &ids).await.unwrap();
    notes.remove(&id).expect("something is noted")
}

async fn grounding(house: &House, reader: &Reader, thread_id: &str) -> Value {
    noted(house, reader, thread_id).await.grounding.unwrap()
}

fn messages(model: &FakeModel, request: usize) -> Vec<Value> {
    model.requests()[request].body["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn strict_refuses_what_the_book_does_not_cover_and_asks_no_model() {
    let model = FakeModel::start().await;
    let house = strict(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(UNKNOWN).await;
    assert!(text(&answer(&events)).contains("The book does not cover this"), "{events:?}");
    assert_eq!(streamed_text(&events), text(&answer(&events)));
    assert_eq!(model.requests().len(), 0);
    let workflow = done_items(&events).into_iter().find(|item| item["type"] == "workflow").unwrap();
    assert_eq!(workflow["workflow"]["summary"]["title"], "Found nothing in the book");
    let kept = grounding(&house, &reader, &thread_of(&events)).await;
    assert_eq!((&kept["refused"], &kept["mode"]), (&json!(true), &json!("strict")));
}

#[tokio::test]
async fn strict_searches_with_the_readers_question_before_the_model_is_asked() {
    let model = FakeModel::start().await;
    model.reply(Reply::text([FROM_THE_BOOK]));
    let house = strict(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    let asked = messages(&model, 0);
    assert!(asked[0]["content"].as_str().unwrap().contains("Answer from the passages alone"));
    let [.., call, result] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(call["tool_calls"][0]["function"]["arguments"], json!({"query": QUESTION}).to_string());
    assert_eq!(call["tool_calls"][0]["id"], result["tool_call_id"]);
    assert!(result["content"].as_str().unwrap().contains("three-axis gyroscope"));
    assert!(model.requests()[0].body["tools"].is_array(), "it may search further");
    let annotation = &answer(&events)["content"][0]["annotations"][0];
    assert!(annotation["source"]["url"].as_str().unwrap().ends_with("#imu"), "{annotation}");
    let thread_id = thread_of(&events);
    let kept = grounding(&house, &reader, &thread_id).await;
    assert_eq!((&kept["grounded"], &kept["sentences"]), (&json!(true), &json!(1)), "{kept}");
    assert_eq!(noted(&house, &reader, &thread_id).await.model.as_deref(), Some("openai/test-model-2026"));
    assert!(!reader.items(&thread_id).await.iter().any(|item| item.to_string().contains("grounded")));
}

#[tokio::test]
async fn a_follow_up_is_searched_with_the_conversation_in_mind() {
    let model = FakeModel::start().await;
    model.always(Reply::text([FROM_THE_BOOK]));
    let house = strict(&model).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create(QUESTION).await);
    let events = reader.say(&thread_id, "And what is its weakness?").await;
    let found = messages(&model, 1).pop().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(found.contains("gyroscope"), "{:?} {found}", types(&events));
}

#[tokio::test]
async fn strict_says_at_the_end_what_the_book_does_not_back() {
    let model = FakeModel::start().await;
    let made_up = "The first IMU was sold in 1987 by a Norwegian bakery.";
    model.reply(Reply::text([FROM_THE_BOOK, " ", made_up]));
    let house = strict(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    let shown = answer(&events);
    assert!(
        text(&shown).ends_with(
            "> **Note:** One of the 2 statements above was not found in the book. Please check before you rely on it."
        ),
        "{shown}"
    );
    assert_eq!(streamed_text(&events), text(&shown));
    let kept = grounding(&house, &reader, &thread_of(&events)).await;
    assert_eq!((&kept["grounded"], &kept["supported"]), (&json!(false), &json!(1)));
    let [from, to] = [0, 1].map(|end| usize::try_from(kept["unsupported"][0][end].as_u64().unwrap()).unwrap());
    assert_eq!(&text(&shown)[from..to], made_up);
}

#[tokio::test]
async fn small_talk_needs_no_book() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["Hello! What would you like to know?"]));
    let events = strict(&model).await.stranger().create("Hello there!").await;
    assert_eq!(text(&answer(&events)), "Hello! What would you like to know?");
    assert_eq!(messages(&model, 0).len(), 2, "nothing was searched");
}

#[tokio::test]
async fn prefer_answers_what_the_book_does_not_cover_and_stores_the_verdict() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["The book does not cover this. In general, bakers knead dough for ten minutes."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(UNKNOWN).await;
    assert!(!text(&answer(&events)).contains("Note:"), "{events:?}");
    assert!(messages(&model, 0)[0]["content"].as_str().unwrap().contains("general knowledge if you say"));
    let kept = grounding(&house, &reader, &thread_of(&events)).await;
    assert_eq!((&kept["mode"], &kept["grounded"], &kept["sentences"]), (&json!("prefer"), &json!(false), &json!(1)));
}

#[tokio::test]
async fn the_offline_model_is_grounded_and_refuses_in_strict() {
    let house = Ground::sqlite(&[STRICT]).build().await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    assert!(text(&answer(&events)).contains("three-axis gyroscope"), "{events:?}");
    assert!(!text(&answer(&events)).contains("Note:"), "{events:?}");
    let kept = grounding(&house, &reader, &thread_of(&events)).await;
    assert_eq!(kept["grounded"], json!(true), "{kept}");
    let events = reader.create(UNKNOWN).await;
    assert!(text(&answer(&events)).contains("does not cover"));
    assert_eq!(text(&answer(&reader.create("thanks!").await)).split('!').next(), Some("You are welcome"));
}

#[tokio::test]
async fn links_that_are_not_from_the_data_never_reach_the_reader() {
    let model = FakeModel::start().await;
    let pieces = [
        "An IMU [is des",
        "cribed here](https://made",
        "-up.example/imu) [1](/docs/fake) and at htt",
        "ps://evil.example/x",
        ", or as you say at https://reader.example/page.",
    ];
    model.reply(Reply::tool_call("query_knowledge_base", &json!({"query": "imu"}))).reply(Reply::text(pieces));
    let house = House::with_model(&model).await;
    let events = house.stranger().create("What is an IMU? I read https://reader.example/page").await;
    let shown = answer(&events);
    assert_eq!(
        text(&shown),
        "An IMU is described here and at (link left out), or as you say at https://reader.example/page."
    );
    assert_eq!(streamed_text(&events), text(&shown));
    assert_eq!(shown["content"][0]["annotations"][0]["index"], "An IMU is described here".len());
}

#[tokio::test]
async fn a_source_is_one_source_however_often_it_is_cited() {
    let model = FakeModel::start().await;
    model
        .reply(Reply::tool_call("query_knowledge_base", &json!({"query": "imu gyroscope accelerometer"})))
        .reply(Reply::text(["One [1]. Two [1][1]. Three [1]."]));
    let events = House::with_model(&model).await.stranger().create(QUESTION).await;
    let shown = answer(&events);
    let annotations = shown["content"][0]["annotations"].as_array().unwrap();
    let indexes: Vec<u64> = annotations.iter().map(|annotation| annotation["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [3, 8, 15]);
    assert!(annotations.iter().all(|annotation| annotation["source"] == annotations[0]["source"]));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_kept_with_what_is_known_of_it() {
    let model = FakeModel::start().await;
    let usage =
        json!({"choices": [], "model": "test-model-2026", "usage": {"prompt_tokens": 70, "completion_tokens": 5}});
    model.reply(Reply::events([choice(json!({"content": "An IMU "}), None), usage]).cut());
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create(QUESTION).await);
    let kept = noted(&house, &reader, &thread_id).await;
    assert_eq!(kept.model.as_deref(), Some("openai/test-model-2026"));
    assert_eq!(kept.tokens, Some(Tokens { input: 70, output: 5 }));
    assert_eq!(kept.grounding.unwrap()["mode"], "prefer");
}

async fn spent(house: &House, reader: &Reader) -> Tokens {
    house.quiet().await;
    let long_ago = Timestamp::new(chrono::DateTime::UNIX_EPOCH);
    house.app.store.spent_since(&reader.owner(house), long_ago).await.unwrap()
}

#[tokio::test]
async fn all_rounds_of_a_turn_are_counted_and_a_stopped_one_is_estimated() {
    let model = FakeModel::start().await;
    let usage = |input, output| json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}});
    let call = json!({"index": 0, "id": "a", "function": {"name": "query_knowledge_base", "arguments": "{\"query\":\"imu\"}"}});
    model
        .reply(Reply::events([choice(json!({"tool_calls": [call]}), Some("tool_calls")), usage(100, 7)]).done())
        .reply(Reply::events([choice(json!({"content": FROM_THE_BOOK}), Some("stop")), usage(900, 30)]).done());
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create(QUESTION).await);
    assert_eq!(spent(&house, &reader).await, Tokens { input: 1000, output: 37 });
    assert_eq!(noted(&house, &reader, &thread_id).await.tokens, Some(Tokens { input: 900, output: 30 }));

    model.reply(Reply::events([choice(json!({"content": "four letters more"}), None)]).silence());
    let asked = json!({"thread_id": thread_id, "input": crate::support::client::input(QUESTION)});
    let mut stream = reader.open("threads.add_user_message", asked).await;
    stream.until(|event| event["update"]["delta"].is_string()).await;
    let who = chatkit_gateway::identity::Identity::Visitor { id: reader.owner(&house) };
    assert!(house.app.chat.stop(&who, &thread_id.as_str().into()).await.unwrap());
    let after = spent(&house, &reader).await;
    assert!(after.input > 1000 && after.output > 37, "{after:?}");
}

/// Takes the passages away from a house, past the store, or gives them back.
async fn rename_passages(house: &House, to: bool) {
    let (from, to) = if to { ("knowledge_collections", "elsewhere") } else { ("elsewhere", "knowledge_collections") };
    let url = format!("sqlite://{}", house.ground().folder().join("gateway.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter table {from} rename to {to}")))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_book_that_is_away_is_told_and_in_prefer_the_chat_goes_on() {
    let model = FakeModel::start().await;
    model
        .reply(Reply::tool_call("query_knowledge_base", &json!({"query": "imu"})))
        .reply(Reply::text(["An IMU measures motion."]));
    let house = House::with_model(&model).await;
    rename_passages(&house, true).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    assert!(
        text(&answer(&events)).starts_with("An IMU measures motion.\n\n> **Note:** The book could not be looked into"),
        "{events:?}"
    );
    assert!(messages(&model, 1).pop().unwrap()["content"].as_str().unwrap().contains("could not be looked into"));
    assert_eq!(grounding(&house, &reader, &thread_of(&events)).await["book_is_away"], json!(true));
}

#[tokio::test]
async fn a_book_that_is_away_is_a_refusal_in_strict_until_it_is_back() {
    let model = FakeModel::start().await;
    model.reply(Reply::text([FROM_THE_BOOK]));
    let house = strict(&model).await;
    rename_passages(&house, true).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    let error = events.last().unwrap();
    assert_eq!((&error["type"], &error["allow_retry"]), (&json!("error"), &json!(true)), "{events:?}");
    assert!(error["message"].as_str().unwrap().contains("could not be looked into"), "{error}");
    assert_eq!(model.requests().len(), 0);
    rename_passages(&house, false).await;
    let thread_id = thread_of(&events);
    let asked = reader.items(&thread_id).await[0]["id"].clone();
    let again = reader.open("threads.retry_after_item", json!({"thread_id": thread_id, "item_id": asked})).await;
    assert!(text(&answer(&again.rest().await)).contains("gyroscope"));
}

#[tokio::test]
async fn a_book_that_is_away_is_told_by_the_offline_model_once() {
    let house = House::offline().await;
    rename_passages(&house, true).await;
    let events = house.stranger().create(QUESTION).await;
    assert_eq!(text(&answer(&events)), "The book could not be looked into just now.");
}
