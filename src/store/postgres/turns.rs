//! Turns: taking a thread, writing to it, giving it back. One statement each, when all is well.
//!
//! All parts of a statement see the state from before the statement began, however long it then waited for a lock. So
//! the history that comes with a lease could lack what the turn before wrote in its last moment. Each write counts the
//! `revision` of its thread up; a statement reads it twice, once as it was before (`seen`) and once under the lock
//! (`thread`), and does nothing when they differ: then it is asked again by somebody who holds the lock already.

use chatkit_protocol::{ThreadId, ThreadItem, ThreadRecord, Timestamp};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::connection::{Lent, STATEMENT_WAIT_MAX, first};
use super::thread_name;
use crate::identity::OwnerId;
use crate::store::batch::Batch;
use crate::store::failure::silent;
use crate::store::rows::{self, ChangeRow, ItemRow, ThreadRow};
use crate::store::{BeginTurn, Begun, Lease, Opening, Standing, StoreError, TurnKey, TurnThread, Write};

const BEGIN: &str = "
    with seen as materialized (
        select revision from chat_threads where owner = $1 and id = $2
    ), thread as materialized (
        select id, title, created_at, status, allowed_image_domains,
               coalesce(metadata_document, metadata::text, '{}') as metadata, revision
          from chat_threads
         where owner = $1 and id = $2
           for no key update
    ), last_kept as materialized (
        select case
            when $6::text is null then 9223372036854775807
            else (
                select max(message.position)
                  from chat_thread_items named
                  join chat_thread_items message
                    on message.thread_id = named.thread_id and message.position <= named.position
                 where named.thread_id = $2 and named.id = $6 and message.type = 'user_message'
            )
        end as position
    ), taken as (
        insert into chat_turns (thread_id, turn_id, lease_until)
        select thread.id, $3, $4
          from thread, seen, last_kept
         where seen.revision = thread.revision and last_kept.position is not null
            on conflict (thread_id) do update
               set turn_id = excluded.turn_id, lease_until = excluded.lease_until, stop_requested = false
             where chat_turns.lease_until < $5
     returning thread_id
    ), touched as (
        update chat_threads set updated_at = $5, revision = chat_threads.revision + 1
          from taken
         where chat_threads.id = taken.thread_id
    ), finished as (
        update chat_thread_items item set in_progress = false
          from taken, last_kept
         where item.thread_id = taken.thread_id and item.in_progress and item.position <= last_kept.position
    ), cut as (
        delete from chat_thread_items item
         using taken, last_kept
         where item.thread_id = taken.thread_id and item.position > last_kept.position
    ), asked as (
        insert into chat_thread_items
               (thread_id, id, type, role, content, document, created_at, hidden, position)
        select thread_id, $8, $9, $10, $11::jsonb, $12, $13, $14, nextval('chat_position_seq')
          from taken
         where $8::text is not null
    )
    select thread.id, thread.title, thread.created_at, thread.status, thread.allowed_image_domains, thread.metadata,
           coalesce(seen.revision = thread.revision, false) as fresh,
           last_kept.position is not null as message_found,
           exists (select from taken) as taken,
           array(
               select document
                 from (
                     select document, position from chat_thread_items
                      where thread_id = $2 and position <= last_kept.position
                      order by position desc limit $7
                 ) as newest
                order by position
           ) as history
      from thread
      left join seen on true
     cross join last_kept";

const BEGIN_NEW: &str = "
    with thread as (
        insert into chat_threads
               (id, owner, user_id, title, status, allowed_image_domains, metadata, metadata_document, created_at,
                updated_at)
        values ($2, $1, $6, $7, $8, $9, $10::jsonb, $11, $12, $5)
     returning id
    ), taken as (
        insert into chat_turns (thread_id, turn_id, lease_until)
        select id, $3, $4 from thread
    ), asked as (
        insert into chat_thread_items
               (thread_id, id, type, role, content, document, created_at, hidden, position)
        select id, $13, $14, $15, $16::jsonb, $17, $18, $19, nextval('chat_position_seq')
          from thread
         where $13::text is not null
    )
    select id from thread";

const RECORD: &str = "
    with thread as materialized (
        select id from chat_threads where owner = $1 and id = $2 for no key update
    ), renewed as (
        update chat_turns turn set lease_until = greatest(turn.lease_until, $4)
          from thread
         where turn.thread_id = thread.id and turn.turn_id = $3 and $4::timestamptz is not null
     returning turn.thread_id, turn.stop_requested
    ), released as (
        delete from chat_turns turn
         using thread
         where turn.thread_id = thread.id and turn.turn_id = $3 and $4::timestamptz is null
     returning turn.thread_id, turn.stop_requested
    ), held as (
        select thread_id, stop_requested from renewed
        union all
        select thread_id, stop_requested from released
    ), touched as (
        update chat_threads
           set title = case when $7 then $8 else title end,
               status = coalesce($9, status),
               allowed_image_domains = case when $10 then $11 else allowed_image_domains end,
               metadata_document = coalesce($12, metadata_document),
               metadata = coalesce($13::jsonb, metadata),
               updated_at = case when $6 then $5 else updated_at end,
               revision = revision + 1
          from held
         where chat_threads.id = held.thread_id and ($6 or $4::timestamptz is null)
    ), finished as (
        update chat_thread_items item set in_progress = false
          from held
         where item.thread_id = held.thread_id and item.in_progress and $4::timestamptz is null
           and item.id <> all ($14) and item.id <> all ($24)
    ), gone as (
        delete from chat_thread_items item
         using held
         where item.thread_id = held.thread_id and item.id = any ($24)
    ), kept as (
        insert into chat_thread_items as item
               (thread_id, id, type, role, content, document, created_at, hidden, position, in_progress)
        select thread_id, id, type, role, content::jsonb, document, created_at, hidden, nextval('chat_position_seq'),
               not for_good and $4::timestamptz is not null
          from (
              select held.thread_id, listed.*
                from held
               cross join unnest($14, $15, $16, $17, $18, $19, $20, $21) with ordinality
                  as listed (id, type, role, content, document, created_at, hidden, for_good, place)
               order by listed.place
          ) as placed
            on conflict (thread_id, id) do update
               set type = excluded.type,
                   role = excluded.role,
                   content = excluded.content,
                   document = excluded.document,
                   created_at = excluded.created_at,
                   hidden = excluded.hidden,
                   position = case
                       when excluded.id = any ($23) or (item.in_progress and excluded.id = any ($22))
                       then excluded.position
                       else item.position
                   end,
                   in_progress = excluded.in_progress and (item.in_progress or excluded.id = any ($23))
    )
    select stop_requested from held";

#[derive(sqlx::FromRow)]
struct BegunRow {
    #[sqlx(flatten)]
    thread: ThreadRow,
    /// What the statement saw is still true; otherwise it has done nothing.
    fresh: bool,
    message_found: bool,
    taken: bool,
    history: Vec<String>,
}

pub(super) async fn begin(pool: &PgPool, owner: &OwnerId, begin: &BeginTurn) -> Result<Begun, StoreError> {
    match &begin.thread {
        TurnThread::New(thread) => begin_new(pool, owner, thread, begin).await,
        TurnThread::Existing(id) => begin_existing(pool, owner, id, begin).await,
    }
}

async fn begin_new(
    pool: &PgPool,
    owner: &OwnerId,
    thread: &ThreadRecord,
    begin: &BeginTurn,
) -> Result<Begun, StoreError> {
    let question = match &begin.opening {
        Opening::Question(question) => Some(question),
        Opening::Resume => None,
        Opening::Retry { .. } => return Err(StoreError::NoItem),
    };
    let row = ThreadRow::new(thread)?;
    let query = sqlx::query_as(BEGIN_NEW)
        .bind(owner.as_str())
        .bind(&row.id)
        .bind(&begin.turn_id)
        .bind(begin.lease_until.utc())
        .bind(begin.now.utc())
        .bind(rows::user_of(owner))
        .bind(&row.title)
        .bind(&row.status)
        .bind(&row.allowed_image_domains)
        .bind(rows::for_jsonb(&row.metadata)?)
        .bind(&row.metadata)
        .bind(row.created_at);
    let query = bind_question(query, question)?;
    let _: Option<(String,)> = first(pool, query).await?;
    let history = question.cloned().into_iter().take(begin.history_items_max as usize).collect();
    Ok(Begun { thread: row.record()?, history })
}

async fn begin_existing(pool: &PgPool, owner: &OwnerId, id: &ThreadId, begin: &BeginTurn) -> Result<Begun, StoreError> {
    let row = first(pool, begin_query(owner, id, begin)?).await?.ok_or(StoreError::NoThread)?;
    if row.fresh {
        return begun(row, begin);
    }
    let mut lent = Lent::from(pool).await?;
    let waited = timeout(STATEMENT_WAIT_MAX, begin_under_lock(lent.begin(), owner, id, begin)).await;
    let waited = waited.map_err(|_| silent(STATEMENT_WAIT_MAX))?;
    lent.done();
    begun(waited?, begin)
}

/// The same statement, begun when nobody else can write to the thread any more.
async fn begin_under_lock(
    connection: &mut PgConnection,
    owner: &OwnerId,
    id: &ThreadId,
    begin: &BeginTurn,
) -> Result<BegunRow, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select from chat_threads where owner = $1 and id = $2 for no key update")
        .bind(owner.as_str())
        .bind(thread_name(id)?)
        .execute(&mut *transaction)
        .await?;
    let row = begin_query(owner, id, begin)?.fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    row.ok_or(StoreError::NoThread)
}

fn begin_query<'q>(
    owner: &'q OwnerId,
    id: &'q ThreadId,
    begin: &'q BeginTurn,
) -> Result<QueryAs<'q, Postgres, BegunRow, PgArguments>, StoreError> {
    let (question, retried) = match &begin.opening {
        Opening::Question(question) => (Some(question), None),
        Opening::Retry { item_id } => (None, Some(item_id.as_str())),
        Opening::Resume => (None, None),
    };
    // An id that cannot be stored is nobody's, and neither is an empty one.
    let retried = retried.map(|id| if rows::can_be_stored(id) { id } else { "" });
    // The statement does not see the question it stores, so one place of the history is left for it.
    let earlier_max = i64::from(begin.history_items_max) - i64::from(question.is_some());
    let query = sqlx::query_as(BEGIN)
        .bind(owner.as_str())
        .bind(thread_name(id)?)
        .bind(&begin.turn_id)
        .bind(begin.lease_until.utc())
        .bind(begin.now.utc())
        .bind(retried)
        .bind(earlier_max.max(0));
    bind_question(query, question)
}

fn begun(row: BegunRow, begin: &BeginTurn) -> Result<Begun, StoreError> {
    if !row.message_found {
        return Err(StoreError::NoItem);
    }
    if !row.taken {
        return Err(StoreError::Busy);
    }
    let mut history = rows::items(&row.history)?;
    if let Opening::Question(question) = &begin.opening
        && begin.history_items_max > 0
    {
        history.push(question.clone());
    }
    Ok(Begun { thread: row.thread.record()?, history })
}

/// Binds the seven values of a question, or seven nulls.
fn bind_question<'q, O>(
    query: QueryAs<'q, Postgres, O, PgArguments>,
    question: Option<&ThreadItem>,
) -> Result<QueryAs<'q, Postgres, O, PgArguments>, StoreError> {
    let row = question.map(|question| ItemRow::new(question, true)).transpose()?;
    let (id, kind, role, content, document, created_at, hidden) = match row {
        Some(ItemRow { id, kind, role, content, document, created_at, hidden }) => {
            (Some(id), Some(kind), role, content, Some(document), Some(created_at), Some(hidden))
        }
        None => (None, None, None, None, None, None, None),
    };
    Ok(query.bind(id).bind(kind).bind(role).bind(content).bind(document).bind(created_at).bind(hidden))
}

/// The kept items of a batch, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<String>,
    kinds: Vec<&'static str>,
    roles: Vec<Option<&'static str>>,
    contents: Vec<Option<String>>,
    documents: Vec<String>,
    created: Vec<DateTime<Utc>>,
    hidden: Vec<bool>,
    for_good: Vec<bool>,
    ids_for_good: Vec<String>,
    ids_anew: Vec<String>,
}

impl Columns {
    fn of(batch: &Batch<'_>) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for kept in &batch.kept {
            let row = ItemRow::new(kept.item, kept.for_good)?;
            if kept.for_good {
                columns.ids_for_good.push(row.id.clone());
            }
            if kept.anew {
                columns.ids_anew.push(row.id.clone());
            }
            columns.ids.push(row.id);
            columns.kinds.push(row.kind);
            columns.roles.push(row.role);
            columns.contents.push(row.content);
            columns.documents.push(row.document);
            columns.created.push(row.created_at);
            columns.hidden.push(row.hidden);
            columns.for_good.push(kept.for_good);
        }
        Ok(columns)
    }
}

pub(super) async fn record(
    pool: &PgPool,
    turn: &TurnKey,
    writes: &[Write],
    lease: Lease,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let Ok(thread_id) = thread_name(&turn.thread_id) else { return Err(StoreError::TurnLost) };
    let batch = Batch::fold(writes);
    let change = ChangeRow::new(&batch.change)?;
    let columns = Columns::of(&batch)?;
    let until = match lease {
        Lease::Until(until) => Some(until.utc()),
        Lease::Release => None,
    };
    let query = sqlx::query_as(RECORD)
        .bind(turn.owner.as_str())
        .bind(thread_id)
        .bind(&turn.turn_id)
        .bind(until)
        .bind(now.utc())
        .bind(!writes.is_empty())
        .bind(change.new_title)
        .bind(change.title)
        .bind(change.status)
        .bind(change.new_domains)
        .bind(change.allowed_image_domains)
        .bind(&change.metadata)
        .bind(change.metadata.as_deref().map(rows::for_jsonb).transpose()?)
        .bind(columns.ids)
        .bind(columns.kinds)
        .bind(columns.roles)
        .bind(columns.contents)
        .bind(columns.documents)
        .bind(columns.created)
        .bind(columns.hidden)
        .bind(columns.for_good)
        .bind(columns.ids_for_good)
        .bind(columns.ids_anew)
        .bind(rows::names(batch.deleted));
    let held: Option<(bool,)> = first(pool, query).await?;
    match held {
        None => Err(StoreError::TurnLost),
        Some((true,)) => Ok(Standing::Stop),
        Some((false,)) => Ok(Standing::GoOn),
    }
}

/// Asks whoever holds the thread to stop; tells whether the lease still runs.
pub(super) async fn ask_to_stop(
    pool: &PgPool,
    owner: &OwnerId,
    id: &ThreadId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query_as(
        "with thread as materialized (
            select id from chat_threads where owner = $1 and id = $2
         ), asked as (
            update chat_turns turn set stop_requested = true
              from thread
             where turn.thread_id = thread.id
         returning turn.lease_until >= $3 as runs
         )
         select coalesce((select runs from asked), false) from thread",
    )
    .bind(owner.as_str())
    .bind(thread_name(id)?)
    .bind(now.utc());
    let asked: Option<(bool,)> = first(pool, query).await?;
    asked.map(|(runs,)| runs).ok_or(StoreError::NoThread)
}

/// Threads that somebody is writing to right now are passed over: whoever does so renews the lease or takes it over.
pub(super) async fn close_stale(pool: &PgPool, now: Timestamp) -> Result<u64, StoreError> {
    let query = sqlx::query_as(
        "with stale as materialized (
            select thread.id
              from chat_turns turn join chat_threads thread on thread.id = turn.thread_id
             where turn.lease_until < $1
               for no key update of thread skip locked
         ), closed as (
            delete from chat_turns turn
             using stale
             where turn.thread_id = stale.id and turn.lease_until < $1
         returning turn.thread_id
         ), finished as (
            update chat_thread_items item set in_progress = false
              from closed
             where item.thread_id = closed.thread_id and item.in_progress
         ), touched as (
            update chat_threads set revision = revision + 1
              from closed
             where chat_threads.id = closed.thread_id
         )
         select count(*) from closed",
    )
    .bind(now.utc());
    let closed: Option<(i64,)> = first(pool, query).await?;
    Ok(closed.and_then(|(count,)| u64::try_from(count).ok()).unwrap_or(0))
}
