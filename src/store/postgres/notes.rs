//! What is known of items beside their content, and what turns cost: reading. Writing is part of `record`.

use std::collections::HashMap;

use chatkit_protocol::{ItemId, ThreadId, Timestamp};

use super::connection::{Pool, all, first};
use super::thread_name;
use crate::identity::OwnerId;
use crate::store::rows::{self, NotedRow};
use crate::store::{ItemNote, StoreError, Tokens};

pub(super) async fn item_notes(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    item_ids: &[ItemId],
) -> Result<HashMap<ItemId, ItemNote>, StoreError> {
    // A thread without such items gives one row with nothing in it, no thread gives none.
    let query = sqlx::query_as(
        "select coalesce(item.id, '') as id, item.model, item.n_tokens::integer as n_tokens, item.n_tokens_input,
                item.grounding::text as grounding
           from chat_threads thread
           left join chat_thread_items item on item.thread_id = thread.id and item.id = any ($3)
          where thread.owner = $1 and thread.id = $2",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(rows::names(item_ids));
    let found: Vec<NotedRow> = all(pool, query).await?;
    if found.is_empty() {
        return Err(StoreError::NoThread);
    }
    rows::notes(found)
}

pub(super) async fn spent_since(pool: &Pool, owner: &OwnerId, since: Timestamp) -> Result<Tokens, StoreError> {
    let query = sqlx::query_as(
        "select coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint
           from chat_usage
          where owner = $1 and at >= $2",
    )
    .bind(owner.as_str())
    .bind(since.utc());
    Ok(rows::tokens(first(pool, query).await?.unwrap_or_default()))
}
