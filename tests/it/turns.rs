//! Turns: what happens to an answer when its reader leaves, stops, hurries, or the house goes down.

use serde_json::{Value, json};

use crate::support::client::{Reader, Stream, input, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Gate, Reply};
use crate::support::house::{Ground, House, answered_by, until};

fn delta(event: &Value) -> bool {
    event["update"]["delta"].is_string()
}

/// A model that says these pieces, each when the gate is opened once.
async fn gated(pieces: &[&str]) -> (FakeModel, Gate) {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(pieces.iter().copied());
    model.reply(reply);
    (model, gate)
}

/// Asks, lets the model say its first piece, and hears it: the stream that goes on, and the thread.
async fn first_piece(reader: &Reader, gate: &Gate, question: &str) -> (Stream, String) {
    let mut stream = reader.open("threads.create", json!({"input": input(question)})).await;
    gate.open();
    let thread_id = thread_of(&stream.until(delta).await);
    (stream, thread_id)
}

#[tokio::test]
async fn an_answer_whose_reader_left_is_written_to_its_end() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
    gate.open();
    let heard = stream.until(delta).await;
    drop(stream);
    gate.open();
    house.quiet().await;
    let kept = reader.conversation(&thread_of(&heard)).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots sense."]);
}

#[tokio::test]
async fn where_leaving_means_stopping_the_model_is_stopped_and_what_was_shown_is_kept() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model_and(&model, &[("ON_DISCONNECT", "cancel")]).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    drop(stream);
    model.abandoned().await;
    house.quiet().await;
    let kept = reader.conversation(&thread_id).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots"]);
    model.reply(Reply::text(["Very well."]));
    reader.say(&thread_id, "Never mind.").await;
    let asked = model.requests().last().unwrap().body["messages"].to_string();
    assert!(asked.contains("stopped the answer"), "the model is told that the reader stopped: {asked}");
}

#[tokio::test]
async fn a_new_message_takes_the_place_of_a_running_answer_and_keeps_what_it_said() {
    let (model, gate) = gated(&["Slow", " answer."]).await;
    model.reply(Reply::text(["Quick answer."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (slow, thread_id) = first_piece(&reader, &gate, "Tell me everything.").await;
    let quick = reader.say(&thread_id, "Just the main thing.").await;
    assert_eq!(streamed_text(&quick), "Quick answer.");
    slow.rest().await;
    let kept = reader.conversation(&thread_id).await;
    let expected = [
        "user_message: Tell me everything.",
        "assistant_message: Slow",
        "user_message: Just the main thing.",
        "assistant_message: Quick answer.",
    ];
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn a_new_message_on_another_instance_takes_the_place_of_the_answer_on_the_first() {
    let (model, gate) = gated(&["Slow", " answer."]).await;
    model.reply(Reply::text(["Quick answer."]));
    let variables = answered_by(&model);
    let mut variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let secret = "one secret for both instances and long enough";
    variables.push(("VISITOR_SECRET", secret));
    let first = Ground::postgres(&variables).await.build().await;
    let second = first.ground().beside().build().await;
    let reader = first.visitor().await;
    let (slow, thread_id) = first_piece(&reader, &gate, "Tell me everything.").await;
    let quick = reader.at(&second.url).say(&thread_id, "Just the main thing.").await;
    assert_eq!(streamed_text(&quick), "Quick answer.");
    slow.rest().await;
    let kept = reader.conversation(&thread_id).await;
    assert_eq!(
        kept[1..],
        ["assistant_message: Slow", "user_message: Just the main thing.", "assistant_message: Quick answer."]
    );
}

#[tokio::test]
async fn a_thread_read_during_its_turn_shows_the_text_so_far() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    until("the text so far is there", async || {
        reader.conversation(&thread_id).await.last().is_some_and(|last| last == "assistant_message: Robots")
    })
    .await;
    gate.open();
    let rest = stream.rest().await;
    let shown = rest.last().unwrap()["item"].clone();
    assert_eq!(reader.items(&thread_id).await.last().unwrap(), &shown);
}

#[tokio::test]
async fn a_shutdown_lets_a_running_answer_finish_and_takes_no_new_one() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    let stopping = house.begin_to_stop();
    until("no new turn is taken", async || {
        let events = reader.create("One more?").await;
        events[0]["type"] == "error" && events[0]["allow_retry"] == true
    })
    .await;
    assert_eq!(reader.get("/readyz").await.status, 503);
    gate.open();
    assert_eq!(types(&stream.rest().await).last().unwrap(), "thread.item.done assistant_message");
    let house = stopping.finished().await.build().await;
    assert_eq!(reader.at(&house.url).conversation(&thread_id).await[1], "assistant_message: Robots sense.");
}

#[tokio::test]
async fn an_answer_that_outlasts_the_grace_is_kept_as_far_as_it_came() {
    let (model, gate) = gated(&["Robots", " never heard"]).await;
    let house = House::with_model_and(&model, &[("SHUTDOWN_GRACE_SECONDS", "0")]).await;
    let reader = house.visitor().await;
    let (_stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    let house = house.shut_down().await.build().await;
    let kept = reader.at(&house.url).conversation(&thread_id).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots"]);
}

#[tokio::test]
async fn an_answer_survives_a_database_that_drops_its_connections() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let variables = answered_by(&model);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let house = Ground::postgres(&variables).await.build().await;
    let reader = house.visitor().await;
    let (mut stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    house.ground().wire().cut();
    gate.open();
    stream.until(|event| event["update"]["type"] == "assistant_message.content_part.done").await;
    house.ground().wire().mend();
    assert_eq!(types(&stream.rest().await), ["thread.item.done assistant_message"]);
    assert_eq!(reader.conversation(&thread_id).await[1], "assistant_message: Robots sense.");
}

#[tokio::test]
async fn a_thread_deleted_during_its_turn_stays_deleted() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    reader.ask("threads.delete", json!({"thread_id": thread_id})).await;
    gate.open();
    let last = stream.rest().await.pop().unwrap();
    assert_eq!(
        last,
        json!({"type": "error", "code": "stream.error", "allow_retry": false}),
        "there is nothing to retry"
    );
    house.quiet().await;
    reader.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.refuses(404, "thread_id");
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"], json!([]));
}

#[tokio::test]
async fn a_rename_during_an_answer_is_not_lost() {
    let (model, gate) = gated(&["Robots", " sense."]).await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = first_piece(&reader, &gate, "What do robots do?").await;
    reader.ask("threads.update", json!({"thread_id": thread_id, "title": "Mine"})).await;
    gate.open();
    stream.rest().await;
    let listed = reader.ask("threads.list", json!({})).await.body;
    assert_eq!(listed["data"][0]["title"], "Mine");
}

#[tokio::test]
async fn a_reader_who_does_not_read_holds_nothing_up() {
    let model = FakeModel::start().await;
    let piece = "x".repeat(1000);
    model.reply(Reply::text(std::iter::repeat_n(piece.as_str(), 200)));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let mut stream = reader.open("threads.create", json!({"input": input("A long one, please.")})).await;
    let thread_id = thread_of(&[stream.next().await.unwrap()]);
    house.quiet().await;
    assert_eq!(reader.conversation(&thread_id).await[1].len(), "assistant_message: ".len() + 200_000);
    assert_eq!(streamed_text(&stream.rest().await).len(), 200_000);
}
