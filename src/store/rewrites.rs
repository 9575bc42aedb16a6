//! Rows of texts that were written anew: the texts themselves, and which pages each reader had written anew.
//!
//! - **A text that is kept may be forgotten at any time**: it saves asking a model again, and nothing hangs on it.
//! - **A page is noted once for each reader and kind**, as of the last time.
//! - **A visitor who was adopted meanwhile** is noted, and pays, as their adopter.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{StoreError, Tokens};
use crate::identity::OwnerId;

/// What was done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RewriteKind {
    /// It was written anew for one reader.
    Personalized,
    /// It was written anew in another language.
    Translated,
}

impl RewriteKind {
    /// Its name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Personalized => "personalized",
            Self::Translated => "translated",
        }
    }
}

/// A text that is to be kept.
#[derive(Clone)]
pub struct KeptText {
    /// Who may be given it again.
    pub owner: OwnerId,
    /// What it is known by: SHA-256 of all that it was made of, in hex.
    pub key: String,
    /// The text as it was written anew.
    pub text: String,
    /// The time it is.
    pub now: Timestamp,
    /// The owner may have so many; the oldest ones beyond go.
    pub together_max: u32,
}

impl std::fmt::Debug for KeptText {
    /// The text is a reader's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptText").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A page that a reader had written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedPage {
    /// What was done with it.
    pub kind: RewriteKind,
    /// Its address, as the reader's page gave it.
    pub url: String,
    /// SHA-256 of the page as it was, in hex; an earlier back end may not have kept it.
    pub content_hash: Option<String>,
    /// SHA-256 of the profile that it was written for, in hex.
    pub profile_hash: Option<String>,
    /// When it was.
    pub at: Timestamp,
}

/// What a sweep took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweptRewrites {
    /// Texts.
    pub texts: u64,
    /// Notes of pages.
    pub pages: u64,
}

/// Texts that were written anew.
#[async_trait]
pub trait RewriteStore: Send + Sync + 'static {
    /// The text that is kept under this key, if it was kept since then.
    async fn rewritten(&self, owner: &OwnerId, key: &str, since: Timestamp) -> Result<Option<String>, StoreError>;

    /// Keeps a text, in the place of one with the same key.
    async fn keep_rewritten(&self, kept: &KeptText) -> Result<(), StoreError>;

    /// Notes that a reader had a page written anew. They may have so many of a kind; the oldest ones beyond go.
    async fn note_page(&self, owner: &OwnerId, page: &NotedPage, together_max: u32) -> Result<(), StoreError>;

    /// Pages of a reader, the newest first.
    async fn noted_pages(&self, owner: &OwnerId, kind: RewriteKind, limit: u32) -> Result<Vec<NotedPage>, StoreError>;

    /// One page of a reader, by its address.
    async fn noted_page(&self, owner: &OwnerId, kind: RewriteKind, url: &str) -> Result<Option<NotedPage>, StoreError>;

    /// Counts what a rewrite has cost, whoever got it. A name that was counted before is counted anew.
    async fn count_rewrite(
        &self,
        payer: &OwnerId,
        name: &str,
        tokens: Tokens,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes away texts and notes from before then, at most `limit` of each.
    async fn sweep_rewrites(
        &self,
        texts_before: Timestamp,
        pages_before: Timestamp,
        limit: u32,
    ) -> Result<SweptRewrites, StoreError>;
}

/// What a page is known by, whatever the length of its address.
pub(super) fn page_hash(url: &str) -> String {
    Sha256::digest(url.as_bytes()).iter().fold(String::with_capacity(64), |mut hash, byte| {
        use std::fmt::Write;
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// A page as it is selected.
#[derive(sqlx::FromRow)]
pub(super) struct PageRow {
    page_url: String,
    content_hash: Option<String>,
    profile_hash: Option<String>,
    created_at: DateTime<Utc>,
}

impl PageRow {
    /// The page of a row.
    pub(super) fn page(self, kind: RewriteKind) -> NotedPage {
        let Self { page_url, content_hash, profile_hash, created_at } = self;
        NotedPage { kind, url: page_url, content_hash, profile_hash, at: Timestamp::new(created_at) }
    }
}
