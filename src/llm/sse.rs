//! The bytes of an answer: read with bounded patience, and what arrived together read together.
//!
//! How events are cut out of them is in `events.rs`.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::LlmError;
use super::events::Events;

/// So much is gathered before it is read, when it is there already.
const GATHERED_BYTES_MAX: usize = 16 << 10;

/// All bytes of one answer, thoughts and framing included.
const WIRE_BYTES_MAX: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How long to wait for bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// When the first bytes have to be here, and how long that was when the request left.
    pub(super) first: (Instant, Duration),
    /// The longest silence afterwards.
    pub(super) idle: Duration,
}

/// The body of an answer, read with bounded patience.
pub(super) struct Body {
    source: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    patience: Patience,
    /// Something came, if only the end.
    started: bool,
    /// What was read and not given out yet; the inner `None` is the end.
    read_ahead: Option<Option<reqwest::Result<Bytes>>>,
    bytes: usize,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, patience: Patience) -> Self {
        Self { source: Box::pin(response.bytes_stream()), patience, started: false, read_ahead: None, bytes: 0 }
    }

    /// The next bytes, `None` at the orderly end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, LlmError>> {
        let read = match self.read_ahead.take() {
            Some(read) => read,
            None => match self.read().await {
                Ok(read) => read,
                Err(error) => return Some(Err(error)),
            },
        };
        let bytes = match read? {
            Ok(bytes) => bytes,
            Err(_) => return Some(Err(LlmError::Cut)),
        };
        self.bytes += bytes.len();
        if self.bytes > WIRE_BYTES_MAX {
            return Some(Err(LlmError::Garbled(format!("more than {WIRE_BYTES_MAX} bytes"))));
        }
        Some(Ok(bytes))
    }

    async fn read(&mut self) -> Result<Option<reqwest::Result<Bytes>>, LlmError> {
        let (deadline, waited) = match self.started {
            false => self.patience.first,
            true => (Instant::now() + self.patience.idle, self.patience.idle),
        };
        let read = timeout_at(deadline, self.source.next()).await.map_err(|_| LlmError::Silent(waited))?;
        self.started = true;
        Ok(read)
    }

    /// Waits for bytes, and appends them with all that arrived with them; `None` at the orderly end.
    pub(super) async fn gathered(&mut self, buffer: &mut Vec<u8>) -> Option<Result<(), LlmError>> {
        let start = buffer.len();
        loop {
            match self.next().await? {
                Ok(bytes) => buffer.extend_from_slice(&bytes),
                Err(error) => return Some(Err(error)),
            }
            if buffer.len() - start >= GATHERED_BYTES_MAX || !self.has_more().await {
                return Some(Ok(()));
            }
        }
    }

    /// Whether there is more to read without waiting.
    ///
    /// The task that reads the socket hands over one piece at a time, so it gets one chance to hand over the next.
    async fn has_more(&mut self) -> bool {
        let mut had_chance = false;
        self.read_ahead = poll_fn(|context| match self.source.as_mut().poll_next(context) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending if had_chance => Poll::Ready(None),
            Poll::Pending => {
                had_chance = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        matches!(self.read_ahead, Some(Some(Ok(_))))
    }

    /// What is left of the body, at most `max` bytes of it.
    pub(super) async fn rest(&mut self, start: Bytes, max: usize) -> Result<BytesMut, LlmError> {
        let mut whole = BytesMut::from(start);
        while let Some(bytes) = self.next().await {
            whole.extend_from_slice(&bytes?);
            if whole.len() > max {
                return Err(LlmError::Garbled(format!("a body of more than {max} bytes")));
            }
        }
        Ok(whole)
    }
}

/// How a body begins, which tells what it is whatever its content type says.
pub(super) enum Opening {
    /// Server-sent events; the bytes belong to them.
    Events(Bytes),
    /// One JSON document.
    Json(Bytes),
    /// A page for people.
    Page,
}

/// Reads up to the first byte that is neither a byte order mark nor white space.
pub(super) async fn opening(body: &mut Body) -> Result<Opening, LlmError> {
    let mut start = BytesMut::new();
    loop {
        if start.len() >= BYTE_ORDER_MARK.len() || !BYTE_ORDER_MARK.starts_with(&start) {
            if start.starts_with(BYTE_ORDER_MARK) {
                start.advance(BYTE_ORDER_MARK.len());
            }
            let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            start.advance(blank);
            match start.first() {
                Some(b'{' | b'[') => return Ok(Opening::Json(start.freeze())),
                Some(b'<') => return Ok(Opening::Page),
                Some(_) => return Ok(Opening::Events(start.freeze())),
                None => {}
            }
        }
        match body.next().await {
            Some(bytes) => start.extend_from_slice(&bytes?),
            None => return Ok(Opening::Events(start.freeze())),
        }
    }
}

/// The events of a body.
pub(super) struct EventBody {
    body: Body,
    events: Events,
    ended: bool,
}

impl EventBody {
    /// `start` is what was read of the body already.
    pub(super) fn new(start: &[u8], body: Body) -> Self {
        let mut events = Events::default();
        events.room().extend_from_slice(start);
        Self { body, events, ended: false }
    }

    /// What the next event says, if all of it has arrived.
    pub(super) fn next_arrived(&mut self) -> Option<Result<&str, LlmError>> {
        self.events.next()
    }

    /// Waits until more has arrived; `false` at the orderly end.
    pub(super) async fn more(&mut self) -> Result<bool, LlmError> {
        if self.ended {
            return Ok(false);
        }
        match self.body.gathered(self.events.room()).await {
            Some(gathered) => gathered?,
            None => {
                self.ended = true;
                // A last event without its blank line counts.
                self.events.room().extend_from_slice(b"\n\n");
            }
        }
        Ok(true)
    }

    /// Whether nothing follows. What does follow is lost: this is for answers that have gone wrong already.
    pub(super) async fn is_over(&mut self) -> bool {
        while self.next_arrived().is_none() {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
        }
        false
    }
}
