//! The database of the settings, whichever it is.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::{DatabaseSettings, Settings};
use crate::store::postgres::{PostgresOptions, PostgresStore};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    AccountStore, AttachmentStore, CountStore, Migrated, PassageStore, ProfileStore, RewriteStore, ThreadStore,
};

/// An open database, before anything is built on it.
#[derive(Clone)]
pub enum Database {
    /// One file.
    Sqlite(SqliteStore),
    /// A server.
    Postgres(Box<PostgresStore>),
}

impl Database {
    /// Opens the database of the settings.
    ///
    /// # Errors
    /// It cannot be opened; the sentence names the variable to look at.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self> {
        match settings {
            DatabaseSettings::Sqlite { path } => {
                let advice = "check DATABASE_URL or DATA_DIR";
                Ok(Self::Sqlite(SqliteStore::open(path).await.context(advice)?))
            }
            DatabaseSettings::Postgres { url, direct_url } => {
                let options = PostgresOptions { direct_url: direct_url.clone(), ..PostgresOptions::default() };
                let store = PostgresStore::open(url, &options).await.context("check DATABASE_URL")?;
                Ok(Self::Postgres(Box::new(store)))
            }
        }
    }

    /// Opens the database of the settings and brings it up to date, if it is to be brought so.
    ///
    /// # Errors
    /// It cannot be opened or brought up to date; the sentence names the variable to look at.
    pub async fn prepared(settings: &Settings) -> Result<Self> {
        let database = Self::open(&settings.database).await?;
        if settings.migrate_at_start {
            let migrated = database.migrate().await?;
            if !migrated.applied.is_empty() {
                tracing::info!(applied = migrated.applied.len(), "Brought the database up to date");
            }
        }
        Ok(database)
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration failed; none of them took effect.
    pub async fn migrate(&self) -> Result<Migrated> {
        let migrated = match self {
            Self::Sqlite(store) => store.migrate().await,
            Self::Postgres(store) => store.migrate().await,
        };
        migrated.context("check DATABASE_URL, and DATABASE_URL_DIRECT when a pooler is in between")
    }

    /// Closes what is open, so that nothing is left half-written.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }

    pub(super) fn threads(&self) -> Arc<dyn ThreadStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn passages(&self) -> Arc<dyn PassageStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn accounts(&self) -> Arc<dyn AccountStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn attachments(&self) -> Arc<dyn AttachmentStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn counts(&self) -> Arc<dyn CountStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn profiles(&self) -> Arc<dyn ProfileStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }

    pub(super) fn rewrites(&self) -> Arc<dyn RewriteStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(PostgresStore::clone(store)),
        }
    }
}
