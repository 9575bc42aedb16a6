//! Counts by key.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, stamp};
use crate::store::StoreError;
use crate::store::counts::{Claim, CountStore, Exceeded, Limit, Used, counted, units};

/// Counts all of these, or refuses; the transaction of what was refused must not be kept.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    claims: &[Claim],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut refused: Option<Exceeded> = None;
    for (place, claim) in claims.iter().enumerate() {
        let (used, resets_at): (i64, String) = sqlx::query_as(
            "insert into limit_counts as count (key, used, resets_at) values ($1, $2, $3)
             on conflict (key) do update
                set used = iif(count.resets_at <= $4 or count.used = 0, excluded.used, count.used + excluded.used),
                    resets_at = iif(count.resets_at <= $4 or count.used = 0, excluded.resets_at, count.resets_at)
             returning used, resets_at",
        )
        .bind(&claim.key)
        .bind(units(claim.units))
        .bind(stamp(claim.resets_at))
        .bind(stamp(now))
        .fetch_one(&mut *connection)
        .await?;
        let resets_at = time(&resets_at)?;
        if used > units(claim.allowed) && refused.is_none_or(|earlier| earlier.resets_at < resets_at) {
            refused = Some(Exceeded { limit: Limit::Claim(place), resets_at });
        }
    }
    refused.map_or(Ok(()), |exceeded| Err(StoreError::Exceeded(exceeded)))
}

#[async_trait]
impl CountStore for SqliteStore {
    async fn claim(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        claim(&mut writing, claims, now).await?;
        Ok(writing.commit().await?)
    }

    async fn give_back(&self, claims: &[Claim], now: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        for claim in claims {
            // A window that ends later than the one that would have begun with the claim began after it.
            sqlx::query(
                "update limit_counts set used = max(used - $2, 0)
                  where key = $1 and resets_at <= $3 and resets_at > $4",
            )
            .bind(&claim.key)
            .bind(units(claim.units))
            .bind(stamp(claim.resets_at))
            .bind(stamp(now))
            .execute(&mut *writing)
            .await?;
        }
        Ok(writing.commit().await?)
    }

    async fn used(&self, key: &str, now: Timestamp) -> Result<Used, StoreError> {
        let found: Option<(i64, String)> =
            sqlx::query_as("select used, resets_at from limit_counts where key = $1 and used > 0 and resets_at > $2")
                .bind(key)
                .bind(stamp(now))
                .fetch_optional(&self.readers)
                .await?;
        match found {
            Some((units, resets_at)) => Ok(Used { units: counted(units), resets_at: Some(time(&resets_at)?) }),
            None => Ok(Used::default()),
        }
    }

    async fn forget_counts(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut writing = self.write().await?;
        let forgotten = sqlx::query(
            "delete from limit_counts
              where key in (select key from limit_counts where resets_at <= $1 order by resets_at limit $2)",
        )
        .bind(stamp(now))
        .bind(limit)
        .execute(&mut *writing)
        .await?;
        writing.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

fn time(text: &str) -> Result<Timestamp, StoreError> {
    Timestamp::parse(text).ok_or_else(|| StoreError::Unreadable(format!("`{text}` is no time")))
}
