//! Comparing an answer with what a case expects of it: status, headers, framing, body.

use serde_json::Value;

use super::case::{Expect, Status};
use super::exchange::Answer;
use super::matcher::Matcher;
use super::{framing, quoted};

const JSON: &str = "application/json";
const STREAM: &str = "text/event-stream";
/// So much of an unexpected body is shown, in bytes.
const SHOWN_BYTES: usize = 200;

/// The body of an answer, and what is wrong with it whatever was expected.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// The JSON, or the list of events; none for other bodies.
    pub(super) value: Option<Value>,
    problems: Vec<String>,
}

/// Reads the body as what it is said to be.
pub(super) fn decode(answer: &Answer) -> Decoded {
    if answer.is(STREAM) {
        let body = if answer.stopped { framing::whole_frames(&answer.body) } else { &answer.body };
        let framed = framing::cut(body);
        return Decoded { value: Some(Value::Array(framed.events)), problems: framed.problems };
    }
    if !answer.is(JSON) {
        return Decoded::default();
    }
    match serde_json::from_slice(&answer.body) {
        Ok(value) => Decoded { value: Some(value), problems: Vec::new() },
        Err(error) => {
            let problem = format!("the body is no JSON ({error}): {}", quoted(&answer.body, SHOWN_BYTES));
            Decoded { value: None, problems: vec![problem] }
        }
    }
}

impl Decoded {
    /// Leaves out events that came after those which were waited for.
    pub(super) fn first_events(&mut self, count: usize) {
        if let Some(Value::Array(events)) = &mut self.value {
            events.truncate(count);
        }
    }

    /// The types of the events, for whoever looks for the one that is missing.
    pub(super) fn types(&self) -> Option<String> {
        let events = self.value.as_ref()?.as_array()?;
        let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap_or("?")).collect();
        Some(if types.is_empty() { "none".to_owned() } else { types.join(" ") })
    }
}

/// Compares an answer with an expectation; what differs is told to the matcher.
pub(super) fn compare(expect: &Expect, answer: &Answer, decoded: &Decoded, matcher: &mut Matcher) {
    matcher.differences.extend_from_slice(&decoded.problems);
    let status = expect.error.clone().or_else(|| expect.status.clone()).unwrap_or_else(Status::ok);
    if !status.fits(answer.status) {
        let got = format!("{} {}", answer.status, quoted(&answer.body, SHOWN_BYTES));
        return matcher.differs("status", status, got);
    }
    let types = [(expect.events.is_some(), STREAM), (expect.json.is_some() || expect.error.is_some(), JSON)];
    if let Some((_, wanted)) = types.iter().find(|(is_wanted, media_type)| *is_wanted && !answer.is(media_type)) {
        let got = answer.header("content-type").map_or("none".to_owned(), |said| format!("`{said}`"));
        return matcher.differs("content type", wanted, got);
    }
    match (answer.cut, expect.cut) {
        (true, false) => matcher.differences.push("the connection broke off before the body was complete".to_owned()),
        (false, true) => matcher.differences.push("the body is complete, expected a cut".to_owned()),
        (true, true) | (false, false) => {}
    }
    for (name, part) in &expect.headers {
        let got = answer.header(name);
        if got.as_ref().is_none_or(|got| !got.contains(part)) {
            let got = got.map_or("none".to_owned(), |got| format!("`{got}`"));
            matcher.differs(&format!("header {name}"), format_args!("`{part}` in it"), got);
        }
    }
    compare_value(expect, decoded, matcher);
    let text = String::from_utf8_lossy(&answer.body);
    for part in expect.contains.iter().filter(|part| !text.contains(part.as_str())) {
        matcher.differences.push(format!("the body lacks {part:?}"));
    }
    for part in expect.lacks.iter().filter(|part| text.contains(part.as_str())) {
        matcher.differences.push(format!("the body must not contain {part:?}"));
    }
}

fn compare_value(expect: &Expect, decoded: &Decoded, matcher: &mut Matcher) {
    let Some(value) = &decoded.value else { return };
    let place = if expect.events.is_some() { "events" } else { "body" };
    if expect.error.is_some() {
        for pointer in ["/message", "/error/message"] {
            let message = value.pointer(pointer);
            if message.and_then(Value::as_str).is_none_or(str::is_empty) {
                let got = message.map_or("nothing".to_owned(), super::show);
                matcher.differs(&format!("body{pointer}"), "a sentence on what is wrong", got);
            }
        }
    } else if decoded.problems.is_empty() {
        // An event that could not be read is null here, which is not the server's null.
        nulls(value, place, &mut matcher.differences);
    }
    for pattern in [&expect.json, &expect.events].into_iter().flatten() {
        matcher.fit(pattern, value, place);
    }
}

/// Names every null outside of free-form JSON: what is not there is left out.
fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(format!("{path}: null; what is not there is left out")),
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(at, element)| nulls(element, &format!("{path}/{at}"), found));
        }
        Value::Object(members) => {
            let free: &[&str] = match members.get("type").and_then(Value::as_str) {
                Some("client_tool_call") => &["arguments", "output"],
                Some("input_tag" | "entity" | "client_effect") => &["data"],
                _ => &[],
            };
            for (name, member) in
                members.iter().filter(|(name, member)| member.is_null() || !free.contains(&name.as_str()))
            {
                nulls(member, &format!("{path}/{name}"), found);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_are_named_except_inside_free_form_json() {
        let value = json!([
            {"type": "thread.created", "thread": {"title": null}},
            {"type": "client_tool_call", "arguments": {"a": null, "b": [null]}, "output": {"c": null}, "name": null},
            {"type": "client_tool_call", "output": null},
            {"type": "input_tag", "data": {"d": null}},
            {"type": "entity", "data": {"e": null}, "icon": null},
            {"type": "client_effect", "data": {"f": null}},
            {"type": "widget", "data": {"g": null}},
            [null],
        ]);
        let mut found = Vec::new();
        nulls(&value, "events", &mut found);
        let places: Vec<&str> =
            found.iter().filter_map(|sentence| sentence.split_once(": null")).map(|(place, _)| place).collect();
        let expected = ["0/thread/title", "1/name", "2/output", "4/icon", "6/data/g", "7/0"];
        assert_eq!(places, expected.map(|place| format!("events/{place}")));
    }
}
