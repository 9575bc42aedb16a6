//! Postgres: instances that start together, tables of an earlier back end, and statements that had to wait.

use std::time::{Duration, Instant};

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::{Lease, Opening, StoreError, ThreadStore, TurnThread, Write};
use chatkit_protocol::{Order, ThreadId};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::store_contract::scene::{Home, Scene, ada, answer, asked, at, begin, ids, item, question, record, turn};
use crate::support::postgres::TestDatabase;

/// How long a statement may take to come to its lock.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_start_at_once_prepare_the_tables_once() {
    let database = TestDatabase::empty().await;
    let instances = join_all((0..4).map(|_| async { database.store().await.migrate().await.unwrap() })).await;
    let at_work: Vec<_> = instances.iter().filter(|migrated| !migrated.applied.is_empty()).collect();
    assert_eq!(at_work.len(), 1, "{instances:?}");
    assert_eq!((at_work[0].applied[0].as_str(), at_work[0].already), ("1 conversations", 0));
}

/// As an earlier back end made them: users of another system, a short list of types, small content, one key for all.
const OLD_TABLES: &str = r#"
create table "user" (id text primary key);
create table chat_threads (
    id varchar(255) primary key,
    user_id text not null references "user" (id) on delete cascade,
    title varchar(255),
    metadata jsonb default '{}',
    created_at timestamp not null default now(),
    updated_at timestamp not null default now()
);
create table chat_thread_items (
    id varchar(255) primary key,
    thread_id varchar(255) not null references chat_threads (id) on delete cascade,
    type varchar(50) not null check (type in ('message', 'user_message', 'assistant_message', 'tool', 'widget')),
    role varchar(20) check (role in ('user', 'assistant')),
    content jsonb not null check (length(content::text) < 32768),
    created_at timestamp not null default now(),
    n_tokens int
);
insert into "user" values ('ada');
insert into chat_threads (id, user_id, title, metadata, created_at) values
    ('second', 'ada', 'Second', null, '2024-01-02'),
    ('first', 'ada', 'First', '{"k": 1}', '2024-01-01');
insert into chat_thread_items (id, thread_id, type, role, content, created_at) values
    ('parts', 'first', 'message', 'assistant', '[{"type": "output_text", "text": "Hi"}, {"type": "odd"}]', '2024-01-01 10:00:01'),
    ('asked', 'first', 'message', 'user', '[{"type": "input_text", "text": "Hello"}]', '2024-01-01 10:00:00'),
    ('whole', 'first', 'user_message', 'user', '{"id": "whole", "type": "user_message", "thread_id": "first",
        "created_at": "2024-01-01T00:00:00", "content": [{"type": "input_text", "text": "Whole"}], "attachments": [],
        "quoted_text": null, "inference_options": {"model": null, "tool_choice": null}}', '2024-01-01 10:00:02'),
    ('plain', 'first', 'message', 'assistant', '"Plain"', '2024-01-01 10:00:03'),
    ('tool', 'first', 'tool', null, '{"x": 1}', '2024-01-01 10:00:04'),
    ('object', 'first', 'assistant_message', 'assistant', '{"text": "Object"}', '2024-01-01 10:00:05'),
    ('empty', 'first', 'message', 'user', '[]', '2024-01-01 10:00:06'),
    ('inner', 'first', 'message', 'assistant', '{"content": "Inner"}', '2024-01-01 10:00:07'),
    ('strings', 'first', 'message', 'assistant', '["Str", "ings"]', '2024-01-01 10:00:08');
"#;

#[tokio::test]
async fn threads_of_an_earlier_back_end_stay_readable_and_go_on() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection.execute(OLD_TABLES).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();
    let threads = store.threads(&ada(), &asked(20, Order::Asc, None)).await.unwrap();
    let threads: Vec<_> = threads
        .data
        .iter()
        .map(|thread| (thread.id.as_str(), thread.title.as_deref(), thread.metadata.len()))
        .collect();
    assert_eq!(threads, [("first", Some("First"), 1), ("second", Some("Second"), 0)]);
    let page = store.items(&ada(), &ThreadId::new("first"), &asked(20, Order::Asc, None)).await.unwrap();
    let texts: Vec<String> = page
        .data
        .iter()
        .map(|item| {
            let whole = serde_json::to_value(item).unwrap();
            format!("{} {} {}", item.id, item.kind.name(), whole["content"][0]["text"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        texts,
        [
            "asked user_message Hello",
            "parts assistant_message Hi",
            "whole user_message Whole",
            "plain assistant_message Plain",
            "object assistant_message Object",
            "empty user_message ",
            "inner assistant_message Inner",
            "strings assistant_message Strings",
        ]
    );
    assert_eq!(page.data[0].created_at.to_string(), "2024-01-01T10:00:00Z");
    let question = question("first", "new");
    let begun = store.begin_turn(&ada(), &begin("first", "turn", Opening::Question(question))).await.unwrap();
    assert_eq!(begun.history.len(), 10, "the hidden one is told to the model");
    assert_eq!(begun.thread.title.as_deref(), Some("First"));
    // Larger than the old limit, of a type that was not on the old list, by the name of an item of another thread.
    let large = item("first", "large", 0, "hidden_context_item", json!({"content": "x".repeat(100_000)}));
    let writes = [Write::Save(large), Write::Save(answer("first", "a", "x"))];
    store.record(&turn("first", "turn"), &writes, Lease::Release, at(1)).await.unwrap();
    let begun = store.begin_turn(&ada(), &begin("second", "turn", Opening::Resume)).await.unwrap();
    assert!(begun.history.is_empty());
    store
        .record(&turn("second", "turn"), &[Write::Save(answer("second", "a", "y"))], Lease::Release, at(1))
        .await
        .unwrap();
    let visitor = OwnerId::visitor("unknown to the old users");
    let mut wish = begin("third", "turn", Opening::Resume);
    wish.thread = TurnThread::New(record("third"));
    store.begin_turn(&visitor, &wish).await.unwrap();
}

/// Waits until a statement of another connection waits for a lock in this database.
async fn until_somebody_waits(connection: &mut PgConnection) {
    let begun = Instant::now();
    loop {
        let waiting: (i64,) = sqlx::query_as(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        if waiting.0 > 0 {
            return;
        }
        assert!(begun.elapsed() < LOCK_WAIT_MAX, "nobody waits");
        // Within a transaction the view stays as it was first read.
        connection.execute("select pg_stat_clear_snapshot()").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_waited_for_its_thread_sees_what_was_written_meanwhile() {
    let database = TestDatabase::migrated().await;
    let store = database.store().await;
    let scene = Scene::on(Home::on_postgres(database, store.clone()));
    scene.thread("t", &[question("t", "q")]).await;
    for (turn, opening, expected) in [
        ("1", Opening::Question(question("t", "q1")), vec!["q", "late 1", "q1"]),
        ("2", Opening::Resume, vec!["q", "late 1", "q1", "late 2"]),
        ("3", Opening::Retry { item_id: "late 2".into() }, vec!["q", "late 1", "q1"]),
    ] {
        let mut other = scene.home.connect_to_postgres().await;
        let mut writing = other.begin().await.unwrap();
        sqlx::query("select from chat_threads where id = 't' for no key update").execute(&mut *writing).await.unwrap();
        let id = format!("late {turn}");
        let document = serde_json::to_string(&answer("t", &id, "late")).unwrap();
        sqlx::query(
            "insert into chat_thread_items (thread_id, id, type, document) values ('t', $1, 'assistant_message', $2)",
        )
        .bind(&id)
        .bind(document)
        .execute(&mut *writing)
        .await
        .unwrap();
        sqlx::query("update chat_threads set revision = revision + 1 where id = 't'")
            .execute(&mut *writing)
            .await
            .unwrap();
        let (owner, wish) = (ada(), begin("t", turn, opening));
        let release = async {
            until_somebody_waits(&mut writing).await;
            writing.commit().await.unwrap();
        };
        let (begun, ()) = futures_util::join!(store.begin_turn(&owner, &wish), release);
        assert_eq!(ids(&begun.unwrap().history), expected);
        scene.write("t", turn, &[], Lease::Release).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_waited_for_a_thread_that_is_deleted_finds_none() {
    let database = TestDatabase::migrated().await;
    let store = database.store().await;
    let scene = Scene::on(Home::on_postgres(database, store.clone()));
    scene.thread("t", &[question("t", "q")]).await;
    let mut other = scene.home.connect_to_postgres().await;
    let mut deleting = other.begin().await.unwrap();
    sqlx::query("delete from chat_threads where id = 't'").execute(&mut *deleting).await.unwrap();
    let (owner, wish) = (ada(), begin("t", "turn", Opening::Question(question("t", "q2"))));
    let release = async {
        until_somebody_waits(&mut deleting).await;
        deleting.commit().await.unwrap();
    };
    let (begun, ()) = futures_util::join!(store.begin_turn(&owner, &wish), release);
    assert!(matches!(begun, Err(StoreError::NoThread)), "{begun:?}");
    assert!(scene.home.look("select id from chat_thread_items").await.is_empty());
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_away_and_then_made_anew() {
    let database = TestDatabase::migrated().await;
    let store = database.store().await;
    store.ping().await.unwrap();
    let mut other = database.connect().await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()";
    other.execute(cut).await.unwrap();
    let pinged = store.ping().await;
    assert!(matches!(pinged, Ok(()) | Err(StoreError::Away(_))), "{pinged:?}");
    store.ping().await.unwrap();
}
