//! The bytes of an answer on their way to the event parser, made safe for it: no byte order mark, valid UTF-8,
//! small pieces, bounded events, bounded waits.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::LlmError;

/// An event longer than this is not an event.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// The parser's work grows with the square of a piece, so it gets small ones.
const PIECE_BYTES_MAX: usize = 64 << 10;

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
    started: bool,
    bytes: usize,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, patience: Patience) -> Self {
        Self { source: Box::pin(response.bytes_stream()), patience, started: false, bytes: 0 }
    }

    /// The next bytes, `None` at the orderly end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, LlmError>> {
        let (deadline, waited) = match self.started {
            false => self.patience.first,
            true => (Instant::now() + self.patience.idle, self.patience.idle),
        };
        let bytes = match timeout_at(deadline, self.source.next()).await {
            Err(_) => return Some(Err(LlmError::Silent(waited))),
            Ok(None) => return None,
            Ok(Some(Err(_))) => return Some(Err(LlmError::Cut)),
            Ok(Some(Ok(bytes))) => bytes,
        };
        self.started = true;
        self.bytes += bytes.len();
        if self.bytes > WIRE_BYTES_MAX {
            return Some(Err(LlmError::Garbled(format!("more than {WIRE_BYTES_MAX} bytes"))));
        }
        Some(Ok(bytes))
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

/// The bytes of a body in pieces the event parser copes with.
///
/// At the orderly end a blank line is added, so that a last event without one is not lost.
pub(super) fn pieces(start: Bytes, body: Body) -> impl Stream<Item = Result<Bytes, LlmError>> + Send {
    let reader = Reader { body, waiting: start, torn: Vec::new(), lines: Lines::default(), ended: false };
    stream::unfold(reader, |mut reader| async move {
        let piece = reader.next().await?;
        Some((piece, reader))
    })
}

struct Reader {
    body: Body,
    waiting: Bytes,
    /// A character of which the rest has not come yet.
    torn: Vec<u8>,
    lines: Lines,
    ended: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Bytes, LlmError>> {
        while self.waiting.is_empty() {
            if self.ended {
                return None;
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.waiting = bytes,
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.ended = true;
                    return Some(Ok(Bytes::from_static(b"\n\n")));
                }
            }
        }
        let piece = self.waiting.split_to(self.waiting.len().min(PIECE_BYTES_MAX));
        if self.lines.event_bytes_after(&piece) > EVENT_BYTES_MAX {
            self.ended = true;
            self.waiting.clear();
            return Some(Err(LlmError::Garbled(format!("an event of more than {EVENT_BYTES_MAX} bytes"))));
        }
        Some(Ok(self.mended(piece)))
    }

    /// The parser holds everything back from the first invalid byte on; so it never sees one.
    fn mended(&mut self, piece: Bytes) -> Bytes {
        if self.torn.is_empty() && std::str::from_utf8(&piece).is_ok() {
            return piece;
        }
        let mut bytes = std::mem::take(&mut self.torn);
        bytes.extend_from_slice(&piece);
        let mut text = String::with_capacity(bytes.len());
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            match std::str::from_utf8(left) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    let (valid, rest) = left.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                    let Some(invalid) = error.error_len() else {
                        self.torn = rest.to_vec();
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    left = &rest[invalid..];
                }
            }
        }
        Bytes::from(text)
    }
}

/// Counts the bytes since the last blank line.
#[derive(Default)]
struct Lines {
    since_blank: usize,
    in_line: bool,
    after_return: bool,
}

impl Lines {
    fn event_bytes_after(&mut self, piece: &[u8]) -> usize {
        for byte in piece {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    if !self.in_line {
                        self.since_blank = 0;
                    }
                    self.in_line = false;
                    self.after_return = *byte == b'\r';
                }
                _ => {
                    self.in_line = true;
                    self.after_return = false;
                    self.since_blank += 1;
                }
            }
        }
        self.since_blank
    }
}
