//! A new conversation gets a name beside its first answer, and never one in the place of a reader's own.

use std::time::Duration;

use chatkit_gateway::store::Tokens;
use chatkit_protocol::Timestamp;
use chrono::DateTime;
use serde_json::{Value, json};

use crate::support::client::{Reader, input, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Gate, Recorded, Reply, choice};
use crate::support::house::{Ground, House, answered_by, until};

const QUESTION: &str = "How does a robot keep its balance on two legs?";
/// What the reader's words make of it.
const FROM_QUESTION: &str = "How does a robot keep its…";

/// A house that gives titles.
async fn house(model: &FakeModel) -> House {
    House::with_model_and(model, &[("TITLES", "model")]).await
}

async fn answering(title: Reply) -> FakeModel {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["It leans."])).reply(title);
    model
}

fn titles(events: &[Value]) -> Vec<&str> {
    let updates = events.iter().filter(|event| event["type"] == "thread.updated");
    updates.map(|event| event["thread"]["title"].as_str().unwrap()).collect()
}

async fn title_of(reader: &Reader, thread_id: &str) -> Value {
    reader.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.body["title"].clone()
}

/// Asks, and hears the whole answer before the title can come.
async fn answered(reader: &Reader) -> (crate::support::client::Stream, String) {
    let mut stream = reader.open("threads.create", json!({"input": input(QUESTION)})).await;
    let events =
        stream.until(|event| event["item"]["type"] == "assistant_message" && event["type"] == "thread.item.done");
    let events = events.await;
    assert_eq!(streamed_text(&events), "It leans.");
    (stream, thread_of(&events))
}

#[tokio::test]
async fn the_model_names_a_conversation_once_beside_its_first_answer() {
    let model = answering(Reply::text(["\"Balance of ", "Walking Robots.\"\n"])).await;
    let house = house(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    assert_eq!(titles(&events), ["Balance of Walking Robots"]);
    let thread_id = thread_of(&events);
    assert_eq!(title_of(&reader, &thread_id).await, "Balance of Walking Robots");
    let asked: Vec<Recorded> = model.requests();
    let [task, words] = &asked[1].body["messages"].as_array().unwrap()[..] else { panic!("{:?}", asked[1].body) };
    assert!(!task["content"].as_str().unwrap().contains("balance"), "{task}");
    assert_eq!(words["content"], format!("> {QUESTION}"));
    assert_eq!(asked[1].body["tools"], Value::Null);
    model.reply(Reply::text(["By leaning."]));
    let again = reader.say(&thread_id, "And on one leg?").await;
    assert_eq!((titles(&again), model.requests().len()), (vec![], 3), "a later answer costs nothing more");
}

/// The first answer with a title that comes when the gate is opened.
async fn gated(variables: &[(&str, &str)]) -> (FakeModel, House, Gate) {
    let (title, gate) = Reply::gated_text(["Walking Robots"]);
    let model = answering(title).await;
    let variables: Vec<_> = [&[("TITLES", "model")], variables].concat();
    let house = House::with_model_and(&model, &variables).await;
    (model, house, gate)
}

#[tokio::test]
async fn a_title_is_never_in_the_way_of_the_answer() {
    let (_model, house, gate) = gated(&[]).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = answered(&reader).await;
    assert_eq!(title_of(&reader, &thread_id).await, Value::Null);
    gate.open();
    let rest = stream.rest().await;
    assert_eq!((types(&rest), titles(&rest)), (vec!["thread.updated".to_owned()], vec!["Walking Robots"]));
}

#[tokio::test]
async fn the_next_message_does_not_wait_for_a_title() {
    let (model, house, gate) = gated(&[]).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = answered(&reader).await;
    model.request().await;
    model.request().await;
    model.reply(Reply::text(["By leaning."]));
    assert_eq!(streamed_text(&reader.say(&thread_id, "And on one leg?").await), "By leaning.");
    gate.open();
    assert_eq!(titles(&stream.rest().await), ["Walking Robots"]);
    let kept = reader.conversation(&thread_id).await;
    let said = ["assistant_message: It leans.", "user_message: And on one leg?", "assistant_message: By leaning."];
    assert_eq!(kept[1..], said, "no answer was taken for one that was stopped");
}

#[tokio::test]
async fn a_title_that_a_reader_gave_meanwhile_stays() {
    let (_model, house, gate) = gated(&[]).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = answered(&reader).await;
    let renamed = reader.ask("threads.update", json!({"thread_id": thread_id, "title": "My robots"})).await;
    assert_eq!(renamed.status, 200);
    gate.open();
    assert_eq!(titles(&stream.rest().await), Vec::<&str>::new());
    assert_eq!(title_of(&reader, &thread_id).await, "My robots");
}

#[tokio::test]
async fn a_stop_ends_the_search_for_a_title_and_leaves_the_answer_whole() {
    let (model, house, _gate) = gated(&[]).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = answered(&reader).await;
    // The title was asked for.
    model.request().await;
    model.request().await;
    let stopped = reader.post_to(&format!("/chatkit/threads/{thread_id}/stop"), "").await;
    assert_eq!(stopped.body, json!({"stopped": false}), "the answer was at its end");
    assert_eq!(stream.rest().await, Vec::<Value>::new());
    model.abandoned().await;
    house.quiet().await;
    let notes = house.ground().rows("select type from chat_thread_items").await;
    assert_eq!(notes, ["user_message", "assistant_message"], "nothing says that the answer was stopped");
}

#[tokio::test]
async fn the_readers_words_are_the_title_when_the_model_has_none() {
    for title in [Reply::status(401, "{}"), Reply::text([""]), Reply::text(["I cannot name this. "; 8])] {
        let model = answering(title).await;
        let house = house(&model).await;
        assert_eq!(titles(&house.stranger().create(QUESTION).await), [FROM_QUESTION]);
    }
}

#[tokio::test]
async fn a_title_that_comes_late_is_not_waited_for() {
    let model = answering(Reply::text([]).silence()).await;
    let fake = answered_by(&model);
    let variables: Vec<(&str, &str)> = fake.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ground = Ground::sqlite(&variables).with("TITLES", "model");
    let house = ground.changed(|settings| settings.tutor.title_time_max = Duration::from_millis(50)).build().await;
    assert_eq!(titles(&house.stranger().create(QUESTION).await), [FROM_QUESTION]);
    model.abandoned().await;
}

#[tokio::test]
async fn without_a_model_or_by_choice_the_readers_words_are_the_title_and_off_means_none() {
    let offline = Ground::sqlite(&[("TITLES", "model")]).build().await;
    assert_eq!(titles(&offline.stranger().create(QUESTION).await), [FROM_QUESTION]);
    for (mode, expected) in [("question", vec![FROM_QUESTION]), ("off", vec![])] {
        let model = FakeModel::start().await;
        model.reply(Reply::text(["It leans."]));
        let house = House::with_model_and(&model, &[("TITLES", mode)]).await;
        assert_eq!(titles(&house.stranger().create(QUESTION).await), expected);
        assert_eq!(model.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_fails_names_nothing() {
    let model = FakeModel::start().await;
    model.reply(Reply::status(401, "{}"));
    let house = house(&model).await;
    let reader = house.visitor().await;
    let events = reader.create(QUESTION).await;
    assert_eq!((titles(&events), model.requests().len()), (vec![], 1));
    model.reply(Reply::text(["It leans."])).reply(Reply::text(["Walking Robots"]));
    let again = reader.say(&thread_of(&events), "Once more, please").await;
    assert_eq!(titles(&again), ["Walking Robots"], "the first answer is the one that is there");
}

#[tokio::test]
async fn what_a_title_costs_is_counted_with_the_answer() {
    let costing = |text: &str, input: u32| {
        let usage = json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": 5, "total_tokens": input + 5}});
        Reply::events([choice(json!({"content": text}), Some("stop")), usage]).done()
    };
    let model = FakeModel::start().await;
    model.reply(costing("It leans.", 100)).reply(costing("Walking Robots", 20));
    let house = house(&model).await;
    let reader = house.visitor().await;
    reader.create(QUESTION).await;
    let since = Timestamp::new(DateTime::from_timestamp(0, 0).unwrap());
    let spent = async || house.app.store.spent_since(&reader.owner(&house), since).await.unwrap();
    until("all is counted", async || spent().await == Tokens { input: 120, output: 10 }).await;
}
