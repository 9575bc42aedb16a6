//! Preparing the tables on a Postgres that somebody uses: in any order, by several at once, and not in vain.

use std::collections::BTreeSet;
use std::time::Duration;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::postgres::{PostgresOptions, PostgresStore};
use chatkit_gateway::store::{Opening, ThreadStore, TurnThread};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::originals;
use crate::cli::program::Home;
use crate::store_contract::scene::{ada, begin, question, record};
use crate::support::postgres::TestDatabase;

/// Short, for tests in which the lock is never let go.
const LOCK_WAIT: Duration = Duration::from_millis(200);

async fn store_at(url: &SecretString) -> PostgresStore {
    let options = PostgresOptions { lock_wait: LOCK_WAIT, ..PostgresOptions::default() };
    PostgresStore::open(url, &options).await.unwrap()
}

/// Why the tables at this address cannot be prepared.
async fn refusal(url: &SecretString) -> String {
    store_at(url).await.migrate().await.expect_err("something stands against it").to_string()
}

async fn tables(connection: &mut PgConnection, schema: &str) -> BTreeSet<String> {
    let names: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = $1")
        .bind(schema)
        .fetch_all(connection)
        .await
        .unwrap();
    names.into_iter().collect()
}

async fn begin_a_thread(store: &PostgresStore) {
    let mut wish = begin("t", "turn", Opening::Question(question("t", "q")));
    wish.thread = TurnThread::New(record("t"));
    store.begin_turn(&ada(), &wish).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_at_once_take_an_old_database_over_once() {
    let database = originals::database().await;
    let url = database.url();
    let programs = (0..3).map(|_| {
        let url = url.expose_secret().to_owned();
        tokio::task::spawn_blocking(move || Home::new().run_with(&[("DATABASE_URL", &url)], &["migrate"]).well())
    });
    let told: Vec<String> = join_all(programs).await.into_iter().map(Result::unwrap).collect();
    let at_work = told.iter().filter(|told| told.contains("1 conversations")).count();
    let idle = told.iter().filter(|told| told.starts_with("0 applied now")).count();
    assert_eq!((at_work, idle), (1, 2), "{told:?}");
}

#[tokio::test]
async fn an_older_program_leaves_what_a_newer_one_has_done() {
    let database = TestDatabase::migrated().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of the future', true, '', 0);
                 alter table chat_threads add column of_the_future text";
    database.connect().await.execute(newer).await.unwrap();
    let store = database.store().await;
    assert!(store.migrate().await.unwrap().applied.is_empty());
    begin_a_thread(&store).await;
}

#[tokio::test]
async fn a_table_that_somebody_does_not_let_go_of_is_told_and_nothing_is_changed() {
    let database = originals::database().await;
    let mut other = database.connect().await;
    let before = tables(&mut other, "public").await;
    let mut reading = other.begin().await.unwrap();
    reading.execute("select id from chat_threads").await.unwrap();
    let told = refusal(&database.url()).await;
    assert!(told.contains("another session has one of the tables and does not let go of it"), "{told}");
    reading.rollback().await.unwrap();
    assert_eq!(tables(&mut other, "public").await, before);
    store_at(&database.url()).await.migrate().await.unwrap();
}

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_is_told_who_can_do_it() {
    let database = originals::database().await;
    let (role, url) = database.url_as_newcomer().await;
    let mut owner = database.connect().await;
    owner.execute(AssertSqlSafe(format!("grant create on schema public to {role}"))).await.unwrap();
    let told = refusal(&url).await;
    assert!(told.contains("this role may not do it (must be owner of table"), "{told}");
    assert!(told.contains("chatkit-gateway migrate"), "{told}");
}

#[tokio::test]
async fn a_role_that_may_only_read_and_write_rows_works_on_tables_that_are_up_to_date() {
    let database = TestDatabase::migrated().await;
    let (role, url) = database.url_as_newcomer().await;
    let grants = format!(
        "grant select, insert, update, delete on all tables in schema public to {role};
         grant usage on all sequences in schema public to {role}"
    );
    database.connect().await.execute(AssertSqlSafe(grants)).await.unwrap();
    let store = store_at(&url).await;
    assert!(store.migrate().await.unwrap().applied.is_empty());
    begin_a_thread(&store).await;
}

#[tokio::test]
async fn tables_live_in_the_schema_of_the_search_path_and_leave_others_alone() {
    let database = originals::database().await;
    let mut connection = database.connect().await;
    let before = tables(&mut connection, "public").await;
    connection.execute("create schema chat").await.unwrap();
    let url = database.url();
    let joint = if url.expose_secret().contains('?') { '&' } else { '?' };
    let url = SecretString::from(format!("{}{joint}options=-c%20search_path%3Dchat", url.expose_secret()));
    let store = store_at(&url).await;
    store.migrate().await.unwrap();
    begin_a_thread(&store).await;
    assert!(store.migrate().await.unwrap().applied.is_empty());
    assert_eq!(tables(&mut connection, "public").await, before);
    assert!(tables(&mut connection, "chat").await.contains("chat_threads"));
    let old: i64 =
        sqlx::query_scalar("select count(*) from public.chat_threads").fetch_one(&mut connection).await.unwrap();
    assert_eq!(old, 3);
}

#[tokio::test]
async fn a_database_that_only_reads_is_told() {
    let database = originals::database().await;
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&mut database.connect().await).await.unwrap();
    let only_read = format!("alter database {name} set default_transaction_read_only = on");
    database.connect().await.execute(AssertSqlSafe(only_read)).await.unwrap();
    let told = refusal(&database.url()).await;
    assert!(told.contains("this database only reads (cannot execute "), "{told}");
}

#[tokio::test]
async fn a_trigger_that_refuses_todays_items_is_told_before_anybody_meets_it() {
    for (trigger, words) in [
        (
            "create function only_known() returns trigger language plpgsql as $$
             begin
                 if new.type not in ('user_message', 'assistant_message') then
                     raise exception 'unknown type %', new.type;
                 end if;
                 return new;
             end $$;
             create trigger odd before insert on chat_thread_items for each row execute function only_known()",
            "unknown type client_tool_call",
        ),
        (
            "create trigger odd before insert on chat_thread_items for each row execute function touch_thread()",
            "tuple to be updated was already modified",
        ),
        (
            "create function swallow() returns trigger language plpgsql as $$ begin return null; end $$;
             create trigger odd before insert on chat_thread_items for each row execute function swallow()",
            "rows that were inserted are not there",
        ),
    ] {
        let database = originals::database().await;
        let mut connection = database.connect().await;
        connection.execute(trigger).await.unwrap();
        let before = tables(&mut connection, "public").await;
        let told = refusal(&database.url()).await;
        assert!(told.contains(words) && told.contains("disable trigger"), "{told}");
        assert_eq!(tables(&mut connection, "public").await, before);
        connection.execute("alter table chat_thread_items disable trigger odd").await.unwrap();
        let store = store_at(&database.url()).await;
        store.migrate().await.unwrap();
        let threads: Vec<String> =
            sqlx::query_scalar("select id from chat_threads order by id").fetch_all(&mut connection).await.unwrap();
        assert_eq!(threads, ["thr_ada", "thr_grace", "thr_nobody"], "the rehearsal left nothing behind");
        assert!(store.thread(&OwnerId::stranger(), &"thr_nobody".into()).await.is_ok());
    }
}
