//! The middle of a turn: hear the responder, write, send, and close the books whatever happens.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use chatkit_protocol::{Action, ErrorCode, ItemId, ThreadEvent, ThreadRecord};
use futures_util::Stream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::Chat;
use super::super::ledger::{Ending, Ledger, Step};
use super::super::outbox::Outbox;
use super::super::responder::{EventStream, ThreadHandle, Turn, TurnError};
use super::super::turns::Entry;
use super::tally::Tally;
use crate::config::OnDisconnect;
use crate::store::{Lease, Standing, StoreError, TurnKey, Write};

/// The text so far is written at most so often.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// The text so far is written sooner when so many bytes are not written yet, but not more often than that allows.
const CHECKPOINT_BYTES: usize = 8 * 1024;
/// A turn in which nothing happens renews its lease, and looks whether it should stop, so often.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// One attempt to write may take so long.
const WRITE_TRY_MAX: Duration = Duration::from_secs(5);
/// A write is tried again for so long while the reader waits.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to write what could not be written while the reader waited.
const KEEP_TRYING_EVERY: Duration = Duration::from_secs(2);
/// So many events are heard before the reader is shown them, when they are all there already.
const BATCH_EVENTS_MAX: usize = 256;

/// A turn that holds its thread and has something to say. It is boxed while it runs: each step of its way would
/// otherwise keep room for a copy, in every turn that waits for a model.
pub(super) struct Run {
    /// Goes before the outbox does: who has heard the end finds it counted.
    tally: Tally,
    chat: Chat,
    key: TurnKey,
    turn: Turn,
    ledger: Ledger,
    outbox: Outbox,
    /// A checkpoint on its way to the store.
    checkpoint: Option<JoinHandle<Result<Standing, StoreError>>>,
    last_write: Instant,
    /// Another instance, or another door, wants the turn to stop.
    told_to_stop: bool,
    /// The thread was given back together with the last item.
    released: bool,
    /// A checkpoint found the thread gone, or taken over.
    lost: bool,
    /// The thread as it was at an event that was refused: the responder was heard beyond it, and may have edited on.
    last_thread: Option<ThreadRecord>,
}

/// An event, and the thread as it was when the event was heard, if it was edited since the one before.
type Heard = (Result<ThreadEvent, TurnError>, Option<ThreadRecord>);

/// Why a turn cannot go on.
enum Broken {
    /// The responder gave up.
    Responder(TurnError),
    /// These could not be written.
    Store(Vec<Write>, StoreError),
    /// The thread is gone, or another turn holds it.
    Lost,
}

impl Run {
    pub(super) fn new(chat: Chat, key: TurnKey, turn: Turn, outbox: Outbox, tally: Tally) -> Box<Self> {
        let ledger = Ledger::open(turn.thread.read());
        Box::new(Self {
            tally,
            chat,
            key,
            turn,
            ledger,
            outbox,
            checkpoint: None,
            last_write: Instant::now(),
            told_to_stop: false,
            released: false,
            lost: false,
            last_thread: None,
        })
    }

    /// Runs to whichever end comes first. The entry is given up when everything is kept.
    pub(super) async fn run(mut self: Box<Self>, entry: Entry, action: Option<Action>, preface: Option<ThreadEvent>) {
        let started = Instant::now();
        let options = self.chat.responder.stream_options(&self.turn.thread.read());
        self.outbox.put(&ThreadEvent::StreamOptions { stream_options: options });
        if let Some(event) = preface {
            self.outbox.put(&event);
        }
        self.outbox.flush();
        let ended = self.converse(&entry, action).await;
        self.settle_checkpoint().await;
        let (ending, error) = match ended {
            _ if self.lost => (Ending::Failed, Some(Broken::Lost)),
            // After the last word there is nothing left to be stopped.
            Ok(_) if self.released => (Ending::Finished, None),
            Ok(ending) => (ending, None),
            Err(broken) => (Ending::Failed, Some(broken)),
        };
        self.tally.ends(ending, self.lost);
        self.close(ending, error).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(turn.ending = ?ending, duration_ms, "Turn ended");
        drop(entry);
    }

    async fn converse(&mut self, entry: &Entry, action: Option<Action>) -> Result<Ending, Broken> {
        let mut events = match action {
            None => self.chat.responder.respond(self.turn.clone()),
            Some(action) => self.chat.responder.act(self.turn.clone(), action),
        };
        let thread = self.turn.thread.clone();
        let mut edits_seen = thread.edits();
        let mut asked = pin!(entry.control.asked());
        let gone = self.outbox.listener_gone();
        let stops_with_listener = self.chat.options.on_disconnect == OnDisconnect::Cancel;
        let mut left = pin!(async move { gone.cancelled().await });
        let mut tick = tokio::time::interval(CHECKPOINT_EVERY);
        loop {
            tokio::select! {
                how = &mut asked => return Ok(how),
                () = &mut left, if stops_with_listener => return Ok(self.tally.leaves()),
                (heard, over) = next_batch(&mut events, &thread, &mut edits_seen) => {
                    for one in heard {
                        self.take_in(one).await?;
                    }
                    self.outbox.flush();
                    if over {
                        return Ok(Ending::Finished);
                    }
                    if self.ledger.unwritten_bytes() > CHECKPOINT_BYTES {
                        self.checkpoint_in_background(CHECKPOINT_EVERY / 4).await?;
                    }
                }
                _ = tick.tick() => self.checkpoint_in_background(CHECKPOINT_EVERY).await?,
            }
            if self.lost {
                return Err(Broken::Lost);
            }
            if self.told_to_stop {
                return Ok(Ending::Stopped);
            }
        }
    }

    async fn take_in(&mut self, (event, thread): Heard) -> Result<(), Broken> {
        let event = event.map_err(Broken::Responder)?;
        let step = match self.ledger.hear(event) {
            Ok(step) => step,
            Err(error) => {
                self.last_thread = Some(thread.unwrap_or_else(|| self.ledger.thread().clone()));
                return Err(Broken::Responder(TurnError::Unexpected(Box::new(error))));
            }
        };
        self.carry_out(step).await?;
        match thread.and_then(|thread| self.ledger.hear_thread(&thread)) {
            Some(step) => self.carry_out(step).await,
            None => Ok(()),
        }
    }

    /// Writes first, then sends: what a client has seen as done is on disk.
    async fn carry_out(&mut self, mut step: Step) -> Result<(), Broken> {
        if !step.write.is_empty() {
            self.turn.notebook.add_to(&mut step.write);
            self.outbox.flush();
            self.settle_checkpoint().await;
            if self.turn.last_word.load(Ordering::Relaxed) {
                return self.carry_out_last(step).await;
            }
            self.write(step.write, Lease::Until(self.chat.turns.lease_until())).await?;
        }
        if let Some(event) = &step.send {
            self.tally.sends(event);
            self.outbox.put(event);
        }
        Ok(())
    }

    /// The same for the last item: one round trip keeps it, the thread's last changes, and gives the thread back.
    async fn carry_out_last(&mut self, mut step: Step) -> Result<(), Broken> {
        let changed = self.ledger.hear_thread(&self.turn.thread.read()).unwrap_or_default();
        step.write.extend(changed.write);
        self.write(step.write, Lease::Release).await?;
        self.released = true;
        for event in step.send.iter().chain(&changed.send) {
            self.outbox.put(event);
        }
        Ok(())
    }

    /// Tries until it works, or the patience of a waiting reader is at its end.
    async fn write(&mut self, writes: Vec<Write>, lease: Lease) -> Result<(), Broken> {
        let deadline = Instant::now() + WRITE_PATIENCE;
        let mut pause = Duration::from_millis(50);
        loop {
            match self.try_to_write(&writes, lease).await {
                Ok(standing) => {
                    self.told_to_stop |= standing == Standing::Stop;
                    self.last_write = Instant::now();
                    return Ok(());
                }
                Err(StoreError::TurnLost | StoreError::NoThread) => return Err(Broken::Lost),
                Err(error @ (StoreError::Away(_) | StoreError::Slow(_))) if Instant::now() + pause < deadline => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "Could not write; trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(Broken::Store(writes, error)),
            }
        }
    }

    async fn try_to_write(&self, writes: &[Write], lease: Lease) -> Result<Standing, StoreError> {
        let record = self.chat.store.record(&self.key, writes, lease, self.chat.clock.now());
        match tokio::time::timeout(WRITE_TRY_MAX, record).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Slow(WRITE_TRY_MAX)),
        }
    }

    /// Writes the text so far without keeping the responder waiting; also renews the lease.
    async fn checkpoint_in_background(&mut self, at_most_every: Duration) -> Result<(), Broken> {
        if self.released || self.checkpoint.as_ref().is_some_and(|checkpoint| !checkpoint.is_finished()) {
            return Ok(());
        }
        self.settle_checkpoint().await;
        let since = self.last_write.elapsed();
        if since < at_most_every.mul_f32(0.9) {
            return Ok(());
        }
        let mut writes = self.ledger.checkpoint();
        self.turn.notebook.copy_to(&mut writes);
        if writes.is_empty() && since < RENEW_EVERY {
            return Ok(());
        }
        self.last_write = Instant::now();
        let (chat, key) = (self.chat.clone(), self.key.clone());
        let lease = Lease::Until(self.chat.turns.lease_until());
        self.checkpoint = Some(self.chat.turns.spawn_and_join(async move {
            let record = chat.store.record(&key, &writes, lease, chat.clock.now());
            tokio::time::timeout(WRITE_TRY_MAX, record).await.unwrap_or_else(|_| Err(StoreError::Slow(WRITE_TRY_MAX)))
        }));
        Ok(())
    }

    /// Waits for the checkpoint that is on its way, so that it cannot overtake what is written next.
    async fn settle_checkpoint(&mut self) {
        let Some(checkpoint) = self.checkpoint.take() else { return };
        match checkpoint.await {
            Ok(Ok(standing)) => self.told_to_stop |= standing == Standing::Stop,
            Ok(Err(StoreError::TurnLost | StoreError::NoThread)) => self.lost = true,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Could not write the text so far");
            }
            // What it panicked with may hold text of the answer.
            Err(_) => tracing::error!("A checkpoint broke off"),
        }
    }

    /// Keeps what was shown, tells the reader of an error, gives the thread back.
    async fn close(mut self: Box<Self>, ending: Ending, error: Option<Broken>) {
        if matches!(error, Some(Broken::Lost)) {
            tracing::info!("The thread was deleted or taken over; the turn keeps nothing more");
            self.outbox.put(&ThreadEvent::stream_error(false));
            return self.outbox.finish();
        }
        let note_id = ItemId::from(self.chat.ids.mint("shcx"));
        let mut writes = self.ledger.close(ending, note_id, self.chat.clock.now());
        let thread = self.last_thread.take().unwrap_or_else(|| self.turn.thread.read());
        let changed = self.ledger.hear_thread(&thread);
        let mut unkept = Vec::new();
        let told = error.map(|broken| error_event(broken, &mut unkept));
        writes.splice(..0, unkept);
        writes.extend(changed.iter().flat_map(|step| step.write.clone()));
        if !self.released {
            self.turn.notebook.add_to(&mut writes);
        }
        let kept = match self.released {
            true => {
                self.count_the_rest().await;
                Ok(())
            }
            false => self.write(writes, Lease::Release).await,
        };
        if let Some(event) = told.or_else(|| kept.as_ref().err().map(|_| ThreadEvent::stream_error(true))) {
            self.outbox.put(&event);
        }
        if let (Ok(()), Some(event)) = (&kept, changed.and_then(|step| step.send)) {
            self.outbox.put(&event);
        }
        self.outbox.flush();
        if let Err(Broken::Store(writes, error)) = kept {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The end of a turn could not be written; it is kept in memory"
            );
            self.keep_in_memory(writes).await;
        }
    }

    /// Counts what the turn has cost since its last word, such as a title.
    async fn count_the_rest(&self) {
        let mut writes = Vec::new();
        self.turn.notebook.add_to(&mut writes);
        if writes.is_empty() {
            return;
        }
        let TurnKey { owner, thread_id, .. } = &self.key;
        let keeping = self.chat.store.keep(owner, thread_id, &writes, self.chat.clock.now());
        match tokio::time::timeout(WRITE_TRY_MAX, keeping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "What a title has cost could not be counted");
            }
            Err(_) => tracing::warn!("What a title has cost could not be counted in time"),
        }
    }

    /// Goes on trying to write after the reader was told, until it works, the turn is lost, or the process ends.
    async fn keep_in_memory(self: Box<Self>, writes: Vec<Write>) {
        let Self { chat, key, outbox, .. } = *self;
        outbox.finish();
        loop {
            let record = chat.store.record(&key, &writes, Lease::Release, chat.clock.now());
            match tokio::time::timeout(WRITE_TRY_MAX, record).await {
                Ok(Ok(_)) => return tracing::info!("The end of a turn was written after all"),
                Ok(Err(StoreError::TurnLost | StoreError::NoThread)) => return,
                _ if !chat.turns.is_open() => return tracing::error!("The end of a turn is lost: the process ends"),
                _ => tokio::time::sleep(KEEP_TRYING_EVERY).await,
            }
        }
    }
}

/// What the reader is told; what could not be written is handed back.
fn error_event(broken: Broken, unkept: &mut Vec<Write>) -> ThreadEvent {
    match broken {
        Broken::Responder(TurnError::Custom { message, allow_retry }) => {
            ThreadEvent::Error { code: ErrorCode::Custom, message: Some(message), allow_retry }
        }
        Broken::Responder(TurnError::Stream { allow_retry }) => ThreadEvent::stream_error(allow_retry),
        Broken::Responder(TurnError::NotSupported) => {
            tracing::warn!("The responder does not do what this turn was for");
            ThreadEvent::stream_error(true)
        }
        Broken::Responder(TurnError::Unexpected(error)) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "The responder failed");
            ThreadEvent::stream_error(true)
        }
        Broken::Store(writes, error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "An item could not be written");
            unkept.extend(writes);
            ThreadEvent::stream_error(true)
        }
        Broken::Lost => ThreadEvent::stream_error(false),
    }
}

/// Everything the responder has ready, up to the next event that must be written before it may go on.
async fn next_batch(events: &mut EventStream, thread: &ThreadHandle, edits_seen: &mut u64) -> (Vec<Heard>, bool) {
    let mut heard: Vec<Heard> = Vec::new();
    poll_fn(move |context| {
        loop {
            match Pin::new(&mut *events).poll_next(context) {
                Poll::Pending if heard.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready((std::mem::take(&mut heard), false)),
                Poll::Ready(None) => return Poll::Ready((std::mem::take(&mut heard), true)),
                Poll::Ready(Some(event)) => {
                    let last = event.as_ref().map_or(true, must_be_written) || heard.len() + 1 >= BATCH_EVENTS_MAX;
                    let edits = thread.edits();
                    let edited = (edits != *edits_seen).then(|| thread.read());
                    let last = last || edited.is_some();
                    *edits_seen = edits;
                    heard.push((event, edited));
                    if last {
                        return Poll::Ready((std::mem::take(&mut heard), false));
                    }
                }
            }
        }
    })
    .await
}

fn must_be_written(event: &ThreadEvent) -> bool {
    matches!(event, ThreadEvent::ItemDone { .. } | ThreadEvent::ItemReplaced { .. } | ThreadEvent::ItemRemoved { .. })
}
