//! Server-sent events: frames are written here, and read back from bytes that are cut anywhere.

use serde::Serialize;

/// Writes `data: `, the event as compact JSON, and an empty line.
///
/// ```
/// use chatkit_protocol::{StreamOptions, ThreadEvent, sse};
///
/// let mut bytes = Vec::new();
/// sse::write_frame(&ThreadEvent::StreamOptions { stream_options: StreamOptions { allow_cancel: true } }, &mut bytes);
/// assert_eq!(bytes, b"data: {\"type\":\"stream_options\",\"stream_options\":{\"allow_cancel\":true}}\n\n");
/// ```
pub fn write_frame(event: &impl Serialize, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b"data: ");
    serde_json::to_writer(&mut *buffer, event).expect("events have text keys only, and writing to memory cannot fail");
    buffer.extend_from_slice(b"\n\n");
}

/// Writes a comment, which readers of the stream skip. Line breaks in it become spaces.
pub fn write_comment(text: &str, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b": ");
    buffer.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    buffer.extend_from_slice(b"\n\n");
}

/// Why a stream cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event is larger than the limit given to the decoder.
    #[error("an event is larger than {0} bytes")]
    TooLarge(usize),
    /// An event is not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
}

/// Reads payloads from the bytes of a stream, however they are cut.
///
/// ```
/// use chatkit_protocol::sse::Decoder;
///
/// let mut decoder = Decoder::new(1024);
/// decoder.push(b"data: {\"a\"").unwrap();
/// decoder.push(b":1}\n\ndata: [").unwrap();
/// assert_eq!(decoder.next_payload().as_deref(), Some("{\"a\":1}"));
/// assert_eq!(decoder.next_payload(), None);
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit_bytes: usize,
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The payload of the event that is not complete yet; `None` before its first `data` line.
    payload: Option<String>,
    ready: std::collections::VecDeque<String>,
    after_carriage_return: bool,
    at_start: bool,
}

impl Decoder {
    /// A decoder that refuses events of more than `limit_bytes`.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            line: Vec::new(),
            payload: None,
            ready: std::collections::VecDeque::new(),
            after_carriage_return: false,
            at_start: true,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The stream cannot be read on; payloads that were complete before can still be taken.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), SseError> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_carriage_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.grow_line(bytes)?;
                return Ok(());
            };
            self.grow_line(&bytes[..end])?;
            self.after_carriage_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line()?;
        }
        Ok(())
    }

    /// The next complete payload: the `data` lines of one event, joined by line feeds.
    pub fn next_payload(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    fn grow_line(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        let held = self.line.len() + self.payload.as_ref().map_or(0, String::len);
        if held + bytes.len() > self.limit_bytes {
            return Err(SseError::TooLarge(self.limit_bytes));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&line).map_err(|_| SseError::NotUtf8)?;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.ready.extend(self.payload.take());
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field != "data" {
            return Ok(());
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.payload {
            None => self.payload = Some(value.to_owned()),
            Some(payload) => {
                payload.push('\n');
                payload.push_str(value);
            }
        }
        Ok(())
    }
}
