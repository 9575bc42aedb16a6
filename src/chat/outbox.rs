//! Bytes on their way from a turn to whoever listens.
//!
//! The turn never waits for its listener. While the listener keeps up, every event is one frame, as it came. When it
//! falls behind, deltas of the same text are merged, so that what waits grows no faster than the answer itself; a
//! listener that is further behind than [`OUTBOX_BYTES_MAX`] is let go, and finds the answer when it comes back.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use chatkit_protocol::{ItemId, ItemUpdate, ThreadEvent, sse};
use futures_util::Stream;
use tokio_util::sync::CancellationToken;

/// From so many waiting bytes on, deltas are merged.
const MERGE_FROM_BYTES: usize = 16 * 1024;
/// A listener with more than so many waiting bytes is let go.
pub const OUTBOX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The turn's end: takes events, never waits.
#[derive(Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
    frames: Vec<u8>,
}

/// The listener's end: a stream of bytes, each piece one or more whole frames.
#[derive(Debug)]
pub struct Listening {
    shared: Arc<Shared>,
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
    waiting: BytesMut,
    /// Text that waits behind `waiting` and may still grow.
    tail: Option<Tail>,
    waker: Option<Waker>,
    phase: Phase,
}

#[derive(Debug)]
struct Tail {
    item_id: ItemId,
    content_index: u32,
    text: String,
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
    let shared = Arc::new(Shared::default());
    (Outbox { shared: shared.clone(), frames: Vec::new() }, Listening { shared })
}

impl Outbox {
    /// Puts one event in a local buffer; [`Outbox::flush`] hands it over.
    pub fn put(&mut self, event: &ThreadEvent) {
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
        if self.frames.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.phase == Phase::Open {
            state.settle_tail();
            state.waiting.extend_from_slice(&self.frames);
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
        state.merge(event);
        self.weigh(&mut state);
        state.wake();
    }

    /// Keeps the count of waiting bytes, and lets a listener go that will not catch up.
    fn weigh(&self, state: &mut State) {
        let tail_bytes = state.tail.as_ref().map_or(0, |tail| tail.text.len());
        if state.waiting.len() + tail_bytes > OUTBOX_BYTES_MAX {
            state.phase = Phase::LetGo;
            state.waiting = BytesMut::new();
            state.tail = None;
            self.gone.cancel();
        }
        self.backlog_bytes.store(state.waiting.len(), Ordering::Relaxed);
    }
}

impl State {
    fn merge(&mut self, event: &ThreadEvent) {
        let ThreadEvent::ItemUpdated { item_id, update: ItemUpdate::TextDelta { content_index, delta } } = event else {
            self.settle_tail();
            let mut frame = Vec::new();
            sse::write_frame(event, &mut frame);
            self.waiting.extend_from_slice(&frame);
            return;
        };
        match &mut self.tail {
            Some(tail) if tail.item_id == *item_id && tail.content_index == *content_index => tail.text.push_str(delta),
            _ => {
                self.settle_tail();
                let tail = Tail { item_id: item_id.clone(), content_index: *content_index, text: delta.clone() };
                self.tail = Some(tail);
            }
        }
    }

    fn settle_tail(&mut self) {
        let Some(Tail { item_id, content_index, text }) = self.tail.take() else { return };
        let mut frame = Vec::with_capacity(text.len() + 256);
        sse::write_frame(&ThreadEvent::text_delta(&item_id, content_index, text), &mut frame);
        self.waiting.extend_from_slice(&frame);
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for Listening {
    type Item = Result<Bytes, LetGo>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.shared.lock();
        state.settle_tail();
        if !state.waiting.is_empty() {
            self.shared.backlog_bytes.store(0, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(state.waiting.split().freeze())));
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

impl Drop for Listening {
    fn drop(&mut self) {
        self.shared.gone.cancel();
    }
}

#[cfg(test)]
mod tests;
