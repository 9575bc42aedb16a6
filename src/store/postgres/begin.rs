//! Beginning a turn: one statement, when all is well.
//!
//! All parts of a statement see the state from before the statement began, however long it then waited for a lock. So
//! the history that comes with a lease could lack what the turn before wrote in its last moment. Each write counts the
//! `revision` of its thread up; the statement reads it twice, once as it was before (`seen`) and once under the lock
//! (`thread`), and does nothing when they differ: then it is asked again by somebody who holds the lock already.
//!
//! What the turn is limited by is counted in between, when nothing but the count can keep it from beginning any more.
//! A turn that finds its thread busy looks whether it may begin, and counts nothing.

use chatkit_protocol::{ThreadId, ThreadItem, ThreadRecord, ThreadStatus};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{PgConnection, Postgres};

use super::connection::{Pool, first, in_transaction};
use super::counts::{ClaimColumns, exceeded};
use super::{amend, attachments, thread_name};
use crate::identity::OwnerId;
use crate::store::counts::{spent_up, units};
use crate::store::rows::{self, ItemRow, ThreadRow};
use crate::store::{BeginTurn, Begun, Opening, StoreError, TurnThread};

const BEGIN: &str = r#"
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
    ), held as materialized (
        select lease_until from chat_turns where thread_id = $2 and exists (select from thread) for no key update
    ), spent as materialized (
        select $20::text is not null
           and $22 <= (
                   select coalesce(sum(input_tokens::numeric + output_tokens), 0)
                     from chat_usage
                    where owner = $20 and at >= $21
               ) as up
    ), gate as materialized (
        select thread.id, coalesce((select lease_until < $5 from held), true) as is_free
          from thread, seen, last_kept, spent
         where seen.revision = thread.revision and last_kept.position is not null and not spent.up
           and (thread.status = '{"type":"active"}' or not $15)
    ), refused as materialized (
        select refusal.place, refusal.reset_at
          from gate cross join lateral limit_claim($16, $17, $18, $19, $5, gate.is_free) refusal
         where cardinality($16) > 0
    ), taken as (
        insert into chat_turns (thread_id, turn_id, lease_until)
        select gate.id, $3, $4
          from gate
         where gate.is_free and not exists (select from refused)
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
           exists (select from taken) as taken, spent.up as spent_up, refused.place, refused.reset_at,
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
     cross join last_kept
     cross join spent
      left join refused on true"#;

const BEGIN_NEW: &str = "
    with spent as materialized (
        select $24::text is not null
           and $26 <= (
                   select coalesce(sum(input_tokens::numeric + output_tokens), 0)
                     from chat_usage
                    where owner = $24 and at >= $25
               ) as up
    ), refused as materialized (
        select refusal.place, refusal.reset_at
          from spent cross join lateral limit_claim($20, $21, $22, $23, $5, true) refusal
         where not spent.up and cardinality($20) > 0
    ), thread as (
        insert into chat_threads
               (id, owner, user_id, title, status, allowed_image_domains, metadata, metadata_document, created_at,
                updated_at)
        select $2, $1, $6, $7, $8, $9, $10::jsonb, $11, $12, $5
          from spent
         where not spent.up and not exists (select from refused)
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
    select spent.up as spent_up, refused.place, refused.reset_at
      from spent left join refused on true";

#[derive(sqlx::FromRow)]
struct BegunRow {
    #[sqlx(flatten)]
    thread: ThreadRow,
    /// What the statement saw is still true; otherwise it has done nothing.
    fresh: bool,
    message_found: bool,
    taken: bool,
    #[sqlx(flatten)]
    refusal: RefusalRow,
    history: Vec<String>,
}

/// Which limit was reached, if one was.
#[derive(sqlx::FromRow)]
struct RefusalRow {
    spent_up: bool,
    /// From 1.
    place: Option<i64>,
    reset_at: Option<DateTime<Utc>>,
}

impl RefusalRow {
    fn check(&self, begin: &BeginTurn) -> Result<(), StoreError> {
        if let (true, Some(limit)) = (self.spent_up, &begin.tokens) {
            return Err(spent_up(limit));
        }
        self.place.zip(self.reset_at).map_or(Ok(()), |(place, until)| Err(exceeded(place, until)))
    }
}

pub(super) async fn begin(pool: &Pool, owner: &OwnerId, begin: &BeginTurn) -> Result<Begun, StoreError> {
    match &begin.thread {
        TurnThread::New(thread) => begin_new(pool, owner, thread, begin).await,
        TurnThread::Existing(id) => begin_existing(pool, owner, id, begin).await,
    }
}

async fn begin_new(
    pool: &Pool,
    owner: &OwnerId,
    thread: &ThreadRecord,
    begin: &BeginTurn,
) -> Result<Begun, StoreError> {
    let question = match &begin.opening {
        Opening::Question(question) => Some(question),
        Opening::Resume => None,
        Opening::Retry { .. } => return Err(StoreError::NoItem),
        Opening::Amend { .. } => return Err(StoreError::Changed),
    };
    if begin.only_active && thread.status != ThreadStatus::Active {
        return Err(StoreError::NotActive(thread.status.clone()));
    }
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
    let query: QueryAs<'_, Postgres, RefusalRow, PgArguments> = bind_limits(bind_question(query, question)?, begin);
    if begin.attachments.is_empty() {
        first(pool, query).await?.map_or(Ok(()), |refusal| refusal.check(begin))?;
    } else {
        in_transaction(pool, async |transaction| {
            query.fetch_one(&mut *transaction).await?.check(begin)?;
            attachments::claim(transaction, owner, &thread.id, &begin.attachments).await
        })
        .await?;
    }
    let history = question.cloned().into_iter().take(begin.history_items_max as usize).collect();
    Ok(Begun { thread: row.record()?, history })
}

async fn begin_existing(pool: &Pool, owner: &OwnerId, id: &ThreadId, begin: &BeginTurn) -> Result<Begun, StoreError> {
    let is_plain = begin.attachments.is_empty() && !matches!(begin.opening, Opening::Amend { .. });
    if is_plain {
        let row = first(pool, begin_query(owner, id, begin)?).await?.ok_or(StoreError::NoThread)?;
        if row.fresh {
            return begun(row, begin);
        }
    }
    in_transaction(pool, async |transaction| begin_under_lock(transaction, owner, id, begin).await).await
}

/// The same statement, begun when nobody else can write to the thread any more, after what goes with it.
async fn begin_under_lock(
    transaction: &mut PgConnection,
    owner: &OwnerId,
    id: &ThreadId,
    begin: &BeginTurn,
) -> Result<Begun, StoreError> {
    let locked = sqlx::query("select from chat_threads where owner = $1 and id = $2 for no key update")
        .bind(owner.as_str())
        .bind(thread_name(id)?)
        .fetch_optional(&mut *transaction)
        .await?;
    locked.ok_or(StoreError::NoThread)?;
    if let Opening::Amend { read, writes } = &begin.opening {
        amend::check_unchanged(transaction, id, read).await?;
        amend::apply(transaction, id, writes).await?;
    }
    let row = begin_query(owner, id, begin)?.fetch_optional(&mut *transaction).await?;
    let begun = begun(row.ok_or(StoreError::NoThread)?, begin)?;
    attachments::claim(transaction, owner, id, &begin.attachments).await?;
    Ok(begun)
}

fn begin_query<'q>(
    owner: &'q OwnerId,
    id: &'q ThreadId,
    begin: &'q BeginTurn,
) -> Result<QueryAs<'q, Postgres, BegunRow, PgArguments>, StoreError> {
    let (question, retried) = match &begin.opening {
        Opening::Question(question) => (Some(question), None),
        Opening::Retry { item_id } => (None, Some(item_id.as_str())),
        Opening::Amend { .. } | Opening::Resume => (None, None),
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
    Ok(bind_limits(bind_question(query, question)?.bind(begin.only_active), begin))
}

fn begun(row: BegunRow, begin: &BeginTurn) -> Result<Begun, StoreError> {
    let thread = row.thread.record()?;
    if begin.only_active && thread.status != ThreadStatus::Active {
        return Err(StoreError::NotActive(thread.status));
    }
    if !row.message_found {
        return Err(StoreError::NoItem);
    }
    row.refusal.check(begin)?;
    if !row.taken {
        return Err(StoreError::Busy);
    }
    let mut history = rows::items(&row.history)?;
    if let Opening::Question(question) = &begin.opening
        && begin.history_items_max > 0
    {
        history.push(question.clone());
    }
    Ok(Begun { thread, history })
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

/// Binds the seven values of what a turn is limited by.
fn bind_limits<'q, O>(
    query: QueryAs<'q, Postgres, O, PgArguments>,
    begin: &'q BeginTurn,
) -> QueryAs<'q, Postgres, O, PgArguments> {
    let ClaimColumns { keys, allowed, units: claimed, resets } = ClaimColumns::of(&begin.claims);
    let tokens = begin.tokens.as_ref();
    query
        .bind(keys)
        .bind(allowed)
        .bind(claimed)
        .bind(resets)
        .bind(tokens.map(|limit| limit.payer.as_str()))
        .bind(tokens.map(|limit| limit.since.utc()))
        .bind(tokens.map(|limit| units(limit.allowed)))
}
