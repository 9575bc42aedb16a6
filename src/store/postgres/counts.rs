//! Counts by key. All of a claim is one call of a function in the database, which other statements may make as well.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::connection::first;
use crate::store::counts::{Claim, CountStore, Exceeded, Limit, Used, counted, units};
use crate::store::{StoreError, rows};

/// Claims, column by column.
#[derive(Default)]
pub(super) struct ClaimColumns {
    pub(super) keys: Vec<String>,
    pub(super) allowed: Vec<i64>,
    pub(super) units: Vec<i64>,
    pub(super) resets: Vec<DateTime<Utc>>,
}

impl ClaimColumns {
    pub(super) fn of(claims: &[Claim]) -> Self {
        let mut columns = Self::default();
        for claim in claims {
            // Postgres fails on U+0000; what such a key could stand for is nobody's.
            columns.keys.push(claim.key.replace('\0', "\u{fffd}"));
            columns.allowed.push(units(claim.allowed));
            columns.units.push(units(claim.units));
            columns.resets.push(claim.resets_at.utc());
        }
        columns
    }
}

/// The claim that was refused: its place from 1, and when it resets.
pub(super) fn exceeded(place: i64, until: DateTime<Utc>) -> StoreError {
    let place = usize::try_from(place - 1).unwrap_or_default();
    StoreError::Exceeded(Exceeded { limit: Limit::Claim(place), resets_at: Timestamp::new(until) })
}

#[async_trait]
impl CountStore for PostgresStore {
    async fn claim(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError> {
        if claims.is_empty() {
            return Ok(());
        }
        let ClaimColumns { keys, allowed, units, resets } = ClaimColumns::of(claims);
        let query = sqlx::query_as("select place, reset_at from limit_claim($1, $2, $3, $4, $5, true)")
            .bind(keys)
            .bind(allowed)
            .bind(units)
            .bind(resets)
            .bind(now.utc());
        let refused: Option<(i64, DateTime<Utc>)> = first(&self.pool, query).await?;
        refused.map_or(Ok(()), |(place, until)| Err(exceeded(place, until)))
    }

    async fn give_back(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError> {
        if claims.is_empty() {
            return Ok(());
        }
        let ClaimColumns { keys, units, resets, .. } = ClaimColumns::of(claims);
        // A window that ends later than the one that would have begun with the claim began after it.
        let query = sqlx::query_as::<_, (i64,)>(
            "with claim as (
            select * from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as claim (key, units, resets_at)
         ), held as materialized (
            select count.key
              from limit_counts count join claim on claim.key = count.key
             where count.resets_at > $4 and count.resets_at <= claim.resets_at
             order by count.key
               for no key update of count
         ), given_back as (
            update limit_counts count
               set used = greatest(count.used - claim.units, 0)
              from held join claim on claim.key = held.key
             where count.key = held.key
         returning 1
         )
         select count(*) from given_back",
        )
        .bind(keys)
        .bind(units)
        .bind(resets)
        .bind(now.utc());
        first(&self.pool, query).await?;
        Ok(())
    }

    async fn used(&self, key: &str, now: Timestamp) -> Result<Used, StoreError> {
        if !rows::can_be_stored(key) {
            return Ok(Used::default());
        }
        let query =
            sqlx::query_as("select used, resets_at from limit_counts where key = $1 and used > 0 and resets_at > $2")
                .bind(key)
                .bind(now.utc());
        let found: Option<(i64, DateTime<Utc>)> = first(&self.pool, query).await?;
        Ok(found.map_or(Used::default(), |(units, resets_at)| Used {
            units: counted(units),
            resets_at: Some(Timestamp::new(resets_at)),
        }))
    }

    /// Rows that somebody is counting in right now are passed over: nobody waits here, and nobody waits for this.
    async fn forget_counts(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query_as(
            "with ended as materialized (
            select key from limit_counts where resets_at <= $1 order by resets_at limit $2 for update skip locked
         ), forgotten as (
            delete from limit_counts count using ended where count.key = ended.key returning 1
         )
         select count(*) from forgotten",
        )
        .bind(now.utc())
        .bind(i64::from(limit));
        let forgotten: Option<(i64,)> = first(&self.pool, query).await?;
        Ok(forgotten.map_or(0, |(count,)| counted(count)))
    }
}
