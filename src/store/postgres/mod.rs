//! The production home: Postgres, directly or through a pooler in transaction mode.
//!
//! Two rules keep it right when several instances write at once. Whoever writes to a thread or its items locks the row
//! of the thread first, before the row of the turn, and counts its `revision` up. And since a statement sees the state
//! from before it waited for a lock, one that also reads compares the revisions (see `begin`).

mod accounts;
mod address;
mod adoption;
mod amend;
mod attachments;
mod begin;
mod connection;
mod conversations;
mod counts;
mod notes;
mod passages;
mod pooler;
mod preparing;
mod profiles;
mod record;
mod rewrites;
mod threads;
mod turns;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chatkit_protocol::{ItemId, Page, ThreadId, ThreadItem, ThreadRecord, Timestamp};
use secrecy::SecretString;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;

use super::failure::{Migrated, OpenError};
use super::{
    BeginTurn, Begun, FeedbackKind, ItemNote, Lease, Newest, PageQuery, Standing, StoreError, ThreadChange,
    ThreadStore, Tokens, TurnKey, Write, rows,
};
use crate::identity::OwnerId;

use connection::Pool;

pub use connection::PostgresOptions;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Conversations and passages in a Postgres database.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    direct: PgConnectOptions,
    lock_wait: Duration,
}

impl std::fmt::Debug for PostgresStore {
    /// The options hold the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to the database at `url`. The tables are made by [`PostgresStore::migrate`].
    ///
    /// `postgresql+asyncpg://` and parameters for other drivers are accepted.
    pub async fn open(url: &SecretString, options: &PostgresOptions) -> Result<Self, OpenError> {
        let pooled = address::options(url)?;
        let direct = match &options.direct_url {
            Some(direct_url) => address::options(direct_url)?,
            None => address::without_pooler(&pooled),
        };
        let pool = connection::pool(pooled, options.connections_max).await?;
        Ok(Self { pool, direct, lock_wait: options.lock_wait })
    }

    /// Makes the tables or brings them up to date: all of it or nothing. Several instances may do so at once, and the
    /// database may hold the tables of an earlier back end, with rows.
    pub async fn migrate(&self) -> Result<Migrated, OpenError> {
        let mut connection = connection::connect(&self.direct).await?;
        let migrated = preparing::migrate(&mut connection, self.lock_wait).await;
        let _ = connection.close().await;
        migrated
    }

    /// Closes the connections once what is under way is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The id of a thread for a statement. Postgres fails on U+0000, and nothing is stored under such an id.
fn thread_name(id: &ThreadId) -> Result<&str, StoreError> {
    Some(id.as_str()).filter(|id| rows::can_be_stored(id)).ok_or(StoreError::NoThread)
}

#[async_trait]
impl ThreadStore for PostgresStore {
    async fn thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<ThreadRecord, StoreError> {
        threads::thread(&self.pool, owner, id).await
    }

    async fn threads(&self, owner: &OwnerId, asked: &PageQuery) -> Result<Page<ThreadRecord>, StoreError> {
        threads::threads(&self.pool, owner, asked).await
    }

    async fn change_thread(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        change: &ThreadChange,
        now: Timestamp,
    ) -> Result<ThreadRecord, StoreError> {
        threads::change(&self.pool, owner, id, change, now).await
    }

    async fn entitle(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<ThreadRecord>, StoreError> {
        threads::entitle(&self.pool, owner, id, title, now).await
    }

    async fn delete_thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<(), StoreError> {
        threads::delete(&self.pool, owner, id).await
    }

    async fn items(&self, owner: &OwnerId, id: &ThreadId, asked: &PageQuery) -> Result<Page<ThreadItem>, StoreError> {
        let (_, page) = threads::thread_with_items(&self.pool, owner, id, asked).await?;
        Ok(page)
    }

    async fn thread_with_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &PageQuery,
    ) -> Result<(ThreadRecord, Page<ThreadItem>), StoreError> {
        threads::thread_with_items(&self.pool, owner, id, asked).await
    }

    async fn item(&self, owner: &OwnerId, id: &ThreadId, item_id: &ItemId) -> Result<ThreadItem, StoreError> {
        threads::item(&self.pool, owner, id, item_id).await
    }

    async fn newest_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &Newest,
    ) -> Result<(ThreadRecord, Vec<ThreadItem>), StoreError> {
        threads::newest_items(&self.pool, owner, id, asked).await
    }

    async fn item_notes(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
    ) -> Result<HashMap<ItemId, ItemNote>, StoreError> {
        notes::item_notes(&self.pool, owner, id, item_ids).await
    }

    async fn spent_since(&self, owner: &OwnerId, since: Timestamp) -> Result<Tokens, StoreError> {
        notes::spent_since(&self.pool, owner, since).await
    }

    async fn keep(&self, owner: &OwnerId, id: &ThreadId, writes: &[Write], now: Timestamp) -> Result<(), StoreError> {
        record::keep(&self.pool, owner, id, writes, now).await
    }

    async fn keep_feedback(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
        kind: FeedbackKind,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        threads::keep_feedback(&self.pool, owner, id, item_ids, kind, now).await
    }

    async fn begin_turn(&self, owner: &OwnerId, begin: &BeginTurn) -> Result<Begun, StoreError> {
        begin::begin(&self.pool, owner, begin).await
    }

    async fn record(
        &self,
        turn: &TurnKey,
        writes: &[Write],
        lease: Lease,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        record::record(self, turn, writes, lease, now).await
    }

    async fn ask_to_stop(&self, owner: &OwnerId, id: &ThreadId, now: Timestamp) -> Result<bool, StoreError> {
        turns::ask_to_stop(&self.pool, owner, id, now).await
    }

    async fn close_stale_turns(&self, now: Timestamp) -> Result<u64, StoreError> {
        turns::close_stale(&self.pool, now).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        connection::first::<(i32,)>(&self.pool, sqlx::query_as("select 1")).await?;
        Ok(())
    }
}
