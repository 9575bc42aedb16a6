//! Clearing away sessions that have been over for long, and rows of the log that are old.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chatkit_protocol::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Accounts;
use crate::store::StoreError;
use crate::store::accounts::SweptAccounts;

/// Sessions that are over are remembered for so long, to know them when they are shown again.
const OVER_REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The log is kept for so long.
const LOG_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How often it is looked for what is to go, while people sign in.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Rows that one statement takes away at most.
const SWEEP_ROWS_MAX: u32 = 1_000;

impl Accounts {
    /// Sweeps at the start, and now and then while people sign in here, until it is told to stop. An instance where
    /// nobody does leaves the database asleep.
    pub async fn sweep_now_and_then(self, stop: CancellationToken) {
        let sweeping = async {
            let mut tick = tokio::time::interval(SWEEP_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            self.0.busy.store(true, Ordering::Relaxed);
            loop {
                tick.tick().await;
                if self.0.busy.swap(false, Ordering::Relaxed) {
                    self.sweep_and_tell().await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sweeping => {}
        }
    }

    async fn sweep_and_tell(&self) {
        match self.sweep().await {
            Ok(SweptAccounts { sessions: 0, entries: 0 }) => {}
            Ok(SweptAccounts { sessions, entries }) => {
                tracing::info!(sessions, entries, "Cleared away sessions that are over and old rows of the audit log");
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Could not look for sessions to clear away");
                self.0.busy.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Takes away what has been over for long enough.
    ///
    /// # Errors
    /// The accounts cannot be reached.
    pub async fn sweep(&self) -> Result<SweptAccounts, StoreError> {
        let now = self.0.clock.now().utc();
        let (over, noted) = (Timestamp::new(now - OVER_REMEMBERED), Timestamp::new(now - LOG_KEPT));
        let mut swept = SweptAccounts { sessions: 0, entries: 0 };
        loop {
            let round = self.0.store.sweep_accounts(over, noted, SWEEP_ROWS_MAX).await?;
            swept.sessions += round.sessions;
            swept.entries += round.entries;
            if round.sessions.max(round.entries) < u64::from(SWEEP_ROWS_MAX) {
                return Ok(swept);
            }
        }
    }
}
