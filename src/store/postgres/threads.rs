//! Threads, items and feedback: one statement, one round trip, each.

use chatkit_protocol::{ItemId, Order, Page, ThreadId, ThreadItem, ThreadRecord, Timestamp};

use super::connection::{Pool, all, first};
use super::thread_name;
use crate::identity::OwnerId;
use crate::store::rows::{self, ChangeRow, ThreadRow};
use crate::store::{FeedbackKind, Newest, PageQuery, StoreError, ThreadChange, cursor};

pub(super) async fn thread(pool: &Pool, owner: &OwnerId, id: &ThreadId) -> Result<ThreadRecord, StoreError> {
    let query = sqlx::query_as(
        "select id, title, created_at, status, allowed_image_domains,
                coalesce(metadata_document, metadata::text, '{}') as metadata
           from chat_threads
          where owner = $1 and id = $2",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?);
    let row: Option<ThreadRow> = first(pool, query).await?;
    row.ok_or(StoreError::NoThread)?.record()
}

pub(super) async fn threads(pool: &Pool, owner: &OwnerId, asked: &PageQuery) -> Result<Page<ThreadRecord>, StoreError> {
    let cursor = asked.cursor();
    if cursor.is_some_and(|cursor| !rows::can_be_stored(cursor)) {
        return Err(StoreError::UnknownCursor);
    }
    // A cursor that is not there compares with null, and then no row comes.
    let query = match asked.order {
        Order::Asc => {
            "select id, title, created_at, status, allowed_image_domains,
                    coalesce(metadata_document, metadata::text, '{}') as metadata
               from chat_threads
              where owner = $1
                and position > case
                    when $2::text is null then -1
                    else (select position from chat_threads where owner = $1 and id = $2)
                end
              order by position limit $3"
        }
        Order::Desc => {
            "select id, title, created_at, status, allowed_image_domains,
                    coalesce(metadata_document, metadata::text, '{}') as metadata
               from chat_threads
              where owner = $1
                and position < case
                    when $2::text is null then 9223372036854775807
                    else (select position from chat_threads where owner = $1 and id = $2)
                end
              order by position desc limit $3"
        }
    };
    let query = sqlx::query_as(query).bind(owner.as_str()).bind(cursor).bind(cursor::rows_to_read(asked.rows()));
    let rows: Vec<ThreadRow> = all(pool, query).await?;
    if let Some(cursor) = cursor
        && rows.is_empty()
        && !has_thread(pool, owner, cursor).await?
    {
        return Err(StoreError::UnknownCursor);
    }
    let threads = rows.into_iter().map(ThreadRow::record).collect::<Result<Vec<_>, _>>()?;
    Ok(cursor::page(threads, asked.rows(), |thread| thread.id.as_str().to_owned()))
}

async fn has_thread(pool: &Pool, owner: &OwnerId, id: &str) -> Result<bool, StoreError> {
    let query = sqlx::query_as("select true from chat_threads where owner = $1 and id = $2");
    let found: Option<(bool,)> = first(pool, query.bind(owner.as_str()).bind(id)).await?;
    Ok(found.is_some())
}

/// Changes the fields named; one that stays is not read, so two changes of different fields do not undo each other.
pub(super) async fn change(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    change: &ThreadChange,
    now: Timestamp,
) -> Result<ThreadRecord, StoreError> {
    let row = ChangeRow::new(change)?;
    let query = sqlx::query_as(
        "update chat_threads
            set title = case when $3 then $4 else title end,
                status = coalesce($5, status),
                allowed_image_domains = case when $6 then $7 else allowed_image_domains end,
                metadata_document = coalesce($8, metadata_document),
                metadata = coalesce($9::jsonb, metadata),
                updated_at = $10,
                revision = revision + 1
          where owner = $1 and id = $2
      returning id, title, created_at, status, allowed_image_domains,
                coalesce(metadata_document, metadata::text, '{}') as metadata",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(row.new_title)
    .bind(row.title)
    .bind(row.status)
    .bind(row.new_domains)
    .bind(row.allowed_image_domains)
    .bind(&row.metadata)
    .bind(row.metadata.as_deref().map(rows::for_jsonb).transpose()?)
    .bind(now.utc());
    let row: Option<ThreadRow> = first(pool, query).await?;
    row.ok_or(StoreError::NoThread)?.record()
}

/// Gives a thread a title if it has none.
pub(super) async fn entitle(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    title: &str,
    now: Timestamp,
) -> Result<Option<ThreadRecord>, StoreError> {
    let id = thread_name(id)?;
    let query = sqlx::query_as(
        "update chat_threads
            set title = $3, updated_at = $4, revision = revision + 1
          where owner = $1 and id = $2 and title is null
      returning id, title, created_at, status, allowed_image_domains,
                coalesce(metadata_document, metadata::text, '{}') as metadata",
    )
    .bind(owner.as_str())
    .bind(id)
    .bind(rows::without_nul(title))
    .bind(now.utc());
    let row: Option<ThreadRow> = first(pool, query).await?;
    match row {
        Some(row) => Ok(Some(row.record()?)),
        None if has_thread(pool, owner, id).await? => Ok(None),
        None => Err(StoreError::NoThread),
    }
}

pub(super) async fn delete(pool: &Pool, owner: &OwnerId, id: &ThreadId) -> Result<(), StoreError> {
    let Ok(id) = thread_name(id) else { return Ok(()) };
    let query = sqlx::query_as("delete from chat_threads where owner = $1 and id = $2 returning id");
    let _: Option<(String,)> = first(pool, query.bind(owner.as_str()).bind(id)).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ThreadWithItems {
    #[sqlx(flatten)]
    thread: ThreadRow,
    cursor_found: bool,
    documents: Vec<String>,
}

pub(super) async fn thread_with_items(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    asked: &PageQuery,
) -> Result<(ThreadRecord, Page<ThreadItem>), StoreError> {
    let storable = asked.cursor().is_none_or(rows::can_be_stored);
    let query = match asked.order {
        Order::Asc => {
            "select thread.id, thread.title, thread.created_at, thread.status, thread.allowed_image_domains,
                    coalesce(thread.metadata_document, thread.metadata::text, '{}') as metadata,
                    cursor.id is not null as cursor_found,
                    array(
                        select document from chat_thread_items
                         where thread_id = $2 and not hidden and position > coalesce(cursor.position, -1)
                         order by position limit $4
                    ) as documents
               from chat_threads thread
               left join chat_thread_items cursor on cursor.thread_id = thread.id and cursor.id = $3
              where thread.owner = $1 and thread.id = $2"
        }
        Order::Desc => {
            "select thread.id, thread.title, thread.created_at, thread.status, thread.allowed_image_domains,
                    coalesce(thread.metadata_document, thread.metadata::text, '{}') as metadata,
                    cursor.id is not null as cursor_found,
                    array(
                        select document from chat_thread_items
                         where thread_id = $2 and not hidden
                           and position < coalesce(cursor.position, 9223372036854775807)
                         order by position desc limit $4
                    ) as documents
               from chat_threads thread
               left join chat_thread_items cursor on cursor.thread_id = thread.id and cursor.id = $3
              where thread.owner = $1 and thread.id = $2"
        }
    };
    let query = sqlx::query_as(query)
        .bind(owner.as_str())
        .bind(thread_name(id)?)
        .bind(asked.cursor().filter(|_| storable))
        .bind(cursor::rows_to_read(asked.rows()));
    let row: Option<ThreadWithItems> = first(pool, query).await?;
    let row = row.ok_or(StoreError::NoThread)?;
    if asked.cursor().is_some() && !row.cursor_found {
        return Err(StoreError::UnknownCursor);
    }
    let items = rows::items(&row.documents)?;
    Ok((row.thread.record()?, cursor::page(items, asked.rows(), |item| item.id.as_str().to_owned())))
}

#[derive(sqlx::FromRow)]
struct ThreadWithNewest {
    #[sqlx(flatten)]
    thread: ThreadRow,
    documents: Vec<String>,
}

pub(super) async fn newest_items(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    asked: &Newest,
) -> Result<(ThreadRecord, Vec<ThreadItem>), StoreError> {
    let query = sqlx::query_as(
        "select thread.id, thread.title, thread.created_at, thread.status, thread.allowed_image_domains,
                coalesce(thread.metadata_document, thread.metadata::text, '{}') as metadata,
                array(
                    select document from chat_thread_items
                     where thread_id = $2 and not in_progress and ($3::text is null or type = $3)
                     order by position desc limit $4
                ) as documents
           from chat_threads thread
          where thread.owner = $1 and thread.id = $2",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(asked.kind)
    .bind(i64::from(asked.limit));
    let row: Option<ThreadWithNewest> = first(pool, query).await?;
    let row = row.ok_or(StoreError::NoThread)?;
    Ok((row.thread.record()?, rows::items(row.documents.iter().rev())?))
}

pub(super) async fn item(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    item_id: &ItemId,
) -> Result<ThreadItem, StoreError> {
    let query = sqlx::query_as(
        "select item.document
           from chat_threads thread
           left join chat_thread_items item on item.thread_id = thread.id and item.id = $3
          where thread.owner = $1 and thread.id = $2",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(Some(item_id.as_str()).filter(|id| rows::can_be_stored(id)));
    let found: Option<(Option<String>,)> = first(pool, query).await?;
    let (document,) = found.ok_or(StoreError::NoThread)?;
    rows::item(&document.ok_or(StoreError::NoItem)?)
}

pub(super) async fn keep_feedback(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    item_ids: &[ItemId],
    kind: FeedbackKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The items are held until the feedback that points at them is in: another turn may be deleting them. So is the
    // thread, which somebody else may be about to adopt.
    let query = sqlx::query_as(
        "with thread as materialized (
            select id from chat_threads where owner = $1 and id = $2 for share
         ), named as materialized (
            select item.thread_id, item.id
              from chat_thread_items item join thread on item.thread_id = thread.id
             where item.id = any ($3)
               for key share of item
         ), kept as (
            insert into chat_feedback (thread_id, item_id, owner, kind, created_at, updated_at)
            select thread_id, id, $1, $4, $5, $5 from named
                on conflict (thread_id, item_id, owner)
                do update set kind = excluded.kind, updated_at = excluded.updated_at
         )
         select id from thread",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(rows::names(item_ids))
    .bind(rows::feedback(kind))
    .bind(now.utc());
    let found: Option<(String,)> = first(pool, query).await?;
    found.map(|_| ()).ok_or(StoreError::NoThread)
}
