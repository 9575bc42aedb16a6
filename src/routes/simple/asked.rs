//! Reads what is asked in the simple dialect.

use std::collections::HashMap;

use chatkit_protocol::{FeedbackKind, ItemId, Order, ThreadId};
use serde::de::IgnoredAny;

use super::{Action, Question};
use crate::routes::error::ApiError;
use crate::routes::members::Members;

/// Reads one action from the members of a body.
type Read = fn(&mut Members) -> Action;

/// What can be asked, by its name.
const ACTIONS: [(&str, Read); 8] = [
    ("chat", |members| {
        Action::Chat(Question {
            message: members.text("message", 1..=usize::MAX),
            thread_id: members.optional_text("thread_id").map(ThreadId::from),
            selected_text: members.optional_text("selected_text"),
            model: members.optional_text("model"),
        })
    }),
    ("list_threads", |members| Action::ListThreads {
        limit: members.rows("limit"),
        after: members.optional_text("after"),
    }),
    ("get_thread", |members| Action::GetThread { thread_id: thread_id(members) }),
    ("rename_thread", |members| Action::RenameThread {
        thread_id: thread_id(members),
        title: members.text("title", 0..=usize::MAX),
    }),
    ("delete_thread", |members| Action::DeleteThread { thread_id: thread_id(members) }),
    ("list_items", |members| Action::ListItems {
        thread_id: thread_id(members),
        limit: members.rows("limit"),
        after: members.optional_text("after"),
        order: members.word("order", &[("asc", Order::Asc), ("desc", Order::Desc)]).unwrap_or_default(),
    }),
    ("feedback", |members| Action::Feedback {
        thread_id: thread_id(members),
        item_ids: members.texts("item_ids").into_iter().map(ItemId::from).collect(),
        kind: members
            .required_word("kind", &[("positive", FeedbackKind::Positive), ("negative", FeedbackKind::Negative)]),
    }),
    ("stop", |members| Action::Stop { thread_id: thread_id(members) }),
];

/// Reads a body; `None` when it is not of this dialect: not an object, or one with a `type` or without an `action`.
pub(in crate::routes) fn read(body: &[u8]) -> Option<Result<Action, ApiError>> {
    let names: HashMap<String, IgnoredAny> = serde_json::from_slice(body).ok()?;
    (names.contains_key("action") && !names.contains_key("type")).then(|| read_action(body))
}

fn read_action(body: &[u8]) -> Result<Action, ApiError> {
    let mut members = Members::of(body)?;
    let read: Read = members.required_word("action", &ACTIONS);
    let mut checked = members.checked()?;
    let action = read(&mut checked);
    checked.finish(action)
}

fn thread_id(members: &mut Members) -> ThreadId {
    ThreadId::from(members.text("thread_id", 1..=usize::MAX))
}
