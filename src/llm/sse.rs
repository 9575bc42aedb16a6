//! From the bytes of an answer to its events: bounded events, bounded waits, and what arrived together read together.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::LlmError;

/// An event longer than this is not an event.
const EVENT_BYTES_MAX: usize = 1 << 20;

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

/// The events of a body, cut out of its bytes as they come.
pub(super) struct Events {
    body: Body,
    arrived: Vec<u8>,
    /// Where in `arrived` the line begins that is read next.
    line: usize,
    /// Up to where in `arrived` there is no end of that line.
    searched: usize,
    /// A line feed that comes now belongs to the carriage return before it.
    after_return: bool,
    /// What the event says so far that is being read.
    payload: String,
    /// That event was given out.
    given: bool,
    ended: bool,
}

impl Events {
    /// `start` is what was read of the body already.
    pub(super) fn new(start: &[u8], body: Body) -> Self {
        Self {
            body,
            arrived: start.to_vec(),
            line: 0,
            searched: 0,
            after_return: false,
            payload: String::new(),
            given: false,
            ended: false,
        }
    }

    /// What the next event says, if all of it has arrived. Bytes that are not UTF-8 are replaced.
    pub(super) fn next_arrived(&mut self) -> Option<Result<&str, LlmError>> {
        if std::mem::take(&mut self.given) {
            self.payload.clear();
        }
        while let Some(line) = self.next_line() {
            let line = &self.arrived[line];
            if line.is_empty() && !self.payload.is_empty() {
                self.given = true;
                return Some(Ok(&self.payload));
            }
            let Some(said) = line.strip_prefix(b"data:") else { continue };
            if !self.payload.is_empty() {
                self.payload.push('\n');
            }
            let said = said.strip_prefix(b" ").unwrap_or(said);
            match std::str::from_utf8(said) {
                Ok(said) => self.payload.push_str(said),
                Err(_) => self.payload.push_str(&String::from_utf8_lossy(said)),
            }
        }
        let event_bytes = self.payload.len() + self.arrived.len() - self.line;
        let too_long = || LlmError::Garbled(format!("an event of more than {EVENT_BYTES_MAX} bytes"));
        (event_bytes > EVENT_BYTES_MAX).then(|| Err(too_long()))
    }

    /// Waits until more has arrived; `false` at the orderly end.
    pub(super) async fn more(&mut self) -> Result<bool, LlmError> {
        if self.ended {
            return Ok(false);
        }
        self.arrived.drain(..self.line);
        self.searched = self.searched.saturating_sub(std::mem::take(&mut self.line));
        match self.body.gathered(&mut self.arrived).await {
            Some(gathered) => gathered?,
            None => {
                self.ended = true;
                // A last event without its blank line counts.
                self.arrived.extend_from_slice(b"\n\n");
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

    /// The next whole line, without its end.
    fn next_line(&mut self) -> Option<Range<usize>> {
        let next = *self.arrived.get(self.line)?;
        if std::mem::take(&mut self.after_return) && next == b'\n' {
            self.line += 1;
        }
        let from = self.searched.max(self.line);
        let Some(length) = memchr::memchr2(b'\n', b'\r', &self.arrived[from..]) else {
            self.searched = self.arrived.len();
            return None;
        };
        let line = self.line..from + length;
        self.after_return = self.arrived[line.end] == b'\r';
        self.line = line.end + 1;
        Some(line)
    }
}
