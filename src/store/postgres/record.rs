//! Writing in a turn: one statement, whatever is written.
//!
//! No two parts of it may change the same row: which of them did would be left to chance.

use chatkit_protocol::{ThreadId, Timestamp};
use chrono::{DateTime, Utc};

use super::connection::{Pool, first};
use super::{PostgresStore, thread_name};
use crate::identity::OwnerId;
use crate::store::adoption::at_cost_of;
use crate::store::batch::Batch;
use crate::store::rows::{self, ChangeRow, ItemRow, NoteRow};
use crate::store::{AdoptionStore, ItemNote, Lease, Standing, StoreError, Tokens, TurnKey, Write};

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
        union all
        select id, false from thread where $3::text is null
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
           and item.id <> all ($14) and item.id <> all ($24) and item.id <> all ($29)
    ), gone as (
        delete from chat_thread_items item
         using held
         where item.thread_id = held.thread_id and item.id = any ($24)
    ), kept as (
        insert into chat_thread_items as item
               (thread_id, id, type, role, content, document, created_at, hidden, position, in_progress, model, n_tokens,
                n_tokens_input, grounding)
        select thread_id, id, type, role, content::jsonb, document, created_at, hidden, nextval('chat_position_seq'),
               not for_good and $4::timestamptz is not null, model, n_tokens, n_tokens_input, grounding::jsonb
          from (
              select held.thread_id, listed.*
                from held
               cross join unnest($14, $15, $16, $17, $18, $19, $20, $21, $25, $26, $27, $28) with ordinality
                  as listed (id, type, role, content, document, created_at, hidden, for_good, model, n_tokens,
                             n_tokens_input, grounding, place)
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
                   in_progress = excluded.in_progress and (item.in_progress or excluded.id = any ($23)),
                   model = coalesce(excluded.model, case when excluded.id <> all ($23) then item.model end),
                   n_tokens = coalesce(excluded.n_tokens, case when excluded.id <> all ($23) then item.n_tokens end),
                   n_tokens_input =
                       coalesce(excluded.n_tokens_input, case when excluded.id <> all ($23) then item.n_tokens_input end),
                   grounding = coalesce(excluded.grounding, case when excluded.id <> all ($23) then item.grounding end)
    ), noted as (
        update chat_thread_items item
           set model = coalesce(said.model, item.model),
               n_tokens = coalesce(said.n_tokens, item.n_tokens),
               n_tokens_input = coalesce(said.n_tokens_input, item.n_tokens_input),
               grounding = coalesce(said.grounding::jsonb, item.grounding),
               in_progress = item.in_progress and $4::timestamptz is not null
          from held
         cross join unnest($29, $30, $31, $32, $33) as said (id, model, n_tokens, n_tokens_input, grounding)
         where item.thread_id = held.thread_id and item.id = said.id
    ), spent as (
        insert into chat_usage (turn_id, owner, at, input_tokens, output_tokens)
        select said.turn_id, said.payer, $5, said.input_tokens, said.output_tokens
          from held
         cross join unnest($34, $35, $36, $37) as said (turn_id, payer, input_tokens, output_tokens)
            on conflict (turn_id) do update
               set input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens
    )
    select stop_requested from held";

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
    notes: NoteColumns,
}

/// Notes, column by column.
#[derive(Default)]
struct NoteColumns {
    models: Vec<Option<String>>,
    tokens: Vec<Option<i32>>,
    tokens_input: Vec<Option<i32>>,
    groundings: Vec<Option<String>>,
}

impl NoteColumns {
    fn push(&mut self, note: &ItemNote) -> Result<(), StoreError> {
        let NoteRow { model, n_tokens, n_tokens_input, grounding } = NoteRow::new(note)?;
        self.models.push(model);
        self.tokens.push(n_tokens);
        self.tokens_input.push(n_tokens_input);
        self.groundings.push(grounding);
        Ok(())
    }
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
            columns.notes.push(&kept.note)?;
        }
        Ok(columns)
    }
}

pub(super) async fn record(
    store: &PostgresStore,
    turn: &TurnKey,
    writes: &[Write],
    lease: Lease,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let Ok(thread_id) = thread_name(&turn.thread_id) else { return Err(StoreError::TurnLost) };
    let turn_id = Some(&*turn.turn_id);
    let mut held = write(&store.pool, &turn.owner, thread_id, turn_id, writes, lease, now).await?;
    if held.is_none()
        && let Some(adopter) = store.adopter(&turn.owner).await?
    {
        let writes = at_cost_of(&adopter, &turn.owner, writes);
        held = write(&store.pool, &adopter, thread_id, turn_id, &writes, lease, now).await?;
    }
    match held {
        None => Err(StoreError::TurnLost),
        Some(true) => Ok(Standing::Stop),
        Some(false) => Ok(Standing::GoOn),
    }
}

/// Writes outside of any turn, whether or not one runs.
pub(super) async fn keep(
    pool: &Pool,
    owner: &OwnerId,
    id: &ThreadId,
    writes: &[Write],
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept = write(pool, owner, thread_name(id)?, None, writes, Lease::Until(now), now).await?;
    kept.map(|_| ()).ok_or(StoreError::NoThread)
}

/// Writes in the name of a turn, or of none. Whether the turn shall stop; nothing when there is no such thread, or the
/// turn does not hold it.
async fn write(
    pool: &Pool,
    owner: &OwnerId,
    thread_id: &str,
    turn_id: Option<&str>,
    writes: &[Write],
    lease: Lease,
    now: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let batch = Batch::fold(writes);
    let change = ChangeRow::new(&batch.change)?;
    let columns = Columns::of(&batch)?;
    let (mut noted_ids, mut noted) = (Vec::new(), NoteColumns::default());
    for (id, note) in batch.noted.iter().filter(|(id, _)| rows::can_be_stored(id.as_str())) {
        noted_ids.push(id.as_str().to_owned());
        noted.push(note)?;
    }
    let spent = |column: fn(&Tokens) -> u64| -> Vec<i64> {
        batch.spent.iter().map(|spent| rows::count(column(&spent.tokens))).collect()
    };
    let until = match lease {
        Lease::Until(until) => Some(until.utc()),
        Lease::Release => None,
    };
    let query = sqlx::query_as(RECORD)
        .bind(owner.as_str())
        .bind(thread_id)
        .bind(turn_id)
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
        .bind(rows::names(batch.deleted.iter().copied()))
        .bind(columns.notes.models)
        .bind(columns.notes.tokens)
        .bind(columns.notes.tokens_input)
        .bind(columns.notes.groundings)
        .bind(noted_ids)
        .bind(noted.models)
        .bind(noted.tokens)
        .bind(noted.tokens_input)
        .bind(noted.groundings)
        .bind(batch.spent.iter().map(|spent| spent.turn_id.clone()).collect::<Vec<_>>())
        .bind(batch.spent.iter().map(|spent| spent.payer.as_str().to_owned()).collect::<Vec<_>>())
        .bind(spent(|tokens| tokens.input))
        .bind(spent(|tokens| tokens.output));
    let held: Option<(bool,)> = first(pool, query).await?;
    Ok(held.map(|(stop_requested,)| stop_requested))
}
