//! Turns: taking a thread, writing to it, giving it back.

use chatkit_protocol::{ItemId, ThreadId, ThreadItem, ThreadStatus, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::{adoption, attachments, counts, stamp, threads};
use crate::identity::OwnerId;
use crate::store::adoption::at_cost_of;
use crate::store::batch::{Batch, Kept};
use crate::store::counts::spent_up;
use crate::store::rows::{self, ItemRow, NoteRow, USER_MESSAGE};
use crate::store::{
    BeginTurn, Begun, ItemNote, Lease, Newest, Opening, Spent, Standing, StoreError, TurnKey, TurnThread, Write,
};

pub(super) async fn begin(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    begin: &BeginTurn,
) -> Result<Begun, StoreError> {
    let thread = match &begin.thread {
        TurnThread::New(thread) => threads::insert(connection, owner, thread, begin.now).await?,
        TurnThread::Existing(id) => threads::thread(connection, owner, id).await?,
    };
    if begin.only_active && thread.status != ThreadStatus::Active {
        return Err(StoreError::NotActive(thread.status));
    }
    let last_kept = match &begin.opening {
        Opening::Retry { item_id } => Some(message_before(connection, &thread.id, item_id).await?),
        Opening::Question(_) | Opening::Amend { .. } | Opening::Resume => None,
    };
    if let Opening::Amend { read, .. } = &begin.opening {
        check_unchanged(connection, &thread.id, read).await?;
    }
    check_spent(connection, begin).await?;
    // Whatever keeps the turn from beginning after this undoes the count as well.
    counts::claim(connection, &begin.claims, begin.now).await?;
    attachments::claim(connection, owner, &thread.id, &begin.attachments).await?;
    take(connection, &thread.id, begin).await?;
    finish_all(connection, &thread.id).await?;
    if let Some(position) = last_kept {
        delete_after(connection, &thread.id, position).await?;
    }
    match &begin.opening {
        Opening::Question(question) => insert(connection, &thread.id, question).await?,
        Opening::Amend { writes, .. } => apply(connection, &thread.id, &Batch::fold(writes)).await?,
        Opening::Retry { .. } | Opening::Resume => {}
    }
    threads::change(connection, owner, &thread.id, &Default::default(), begin.now).await?;
    let history = newest(connection, &thread.id, &Newest { kind: None, limit: begin.history_items_max }).await?;
    Ok(Begun { thread, history })
}

/// Whether items are still as somebody read them.
async fn check_unchanged(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    read: &[ThreadItem],
) -> Result<(), StoreError> {
    for item in read {
        match threads::item(connection, id, &item.id).await {
            Ok(stored) if stored == *item => {}
            Ok(_) | Err(StoreError::NoItem) => return Err(StoreError::Changed),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether turns may still cost something.
async fn check_spent(connection: &mut SqliteConnection, begin: &BeginTurn) -> Result<(), StoreError> {
    let Some(limit) = &begin.tokens else { return Ok(()) };
    let spent = threads::spent_since(connection, &limit.payer, limit.since).await?;
    if spent.input.saturating_add(spent.output) < limit.allowed { Ok(()) } else { Err(spent_up(limit)) }
}

/// The position of the user message that an item stands for.
async fn message_before(connection: &mut SqliteConnection, id: &ThreadId, item_id: &ItemId) -> Result<i64, StoreError> {
    let position: Option<i64> = sqlx::query_scalar(
        "select max(message.position)
           from chat_thread_items named
           join chat_thread_items message on message.thread_id = named.thread_id
          where named.thread_id = $1 and named.id = $2 and message.type = $3 and message.position <= named.position",
    )
    .bind(id.as_str())
    .bind(item_id.as_str())
    .bind(USER_MESSAGE)
    .fetch_one(connection)
    .await?;
    position.ok_or(StoreError::NoItem)
}

/// Takes the lease, if nobody has it or whoever has it is late.
async fn take(connection: &mut SqliteConnection, id: &ThreadId, begin: &BeginTurn) -> Result<(), StoreError> {
    let taken = sqlx::query(
        "insert into chat_turns (thread_id, turn_id, lease_until)
         values ($1, $2, $3)
         on conflict (thread_id) do update
            set turn_id = excluded.turn_id, lease_until = excluded.lease_until, stop_requested = 0
          where chat_turns.lease_until < $4",
    )
    .bind(id.as_str())
    .bind(&begin.turn_id)
    .bind(stamp(begin.lease_until))
    .bind(stamp(begin.now))
    .execute(connection)
    .await?;
    if taken.rows_affected() == 0 { Err(StoreError::Busy) } else { Ok(()) }
}

/// What was in progress stays as it is, for good.
async fn finish_all(connection: &mut SqliteConnection, id: &ThreadId) -> Result<(), StoreError> {
    sqlx::query("update chat_thread_items set in_progress = 0 where thread_id = $1 and in_progress")
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_after(connection: &mut SqliteConnection, id: &ThreadId, position: i64) -> Result<(), StoreError> {
    sqlx::query("delete from chat_thread_items where thread_id = $1 and position > $2")
        .bind(id.as_str())
        .bind(position)
        .execute(connection)
        .await?;
    Ok(())
}

/// Inserts an item that must not be there yet.
async fn insert(connection: &mut SqliteConnection, id: &ThreadId, item: &ThreadItem) -> Result<(), StoreError> {
    let row = ItemRow::new(item, true)?;
    sqlx::query(
        "insert into chat_thread_items
            (thread_id, id, type, role, content, document, created_at, hidden, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8,
                 (select coalesce(max(position), 0) + 1 from chat_thread_items where thread_id = $1))",
    )
    .bind(id.as_str())
    .bind(&row.id)
    .bind(row.kind)
    .bind(row.role)
    .bind(&row.content)
    .bind(&row.document)
    .bind(stamp(item.created_at))
    .bind(row.hidden)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest items that are not in progress, oldest first.
pub(super) async fn newest(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    asked: &Newest,
) -> Result<Vec<ThreadItem>, StoreError> {
    let documents: Vec<String> = sqlx::query_scalar(
        "select document from chat_thread_items
          where thread_id = $1 and not in_progress and ($2 is null or type = $2)
          order by position desc limit $3",
    )
    .bind(id.as_str())
    .bind(asked.kind)
    .bind(asked.limit)
    .fetch_all(connection)
    .await?;
    rows::items(documents.iter().rev())
}

pub(super) async fn record(
    connection: &mut SqliteConnection,
    turn: &TurnKey,
    writes: &[Write],
    lease: Lease,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let (owner, stop_requested) = hold(connection, turn, lease).await?;
    let adopted = (owner != turn.owner).then(|| at_cost_of(&owner, &turn.owner, writes));
    let batch = Batch::fold(adopted.as_deref().unwrap_or(writes));
    apply(connection, &turn.thread_id, &batch).await?;
    spend(connection, &batch, now).await?;
    if lease == Lease::Release {
        finish_all(connection, &turn.thread_id).await?;
    }
    if !writes.is_empty() {
        threads::change(connection, &owner, &turn.thread_id, &batch.change, now).await?;
    }
    Ok(if stop_requested { Standing::Stop } else { Standing::GoOn })
}

/// Keeps something in a thread that is known to be theirs, without looking at turns.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    id: &ThreadId,
    writes: &[Write],
    now: Timestamp,
) -> Result<(), StoreError> {
    let batch = Batch::fold(writes);
    apply(connection, id, &batch).await?;
    spend(connection, &batch, now).await?;
    threads::change(connection, owner, id, &batch.change, now).await
}

/// Deletes and keeps the items of a batch.
async fn apply(connection: &mut SqliteConnection, id: &ThreadId, batch: &Batch<'_>) -> Result<(), StoreError> {
    for item_id in &batch.deleted {
        delete(connection, id, item_id).await?;
    }
    for kept in &batch.kept {
        keep(connection, id, kept).await?;
    }
    for (item_id, note) in &batch.noted {
        lay_over(connection, id, item_id, note).await?;
    }
    Ok(())
}

/// Lays a note over what is known of an item.
async fn lay_over(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    item_id: &ItemId,
    note: &ItemNote,
) -> Result<(), StoreError> {
    let note = NoteRow::new(note)?;
    sqlx::query(
        "update chat_thread_items
            set model = coalesce($3, model),
                n_tokens = coalesce($4, n_tokens),
                n_tokens_input = coalesce($5, n_tokens_input),
                grounding = coalesce($6, grounding)
          where thread_id = $1 and id = $2",
    )
    .bind(id.as_str())
    .bind(item_id.as_str())
    .bind(note.model)
    .bind(note.n_tokens)
    .bind(note.n_tokens_input)
    .bind(note.grounding)
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts what turns have cost so far.
async fn spend(connection: &mut SqliteConnection, batch: &Batch<'_>, now: Timestamp) -> Result<(), StoreError> {
    for Spent { turn_id, payer, tokens } in &batch.spent {
        sqlx::query(
            "insert into chat_usage (turn_id, owner, at, input_tokens, output_tokens)
             values ($1, $2, $3, $4, $5)
             on conflict (turn_id) do update
                set input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens",
        )
        .bind(turn_id)
        .bind(payer.as_str())
        .bind(stamp(now))
        .bind(rows::count(tokens.input))
        .bind(rows::count(tokens.output))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Renews the lease or gives it back. Whose the thread is, and whether somebody wants the turn to stop.
async fn hold(connection: &mut SqliteConnection, turn: &TurnKey, lease: Lease) -> Result<(OwnerId, bool), StoreError> {
    if let Some(stop_requested) = hold_as(connection, &turn.owner, turn, lease).await? {
        return Ok((turn.owner.clone(), stop_requested));
    }
    let adopter = adoption::adopter(connection, &turn.owner).await?.ok_or(StoreError::TurnLost)?;
    let stop_requested = hold_as(connection, &adopter, turn, lease).await?.ok_or(StoreError::TurnLost)?;
    Ok((adopter, stop_requested))
}

/// The same in the name of one owner; nothing when the turn does not hold a thread of theirs.
async fn hold_as(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    turn: &TurnKey,
    lease: Lease,
) -> Result<Option<bool>, StoreError> {
    let held = match lease {
        Lease::Until(until) => sqlx::query_scalar(
            "update chat_turns
                set lease_until = max(lease_until, $4)
              where thread_id = $1 and turn_id = $2
                and exists (select 1 from chat_threads where id = $1 and owner = $3)
          returning stop_requested",
        )
        .bind(turn.thread_id.as_str())
        .bind(&turn.turn_id)
        .bind(owner.as_str())
        .bind(stamp(until)),
        Lease::Release => sqlx::query_scalar(
            "delete from chat_turns
              where thread_id = $1 and turn_id = $2
                and exists (select 1 from chat_threads where id = $1 and owner = $3)
          returning stop_requested",
        )
        .bind(turn.thread_id.as_str())
        .bind(&turn.turn_id)
        .bind(owner.as_str()),
    };
    Ok(held.fetch_optional(connection).await?)
}

/// Inserts or replaces an item. It moves when it is new, or saved after it was only in progress.
async fn keep(connection: &mut SqliteConnection, id: &ThreadId, kept: &Kept<'_>) -> Result<(), StoreError> {
    let row = ItemRow::new(kept.item, kept.for_good)?;
    let note = NoteRow::new(&kept.note)?;
    sqlx::query(
        "insert into chat_thread_items
            (thread_id, id, type, role, content, document, created_at, hidden, in_progress, model, n_tokens,
             n_tokens_input, grounding, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8, not $9, $11, $12, $13, $14,
                 (select coalesce(max(position), 0) + 1 from chat_thread_items where thread_id = $1))
         on conflict (thread_id, id) do update
            set type = excluded.type,
                role = excluded.role,
                content = excluded.content,
                document = excluded.document,
                created_at = excluded.created_at,
                hidden = excluded.hidden,
                position = case
                    when $10 or (chat_thread_items.in_progress and $9) then excluded.position
                    else chat_thread_items.position
                end,
                in_progress = not $9 and ($10 or chat_thread_items.in_progress),
                model = coalesce($11, iif($10, null, chat_thread_items.model)),
                n_tokens = coalesce($12, iif($10, null, chat_thread_items.n_tokens)),
                n_tokens_input = coalesce($13, iif($10, null, chat_thread_items.n_tokens_input)),
                grounding = coalesce($14, iif($10, null, chat_thread_items.grounding))",
    )
    .bind(id.as_str())
    .bind(&row.id)
    .bind(row.kind)
    .bind(row.role)
    .bind(&row.content)
    .bind(&row.document)
    .bind(stamp(kept.item.created_at))
    .bind(row.hidden)
    .bind(kept.for_good)
    .bind(kept.anew)
    .bind(note.model)
    .bind(note.n_tokens)
    .bind(note.n_tokens_input)
    .bind(note.grounding)
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, id: &ThreadId, item_id: &ItemId) -> Result<(), StoreError> {
    sqlx::query("delete from chat_thread_items where thread_id = $1 and id = $2")
        .bind(id.as_str())
        .bind(item_id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Asks whoever holds the thread to stop; tells whether the lease still runs.
pub(super) async fn ask_to_stop(
    connection: &mut SqliteConnection,
    id: &ThreadId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let running: Option<bool> =
        sqlx::query_scalar("update chat_turns set stop_requested = 1 where thread_id = $1 returning lease_until >= $2")
            .bind(id.as_str())
            .bind(stamp(now))
            .fetch_optional(connection)
            .await?;
    Ok(running.unwrap_or(false))
}

pub(super) async fn close_stale(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreError> {
    sqlx::query(
        "update chat_thread_items set in_progress = 0
          where in_progress and thread_id in (select thread_id from chat_turns where lease_until < $1)",
    )
    .bind(stamp(now))
    .execute(&mut *connection)
    .await?;
    let closed =
        sqlx::query("delete from chat_turns where lease_until < $1").bind(stamp(now)).execute(connection).await?;
    Ok(closed.rows_affected())
}
