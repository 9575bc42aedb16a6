//! Forgetting counts whose windows have ended.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Quota;
use crate::store::StoreError;

/// How often a house in which something is counted looks for what can be forgotten. A quiet one lets its database sleep.
const SWEEP_EVERY: Duration = Duration::from_secs(5 * 60);
/// Counts that one statement forgets at most.
const SWEEP_ROWS_MAX: u32 = 5_000;

impl Quota {
    /// Forgets counts whose windows have ended. How many there were.
    ///
    /// # Errors
    /// The database.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let rows = self.0.counts.forget_counts(self.0.clock.now(), SWEEP_ROWS_MAX).await?;
            forgotten += rows;
            if rows < u64::from(SWEEP_ROWS_MAX) {
                return Ok(forgotten);
            }
        }
    }

    /// Does so every few minutes while something is counted here, until it is told to stop.
    pub async fn sweep_now_and_then(self, stop: CancellationToken) {
        let sweeping = async {
            let mut tick = tokio::time::interval(SWEEP_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if self.0.busy.swap(false, Ordering::Relaxed)
                    && let Err(error) = self.sweep().await
                {
                    tracing::warn!(error = &error as &dyn std::error::Error, "Could not forget counts that have ended");
                    self.0.busy.store(true, Ordering::Relaxed);
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sweeping => {}
        }
    }
}
