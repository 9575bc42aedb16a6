//! Threads, items and feedback, one statement a function.

use std::collections::HashMap;

use chatkit_protocol::{ItemId, Order, Page, ThreadId, ThreadItem, ThreadRecord, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::stamp;
use crate::identity::OwnerId;
use crate::store::rows::{self, ChangeRow, ThreadRow};
use crate::store::{FeedbackKind, ItemNote, PageQuery, StoreError, ThreadChange, Tokens, cursor};

pub(super) async fn thread(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
) -> Result<ThreadRecord, StoreError> {
    let row: Option<ThreadRow> = sqlx::query_as(
        "select id, title, created_at, status, allowed_image_domains, metadata
           from chat_threads
          where owner = $1 and id = $2",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .fetch_optional(connection)
    .await?;
    row.ok_or(StoreError::NoThread)?.record()
}

pub(super) async fn threads(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    asked: &PageQuery,
) -> Result<Page<ThreadRecord>, StoreError> {
    let after: Option<i64> = match asked.cursor() {
        None => None,
        Some(cursor) => Some(thread_position(connection, owner, cursor).await?),
    };
    let query = match asked.order {
        Order::Asc => {
            "select id, title, created_at, status, allowed_image_domains, metadata
               from chat_threads
              where owner = $1 and position > coalesce($2, -1)
              order by position limit $3"
        }
        Order::Desc => {
            "select id, title, created_at, status, allowed_image_domains, metadata
               from chat_threads
              where owner = $1 and position < coalesce($2, 9223372036854775807)
              order by position desc limit $3"
        }
    };
    let rows: Vec<ThreadRow> = sqlx::query_as(query)
        .bind(owner.as_str())
        .bind(after)
        .bind(cursor::rows_to_read(asked.rows()))
        .fetch_all(connection)
        .await?;
    let threads = rows.into_iter().map(ThreadRow::record).collect::<Result<Vec<_>, _>>()?;
    Ok(cursor::page(threads, asked.rows(), |thread| thread.id.as_str().to_owned()))
}

async fn thread_position(connection: &mut SqliteConnection, owner: &OwnerId, cursor: &str) -> Result<i64, StoreError> {
    let position: Option<i64> = sqlx::query_scalar("select position from chat_threads where owner = $1 and id = $2")
        .bind(owner.as_str())
        .bind(cursor)
        .fetch_optional(connection)
        .await?;
    position.ok_or(StoreError::UnknownCursor)
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    thread: &ThreadRecord,
    now: Timestamp,
) -> Result<ThreadRecord, StoreError> {
    let row = ThreadRow::new(thread)?;
    sqlx::query(
        "insert into chat_threads
            (id, owner, user_id, title, status, allowed_image_domains, metadata, created_at, updated_at, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select coalesce(max(position), 0) + 1 from chat_threads))",
    )
    .bind(&row.id)
    .bind(owner.as_str())
    .bind(rows::user_of(owner))
    .bind(&row.title)
    .bind(&row.status)
    .bind(&row.allowed_image_domains)
    .bind(&row.metadata)
    .bind(stamp(thread.created_at))
    .bind(stamp(now))
    .execute(connection)
    .await?;
    row.record()
}

/// Changes the fields named; one that stays is not read, so two changes of different fields do not undo each other.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
    change: &ThreadChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = ChangeRow::new(change)?;
    sqlx::query(
        "update chat_threads
            set title = case when $3 then $4 else title end,
                status = coalesce($5, status),
                allowed_image_domains = case when $6 then $7 else allowed_image_domains end,
                metadata = coalesce($8, metadata),
                updated_at = $9
          where owner = $1 and id = $2",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(row.new_title)
    .bind(row.title)
    .bind(row.status)
    .bind(row.new_domains)
    .bind(row.allowed_image_domains)
    .bind(row.metadata)
    .bind(stamp(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a thread a title if it has none. Whether it was given.
pub(super) async fn entitle(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
    title: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let given = sqlx::query(
        "update chat_threads set title = $3, updated_at = $4 where owner = $1 and id = $2 and title is null",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(rows::without_nul(title))
    .bind(stamp(now))
    .execute(connection)
    .await?;
    Ok(given.rows_affected() > 0)
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
) -> Result<(), StoreError> {
    sqlx::query("delete from chat_threads where owner = $1 and id = $2")
        .bind(owner.as_str())
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// A page of the visible items of a thread that is known to be theirs.
pub(super) async fn items(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    asked: &PageQuery,
) -> Result<Page<ThreadItem>, StoreError> {
    let after: Option<i64> = match asked.cursor() {
        None => None,
        Some(cursor) => Some(item_position(connection, id, cursor).await?),
    };
    let query = match asked.order {
        Order::Asc => {
            "select document from chat_thread_items
              where thread_id = $1 and not hidden and position > coalesce($2, -1)
              order by position limit $3"
        }
        Order::Desc => {
            "select document from chat_thread_items
              where thread_id = $1 and not hidden and position < coalesce($2, 9223372036854775807)
              order by position desc limit $3"
        }
    };
    let documents: Vec<String> = sqlx::query_scalar(query)
        .bind(id.as_str())
        .bind(after)
        .bind(cursor::rows_to_read(asked.rows()))
        .fetch_all(connection)
        .await?;
    let items = rows::items(&documents)?;
    Ok(cursor::page(items, asked.rows(), |item| item.id.as_str().to_owned()))
}

async fn item_position(connection: &mut SqliteConnection, id: &ThreadId, cursor: &str) -> Result<i64, StoreError> {
    let position: Option<i64> =
        sqlx::query_scalar("select position from chat_thread_items where thread_id = $1 and id = $2")
            .bind(id.as_str())
            .bind(cursor)
            .fetch_optional(connection)
            .await?;
    position.ok_or(StoreError::UnknownCursor)
}

pub(super) async fn item(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    item_id: &ItemId,
) -> Result<ThreadItem, StoreError> {
    let document: Option<String> =
        sqlx::query_scalar("select document from chat_thread_items where thread_id = $1 and id = $2")
            .bind(id.as_str())
            .bind(item_id.as_str())
            .fetch_optional(connection)
            .await?;
    rows::item(&document.ok_or(StoreError::NoItem)?)
}

pub(super) async fn item_notes(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    item_ids: &[ItemId],
) -> Result<HashMap<ItemId, ItemNote>, StoreError> {
    let rows = sqlx::query_as(
        "select id, model, n_tokens, n_tokens_input, grounding
           from chat_thread_items
          where thread_id = $1 and id in (select value from json_each($2))",
    )
    .bind(id.as_str())
    .bind(rows::json(&rows::names(item_ids))?)
    .fetch_all(connection)
    .await?;
    rows::notes(rows)
}

pub(super) async fn spent_since(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    since: Timestamp,
) -> Result<Tokens, StoreError> {
    let sums = sqlx::query_as(
        "select coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0)
           from chat_usage
          where owner = $1 and at >= $2",
    )
    .bind(owner.as_str())
    .bind(stamp(since))
    .fetch_one(connection)
    .await?;
    Ok(rows::tokens(sums))
}

pub(super) async fn keep_feedback(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
    item_ids: &[ItemId],
    kind: FeedbackKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into chat_feedback (thread_id, item_id, owner, kind, created_at, updated_at)
         select thread_id, id, $2, $3, $4, $4
           from chat_thread_items
          where thread_id = $1 and id in (select value from json_each($5))
             on conflict (thread_id, item_id, owner)
             do update set kind = excluded.kind, updated_at = excluded.updated_at",
    )
    .bind(id.as_str())
    .bind(owner.as_str())
    .bind(rows::feedback(kind))
    .bind(stamp(now))
    .bind(rows::json(&rows::names(item_ids))?)
    .execute(connection)
    .await?;
    Ok(())
}
