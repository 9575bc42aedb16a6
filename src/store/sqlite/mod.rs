//! The embedded home: one SQLite file.
//!
//! One connection writes, a few read. Every transaction that writes begins with `BEGIN IMMEDIATE`: one that reads first
//! and then finds another writer ahead of it fails at once, however long it was willing to wait.

mod accounts;
mod adoption;
mod attachments;
mod conversations;
mod counts;
mod passages;
mod profiles;
mod rewrites;
mod threads;
mod turns;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chatkit_protocol::{ItemId, Page, ThreadId, ThreadItem, ThreadRecord, Timestamp};
use chrono::SecondsFormat;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqlitePool, Transaction};

use tokio::time::Instant;

use super::failure::{Migrated, OpenError};
use super::{
    BeginTurn, Begun, FeedbackKind, ItemNote, Lease, Newest, PageQuery, Standing, StoreError, ThreadChange,
    ThreadStore, Tokens, TurnKey, Write, migration,
};
use crate::identity::OwnerId;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Connections that read, at most.
const READERS_MAX: u32 = 4;
/// How long a call waits for a connection.
const ACQUIRE_WAIT_MAX: Duration = Duration::from_secs(10);
/// Between two attempts to open a file that another process is preparing.
const LOCKED_PAUSE: Duration = Duration::from_millis(10);
/// How long a writer waits for one in another process.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Conversations and passages in one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file at `path`; makes it, and the folders above it, if need be. The tables are made by
    /// [`SqliteStore::migrate`].
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|why| OpenError::Folder { folder: folder.to_owned(), why })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_WAIT_MAX);
        // The first connection by hand: a pool would try again until it is out of time, and hide the reason.
        first_connection(&options).await.map_err(|why| cannot_open(path, &why))?;
        let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_WAIT_MAX).idle_timeout(None).max_lifetime(None);
        Ok(Self {
            writer: pool.clone().max_connections(1).connect_lazy_with(options.clone()),
            readers: pool.max_connections(READERS_MAX).connect_lazy_with(options),
        })
    }

    /// Makes the tables or brings them up to date: all of it or nothing. Several processes may do so at once.
    pub async fn migrate(&self) -> Result<Migrated, OpenError> {
        let mut writing = self.write().await.map_err(|why| OpenError::Migration(why.to_string()))?;
        let migrated = migration::run(&MIGRATIONS, &mut *writing, true).await;
        let migrated = migrated.map_err(|why| OpenError::Migration(why.to_string()))?;
        writing.commit().await.map_err(|why| OpenError::Migration(why.to_string()))?;
        Ok(migrated)
    }

    /// Closes the file once what is under way is done.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("begin immediate").await?)
    }

    /// A transaction that reads, so that all its statements see the same state.
    async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.readers.begin().await?)
    }
}

/// A time as it is kept: text of one fixed form.
fn stamp(time: Timestamp) -> String {
    time.utc().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Connects once, which also switches a new file to the write-ahead log.
///
/// Processes that start at once on a new file get in each other's way there, and for this one step SQLite does not
/// wait by itself.
async fn first_connection(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + BUSY_WAIT_MAX;
    loop {
        match options.connect().await {
            Ok(connection) => return connection.close().await,
            Err(why) if is_locked(&why) && Instant::now() < deadline => tokio::time::sleep(LOCKED_PAUSE).await,
            Err(why) => return Err(why),
        }
    }
}

fn is_locked(why: &sqlx::Error) -> bool {
    why.as_database_error().and_then(|told| told.code()).is_some_and(|code| matches!(&*code, "5" | "261" | "517"))
}

fn cannot_open(path: &Path, why: &sqlx::Error) -> OpenError {
    let code = why.as_database_error().and_then(|told| told.code());
    match code.as_deref() {
        Some("26") => OpenError::NotADatabase { file: path.to_owned() },
        _ => OpenError::File { file: path.to_owned(), why: why.to_string() },
    }
}

#[async_trait]
impl ThreadStore for SqliteStore {
    async fn thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<ThreadRecord, StoreError> {
        threads::thread(&mut *self.readers.acquire().await?, owner, id).await
    }

    async fn threads(&self, owner: &OwnerId, asked: &PageQuery) -> Result<Page<ThreadRecord>, StoreError> {
        threads::threads(&mut *self.read().await?, owner, asked).await
    }

    async fn change_thread(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        change: &ThreadChange,
        now: Timestamp,
    ) -> Result<ThreadRecord, StoreError> {
        let mut writing = self.write().await?;
        threads::change(&mut writing, owner, id, change, now).await?;
        let thread = threads::thread(&mut writing, owner, id).await?;
        writing.commit().await?;
        Ok(thread)
    }

    async fn entitle(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<ThreadRecord>, StoreError> {
        let mut writing = self.write().await?;
        let is_given = threads::entitle(&mut writing, owner, id, title, now).await?;
        let thread = threads::thread(&mut writing, owner, id).await?;
        writing.commit().await?;
        Ok(is_given.then_some(thread))
    }

    async fn delete_thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        threads::delete(&mut writing, owner, id).await?;
        Ok(writing.commit().await?)
    }

    async fn items(&self, owner: &OwnerId, id: &ThreadId, asked: &PageQuery) -> Result<Page<ThreadItem>, StoreError> {
        let (_, page) = self.thread_with_items(owner, id, asked).await?;
        Ok(page)
    }

    async fn thread_with_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &PageQuery,
    ) -> Result<(ThreadRecord, Page<ThreadItem>), StoreError> {
        let mut reading = self.read().await?;
        let thread = threads::thread(&mut reading, owner, id).await?;
        let page = threads::items(&mut reading, id, asked).await?;
        Ok((thread, page))
    }

    async fn item(&self, owner: &OwnerId, id: &ThreadId, item_id: &ItemId) -> Result<ThreadItem, StoreError> {
        let mut reading = self.read().await?;
        threads::thread(&mut reading, owner, id).await?;
        threads::item(&mut reading, id, item_id).await
    }

    async fn newest_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &Newest,
    ) -> Result<(ThreadRecord, Vec<ThreadItem>), StoreError> {
        let mut reading = self.read().await?;
        let thread = threads::thread(&mut reading, owner, id).await?;
        let items = turns::newest(&mut reading, id, asked).await?;
        Ok((thread, items))
    }

    async fn item_notes(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
    ) -> Result<HashMap<ItemId, ItemNote>, StoreError> {
        let mut reading = self.read().await?;
        threads::thread(&mut reading, owner, id).await?;
        threads::item_notes(&mut reading, id, item_ids).await
    }

    async fn spent_since(&self, owner: &OwnerId, since: Timestamp) -> Result<Tokens, StoreError> {
        threads::spent_since(&mut *self.readers.acquire().await?, owner, since).await
    }

    async fn keep(&self, owner: &OwnerId, id: &ThreadId, writes: &[Write], now: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        threads::thread(&mut writing, owner, id).await?;
        turns::write(&mut writing, owner, id, writes, now).await?;
        Ok(writing.commit().await?)
    }

    async fn keep_feedback(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
        kind: FeedbackKind,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        threads::thread(&mut writing, owner, id).await?;
        threads::keep_feedback(&mut writing, owner, id, item_ids, kind, now).await?;
        Ok(writing.commit().await?)
    }

    async fn begin_turn(&self, owner: &OwnerId, begin: &BeginTurn) -> Result<Begun, StoreError> {
        let mut writing = self.write().await?;
        let begun = turns::begin(&mut writing, owner, begin).await?;
        writing.commit().await?;
        Ok(begun)
    }

    async fn record(
        &self,
        turn: &TurnKey,
        writes: &[Write],
        lease: Lease,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let mut writing = self.write().await?;
        let standing = turns::record(&mut writing, turn, writes, lease, now).await?;
        writing.commit().await?;
        Ok(standing)
    }

    async fn ask_to_stop(&self, owner: &OwnerId, id: &ThreadId, now: Timestamp) -> Result<bool, StoreError> {
        let mut writing = self.write().await?;
        threads::thread(&mut writing, owner, id).await?;
        let running = turns::ask_to_stop(&mut writing, id, now).await?;
        writing.commit().await?;
        Ok(running)
    }

    async fn close_stale_turns(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut writing = self.write().await?;
        let closed = turns::close_stale(&mut writing, now).await?;
        writing.commit().await?;
        Ok(closed)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.readers).await?;
        Ok(())
    }
}
