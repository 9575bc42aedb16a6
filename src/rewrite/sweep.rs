//! Clearing away texts that are old, and notes of pages that are older.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chatkit_protocol::Timestamp;
use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::desk::{RewriteDesk, TEXTS_KEPT};
use crate::store::StoreError;
use crate::store::rewrites::SweptRewrites;

/// A page is noted for so long.
const PAGES_NOTED: TimeDelta = TimeDelta::days(365);
/// How often it is looked for what is to go, while texts are written here.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Rows of each kind that one statement takes away at most.
const SWEEP_ROWS_MAX: u32 = 500;

impl RewriteDesk {
    /// Sweeps at the start, and now and then while texts are written here, until it is told to stop. A quiet house lets
    /// its database sleep.
    pub async fn sweep_now_and_then(self, stop: CancellationToken) {
        let sweeping = async {
            let mut tick = tokio::time::interval(SWEEP_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if self.busy().swap(false, Ordering::Relaxed)
                    && let Err(error) = self.sweep().await
                {
                    tracing::warn!(error = &error as &dyn std::error::Error, "Could not look for texts to clear away");
                    self.busy().store(true, Ordering::Relaxed);
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sweeping => {}
        }
    }

    /// Takes away what is old enough. How much there was.
    ///
    /// # Errors
    /// The database.
    pub async fn sweep(&self) -> Result<SweptRewrites, StoreError> {
        let now = self.now().utc();
        let (texts, pages) = (Timestamp::new(now - TEXTS_KEPT), Timestamp::new(now - PAGES_NOTED));
        let mut swept = SweptRewrites::default();
        loop {
            let round = self.store().sweep_rewrites(texts, pages, SWEEP_ROWS_MAX).await?;
            swept.texts += round.texts;
            swept.pages += round.pages;
            if round.texts.max(round.pages) < u64::from(SWEEP_ROWS_MAX) {
                return Ok(swept);
            }
        }
    }
}
