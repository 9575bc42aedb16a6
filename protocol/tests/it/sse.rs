//! Streams: the decoder gives the same payloads however the bytes are cut, and never more than was allowed.

use chatkit_protocol::sse::{Decoder, SseError, write_comment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One line of an event.
#[derive(Clone, Debug)]
enum Line {
    /// `data: x`
    Spaced(String),
    /// `data:x`
    Bare(String),
    /// `data`
    NoColon,
    /// `: x`
    Comment(String),
    /// `id: x` and other fields that are no data.
    Other(String),
}

/// What a stream is made of.
#[derive(Clone, Debug)]
struct Written {
    events: Vec<Vec<Line>>,
    line_end: &'static str,
    mark: bool,
    unfinished: bool,
}

impl Written {
    fn bytes(&self) -> Vec<u8> {
        let mut text = if self.mark { "\u{feff}".to_owned() } else { String::new() };
        for (place, event) in self.events.iter().enumerate() {
            for line in event {
                match line {
                    Line::Spaced(value) => text.push_str(&format!("data: {value}")),
                    Line::Bare(value) => text.push_str(&format!("data:{value}")),
                    Line::NoColon => text.push_str("data"),
                    Line::Comment(value) => text.push_str(&format!(":{value}")),
                    Line::Other(field) => text.push_str(&format!("{field}: 1")),
                }
                text.push_str(self.line_end);
            }
            if !(self.unfinished && place + 1 == self.events.len()) {
                text.push_str(self.line_end);
            }
        }
        text.into_bytes()
    }

    fn payloads(&self) -> Vec<String> {
        let complete = self.events.len() - usize::from(self.unfinished && !self.events.is_empty());
        let payload = |event: &Vec<Line>| {
            let values: Vec<&str> = event
                .iter()
                .filter_map(|line| match line {
                    Line::Spaced(value) => Some(value.as_str()),
                    Line::Bare(value) => Some(value.strip_prefix(' ').unwrap_or(value)),
                    Line::NoColon => Some(""),
                    Line::Comment(_) | Line::Other(_) => None,
                })
                .collect();
            (!values.is_empty()).then(|| values.join("\n"))
        };
        self.events[..complete].iter().filter_map(payload).collect()
    }
}

fn written() -> impl Strategy<Value = Written> {
    let value = || {
        prop_oneof![
            "[^\r\n]{0,12}",
            "[ :]{0,3}[a-z]{0,3}",
            Just("{\"a\":1}".to_owned()),
            Just("\u{feff}é🤖".to_owned())
        ]
    };
    let line = prop_oneof![
        3 => value().prop_map(Line::Spaced),
        2 => value().prop_map(Line::Bare),
        1 => Just(Line::NoColon),
        1 => value().prop_map(Line::Comment),
        1 => prop::sample::select(vec!["id", "event", "retry", "dat", "Data", "data ", " data"])
            .prop_map(|field| Line::Other(field.to_owned())),
    ];
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (vec(vec(line, 0..4), 0..5), line_end, any::<bool>(), any::<bool>())
        .prop_map(|(events, line_end, mark, unfinished)| Written { events, line_end, mark, unfinished })
}

/// Everything a decoder gives for these pieces, and how it ended.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit_bytes: usize) -> (Vec<String>, Result<(), SseError>) {
    let mut decoder = Decoder::new(limit_bytes);
    let mut payloads = Vec::new();
    for piece in pieces {
        let pushed = decoder.push(piece);
        payloads.extend(std::iter::from_fn(|| decoder.next_payload()));
        if pushed.is_err() {
            return (payloads, pushed);
        }
    }
    (payloads, Ok(()))
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn however_the_bytes_are_cut_the_payloads_are_the_same(written in written(), cuts in vec(any::<Index>(), 0..8)) {
        let bytes = written.bytes();
        let wanted = (written.payloads(), Ok(()));
        prop_assert_eq!(&decode([bytes.as_slice()], 1_000), &wanted);
        prop_assert_eq!(&decode(cut(&bytes, &cuts), 1_000), &wanted);
        prop_assert_eq!(&decode(bytes.chunks(1), 1_000), &wanted);
    }

    #[test]
    fn however_the_bytes_are_cut_the_limit_is_the_same(
        written in written(),
        cuts in vec(any::<Index>(), 0..8),
        limit_bytes in 0..40_usize,
    ) {
        let bytes = written.bytes();
        let whole = decode([bytes.as_slice()], limit_bytes);
        prop_assert!(whole.0.iter().all(|payload| payload.len() <= limit_bytes));
        prop_assert_eq!(&decode(cut(&bytes, &cuts), limit_bytes), &whole);
        prop_assert_eq!(&decode(bytes.chunks(1), limit_bytes), &whole);
    }

    #[test]
    fn noise_gives_payloads_or_an_error(bytes in vec(any::<u8>(), 0..200), cuts in vec(any::<Index>(), 0..8)) {
        prop_assert_eq!(decode(cut(&bytes, &cuts), 50), decode([bytes.as_slice()], 50));
    }
}

#[track_caller]
fn check(stream: &str, wanted: &[&str]) {
    let (payloads, ended) = decode([stream.as_bytes()], 100);
    assert_eq!((payloads.iter().map(String::as_str).collect::<Vec<_>>(), ended), (wanted.to_vec(), Ok(())));
}

#[test]
fn fields_are_read_as_browsers_read_them() {
    check("data: x\n\n", &["x"]);
    check("data:x\n\n", &["x"]);
    check("data:  x\n\n", &[" x"]);
    check("data\n\n", &[""]);
    check("data:\n\n", &[""]);
    check("data: a\ndata: b\n\n", &["a\nb"]);
    check("data: a\r\ndata: b\r\n\r\ndata: c\r\r", &["a\nb", "c"]);
    check(": a comment\n\ndata: x\n: another\n\n", &["x"]);
    check("\u{feff}data: x\n\n\u{feff}data: y\n\n", &["x"]);
    check("event: e\nid: 1\nretry: 5\ndata: x\n\n", &["x"]);
    check("\n\n\ndata: x\n\n\n\n", &["x"]);
    check("data: the end never came", &[]);
    check("data: nor did the empty line\n", &[]);
}

#[test]
fn a_carriage_return_ends_an_event_before_its_line_feed_has_come() {
    let mut decoder = Decoder::new(100);
    decoder.push(b"data: x\r\n\r").unwrap();
    assert_eq!(decoder.next_payload().as_deref(), Some("x"));
    decoder.push(b"\ndata: y\r\n\r\n").unwrap();
    assert_eq!(decoder.next_payload().as_deref(), Some("y"));
    assert_eq!(decoder.next_payload(), None);
}

#[test]
fn an_event_that_is_too_large_or_not_utf8_is_refused_after_those_before_it() {
    let long = format!("data: ok\n\ndata: {}\n\n", "x".repeat(100));
    assert_eq!(decode([long.as_bytes()], 50), (vec!["ok".to_owned()], Err(SseError::TooLarge(50))));
    let many = format!("data: ok\n\n{}", "data: 123456789\n".repeat(10));
    assert_eq!(decode([many.as_bytes()], 50), (vec!["ok".to_owned()], Err(SseError::TooLarge(50))));
    assert_eq!(decode([b"data: ok\n\ndata: \xff\n\n".as_slice()], 50), (vec!["ok".to_owned()], Err(SseError::NotUtf8)));
}

/// Were every byte to cost as much as all before it, this would take minutes.
#[test]
fn large_events_in_small_pieces_cost_no_more_than_their_bytes() {
    let one_line = format!("data: {}\n\n", "x".repeat(2_000_000));
    let many_lines = format!("{}\n", "data: x\n".repeat(250_000));
    for (stream, bytes) in [(one_line, 2_000_000), (many_lines, 499_999)] {
        let (payloads, ended) = decode(stream.as_bytes().chunks(1), 4_000_000);
        assert_eq!((payloads.len(), payloads[0].len(), ended), (1, bytes, Ok(())));
    }
}

#[test]
fn a_comment_cannot_become_an_event() {
    let mut bytes = Vec::new();
    write_comment("ping\n\ndata: x\r\n\r\n", &mut bytes);
    assert_eq!(bytes, b": ping  data: x    \n\n");
    assert_eq!(decode([bytes.as_slice()], 100), (Vec::new(), Ok(())));
}
