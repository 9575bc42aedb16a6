//! What a turn has told so far, for a client that asks the same once more.
//!
//! Deltas are kept merged, so a replay is about as long as the answer. Its listeners read it from the start, each at its
//! own pace, and then hear what is new.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chatkit_protocol::ThreadEvent;

use super::OUTBOX_BYTES_MAX;
use super::backlog::Backlog;

/// The end that is told, and the end that tells. Clones are the same replay.
#[derive(Debug, Default)]
pub(in crate::chat) struct Replay {
    shared: Arc<Mutex<Told>>,
    /// Heard by this clone, not shared yet.
    unshared: Backlog,
}

#[derive(Debug, Default)]
struct Told {
    all: Backlog,
    phase: Phase,
    /// A listener has got all of it.
    heard: bool,
    wakers: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No turn tells it anything.
    #[default]
    Silent,
    Open,
    Finished,
    /// It became longer than anybody should be told at once.
    TooLong,
}

impl Clone for Replay {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), unshared: Backlog::default() }
    }
}

/// A listener of a replay.
#[derive(Debug)]
pub(super) struct Replayed {
    shared: Arc<Mutex<Told>>,
    place: usize,
}

impl Replay {
    /// Whether a turn tells it what it tells.
    pub(in crate::chat) fn has_begun(&self) -> bool {
        lock(&self.shared).phase != Phase::Silent
    }

    /// Whether a listener got everything to the end, so that a client has no reason to ask the same again.
    pub(in crate::chat) fn was_heard(&self) -> bool {
        lock(&self.shared).heard
    }

    /// One more listener, who is told everything from the start.
    pub(in crate::chat) fn listen(&self) -> super::Listening {
        super::Listening::to(super::Source::Replay(Replayed { shared: self.shared.clone(), place: 0 }))
    }

    pub(super) fn put(&mut self, event: &ThreadEvent) {
        self.unshared.merge(event);
    }

    pub(super) fn flush(&mut self) {
        if self.unshared.bytes() == 0 {
            return;
        }
        let mut told = lock(&self.shared);
        match told.phase {
            Phase::Silent | Phase::Open if told.all.bytes() < OUTBOX_BYTES_MAX => {
                told.phase = Phase::Open;
                told.all.absorb(&mut self.unshared);
            }
            _ => {
                self.unshared = Backlog::default();
                told.phase = Phase::TooLong;
                told.all = Backlog::default();
            }
        }
        told.wake();
    }

    pub(super) fn end(&self) {
        let mut told = lock(&self.shared);
        if told.phase == Phase::Open {
            told.phase = Phase::Finished;
        }
        told.wake();
    }

    pub(super) fn heard_to_the_end(&self) {
        lock(&self.shared).heard = true;
    }
}

impl Told {
    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

impl Replayed {
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut told = lock(&self.shared);
        let piece = Bytes::copy_from_slice(told.all.from(self.place));
        if !piece.is_empty() {
            self.place += piece.len();
            return Poll::Ready(Some(piece));
        }
        match told.phase {
            Phase::Silent | Phase::Open => {
                if !told.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    told.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
            Phase::TooLong => Poll::Ready(None),
            Phase::Finished => {
                told.heard = true;
                Poll::Ready(None)
            }
        }
    }
}

fn lock(shared: &Mutex<Told>) -> MutexGuard<'_, Told> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
