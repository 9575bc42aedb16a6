//! Bytes on their way from a turn to whoever listens.
//!
//! The turn never waits for its listener. While the listener keeps up, every event is one frame, as it came. When it
//! falls behind, deltas of the same text are merged, so that what waits grows no faster than the answer itself; a
//! listener that is further behind than [`OUTBOX_BYTES_MAX`] is let go, and finds the answer when it comes back.
//! A client that asks the same once more is told the same again from a [`Replay`].

mod backlog;
mod replay;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chatkit_protocol::{ThreadEvent, sse};
use futures_util::Stream;
use tokio_util::sync::CancellationToken;

use self::backlog::Backlog;
use self::replay::Replayed;
use super::notebook::Account;
use crate::language::Language;
use crate::metrics::OpenStream;
use crate::quota::Slot;

pub(super) use self::replay::Replay;

/// From so many waiting bytes on, deltas are merged.
const MERGE_FROM_BYTES: usize = 16 * 1024;
/// A listener with more than so many waiting bytes is let go.
pub const OUTBOX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The turn's end: takes events, never waits.
#[derive(Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
    frames: Vec<u8>,
    replay: Option<Replay>,
}

/// The listener's end: a stream of bytes, each piece one or more whole frames.
#[derive(Debug)]
pub struct Listening {
    source: Source,
    /// The listener's place among those that listen at once.
    slot: Slot,
    /// The listener, counted.
    counted: Option<OpenStream>,
    /// What the listener is spoken to in.
    language: Language,
    account: Account,
}

#[derive(Debug)]
enum Source {
    /// The turn's own listener.
    Outbox { shared: Arc<Shared>, replay: Option<Replay> },
    /// One that came later, and is told all of it.
    Replay(Replayed),
}

/// The listener was too slow and was let go; the turn goes on.
#[derive(Debug, thiserror::Error)]
#[error("the listener was more than {OUTBOX_BYTES_MAX} bytes behind")]
pub struct LetGo;

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Bytes in `state.waiting`, so that the turn can ask without a lock.
    backlog_bytes: AtomicUsize,
    gone: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    waiting: Backlog,
    waker: Option<Waker>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    Finished,
    LetGo,
}

/// Both ends of a new outbox.
pub fn outbox() -> (Outbox, Listening) {
    outbox_with(None)
}

/// The same, telling a replay all of it, too.
pub(super) fn outbox_with(replay: Option<Replay>) -> (Outbox, Listening) {
    let shared = Arc::new(Shared::default());
    let listening = Listening::to(Source::Outbox { shared: shared.clone(), replay: replay.clone() });
    (Outbox { shared, frames: Vec::new(), replay }, listening)
}

impl Outbox {
    /// Puts one event in a local buffer; [`Outbox::flush`] hands it over.
    pub fn put(&mut self, event: &ThreadEvent) {
        if let Some(replay) = &mut self.replay {
            replay.put(event);
        }
        if self.shared.gone.is_cancelled() {
            return;
        }
        if self.shared.is_behind() {
            self.flush();
            self.shared.merge(event);
        } else {
            sse::write_frame(event, &mut self.frames);
        }
    }

    /// Hands over what was put since the last time, in one piece.
    pub fn flush(&mut self) {
        if let Some(replay) = &mut self.replay {
            replay.flush();
        }
        if self.frames.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.phase == Phase::Open {
            state.waiting.append(&self.frames);
            self.shared.weigh(&mut state);
        }
        state.wake();
        drop(state);
        self.frames.clear();
    }

    /// Resolves when nobody listens any more; at once if that is so already.
    pub fn listener_gone(&self) -> CancellationToken {
        self.shared.gone.clone()
    }

    /// Ends the stream after what was put. Dropping the outbox does the same.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.flush();
        if let Some(replay) = &self.replay {
            replay.end();
        }
        let mut state = self.shared.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Finished;
        }
        state.wake();
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn is_behind(&self) -> bool {
        self.backlog_bytes.load(Ordering::Relaxed) > MERGE_FROM_BYTES
    }

    fn merge(&self, event: &ThreadEvent) {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return;
        }
        state.waiting.merge(event);
        self.weigh(&mut state);
        state.wake();
    }

    /// Keeps the count of waiting bytes, and lets a listener go that will not catch up.
    fn weigh(&self, state: &mut State) {
        if state.waiting.bytes() > OUTBOX_BYTES_MAX {
            state.phase = Phase::LetGo;
            state.waiting = Backlog::default();
            self.gone.cancel();
        }
        self.backlog_bytes.store(state.waiting.settled_bytes(), Ordering::Relaxed);
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Shared {
    fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, LetGo>>> {
        let mut state = self.lock();
        let waiting = state.waiting.take();
        if !waiting.is_empty() {
            self.backlog_bytes.store(0, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(waiting)));
        }
        match state.phase {
            Phase::Finished => Poll::Ready(None),
            Phase::LetGo => {
                state.phase = Phase::Finished;
                Poll::Ready(Some(Err(LetGo)))
            }
            Phase::Open => {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    none => *none = Some(context.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}

impl Listening {
    fn to(source: Source) -> Self {
        let (slot, language, account) = (Slot::default(), Language::default(), Account::default());
        Self { source, slot, counted: None, language, account }
    }

    /// The same, for a listener who is spoken to in this language.
    #[must_use]
    pub fn speaking(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// What the listener is spoken to in; English when nobody said.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The same, of a turn that keeps this account.
    #[must_use]
    pub(super) fn accounted(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// What the turn has cost and noted; complete at the end of the stream.
    pub fn account(&self) -> Account {
        self.account.clone()
    }

    /// The same, holding a place, and being counted, until the listener has gone.
    #[must_use]
    pub fn holding(mut self, slot: Slot, counted: OpenStream) -> Self {
        (self.slot, self.counted) = (slot, Some(counted));
        self
    }
}

impl Stream for Listening {
    type Item = Result<Bytes, LetGo>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.source {
            Source::Outbox { shared, replay } => {
                let piece = shared.poll_next(context);
                if let (Poll::Ready(None), Some(replay)) = (&piece, replay) {
                    replay.heard_to_the_end();
                }
                piece
            }
            Source::Replay(replayed) => replayed.poll_next(context).map(|piece| piece.map(Ok)),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Source::Outbox { shared, .. } = &self.source {
            shared.gone.cancel();
        }
    }
}

#[cfg(test)]
mod tests;
