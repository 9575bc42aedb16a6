//! Turns seen from outside: asking one to stop, ending those that nobody renews.

use chatkit_protocol::{ThreadId, Timestamp};

use super::connection::{Pool, first};
use super::thread_name;
use crate::identity::OwnerId;
use crate::store::StoreError;

/// Asks whoever holds the thread to stop; tells whether the lease still runs.
pub(super) async fn ask_to_stop(
    pool: &Pool,
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
pub(super) async fn close_stale(pool: &Pool, now: Timestamp) -> Result<u64, StoreError> {
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
