//! Pure: the events of a stream, cut out of its bytes, however those come.

use std::ops::Range;

use super::LlmError;

/// An event longer than this is not an event.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// Holds what has arrived and was not read yet.
#[derive(Debug, Default)]
pub(super) struct Events {
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
}

impl Events {
    /// Where to append what arrives next.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.arrived.drain(..self.line);
        self.searched = self.searched.saturating_sub(self.line);
        self.line = 0;
        &mut self.arrived
    }

    /// What the next event says, if all of it has arrived. Bytes that are not UTF-8 are replaced.
    ///
    /// Text is copied once, into a buffer that all events share.
    pub(super) fn next(&mut self) -> Option<Result<&str, LlmError>> {
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
            let said = said.strip_prefix(b" ").unwrap_or(said);
            if !self.payload.is_empty() {
                self.payload.push('\n');
            }
            match std::str::from_utf8(said) {
                Ok(said) => self.payload.push_str(said),
                Err(_) => self.payload.push_str(&String::from_utf8_lossy(said)),
            }
        }
        let event_bytes = self.payload.len() + self.arrived.len() - self.line;
        let too_long = || LlmError::Garbled(format!("an event of more than {EVENT_BYTES_MAX} bytes"));
        (event_bytes > EVENT_BYTES_MAX).then(|| Err(too_long()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut events = Events::default();
        let mut heard = Vec::new();
        for piece in pieces {
            events.room().extend_from_slice(piece);
            while let Some(event) = events.next() {
                heard.push(event.unwrap().to_owned());
            }
        }
        heard
    }

    #[track_caller]
    fn check(stream: &[u8], expected: &[&str]) {
        assert_eq!(read([stream]), expected, "whole");
        assert_eq!(read(stream.chunks(1)), expected, "byte by byte");
    }

    #[test]
    fn an_event_is_what_its_data_lines_say() {
        check(b"data: a\n\ndata:b\n\n", &["a", "b"]);
        check(b"event: e\r\ndata: a\r\nid: 1\r\ndata: b\r\n\r\n", &["a\nb"]);
        check(b"data: a\r\n\ndata: b\r\r\n", &["a", "b"]);
        check(b": ping\n\ndata: a\r\rdata: b\n\n", &["a", "b"]);
        check(b"data: a\xffb\n\ndata: \xf0\x9f\xa4\x96\n\n", &["a\u{fffd}b", "\u{1f916}"]);
        check(b"data:\n\nevent: e\n\ndata\n\ndata: not over\n", &[]);
    }

    #[test]
    fn an_event_without_an_end_is_refused_before_it_fills_the_memory() {
        for piece in [format!("data: {}\n", "x".repeat(1000)), "x".repeat(1000)] {
            let mut events = Events::default();
            let mut pieces = 0;
            while events.next().is_none() {
                pieces += 1;
                assert!(pieces * 1000 < EVENT_BYTES_MAX * 2, "an endless event is taken in");
                events.room().extend_from_slice(piece.as_bytes());
            }
            assert!(matches!(events.next(), Some(Err(LlmError::Garbled(_)))));
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_events_are_the_same(
            parts in prop::collection::vec(
                prop::sample::select(vec!["data: ", "data:", "a", "\u{1f916}", "\n", "\r", "\r\n", "\n\n", ": c", " "]),
                0..40,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream = parts.concat().into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            places.extend([0, stream.len()]);
            places.sort_unstable();
            let pieces = places.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
            prop_assert_eq!(read(pieces), read([&*stream]));
            prop_assert_eq!(read(stream.chunks(1)), read([&*stream]));
        }
    }
}
