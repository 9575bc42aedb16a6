//! The widget's habits: it posts twice, is reloaded, stops, and always finds its conversation whole.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::client::{Reader, input, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Gate, Reply};
use crate::support::house::{House, until};

const FRAME: &str = "5b7c9a52-9d0f-4c0e-8a53-3e0a1c9b7d11";

/// A house with a reader's widget in it.
struct Scene {
    model: FakeModel,
    house: House,
    reader: Reader,
    /// Each piece of the model's first answer is said when it is opened once.
    gate: Gate,
}

async fn gated(pieces: &[&str]) -> Scene {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(pieces.iter().copied());
    model.reply(reply);
    let house = House::with_model(&model).await;
    let reader = house.visitor().await.in_frame(FRAME);
    Scene { model, house, reader, gate }
}

#[tokio::test]
async fn a_message_that_is_posted_twice_is_kept_and_answered_once() {
    let Scene { reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    let asked = json!({"input": input("What do robots do?")});
    let mut first = reader.open("threads.create", asked.clone()).await;
    gate.open();
    let mut heard = first.until(|event| event["update"]["delta"].is_string()).await;
    let second = reader.open("threads.create", asked).await;
    gate.open();
    heard.extend(first.rest().await);
    let again = second.rest().await;
    assert_eq!(types(&again), types(&heard));
    assert_eq!(streamed_text(&again), "Robots sense.");
    assert_eq!(again.first(), heard.first(), "the same thread");
    assert_eq!(again.last(), heard.last(), "the same answer");
    let kept = reader.conversation(&thread_of(&again)).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots sense."]);
    let threads = reader.ask("threads.list", json!({"limit": 9999})).await.body;
    assert_eq!(threads["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_is_posted_again_because_the_connection_broke_finds_its_answer() {
    let Scene { house, reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    let asked = json!({"input": input("What do robots do?")});
    drop(reader.open("threads.create", asked.clone()).await);
    gate.open();
    gate.open();
    house.quiet().await;
    let again = reader.open("threads.create", asked).await.rest().await;
    assert_eq!(streamed_text(&again), "Robots sense.");
    let kept = reader.conversation(&thread_of(&again)).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots sense."]);
}

#[tokio::test]
async fn a_message_that_is_posted_many_times_at_the_same_moment_begins_one_turn() {
    let Scene { reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    gate.open();
    gate.open();
    let posts = (0..12).map(|_| async {
        reader.open("threads.create", json!({"input": input("What do robots do?")})).await.rest().await
    });
    let heard = join_all(posts).await;
    for one in &heard {
        assert_eq!((thread_of(one), streamed_text(one)), (thread_of(&heard[0]), "Robots sense.".to_owned()));
    }
    assert_eq!(reader.conversation(&thread_of(&heard[0])).await.len(), 2);
}

#[tokio::test]
async fn the_same_words_after_the_answer_was_heard_are_a_new_message() {
    let house = House::offline().await;
    let reader = house.visitor().await.in_frame(FRAME);
    let thread_id = thread_of(&reader.create("What is a quaternion?").await);
    for _ in 0..2 {
        reader.say(&thread_id, "And then?").await;
    }
    let conversation = reader.conversation(&thread_id).await;
    assert_eq!(conversation.iter().filter(|line| *line == "user_message: And then?").count(), 2);
}

#[tokio::test]
async fn the_same_words_of_another_reader_or_frame_are_another_message() {
    let Scene { house, reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    gate.open();
    gate.open();
    let asked = json!({"input": input("What do robots do?")});
    drop(reader.open("threads.create", asked.clone()).await);
    house.quiet().await;
    let other = house.visitor().await.in_frame(FRAME);
    other.open("threads.create", asked.clone()).await;
    reader.in_frame("another frame").open("threads.create", asked).await;
    for (who, threads) in [(reader, 2), (&other, 1)] {
        let listed = who.ask("threads.list", json!({})).await.body;
        assert_eq!(listed["data"].as_array().unwrap().len(), threads);
    }
}

#[tokio::test]
async fn a_reader_who_reloads_in_the_middle_finds_the_text_so_far_and_then_all_of_it() {
    let Scene { house, reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
    gate.open();
    let thread_id = thread_of(&stream.until(|event| event["update"]["delta"].is_string()).await);
    drop(stream);
    until("the text so far is there", async || {
        reader.conversation(&thread_id).await.last().is_some_and(|last| last == "assistant_message: Robots")
    })
    .await;
    gate.open();
    house.quiet().await;
    let kept = reader.conversation(&thread_id).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots sense."]);
}

#[tokio::test]
async fn a_turn_that_is_stopped_keeps_what_was_shown_and_the_thread_goes_on() {
    for by_action in [false, true] {
        let Scene { model, reader, gate, .. } = &gated(&["Robots", " never said"]).await;
        model.reply(Reply::text(["Fine."]));
        let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
        gate.open();
        let thread_id = thread_of(&stream.until(|event| event["update"]["delta"].is_string()).await);
        let stop = async || match by_action {
            false => reader.post_to(&format!("/chatkit/threads/{thread_id}/stop"), "").await.body,
            true => {
                let body = json!({"action": "stop", "thread_id": thread_id}).to_string();
                reader.post_to("/chatkit", body).await.body
            }
        };
        assert_eq!(stop().await, json!({"stopped": true}));
        assert_eq!(stream.rest().await, Vec::<serde_json::Value>::new(), "the stream simply ends");
        let kept = reader.conversation(&thread_id).await;
        assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots"]);
        assert_eq!(stop().await, json!({"stopped": false}));
        reader.say(&thread_id, "And now?").await;
        assert_eq!(reader.conversation(&thread_id).await[2], "user_message: And now?");
    }
}

#[tokio::test]
async fn nobody_stops_somebody_elses_turn() {
    let Scene { house, reader, gate, .. } = &gated(&["Robots", " sense."]).await;
    let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
    let thread_id = thread_of(&[stream.next().await.unwrap()]);
    for other in [house.visitor().await, house.stranger()] {
        other.post_to(&format!("/chatkit/threads/{thread_id}/stop"), "").await.refuses(404, "thread_id");
        let body = json!({"action": "stop", "thread_id": thread_id}).to_string();
        other.post_to("/chatkit", body).await.refuses(404, "thread_id");
    }
    gate.open();
    gate.open();
    stream.rest().await;
    assert_eq!(reader.conversation(&thread_id).await[1], "assistant_message: Robots sense.");
}

#[tokio::test]
async fn an_action_without_a_type_that_is_not_known_is_refused_with_those_that_are() {
    let house = House::offline().await;
    let reader = house.stranger();
    reader.post_to("/chatkit", json!({"action": "dance"}).to_string()).await.refuses(400, "`stop`");
    reader.post_to("/chatkit", json!({"action": "stop"}).to_string()).await.refuses(400, "thread_id");
}
