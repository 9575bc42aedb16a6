//! Threads: looked up, listed, renamed, deleted.

use chatkit_protocol::{
    Malformed, Order, Page, Response, Thread, ThreadsDelete, ThreadsGetById, ThreadsList, ThreadsUpdate,
};

use super::{Chat, ChatError};
use crate::identity::Identity;
use crate::store::{PAGE_ROWS_MAX, PageQuery, ThreadChange};

/// A title may have so many characters: the column of the original tables holds no more.
pub(super) const TITLE_CHARS_MAX: usize = 255;

pub(super) async fn get(chat: &Chat, who: &Identity, asked: ThreadsGetById) -> Result<Response, ChatError> {
    let page = PageQuery { limit: PAGE_ROWS_MAX, order: Order::Asc, after: None };
    let (thread, items) = chat.store.thread_with_items(&who.owner(), &asked.thread_id, &page).await?;
    Ok(Response::Thread(Thread::with_items(&thread, items)))
}

pub(super) async fn list(chat: &Chat, who: &Identity, asked: ThreadsList) -> Result<Response, ChatError> {
    // All strangers share one owner: listing it would show each of them the threads of the others.
    if *who == Identity::Stranger {
        return Ok(Response::Threads(Page::empty()));
    }
    let page = PageQuery { limit: asked.limit.unwrap_or(0), order: asked.order, after: asked.after };
    let threads = chat.store.threads(&who.owner(), &page).await?;
    Ok(Response::Threads(threads.map(|thread| Thread::without_items(&thread))))
}

pub(super) async fn rename(chat: &Chat, who: &Identity, asked: ThreadsUpdate) -> Result<Response, ChatError> {
    let chars = asked.title.chars().count();
    if chars > TITLE_CHARS_MAX {
        let problem = format!("has {chars} characters; at most {TITLE_CHARS_MAX} are accepted");
        return Err(Malformed { member: "params.title".to_owned(), problem }.into());
    }
    let change = ThreadChange { title: Some(Some(asked.title)), ..ThreadChange::default() };
    let thread = chat.store.change_thread(&who.owner(), &asked.thread_id, &change, chat.clock.now()).await?;
    Ok(Response::Thread(Thread::without_items(&thread)))
}

pub(super) async fn delete(chat: &Chat, who: &Identity, asked: ThreadsDelete) -> Result<Response, ChatError> {
    chat.store.delete_thread(&who.owner(), &asked.thread_id).await?;
    if let Some(attachments) = &chat.attachments {
        attachments.look_soon();
    }
    Ok(Response::Empty)
}
