//! The library seam: a responder of somebody else's, with everything around it. The responder is the example that the
//! documents show.

#[expect(dead_code, reason = "its `main` is for whoever runs the example")]
#[path = "../../examples/custom_responder.rs"]
mod custom_responder;

use std::sync::Arc;

use chatkit_gateway::chat::Responder;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::client::{Reader, done_items, thread_of, types};
use crate::support::house::{Ground, House};
use custom_responder::TodoList;

async fn todo_house() -> House {
    let responder: Arc<dyn Responder> = Arc::new(TodoList);
    Ground::sqlite(&[]).build_for(Some(responder)).await
}

/// A thread with two tasks, and the id of its last widget.
async fn two_tasks(reader: &Reader) -> (String, Value) {
    let thread_id = thread_of(&reader.create("add buy milk").await);
    let events = reader.say(&thread_id, "add call Grandma").await;
    (thread_id, done_items(&events).pop().unwrap())
}

fn tick(thread_id: &str, item: &Value, index: i64) -> Value {
    json!({"thread_id": thread_id, "item_id": item["id"], "action": {"type": "todo.tick", "payload": {"index": index}}})
}

#[tokio::test]
async fn a_responder_shows_progress_widgets_and_a_title() {
    let house = todo_house().await;
    let reader = house.visitor().await;
    let events = reader.create("add buy milk").await;
    let expected = [
        "thread.created",
        "thread.item.done user_message",
        "stream_options",
        "progress_update",
        "thread.item.done widget",
        "thread.updated",
    ];
    assert_eq!(types(&events), expected);
    assert_eq!(events.last().unwrap()["thread"]["title"], "Things to do");
    assert_eq!(events.last().unwrap()["thread"]["metadata"], json!({}), "what the server notes is not shown");
    let card = &events[4]["item"]["widget"];
    assert_eq!(card["children"][0]["children"][0]["value"], "buy milk");
}

#[tokio::test]
async fn a_widgets_action_changes_the_widget_where_it_is() {
    let house = todo_house().await;
    let reader = house.visitor().await;
    let (thread_id, widget) = two_tasks(&reader).await;
    let events = reader.open("threads.custom_action", tick(&thread_id, &widget, 0)).await.rest().await;
    assert_eq!(types(&events), ["stream_options", "thread.item.replaced", "thread.updated"]);
    assert_eq!(events[1]["item"]["id"], widget["id"]);
    let answer = reader.ask("threads.sync_custom_action", tick(&thread_id, &widget, 1)).await;
    let row = &answer.body["updated_item"]["widget"]["children"][1];
    assert_eq!(row["children"], json!([{"type": "Text", "value": "call Grandma", "lineThrough": true}]));
    assert_eq!(reader.items(&thread_id).await.last().unwrap(), &answer.body["updated_item"]);
    assert_eq!(house.app.chat.turns().count(), 0);
}

#[tokio::test]
async fn an_action_that_makes_no_sense_is_refused_with_the_responders_own_sentence() {
    let house = todo_house().await;
    let reader = house.visitor().await;
    let (thread_id, widget) = two_tasks(&reader).await;
    let before = reader.items(&thread_id).await;
    for index in [-1, 7] {
        let asked = tick(&thread_id, &widget, index);
        reader.ask("threads.sync_custom_action", asked.clone()).await.refuses(422, "no such task");
        let events = reader.open("threads.custom_action", asked).await.rest().await;
        assert_eq!(events[1]["message"], "There is no such task.");
    }
    assert_eq!(reader.items(&thread_id).await, before);
    let question = json!({"thread_id": thread_id, "item_id": before[0]["id"], "action": {"type": "todo.tick"}});
    reader.ask("threads.sync_custom_action", question.clone()).await.refuses(400, "widget");
    let events = reader.open("threads.custom_action", question).await.rest().await;
    assert_eq!(events, [json!({"type": "error", "code": "stream.error", "allow_retry": false})]);
}

#[tokio::test]
async fn a_tool_of_the_page_is_called_and_its_output_heard_once_however_often_it_comes() {
    let house = todo_house().await;
    let reader = house.visitor().await;
    let events = reader.create("when").await;
    let thread_id = thread_of(&events);
    let call = events.last().unwrap()["item"].clone();
    assert_eq!((&call["type"], &call["status"]), (&json!("client_tool_call"), &json!("pending")));
    let output = json!({"thread_id": thread_id, "result": "a quarter past nine"});
    let posts = (0..8).map(|_| {
        let body = json!({"type": "threads.add_client_tool_output", "params": output}).to_string();
        reader.post_to("/chatkit", body)
    });
    let statuses: Vec<u16> = join_all(posts).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    house.quiet().await;
    let items = reader.items(&thread_id).await;
    assert_eq!(items[1]["output"], "a quarter past nine");
    assert_eq!(items[2]["content"][0]["text"], "Your page says it is a quarter past nine.");
    assert_eq!(items.len(), 3);
}

#[tokio::test]
async fn somebody_else_brings_no_output_and_acts_on_no_widget() {
    let house = todo_house().await;
    let (reader, other) = (house.visitor().await, house.visitor().await);
    let (thread_id, widget) = two_tasks(&reader).await;
    reader.say(&thread_id, "when").await;
    let output = json!({"thread_id": thread_id, "result": 1});
    other.ask("threads.add_client_tool_output", output).await.refuses(404, "thread_id");
    other.ask("threads.sync_custom_action", tick(&thread_id, &widget, 0)).await.refuses(404, "thread_id");
    other.ask("threads.custom_action", tick(&thread_id, &widget, 0)).await.refuses(404, "thread_id");
    let (own_thread, _) = two_tasks(&other).await;
    other.ask("threads.sync_custom_action", tick(&own_thread, &widget, 0)).await.refuses(404, "item_id");
}
