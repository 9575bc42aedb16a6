//! Clearing away: bytes of deleted attachments, of deleted threads, of files that no message ever named, and of uploads
//! that ended badly.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chatkit_protocol::Timestamp;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{AttachmentError, Attachments};

/// How often a house in which something happens looks for what is to go.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often a quiet one does: a database that has gone to sleep may sleep on.
const SWEEP_QUIETLY_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// Rows and objects that one sweep takes at most.
const SWEEP_ROWS_MAX: u32 = 500;
/// Objects that are deleted at the same time.
const DELETED_TOGETHER: usize = 8;
/// An attachment that no message named by then is not wanted any more.
const UNUSED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// An object that could not be deleted is tried again after so long.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// What a sweep cleared away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Attachments.
    pub attachments: u64,
    /// Objects, or what was left of them.
    pub objects: usize,
    /// Whether there may be more.
    pub more: bool,
}

impl Attachments {
    /// Clears away some of what is to go. Any instance may, at any time, also several at once.
    ///
    /// # Errors
    /// The database. An object that cannot be deleted is tried again later.
    pub async fn sweep(&self) -> Result<Swept, AttachmentError> {
        self.0.objects.clear_abandoned().await;
        let now = self.0.clock.now();
        let unused_before = Timestamp::new(now.utc() - UNUSED_KEPT);
        let attachments = self.0.store.let_go(now, unused_before, SWEEP_ROWS_MAX).await?;
        let keys = self.0.store.leftovers(now, SWEEP_ROWS_MAX).await?;
        let more = attachments >= u64::from(SWEEP_ROWS_MAX) || keys.len() >= SWEEP_ROWS_MAX as usize;
        let deleting = stream::iter(keys).map(|key| async move {
            let deleted = self.0.objects.forget(&key).await;
            (key, deleted)
        });
        let told: Vec<_> = deleting.buffer_unordered(DELETED_TOGETHER).collect().await;
        let mut gone = Vec::with_capacity(told.len());
        for (key, deleted) in told {
            match deleted {
                Ok(()) => gone.push(key),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "An object could not be deleted yet");
                    let again = Timestamp::new(now.utc() + TRIED_AGAIN_AFTER);
                    self.0.store.expect_bytes(&key, again).await?;
                }
            }
        }
        if !gone.is_empty() {
            self.0.store.forget_leftovers(&gone).await?;
        }
        Ok(Swept { attachments, objects: gone.len(), more })
    }

    /// Sweeps at the start, then every minute while something happens here and every few hours while nothing does,
    /// until it is told to stop.
    pub async fn sweep_now_and_then(self, stop: CancellationToken) {
        let sweeping = async {
            let mut tick = tokio::time::interval(SWEEP_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last: Option<Instant> = None;
            loop {
                tick.tick().await;
                let busy = self.0.busy.swap(false, Ordering::Relaxed);
                if busy || last.is_none_or(|last| last.elapsed() >= SWEEP_QUIETLY_EVERY) {
                    last = Some(Instant::now());
                    self.sweep_and_tell().await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sweeping => {}
        }
    }

    /// Says that something happened of which attachments may be left over, such as the end of a thread.
    pub fn look_soon(&self) {
        self.0.busy.store(true, Ordering::Relaxed);
    }

    async fn sweep_and_tell(&self) {
        match self.sweep().await {
            Ok(Swept { attachments: 0, objects: 0, more: false }) => {}
            Ok(Swept { attachments, objects, more }) => {
                tracing::info!(attachments, objects, "Cleared away attachments that nobody needs");
                if more {
                    self.look_soon();
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Could not look for attachments to clear away"
                );
                self.look_soon();
            }
        }
    }
}
