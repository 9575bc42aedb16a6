//! A ChatKit app of your own: a to-do list with a widget, an action, and a tool that runs in the page.
//!
//! ```text
//! cargo run --example custom_responder
//! curl -N http://127.0.0.1:8000/chatkit -d '{"type":"threads.create","params":{"input":
//!   {"content":[{"type":"input_text","text":"add buy milk"}],"attachments":[],"inference_options":{}}}}'
//! ```
//!
//! Say `add …`, `list`, or `when` for the page's own clock; anything else is explained. The list lives in the thread's
//! metadata, which the reader never sees. Settings are those of the program: `PORT`, `DATABASE_URL`, …

use async_stream::stream;
use async_trait::async_trait;
use chatkit_gateway::chat::{EventStream, Responder, Turn, TurnError};
use chatkit_gateway::protocol::{Action, ClientToolCall, ItemKind, ThreadEvent, ThreadItem, Value, Widget, WidgetItem};
use serde_json::json;

/// Keeps a list of things to do in each thread.
pub struct TodoList;

#[async_trait]
impl Responder for TodoList {
    fn respond(&self, turn: Turn) -> EventStream {
        let said = turn.question().map(|question| question.text());
        Box::pin(stream! {
            match said.as_deref().map(str::trim) {
                // No question: the page has answered the call that ended the turn before.
                None => {
                    let answer = turn.history.iter().rev().find_map(tool_output).unwrap_or_default();
                    yield Ok(turn.done(ItemKind::message(format!("Your page says it is {answer}."))));
                }
                Some("list") => yield list(&turn),
                Some("when") => {
                    let call_id = turn.ids.mint("call");
                    let call = ClientToolCall::pending(call_id, "get_local_time", [("style", "short")]);
                    yield Ok(turn.done(ItemKind::ClientToolCall(call)));
                }
                Some(text) => match text.strip_prefix("add ") {
                    Some(task) => {
                        yield Ok(ThreadEvent::progress("Writing it down", None));
                        turn.thread.edit(|thread| {
                            thread.title.get_or_insert_with(|| "Things to do".to_owned());
                            let tasks = thread.metadata.entry("tasks").or_insert_with(|| json!([]));
                            tasks.as_array_mut().expect("only this example writes it").push(json!({"text": task, "done": false}));
                        });
                        yield list(&turn);
                    }
                    None => yield Ok(turn.done(ItemKind::message("Say `add …`, `list` or `when`."))),
                },
            }
        })
    }

    /// The reader ticks a task off while nothing else is going on; the widget is shown in its new state.
    fn act(&self, turn: Turn, action: Action) -> EventStream {
        Box::pin(stream! {
            match tick(&turn, &action) {
                Ok(Some(item)) => yield Ok(ThreadEvent::replaced(item)),
                Ok(None) => yield list(&turn),
                Err(error) => yield Err(error),
            }
        })
    }

    /// The same for a button with `"streaming": false`, which works even while an answer is written.
    async fn act_at_once(&self, turn: Turn, action: Action) -> Result<Option<ThreadItem>, TurnError> {
        tick(&turn, &action)
    }
}

/// Ticks off the task that the action names; gives the widget it came from in its new state.
fn tick(turn: &Turn, action: &Action) -> Result<Option<ThreadItem>, TurnError> {
    let sorry = |message: &str| TurnError::Custom { message: message.to_owned(), allow_retry: false };
    if action.kind != "todo.tick" {
        return Err(sorry("This list only knows how to tick tasks off."));
    }
    // What an action brings comes from outside: it may name anything.
    let index = action.payload["index"].as_u64().and_then(|index| usize::try_from(index).ok());
    let index = index.filter(|index| *index < tasks(turn).len()).ok_or_else(|| sorry("There is no such task."))?;
    turn.thread.edit(|thread| thread.metadata["tasks"][index]["done"] = true.into());
    let widget = card(turn)?;
    let kind = ItemKind::Widget(WidgetItem { widget, copy_text: None });
    Ok(turn.sender_item().map(|item| ThreadItem { kind, ..item.clone() }))
}

fn tasks(turn: &Turn) -> Vec<Value> {
    turn.thread.read().metadata.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn list(turn: &Turn) -> Result<ThreadEvent, TurnError> {
    Ok(turn.done(ItemKind::widget(card(turn)?)))
}

/// The list as a widget: a row a task, with a button for those that are not done.
fn card(turn: &Turn) -> Result<Widget, TurnError> {
    let rows = tasks(turn).into_iter().enumerate().map(|(index, task)| {
        let action = json!({"type": "todo.tick", "payload": {"index": index}, "streaming": false});
        let button = json!({"type": "Button", "label": "Done", "onClickAction": action});
        let text = json!({"type": "Text", "value": task["text"], "lineThrough": task["done"]});
        json!({"type": "Row", "children": [text, (task["done"] != true).then_some(button)]})
    });
    let card = json!({"type": "Card", "children": rows.collect::<Vec<_>>()});
    Widget::new(card).map_err(|error| TurnError::Unexpected(Box::new(error)))
}

fn tool_output(item: &ThreadItem) -> Option<String> {
    match &item.kind {
        ItemKind::ClientToolCall(call) => Some(call.output.as_str().unwrap_or("a time it keeps to itself").to_owned()),
        _ => None,
    }
}

/// Serves it, with the settings of the environment.
#[tokio::main]
pub async fn main() -> anyhow::Result<()> {
    chatkit_gateway::serve(TodoList).await
}
