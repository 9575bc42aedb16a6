//! The exact framing of a stream: frames, comment lines, and nothing else. A browser forgives more; a server should not need it.

use serde_json::Value;

use super::quoted;

const PREFIX: &[u8] = b"data: ";
const END: &[u8] = b"\n\n";
/// So much of what is wrong is shown, in bytes.
const SHOWN_BYTES: usize = 80;

/// What a stream consists of.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Framed {
    /// The events in their order; null for one whose JSON cannot be read.
    pub(super) events: Vec<Value>,
    /// What is wrong with the framing, a sentence each.
    pub(super) problems: Vec<String>,
}

/// Cuts a body into events. What comes after bytes that are no frame is not looked at.
pub(super) fn cut(body: &[u8]) -> Framed {
    let mut framed = Framed::default();
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b":") {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                framed.problems.push(format!("byte {at}: the comment line does not end"));
                break;
            };
            let empty_line = usize::from(rest.get(end + 1) == Some(&b'\n'));
            at += end + 1 + empty_line;
            continue;
        }
        let frame = rest.strip_prefix(PREFIX).and_then(|after| Some(&after[..end_of_frame(after)?]));
        let Some(payload) = frame else {
            let got = quoted(rest, SHOWN_BYTES);
            framed.problems.push(format!("byte {at}: expected `data: …` and an empty line, got {got}"));
            break;
        };
        framed.take(payload);
        at += PREFIX.len() + payload.len() + END.len();
    }
    framed
}

/// Where the frame that begins a body ends, without the empty line after it.
fn end_of_frame(body: &[u8]) -> Option<usize> {
    body.windows(END.len()).position(|bytes| bytes == END)
}

/// The part of a body before the last empty line, and that line: what is whole of a stream that goes on.
pub(super) fn whole_frames(body: &[u8]) -> &[u8] {
    let end = body.windows(END.len()).rposition(|bytes| bytes == END);
    end.map_or(&[], |end| &body[..end + END.len()])
}

/// Whether so many events are in a body. Cheap for a body that has fewer empty lines.
pub(super) fn has_events(body: &[u8], count: usize) -> bool {
    let ends = body.windows(END.len()).filter(|bytes| *bytes == END).count();
    ends >= count && cut(body).events.len() >= count
}

impl Framed {
    fn take(&mut self, payload: &[u8]) {
        let number = self.events.len();
        let shown = quoted(payload, SHOWN_BYTES);
        let event = match std::str::from_utf8(payload).map_err(|error| error.to_string()) {
            Ok(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Err(error) => Err(error),
        };
        match event {
            Ok(_) if !is_compact(payload) => {
                self.problems.push(format!("event {number}: the JSON is not compact: {shown}"));
            }
            Ok(_) => {}
            Err(ref error) => self.problems.push(format!("event {number}: no JSON ({error}): {shown}")),
        }
        self.events.push(event.unwrap_or(Value::Null));
    }
}

/// Whether JSON has no white space outside of its texts.
fn is_compact(json: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    json.iter().all(|byte| {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b' ' | b'\t' | b'\n' | b'\r') => return false,
            _ => {}
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(body: &str, events: &[Value], problems: &[&str]) {
        let framed = cut(body.as_bytes());
        assert_eq!(framed.events, events, "{body:?}");
        assert_eq!(framed.problems.len(), problems.len(), "{:?}", framed.problems);
        for (problem, named) in framed.problems.iter().zip(problems) {
            assert!(problem.contains(named), "{problem:?} does not name {named:?}");
        }
    }

    #[test]
    fn frames_and_comment_lines_are_all_there_may_be() {
        check("", &[], &[]);
        check("data: {\"a\":1}\n\ndata: \"b c\\\" d\"\n\n", &[json!({"a": 1}), json!("b c\" d")], &[]);
        check(": ping\n\ndata: 1\n\n:\n: again\ndata: 2\n\n: bye\n", &[json!(1), json!(2)], &[]);
    }

    #[test]
    fn anything_else_is_named_with_its_place() {
        check("data: 1\n\n\ndata: 2\n\n", &[json!(1)], &["byte 9: expected"]);
        check("data:1\n\n", &[], &["byte 0: expected `data: …`"]);
        check("event: x\ndata: 1\n\n", &[], &["byte 0"]);
        check("data: 1\r\n\r\n", &[], &["\\r\\n"]);
        check("\u{feff}data: 1\n\n", &[], &["byte 0"]);
        check("data: 1\n", &[], &["data: 1\\n"]);
        check("data: 1\n\ndata: 2", &[json!(1)], &["byte 9"]);
        check("data: [DONE]\n\n", &[Value::Null], &["event 0: no JSON"]);
        check("data: 1\ndata: 2\n\n", &[Value::Null], &["event 0: no JSON"]);
        check(": ping", &[], &["byte 0: the comment line"]);
    }

    #[test]
    fn json_with_white_space_is_not_compact_unless_it_is_in_a_text() {
        check("data: {\"a\": 1}\n\n", &[json!({"a": 1})], &["event 0: the JSON is not compact"]);
        check("data: [1,\n2]\n\n", &[json!([1, 2])], &["not compact"]);
        check("data: {\"a\\\\\": 1}\n\n", &[json!({"a\\": 1})], &["not compact"]);
        check("data: {\"a \\\" b\":\"c \\\\\"}\n\n", &[json!({"a \" b": "c \\"})], &[]);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_a_problem_and_no_panic() {
        let framed = cut(b"data: \"\xff\"\n\n");
        assert_eq!(framed.events, [Value::Null]);
        assert!(framed.problems[0].contains("utf-8"), "{:?}", framed.problems);
    }

    #[test]
    fn what_is_whole_of_a_stream_ends_with_its_last_empty_line() {
        assert_eq!(whole_frames(b"data: 1\n\ndata: 2"), b"data: 1\n\n");
        assert_eq!(whole_frames(b"data: 1\n"), b"");
        assert!(has_events(b": a\n\ndata: 1\n\ndata: 2\n\ndat", 2));
        assert!(!has_events(b": a\n\ndata: 1\n\ndata: 2", 2));
    }
}
