//! Counts of what is limited: so many units by key, until the key's window ends and the count begins anew.
//!
//! A window begins with the first unit that is counted in it, and ends when that claim said. Counts are the same for all
//! instances on a database. A key names an owner, or an address by a keyed hash, never an address itself.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;

use super::StoreError;
use crate::identity::OwnerId;

/// More units than this are counted as so many: no count of a key that is claimed again can overflow.
const UNITS_MAX: u64 = 1 << 60;

/// A wish to count.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is counted, and for whom. No two claims that are made together have the same.
    pub key: String,
    /// Units that one window holds.
    pub allowed: u64,
    /// Units that are claimed.
    pub units: u64,
    /// When the window ends, if one begins with this claim: later than now.
    pub resets_at: Timestamp,
}

impl std::fmt::Debug for Claim {
    /// The key names a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { allowed, units, resets_at, .. } = self;
        f.debug_struct("Claim")
            .field("allowed", allowed)
            .field("units", units)
            .field("resets_at", resets_at)
            .finish_non_exhaustive()
    }
}

/// A limit on what somebody's turns may cost, beside the claims of one that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLimit {
    /// Whose turns are added up.
    pub payer: OwnerId,
    /// From when on.
    pub since: Timestamp,
    /// A turn begins while fewer tokens than this, read and written ones together, were spent.
    pub allowed: u64,
    /// When `since` moves on.
    pub resets_at: Timestamp,
}

/// A limit that was reached; nothing was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which, and of several the one that resets last.
    pub limit: Limit,
    /// The same may succeed from then on.
    pub resets_at: Timestamp,
}

/// One of the limits that were asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The claim at this place of the list, from 0.
    Claim(usize),
    /// What turns may cost.
    Tokens,
}

/// What was counted under a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Units in the window of now.
    pub units: u64,
    /// When that window ends; none when nothing was counted in it.
    pub resets_at: Option<Timestamp>,
}

/// Counts by key.
#[async_trait]
pub trait CountStore: Send + Sync + 'static {
    /// Counts all of these, or, with [`StoreError::Exceeded`], none. No claims are always granted.
    async fn claim(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError>;

    /// Takes back what was counted for these, as far as the windows in which they were counted have not ended.
    async fn give_back(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError>;

    /// What was counted under a key.
    async fn used(&self, key: &str, now: Timestamp) -> Result<Used, StoreError>;

    /// Forgets windows that have ended, at most `limit` of them. How many there were.
    async fn forget_counts(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Units as databases count.
pub(super) fn units(units: u64) -> i64 {
    i64::try_from(units.min(UNITS_MAX)).unwrap_or(i64::MAX)
}

/// Units as a database has counted them.
pub(super) fn counted(units: i64) -> u64 {
    u64::try_from(units).unwrap_or(0)
}

/// The refusal of a turn whose payer has spent what there was.
pub(super) fn spent_up(limit: &TokenLimit) -> StoreError {
    StoreError::Exceeded(Exceeded { limit: Limit::Tokens, resets_at: limit.resets_at })
}
