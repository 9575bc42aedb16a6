//! Requests of the protocol as examples; a test sends them. The ids in them are those of things that the test makes.

use serde_json::{Map, Value, json};

/// A thread, wherever an example names one.
const THREAD: &str = "thr_0198f0c3a1b27d4e8f90a1b2c3d4e5f6";
/// The reader's message in it.
const MESSAGE: &str = "msg_0198f0c3a1b27d4e8f90a1b2c3d4e5f7";
/// An attachment of the reader.
const ATTACHMENT: &str = "atc_0198f0c3a1b27d4e8f90a1b2c3d4e5f8";

/// Shows examples at doors that speak the protocol.
pub(super) fn show(operation: &mut Value) {
    let Some(body) = operation.pointer_mut("/requestBody/content/application~1json") else { return };
    if body["schema"]["$ref"] == "#/components/schemas/ChatKitBody" {
        body["examples"] = requests().into();
    }
}

fn requests() -> Map<String, Value> {
    let input = json!({
        "content": [{"type": "input_text", "text": "What are the three terms of a PID controller?"}],
        "attachments": [],
        "inference_options": {},
    });
    let protocol = [
        ("threads.create", "Begin a conversation", json!({"input": input})),
        ("threads.add_user_message", "Go on with it", json!({"thread_id": THREAD, "input": input})),
        ("threads.retry_after_item", "Have it answered again", json!({"thread_id": THREAD, "item_id": MESSAGE})),
        ("threads.list", "One's conversations", json!({"limit": 20, "order": "desc"})),
        ("threads.get_by_id", "One conversation", json!({"thread_id": THREAD})),
        ("threads.update", "Give it a title", json!({"thread_id": THREAD, "title": "PID control"})),
        ("threads.delete", "Delete it", json!({"thread_id": THREAD})),
        ("items.list", "What is in it", json!({"thread_id": THREAD, "limit": 20, "order": "asc"})),
        (
            "items.feedback",
            "Say how good an answer was",
            json!({"thread_id": THREAD, "item_ids": [MESSAGE], "kind": "positive"}),
        ),
        ("attachments.create", "Announce a file", json!({"name": "notes.txt", "size": 12, "mime_type": "text/plain"})),
        ("attachments.delete", "Delete a file", json!({"attachment_id": ATTACHMENT})),
    ];
    let protocol = protocol.into_iter().map(|(kind, summary, params)| {
        (kind.to_owned(), json!({"summary": summary, "value": {"type": kind, "params": params}}))
    });
    let simple = [
        ("chat", "Ask", json!({"action": "chat", "message": "What is a PID controller?"})),
        ("list_threads", "One's conversations", json!({"action": "list_threads", "limit": 20})),
        ("get_thread", "One conversation", json!({"action": "get_thread", "thread_id": THREAD})),
        (
            "rename_thread",
            "Give it a title",
            json!({"action": "rename_thread", "thread_id": THREAD, "title": "PID control"}),
        ),
        ("delete_thread", "Delete it", json!({"action": "delete_thread", "thread_id": THREAD})),
        ("list_items", "What is in it", json!({"action": "list_items", "thread_id": THREAD, "order": "asc"})),
        (
            "feedback",
            "Say how good an answer was",
            json!({"action": "feedback", "thread_id": THREAD, "item_ids": [MESSAGE], "kind": "negative"}),
        ),
        ("stop", "End the answer that is being written", json!({"action": "stop", "thread_id": THREAD})),
    ];
    let simple = simple.into_iter().map(|(action, summary, value)| {
        (format!("action {action}"), json!({"summary": format!("{summary}, in the simple dialect"), "value": value}))
    });
    protocol.chain(simple).collect()
}
