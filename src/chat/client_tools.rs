//! Client tools: the page brings the answer to a call that the assistant left to it.

use chatkit_protocol::{ClientToolCall, ItemKind, ThreadItem, ThreadsAddClientToolOutput, ToolCallStatus, Value};

use super::outbox::Listening;
use super::turn::{self, Start};
use super::{AMEND_TRIES_MAX, Chat, ChatError};
use crate::identity::Identity;
use crate::store::{Newest, Opening, Write};

/// The type of the items that a page answers.
const CLIENT_TOOL_CALL: &str = "client_tool_call";
/// So many of the newest calls of a thread are looked through for pending ones.
const CALLS_MAX: u32 = 1_000;

/// Gives the output to the newest pending call, whatever follows it, and lets the responder go on.
///
/// Other pending calls go: their pages have moved on, and a model could not be told what became of them.
pub(super) async fn add_output(
    chat: &Chat,
    who: &Identity,
    asked: ThreadsAddClientToolOutput,
) -> Result<Listening, ChatError> {
    for _ in 0..AMEND_TRIES_MAX {
        let calls = Newest { kind: Some(CLIENT_TOOL_CALL), limit: CALLS_MAX };
        let (_, calls) = chat.store.newest_items(&who.owner(), &asked.thread_id, &calls).await?;
        let pending: Vec<ThreadItem> = calls.into_iter().filter(is_pending).collect();
        let Some((newest, others)) = pending.split_last() else { return Err(ChatError::NoPendingCall) };
        let mut writes = vec![Write::Save(completed(newest, asked.result.clone()))];
        writes.extend(others.iter().map(|call| Write::Delete(call.id.clone())));
        if !others.is_empty() {
            tracing::warn!(calls = others.len(), "Removing pending client tool calls that nobody answered");
        }
        let opening = Opening::Amend { read: pending, writes };
        match turn::start(chat, who, Start::existing(asked.thread_id.clone(), opening)).await {
            Err(ChatError::Changed) => {}
            begun => return begun,
        }
    }
    Err(ChatError::Changed)
}

fn is_pending(item: &ThreadItem) -> bool {
    matches!(&item.kind, ItemKind::ClientToolCall(ClientToolCall { status: ToolCallStatus::Pending, .. }))
}

fn completed(call: &ThreadItem, output: Value) -> ThreadItem {
    let mut completed = call.clone();
    if let ItemKind::ClientToolCall(call) = &mut completed.kind {
        call.status = ToolCallStatus::Completed;
        call.output = output;
    }
    completed
}
