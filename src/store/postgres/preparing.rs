//! Making the tables, or taking over those of an earlier back end: in one transaction, and with a sentence for each way
//! in which a database can stand against it.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::MIGRATIONS;
use crate::store::failure::{Migrated, OpenError};
use crate::store::migration;

/// The number under which instances queue to migrate: `chatkit` in ASCII.
const MIGRATION_LOCK: i64 = 0x0063_6861_746b_6974;

/// Lets the triggers of another program sleep, and remembers which were awake: they would date all old rows anew while
/// their columns are filled.
const QUIET: &str = "
    do $$
    declare
        found record;
    begin
        create temporary table chatkit_sleeping_triggers on commit drop as
        select trigger.tgrelid::regclass::text as held_by, trigger.tgname::text as name,
               case trigger.tgenabled when 'A' then 'always ' when 'R' then 'replica ' else '' end as mode
          from pg_trigger trigger
         where not trigger.tgisinternal and trigger.tgenabled <> 'D'
           and trigger.tgrelid = any (array(
               select to_regclass(name)
                 from unnest(array[
                     'chat_threads', 'chat_thread_items', 'users', 'user_software_background',
                     'user_hardware_background', 'auth_sessions', 'audit_logs'
                 ]) as name
           ));
        for found in select * from chatkit_sleeping_triggers loop
            execute format('alter table %s disable trigger %I', found.held_by, found.name);
        end loop;
    end
    $$";

/// Wakes them.
const LOUD: &str = "
    do $$
    declare
        found record;
    begin
        for found in select * from chatkit_sleeping_triggers loop
            execute format('alter table %s enable %strigger %I', found.held_by, found.mode, found.name);
        end loop;
    end
    $$";

/// What a turn does to the tables, in the shape in which it does it: one statement that holds a thread, changes it, and
/// stores items of every type, one of them large.
const REHEARSAL: &str = "
    with thread as materialized (
        select id from chat_threads where id = $1 for no key update
    ), touched as (
        update chat_threads set updated_at = now(), revision = revision + 1
          from thread
         where chat_threads.id = thread.id
    )
    insert into chat_thread_items (thread_id, id, type, role, content, document, hidden, in_progress)
    select thread.id, listed.type, listed.type, case listed.type when 'user_message' then 'user' end,
           to_jsonb(repeat('x', 65536)), '{}', false, true
      from thread
     cross join unnest($2::text[]) as listed (type)";

/// Every type of item that may have to go in.
const ITEM_TYPES: [&str; 11] = [
    "user_message",
    "assistant_message",
    "client_tool_call",
    "widget",
    "generated_image",
    "structured_input",
    "workflow",
    "task",
    "end_of_turn",
    "hidden_context_item",
    "sdk_hidden_context",
];

/// Migrates in one transaction, whose end also ends the lock: a lock of the session would be lost in a pooler.
pub(super) async fn migrate(connection: &mut PgConnection, lock_wait: Duration) -> Result<Migrated, OpenError> {
    let mut transaction = connection.begin().await.map_err(failed)?;
    let migrated = prepare(&mut transaction, lock_wait).await;
    // The names of the statements are the session's, and through a pooler that is somebody else's next.
    transaction.clear_cached_statements().await.map_err(failed)?;
    match migrated {
        Ok(migrated) => transaction.commit().await.map(|()| migrated).map_err(failed),
        Err(error) => transaction.rollback().await.map_err(failed).and(Err(error)),
    }
}

async fn prepare(transaction: &mut Transaction<'_, Postgres>, lock_wait: Duration) -> Result<Migrated, OpenError> {
    // An argument of a function rather than of `set`, which takes none.
    sqlx::query("select set_config('lock_timeout', $1, true), set_config('client_min_messages', 'warning', true)")
        .bind(format!("{}ms", lock_wait.as_millis()))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    let is_first = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is null");
    let is_first: bool = is_first.fetch_one(&mut **transaction).await.map_err(failed)?;
    match is_first {
        true => take_over(transaction).await,
        false => migration::run(&MIGRATIONS, &mut **transaction, false).await.map_err(told),
    }
}

/// The first time: there may be tables of another program, with triggers that do more than these tables need.
async fn take_over(transaction: &mut Transaction<'_, Postgres>) -> Result<Migrated, OpenError> {
    sqlx::raw_sql(QUIET).execute(&mut **transaction).await.map_err(failed)?;
    let migrated = migration::run(&MIGRATIONS, &mut **transaction, true).await.map_err(told)?;
    sqlx::raw_sql(LOUD).execute(&mut **transaction).await.map_err(failed)?;
    rehearse(transaction).await.map_err(|why| {
        OpenError::Migration(format!(
            "a trigger or rule of an earlier back end refuses what has to be stored ({}); look at the triggers of \
             `chat_threads` and `chat_thread_items`, and `alter table … disable trigger …` those that this server's \
             items do not pass, then try again",
            words(&why)
        ))
    })?;
    Ok(migrated)
}

/// Stores what turns will store, and takes it back.
async fn rehearse(transaction: &mut Transaction<'_, Postgres>) -> Result<(), sqlx::Error> {
    const THREAD: &str = "chatkit-gateway rehearsal";
    let mut rehearsal = transaction.begin().await?;
    sqlx::query("insert into chat_threads (id, owner) values ($1, 'stranger')")
        .bind(THREAD)
        .execute(&mut *rehearsal)
        .await?;
    let stored = sqlx::query(REHEARSAL).bind(THREAD).bind(ITEM_TYPES.as_slice()).execute(&mut *rehearsal).await?;
    if stored.rows_affected() != ITEM_TYPES.len() as u64 {
        return Err(sqlx::Error::Protocol("rows that were inserted are not there".to_owned()));
    }
    sqlx::raw_sql("set constraints all immediate").execute(&mut *rehearsal).await?;
    rehearsal.rollback().await
}

fn told(error: sqlx::migrate::MigrateError) -> OpenError {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(why) | MigrateError::ExecuteMigration(why, _) => failed(why),
        other => OpenError::Migration(other.to_string()),
    }
}

/// What stands in the way, and what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
fn failed(why: sqlx::Error) -> OpenError {
    let words = words(&why);
    let code = why.as_database_error().and_then(|told| told.code()).unwrap_or_default().into_owned();
    OpenError::Migration(match &*code {
        "55P03" => format!(
            "another session has one of the tables and does not let go of it ({words}); end it, or wait for its end, \
             and try again"
        ),
        "42501" => format!(
            "this role may not do it ({words}); let the owner of the tables run `chatkit-gateway migrate`, with \
             DATABASE_URL_DIRECT, or make this role their owner, and give it the right to create in the schema"
        ),
        "25006" => format!("this database only reads ({words}); give the address of the one that the replica copies"),
        "3F000" => format!("there is no schema for the tables ({words}); look at the role's `search_path`"),
        _ => words,
    })
}

/// What the database says, without the statement.
fn words(why: &sqlx::Error) -> String {
    why.as_database_error().map_or_else(|| why.to_string(), |told| told.message().to_owned())
}
