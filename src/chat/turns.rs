//! Who is running: one turn per thread, leases, stopping, and a shutdown that waits for all.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use chatkit_protocol::{ThreadId, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ledger::Ending;
use crate::clock::Clock;
use crate::identity::OwnerId;
use crate::store::{BeginTurn, Begun, StoreError, ThreadStore, TurnThread};

/// A turn that has not renewed its lease for so long belongs to an instance that died.
pub const TURN_LEASE: Duration = Duration::from_secs(10);
/// A new message waits at most so long for the turn whose place it takes: longer than the lease of one that is dead.
const SUPERSEDE_WAIT_MAX: Duration = Duration::from_secs(15);
/// How often a turn on another instance is looked for while waiting for its end.
const SUPERSEDE_POLL: Duration = Duration::from_millis(150);
/// How often turns of dead instances are looked for, by a house in which something happens.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// A turn whose lease ran out so long ago is swept up. Until then its instance may only have lost its database.
const SWEEP_AFTER: Duration = Duration::from_secs(120);
/// After the grace, turns get so long to keep what they have.
const KEEP_WAIT_MAX: Duration = Duration::from_secs(5);

/// The turns of this instance. Cheap to clone.
#[derive(Clone)]
pub struct Turns(Arc<Inner>);

struct Inner {
    store: Arc<dyn ThreadStore>,
    clock: Clock,
    running: Mutex<HashMap<ThreadId, Running>>,
    /// Whether a turn began here since the last sweep.
    busy: AtomicBool,
    tracker: TaskTracker,
    closing: CancellationToken,
}

struct Running {
    turn_id: String,
    control: Control,
    ended: CancellationToken,
}

/// Tells a turn to end, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    asked: CancellationToken,
    how: Arc<OnceLock<Ending>>,
}

impl Control {
    /// Asks the turn to end; the first to ask decides how.
    pub(super) fn end(&self, how: Ending) {
        let _ = self.how.set(how);
        self.asked.cancel();
    }

    /// Waits until somebody asks.
    pub(super) async fn asked(&self) -> Ending {
        self.asked.cancelled().await;
        self.how.get().copied().unwrap_or(Ending::Stopped)
    }
}

/// A turn's entry in the register; dropping it says that the turn is over.
pub(super) struct Entry {
    turns: Turns,
    thread_id: ThreadId,
    turn_id: String,
    pub(super) control: Control,
    ended: CancellationToken,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = self.turns.lock();
        if running.get(&self.thread_id).is_some_and(|running| running.turn_id == self.turn_id) {
            running.remove(&self.thread_id);
        }
        self.ended.cancel();
    }
}

impl Turns {
    pub(super) fn new(store: Arc<dyn ThreadStore>, clock: Clock) -> Self {
        // The first sweep is due at the start, in case this house is the one that died.
        let (running, busy) = (Mutex::default(), AtomicBool::new(true));
        let (tracker, closing) = (TaskTracker::new(), CancellationToken::new());
        Self(Arc::new(Inner { store, clock, running, busy, tracker, closing }))
    }

    /// How many turns run on this instance.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether new turns are still taken.
    pub fn is_open(&self) -> bool {
        !self.0.closing.is_cancelled()
    }

    /// Waits until no new turns are taken.
    pub async fn closed(&self) {
        self.0.closing.cancelled().await;
    }

    /// Stops the turn that runs in a thread, here or on another instance. Whether there was one.
    ///
    /// # Errors
    /// The store, when the turn does not run here and the other instances cannot be told.
    pub async fn stop(&self, owner: &OwnerId, thread_id: &ThreadId) -> Result<bool, StoreError> {
        let running = self.0.store.ask_to_stop(owner, thread_id, self.0.clock.now()).await?;
        if running {
            self.end_here(thread_id, Ending::Stopped).await;
        } else if let Some(lingering) = self.lock().get(thread_id) {
            // It has given its thread back, and may still look for a title.
            lingering.control.end(Ending::Stopped);
        }
        Ok(running)
    }

    /// Looks for turns of dead instances now and then, until the shutdown.
    pub fn sweep_in_background(&self) {
        let turns = self.clone();
        self.spawn(async move {
            let mut tick = tokio::time::interval(SWEEP_EVERY);
            loop {
                tokio::select! {
                    () = turns.0.closing.cancelled() => return,
                    _ = tick.tick() => turns.sweep().await,
                }
            }
        });
    }

    async fn sweep(&self) {
        // A quiet house does not keep a database awake: a turn left behind is closed by whoever touches its thread.
        if !self.0.busy.swap(false, Ordering::Relaxed) {
            return;
        }
        let ran_out_before = Timestamp::new(self.0.clock.now().utc() - SWEEP_AFTER);
        match self.0.store.close_stale_turns(ran_out_before).await {
            Ok(0) => {}
            Ok(turns) => tracing::warn!(turns, "Closed turns that another instance left behind"),
            Err(error) => tracing::debug!(%error, "Could not look for turns left behind"),
        }
    }

    /// Takes no new turns, lets running ones finish within the grace, then has them keep what they have.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.closing.cancel();
        self.0.tracker.close();
        if tokio::time::timeout(grace, self.0.tracker.wait()).await.is_ok() {
            return;
        }
        let late: Vec<Control> = self.lock().values().map(|running| running.control.clone()).collect();
        tracing::warn!(turns = late.len(), "Stopping turns that did not finish within the grace");
        for control in late {
            control.end(Ending::ShutDown);
        }
        if tokio::time::timeout(KEEP_WAIT_MAX, self.0.tracker.wait()).await.is_err() {
            tracing::error!(
                turns = self.count(),
                "Some turns could not keep what they had; their last checkpoints remain"
            );
        }
    }

    /// Runs something that the shutdown waits for.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.tracker.spawn(future);
    }

    /// The same, for somebody who wants the result.
    pub(super) fn spawn_and_join<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.tracker.spawn(future)
    }

    /// Takes the thread for a turn; a turn that runs there is superseded first.
    ///
    /// # Errors
    /// As [`ThreadStore::begin_turn`]; [`StoreError::Busy`] only when the other turn would not end in time.
    pub(super) async fn take(&self, owner: &OwnerId, mut begin: BeginTurn) -> Result<Begun, StoreError> {
        let deadline = Instant::now() + SUPERSEDE_WAIT_MAX;
        loop {
            begin.now = self.0.clock.now();
            begin.lease_until = self.lease_until();
            let begun = self.0.store.begin_turn(owner, &begin).await;
            match (&begun, &begin.thread) {
                (Err(StoreError::Busy), TurnThread::Existing(thread_id)) if Instant::now() < deadline => {
                    self.supersede(owner, thread_id).await?;
                }
                _ => return begun,
            }
        }
    }

    async fn supersede(&self, owner: &OwnerId, thread_id: &ThreadId) -> Result<(), StoreError> {
        if !self.end_here(thread_id, Ending::Superseded).await {
            self.0.store.ask_to_stop(owner, thread_id, self.0.clock.now()).await?;
            tokio::time::sleep(SUPERSEDE_POLL).await;
        }
        Ok(())
    }

    /// Ends the turn of a thread if it runs here, and waits until it has kept what it has. Whether it ran here.
    async fn end_here(&self, thread_id: &ThreadId, how: Ending) -> bool {
        let Some((control, ended)) =
            self.lock().get(thread_id).map(|running| (running.control.clone(), running.ended.clone()))
        else {
            return false;
        };
        control.end(how);
        // If it does not end in time, the caller finds the thread busy once more and says so.
        let _ = tokio::time::timeout(SUPERSEDE_WAIT_MAX, ended.cancelled()).await;
        true
    }

    /// Registers a turn that holds its thread.
    pub(super) fn enter(&self, thread_id: &ThreadId, turn_id: &str) -> Entry {
        let (control, ended) = (Control::default(), CancellationToken::new());
        let running = Running { turn_id: turn_id.to_owned(), control: control.clone(), ended: ended.clone() };
        self.lock().insert(thread_id.clone(), running);
        self.0.busy.store(true, Ordering::Relaxed);
        Entry { turns: self.clone(), thread_id: thread_id.clone(), turn_id: turn_id.to_owned(), control, ended }
    }

    /// When a lease taken or renewed now runs out.
    pub(super) fn lease_until(&self) -> Timestamp {
        Timestamp::new(self.0.clock.now().utc() + TURN_LEASE)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Running>> {
        self.0.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
