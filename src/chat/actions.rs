//! Actions: what a widget, or the page, asks for.

use chatkit_protocol::{
    ItemId, ItemKind, Response, ThreadEvent, ThreadId, ThreadItem, ThreadsCustomAction, ThreadsSyncCustomAction,
};

use super::outbox::Listening;
use super::responder::TurnError;
use super::turn::{self, Start};
use super::{Chat, ChatError};
use crate::identity::{Identity, OwnerId};
use crate::store::{Newest, Opening, StoreError, ThreadChange, Write};

/// A responder may take so long to answer at once.
const AT_ONCE_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// Answers in the thread.
pub(super) async fn act(chat: &Chat, who: &Identity, asked: ThreadsCustomAction) -> Result<Listening, ChatError> {
    let sender = match sender(chat, who, &asked.thread_id, asked.item_id).await {
        // The widget is built for this one answer.
        Err(ChatError::NotAWidget) => return Ok(turn::only(&ThreadEvent::stream_error(false))),
        sender => sender?,
    };
    let start = Start::existing(asked.thread_id, Opening::Resume).with_action(asked.action, sender);
    turn::start(chat, who, start).await
}

/// Answers at once, beside a turn that may be running. What the responder gives back is stored, then shown.
pub(super) async fn act_at_once(
    chat: &Chat,
    who: &Identity,
    asked: ThreadsSyncCustomAction,
) -> Result<Response, ChatError> {
    let sender = sender(chat, who, &asked.thread_id, asked.item_id).await?;
    let history = Newest { kind: None, limit: chat.options.history_items_max };
    let (before, history) = chat.store.newest_items(&who.owner(), &asked.thread_id, &history).await?;
    let turn = chat.turn(&chat.ids.mint("turn"), who.clone(), before.clone(), history).on(None, sender);
    let notebook = turn.notebook.clone();
    let thread = turn.thread.clone();
    let acting = chat.responder.act_at_once(turn, asked.action);
    let answered = tokio::time::timeout(AT_ONCE_TIME_MAX, acting).await.map_err(|_| ChatError::TooSlow)?;
    let updated_item = answered
        .map_err(|error| refused(error, "does not do what widgets ask for at once"))?
        .map(|item| ThreadItem { thread_id: before.id.clone(), ..item });
    let mut writes: Vec<Write> = updated_item.iter().cloned().map(Write::Save).collect();
    let change = ThreadChange::between(&before, &thread.read());
    if !change.is_empty() {
        writes.push(Write::Change(change));
    }
    notebook.add_to(&mut writes);
    if !writes.is_empty() {
        keep(chat, &who.owner(), &before.id, &writes).await?;
    }
    Ok(Response::UpdatedItem { updated_item })
}

/// Keeps what came of an action, also when the thread's visitor has signed in since the action began.
async fn keep(chat: &Chat, owner: &OwnerId, id: &ThreadId, writes: &[Write]) -> Result<(), StoreError> {
    match chat.store.keep(owner, id, writes, chat.clock.now()).await {
        Err(StoreError::NoThread) => {
            let adopter = chat.store.adopter(owner).await?.ok_or(StoreError::NoThread)?;
            chat.store.keep(&adopter, id, writes, chat.clock.now()).await
        }
        kept => kept,
    }
}

/// The widget an action says it comes from, if it says so.
async fn sender(
    chat: &Chat,
    who: &Identity,
    thread_id: &ThreadId,
    item_id: Option<ItemId>,
) -> Result<Option<ThreadItem>, ChatError> {
    let Some(item_id) = item_id.filter(|id| !id.as_str().is_empty()) else { return Ok(None) };
    let item = match chat.store.item(&who.owner(), thread_id, &item_id).await {
        Err(StoreError::NoItem) => return Err(ChatError::NoItem),
        item => item?,
    };
    match item.kind {
        ItemKind::Widget(_) => Ok(Some(item)),
        _ => Err(ChatError::NotAWidget),
    }
}

/// What a caller is told of a responder that gave up on an answer that is one value, or does not do such things.
pub(super) fn refused(error: TurnError, lacking: &'static str) -> ChatError {
    match error {
        TurnError::Custom { message, .. } => ChatError::Refused(message),
        TurnError::NotSupported => ChatError::NotSupported(lacking),
        TurnError::Stream { .. } => ChatError::Failed,
        TurnError::Unexpected(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "The responder failed");
            ChatError::Failed
        }
    }
}
