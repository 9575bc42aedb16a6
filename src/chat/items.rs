//! Items: listed, and judged by readers.

use chatkit_protocol::{ItemsFeedback, ItemsList, Malformed, Response};

use super::{Chat, ChatError};
use crate::identity::Identity;
use crate::store::PageQuery;

/// A reader judges at most so many items at once.
const FEEDBACK_ITEMS_MAX: usize = 200;

pub(super) async fn list(chat: &Chat, who: &Identity, asked: ItemsList) -> Result<Response, ChatError> {
    let page = PageQuery { limit: asked.limit.unwrap_or(0), order: asked.order, after: asked.after };
    let items = chat.store.items(&who.owner(), &asked.thread_id, &page).await?;
    Ok(Response::Items(items))
}

pub(super) async fn feedback(chat: &Chat, who: &Identity, asked: ItemsFeedback) -> Result<Response, ChatError> {
    if asked.item_ids.len() > FEEDBACK_ITEMS_MAX {
        let problem = format!("must name at most {FEEDBACK_ITEMS_MAX} items");
        return Err(Malformed { member: "params.item_ids".to_owned(), problem }.into());
    }
    let now = chat.clock.now();
    chat.store.keep_feedback(&who.owner(), &asked.thread_id, &asked.item_ids, asked.kind, now).await?;
    chat.responder.feedback(who, &asked.thread_id, &asked.item_ids, asked.kind).await;
    Ok(Response::Empty)
}
