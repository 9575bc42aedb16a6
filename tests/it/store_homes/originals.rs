//! A database that holds everything that four earlier back ends left: nothing of it is lost, and conversations go on.

use std::collections::BTreeMap;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::rewrites::RewriteKind;
use chatkit_gateway::store::{
    AdoptionStore, Lease, Opening, RewriteStore, StoreError, ThreadStore, TurnKey, TurnThread, Write,
};
use chatkit_protocol::{Order, ThreadId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::store_contract::scene::{answer, asked, at, begin, ids, item, question, record};
use crate::support::postgres::TestDatabase;

const TABLES: &str = include_str!("originals/tables.sql");

/// Tables that this server writes, too.
const SHARED: [&str; 8] = [
    "chat_threads",
    "chat_thread_items",
    "users",
    "user_software_background",
    "user_hardware_background",
    "auth_sessions",
    "audit_logs",
    "user_profile",
];

const ADA: &str = "Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR";

pub(super) async fn database() -> TestDatabase {
    let database = TestDatabase::empty().await;
    database.connect().await.execute(TABLES).await.unwrap();
    database
}

/// All rows of all tables, by table: each row as JSON.
async fn rows(connection: &mut PgConnection) -> BTreeMap<String, Vec<Value>> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' and tablename !~ '^_'")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    let mut all = BTreeMap::new();
    for table in tables {
        let select = format!(r#"select to_jsonb(kept) from "{table}" kept order by kept::text"#);
        let rows: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut *connection).await.unwrap();
        all.insert(table, rows);
    }
    all
}

/// What the tables are made of: columns, keys, checks, indexes and triggers.
async fn definitions(connection: &mut PgConnection, table: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull from pg_attribute
          where attrelid = $1::regclass and attnum > 0 and not attisdropped
          union all select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass
          union all select indexdef from pg_indexes where indexname in (
                select indexrelid::regclass::text from pg_index where indrelid = $1::regclass)
          union all select pg_get_triggerdef(oid) || tgenabled::text from pg_trigger
           where tgrelid = $1::regclass and not tgisinternal
          order by 1",
    )
    .bind(format!("\"{table}\""))
    .fetch_all(connection)
    .await
    .unwrap()
}

/// The row with all that was in the old one, and perhaps more.
fn holds(new: &Value, old: &Value) -> bool {
    let (Value::Object(new), Value::Object(old)) = (new, old) else { panic!("rows are objects") };
    old.iter().all(|(name, value)| new.get(name) == Some(value))
}

#[tokio::test]
async fn no_row_of_an_earlier_back_end_is_lost_or_changed() {
    let database = database().await;
    let mut connection = database.connect().await;
    let before = rows(&mut connection).await;
    let mut made_of = BTreeMap::new();
    for table in before.keys().filter(|table| !SHARED.contains(&table.as_str())) {
        made_of.insert(table.clone(), definitions(&mut connection, table).await);
    }
    let store = database.store().await;
    store.migrate().await.unwrap();
    let after = rows(&mut connection).await;
    for (table, old) in &before {
        assert!(!old.is_empty(), "{table} has rows");
        let new = &after[table];
        for old in old {
            assert!(new.iter().any(|new| holds(new, old)), "{table}: {old}\nis not among\n{new:#?}");
        }
        if !SHARED.contains(&table.as_str()) {
            assert_eq!(new, old, "{table}");
        }
    }
    for (table, old) in &made_of {
        let leans_on_accounts = old.iter().any(|line| line.contains("REFERENCES users("));
        if !leans_on_accounts {
            assert_eq!(definitions(&mut connection, table).await, *old, "{table}");
        }
    }
    let triggers = definitions(&mut connection, "chat_threads").await;
    assert!(triggers.iter().any(|line| line.contains("update_chat_threads_updated_at") && line.ends_with(")O")));
    let again = store.migrate().await.unwrap();
    assert!(again.applied.is_empty());
    assert_eq!(rows(&mut connection).await, after, "the second time nothing happens");
}

#[tokio::test]
async fn old_conversations_open_for_their_owners_alone_and_go_on_beyond_the_old_limits() {
    let database = database().await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let (ada, all) = (OwnerId::user(ADA), asked(20, Order::Asc, None));
    let threads = store.threads(&ada, &all).await.unwrap().data;
    assert_eq!(threads.iter().map(|thread| thread.title.as_deref()).collect::<Vec<_>>(), [Some("Inverse kinematics")]);
    let id = ThreadId::new("thr_ada");
    assert_eq!(ids(&store.items(&ada, &id, &all).await.unwrap().data), ["msg_1", "msg_2"]);
    for other in [
        OwnerId::user("Zk9mPb4sWd7RfLx2QaTy6VcN3hJe8UgH"),
        OwnerId::user_elsewhere("https://other.example.org", ADA),
        OwnerId::account(ADA),
        OwnerId::visitor(ADA),
        OwnerId::stranger(),
    ] {
        let refused = store.thread(&other, &id).await;
        assert!(matches!(refused, Err(StoreError::NoThread)), "{other:?} sees {refused:?}");
    }
    let nobodys = store.thread(&OwnerId::stranger(), &ThreadId::new("thr_nobody")).await.unwrap();
    assert_eq!(nobodys.title.as_deref(), Some("Before signing in"));

    let asks = begin("thr_ada", "turn", Opening::Question(question("thr_ada", "new")));
    let begun = store.begin_turn(&ada, &asks).await.unwrap();
    assert_eq!(ids(&begun.history), ["msg_1", "msg_2", "new"]);
    let key = TurnKey { owner: ada.clone(), thread_id: id.clone(), turn_id: "turn".to_owned() };
    let widget = json!({"widget": {"type": "Card", "children": [{"type": "Text", "value": "w".repeat(40_000)}]}});
    let half = [Write::Checkpoint(answer("thr_ada", "answer", "half"))];
    store.record(&key, &half, Lease::Until(at(60)), at(1)).await.unwrap();
    let writes = [
        Write::Save(item("thr_ada", "widget", 0, "widget", widget)),
        Write::Save(item("thr_ada", "task", 0, "task", json!({"task": {"type": "custom", "title": "Looking"}}))),
        Write::Save(item("thr_ada", "end", 0, "end_of_turn", json!({}))),
        Write::Save(answer("thr_ada", "answer", &"long ".repeat(10_000))),
    ];
    store.record(&key, &writes, Lease::Release, at(2)).await.unwrap();
    let shown = store.items(&ada, &id, &all).await.unwrap().data;
    assert_eq!(ids(&shown), ["msg_1", "msg_2", "new", "widget", "task", "end", "answer"]);

    let asks = begin("thr_ada", "again", Opening::Retry { item_id: "new".into() });
    assert_eq!(ids(&store.begin_turn(&ada, &asks).await.unwrap().history), ["msg_1", "msg_2", "new"]);
    let key = TurnKey { turn_id: "again".to_owned(), ..key };
    let other = [Write::Save(answer("thr_ada", "other", "another answer"))];
    store.record(&key, &other, Lease::Release, at(3)).await.unwrap();
    assert_eq!(ids(&store.items(&ada, &id, &all).await.unwrap().data), ["msg_1", "msg_2", "new", "other"]);
    let fired: Vec<bool> =
        sqlx::query_scalar("select updated_at > '2025-01-01' from chat_threads where id = 'thr_ada'")
            .fetch_all(&mut database.connect().await)
            .await
            .unwrap();
    assert_eq!(fired, [true], "the old trigger has set it");
    store.delete_thread(&ada, &id).await.unwrap();
    assert!(matches!(store.thread(&ada, &id).await, Err(StoreError::NoThread)));
}

#[tokio::test]
async fn pages_that_an_earlier_back_end_wrote_for_its_readers_are_known() {
    let database = database().await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    for kind in [RewriteKind::Personalized, RewriteKind::Translated] {
        let pages = store.noted_pages(&OwnerId::user(ADA), kind, 10).await.unwrap();
        let [page] = &pages[..] else { panic!("one page: {pages:?}") };
        assert_eq!((page.url.as_str(), &page.content_hash, &page.profile_hash), ("/docs/control", &None, &None));
        assert_eq!(store.noted_page(&OwnerId::user(ADA), kind, "/docs/control").await.unwrap().as_ref(), Some(page));
        assert!(store.noted_pages(&OwnerId::account(ADA), kind, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn of_a_fuller_history_the_newest_row_of_a_page_counts_with_its_hashes() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection
        .execute(
            "create table personalization_history (
                 id uuid primary key default gen_random_uuid(), user_id text, page_url varchar(500) not null,
                 profile_hash varchar(64), original_content_hash char(64), created_at timestamp
             );
             insert into personalization_history (user_id, page_url, profile_hash, original_content_hash, created_at)
             values ('ada', '/a', 'old', repeat('0', 64), '2024-01-01'), ('ada', '/a', 'new', repeat('1', 64), '2024-02-01'),
                    ('ada', '/b', null, null, '2024-03-01'), (null, '/c', null, null, '2024-03-01'),
                    ('ada', '/d', null, null, null);
             create table translation_history (user_id text, languages text[]);
             insert into translation_history values ('ada', '{ur}')",
        )
        .await
        .unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();
    let pages = store.noted_pages(&OwnerId::user("ada"), RewriteKind::Personalized, 10).await.unwrap();
    let told = pages.iter().map(|page| (page.url.as_str(), page.profile_hash.as_deref())).collect::<Vec<_>>();
    assert_eq!(told, [("/b", None), ("/a", Some("new"))]);
    assert_eq!(pages[1].content_hash, Some("1".repeat(64)));
    assert!(store.noted_pages(&OwnerId::user("ada"), RewriteKind::Translated, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_visitor_wrote_joins_the_old_conversations_of_a_user() {
    let database = database().await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let (ada, visitor) = (OwnerId::user(ADA), OwnerId::visitor("0a1b"));
    let mut wish = begin("thr_new", "turn", Opening::Question(question("thr_new", "q")));
    wish.thread = TurnThread::New(record("thr_new"));
    store.begin_turn(&visitor, &wish).await.unwrap();
    assert_eq!(store.adopt(&visitor, &ada, at(1)).await.unwrap(), Some(1));
    let threads = store.threads(&ada, &asked(20, Order::Asc, None)).await.unwrap().data;
    assert_eq!(threads.iter().map(|thread| thread.id.as_str()).collect::<Vec<_>>(), ["thr_ada", "thr_new"]);
}
