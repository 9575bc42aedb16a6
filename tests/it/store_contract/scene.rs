//! A store with somebody who uses it: what the tests of the contract say most often.

use std::sync::Arc;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::postgres::{PostgresOptions, PostgresStore};
use chatkit_gateway::store::sqlite::SqliteStore;
use chatkit_gateway::store::{
    AccountStore, AttachmentStore, BeginTurn, Begun, CountStore, Lease, Opening, PageQuery, PassageStore, ProfileStore,
    RewriteStore, Standing, StoreError, ThreadStore, TurnKey, TurnThread, Write,
};
use chatkit_protocol::{Order, ThreadId, ThreadItem, ThreadRecord, Timestamp};
use chrono::DateTime;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;

use crate::support::pooler;
use crate::support::postgres::TestDatabase;

/// A database of one kind, with its tables and without rows.
pub(crate) struct Home {
    pub(crate) threads: Arc<dyn ThreadStore>,
    pub(crate) passages: Arc<dyn PassageStore>,
    pub(crate) attachments: Arc<dyn AttachmentStore>,
    pub(crate) counts: Arc<dyn CountStore>,
    pub(crate) accounts: Arc<dyn AccountStore>,
    pub(crate) profiles: Arc<dyn ProfileStore>,
    pub(crate) rewrites: Arc<dyn RewriteStore>,
    place: Place,
}

enum Place {
    File(TempDir),
    Server(TestDatabase),
    /// The address leads to the same database through a pooler.
    Pooled(TestDatabase, SecretString),
}

impl Home {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
        store.migrate().await.unwrap();
        Self::of(store, Place::File(folder))
    }

    pub(crate) async fn postgres() -> Self {
        let database = TestDatabase::migrated().await;
        let store = database.store().await;
        Self::on_postgres(database, store)
    }

    pub(crate) async fn pooled() -> Self {
        let database = TestDatabase::migrated().await;
        let url = pooler::url(&database).await;
        Self::of(store_at(&url).await, Place::Pooled(database, url))
    }

    pub(crate) fn on_postgres(database: TestDatabase, store: PostgresStore) -> Self {
        Self::of(store, Place::Server(database))
    }

    fn of(
        store: impl ThreadStore
        + PassageStore
        + AttachmentStore
        + CountStore
        + AccountStore
        + ProfileStore
        + RewriteStore
        + Clone,
        place: Place,
    ) -> Self {
        Self {
            threads: Arc::new(store.clone()),
            passages: Arc::new(store.clone()),
            attachments: Arc::new(store.clone()),
            counts: Arc::new(store.clone()),
            accounts: Arc::new(store.clone()),
            profiles: Arc::new(store.clone()),
            rewrites: Arc::new(store),
            place,
        }
    }

    /// A plain connection to the database of [`Home::postgres`].
    pub(crate) async fn connect_to_postgres(&self) -> PgConnection {
        match &self.place {
            Place::File(_) => panic!("this home is a file"),
            Place::Server(database) | Place::Pooled(database, _) => database.connect().await,
        }
    }

    /// A second instance on the same database.
    pub(crate) async fn another(&self) -> Arc<dyn ThreadStore> {
        match &self.place {
            Place::File(folder) => Arc::new(SqliteStore::open(&folder.path().join("store.db")).await.unwrap()),
            Place::Server(database) => Arc::new(database.store().await),
            Place::Pooled(_, url) => Arc::new(store_at(url).await),
        }
    }

    /// What a second instance on the same database counts with.
    pub(crate) async fn other_counts(&self) -> Arc<dyn CountStore> {
        match &self.place {
            Place::File(folder) => Arc::new(SqliteStore::open(&folder.path().join("store.db")).await.unwrap()),
            Place::Server(database) => Arc::new(database.store().await),
            Place::Pooled(_, url) => Arc::new(store_at(url).await),
        }
    }

    /// Brings the tables up to date once more, as the next start does.
    pub(crate) async fn migrate_again(&self) {
        match &self.place {
            Place::File(folder) => {
                let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
                store.migrate().await.unwrap();
            }
            Place::Server(database) => {
                database.store().await.migrate().await.unwrap();
            }
            Place::Pooled(_, url) => {
                store_at(url).await.migrate().await.unwrap();
            }
        }
    }

    /// Changes rows past the store: for what another part of it does.
    pub(crate) async fn alter(&self, sql: &'static str) {
        match &self.place {
            Place::File(folder) => {
                let url = format!("sqlite://{}", folder.path().join("store.db").display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query(sql).execute(&mut connection).await.unwrap();
            }
            Place::Server(database) | Place::Pooled(database, _) => {
                sqlx::query(sql).execute(&mut database.connect().await).await.unwrap();
            }
        }
    }

    /// The texts that a query finds, past the store: for what it keeps but does not hand out.
    pub(crate) async fn look(&self, sql: &'static str) -> Vec<String> {
        match &self.place {
            Place::File(folder) => {
                let url = format!("sqlite://{}", folder.path().join("store.db").display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query(sql).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
            Place::Server(database) | Place::Pooled(database, _) => {
                let mut connection = database.connect().await;
                sqlx::query(sql).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

async fn store_at(url: &SecretString) -> PostgresStore {
    PostgresStore::open(url, &PostgresOptions::default()).await.unwrap()
}

/// The middle of the story; tests count seconds from here.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::new(DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap())
}

pub(crate) fn ada() -> OwnerId {
    OwnerId::user("ada")
}

pub(crate) fn grace() -> OwnerId {
    OwnerId::user("grace")
}

pub(crate) fn record(id: &str) -> ThreadRecord {
    ThreadRecord::new(ThreadId::new(id), at(0))
}

/// An item of a thread from its members.
pub(crate) fn item(thread: &str, id: &str, seconds: i64, kind: &str, members: Value) -> ThreadItem {
    let mut whole = json!({"id": id, "thread_id": thread, "created_at": at(seconds), "type": kind});
    let Value::Object(members) = members else { panic!("members come as an object") };
    whole.as_object_mut().unwrap().extend(members);
    serde_json::from_value(whole).unwrap()
}

pub(crate) fn question(thread: &str, id: &str) -> ThreadItem {
    let content = json!([{"type": "input_text", "text": format!("what is {id}?")}]);
    item(thread, id, 0, "user_message", json!({"content": content, "attachments": [], "inference_options": {}}))
}

pub(crate) fn answer(thread: &str, id: &str, text: &str) -> ThreadItem {
    answer_at(thread, id, text, 0)
}

pub(crate) fn answer_at(thread: &str, id: &str, text: &str, seconds: i64) -> ThreadItem {
    let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
    item(thread, id, seconds, "assistant_message", json!({"content": content}))
}

pub(crate) fn hidden(thread: &str, id: &str) -> ThreadItem {
    item(thread, id, 0, "hidden_context_item", json!({"content": {"note": id}}))
}

pub(crate) fn ids(items: &[ThreadItem]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

pub(crate) fn asked(limit: u32, order: Order, after: Option<&str>) -> PageQuery {
    PageQuery { limit, order, after: after.map(str::to_owned) }
}

/// A turn of Ada's in a thread.
pub(crate) fn turn(thread: &str, turn: &str) -> TurnKey {
    TurnKey { owner: ada(), thread_id: ThreadId::new(thread), turn_id: turn.to_owned() }
}

pub(crate) fn begin(thread: &str, turn: &str, opening: Opening) -> BeginTurn {
    BeginTurn {
        thread: TurnThread::Existing(ThreadId::new(thread)),
        opening,
        turn_id: turn.to_owned(),
        lease_until: at(60),
        now: at(0),
        history_items_max: 100,
        attachments: Vec::new(),
        only_active: false,
        claims: Vec::new(),
        tokens: None,
    }
}

/// A home and what Ada does there.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) store: Arc<dyn ThreadStore>,
}

impl Scene {
    pub(crate) fn on(home: Home) -> Self {
        let store = Arc::clone(&home.threads);
        Self { home, store }
    }

    /// Makes a thread of Ada's with these items, nobody running in it.
    pub(crate) async fn thread(&self, id: &str, items: &[ThreadItem]) {
        self.new_thread(&ada(), &record(id)).await;
        self.begin(id, "filling", Opening::Resume).await.unwrap();
        let saves: Vec<Write> = items.iter().cloned().map(Write::Save).collect();
        self.write(id, "filling", &saves, Lease::Release).await.unwrap();
    }

    /// Makes a thread without items, nobody running in it.
    pub(crate) async fn new_thread(&self, owner: &OwnerId, thread: &ThreadRecord) {
        let mut wish = begin(thread.id.as_str(), "making", Opening::Resume);
        wish.thread = TurnThread::New(thread.clone());
        self.store.begin_turn(owner, &wish).await.unwrap();
        let key = TurnKey { owner: owner.clone(), thread_id: thread.id.clone(), turn_id: "making".to_owned() };
        self.store.record(&key, &[], Lease::Release, at(0)).await.unwrap();
    }

    pub(crate) async fn begin(&self, thread: &str, turn: &str, opening: Opening) -> Result<Begun, StoreError> {
        self.store.begin_turn(&ada(), &begin(thread, turn, opening)).await
    }

    pub(crate) async fn write(
        &self,
        thread: &str,
        name: &str,
        writes: &[Write],
        lease: Lease,
    ) -> Result<Standing, StoreError> {
        self.store.record(&turn(thread, name), writes, lease, at(1)).await
    }

    /// The ids of Ada's visible items, in order, and each with its text if it has one.
    pub(crate) async fn shown(&self, thread: &str) -> Vec<String> {
        let page = self.store.items(&ada(), &ThreadId::new(thread), &asked(200, Order::Asc, None)).await.unwrap();
        page.data.iter().map(|item| item.id.as_str().to_owned()).collect()
    }

    /// One item of Ada's.
    pub(crate) async fn item(&self, thread: &str, id: &str) -> ThreadItem {
        self.store.item(&ada(), &ThreadId::new(thread), &id.into()).await.unwrap()
    }
}
