//! Tool calls are put together here from the pieces in which they come.

use chatkit_protocol::JsonMap;
use serde_json::Value;

use super::{LlmError, ModelName, ToolCall};
use crate::identity::Ids;

/// Calls in one round; more are a model gone wild.
const TOOL_CALLS_MAX: usize = 32;

/// The pieces of all calls of one round together, signatures included.
const TOOL_CALL_BYTES_MAX: usize = 1 << 20;

/// The arguments of one call.
const TOOL_ARGUMENTS_BYTES_MAX: usize = 64 << 10;

/// The calls of one round as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    calls: Vec<Draft>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Draft {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    extra: JsonMap,
}

impl Assembly {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes in the member `tool_calls` of one event.
    pub(super) fn add(&mut self, pieces: &str) -> Result<(), LlmError> {
        self.bytes += pieces.len();
        if self.bytes > TOOL_CALL_BYTES_MAX {
            return Err(LlmError::Garbled(format!("tool calls of more than {TOOL_CALL_BYTES_MAX} bytes")));
        }
        let pieces = match serde_json::from_str(pieces) {
            Ok(Value::Array(pieces)) => pieces,
            Ok(piece @ Value::Object(_)) => vec![piece],
            _ => Vec::new(),
        };
        let together = pieces.len();
        for (position, piece) in pieces.into_iter().enumerate() {
            if let Value::Object(piece) = piece {
                self.add_piece(Piece::from(piece), (together > 1).then_some(position))?;
            }
        }
        Ok(())
    }

    fn add_piece(&mut self, piece: Piece, position: Option<usize>) -> Result<(), LlmError> {
        let place = self.place(&piece, position);
        if place == self.calls.len() {
            if place == TOOL_CALLS_MAX {
                return Err(LlmError::Garbled(format!("more than {TOOL_CALLS_MAX} tool calls at once")));
            }
            self.calls.push(Draft::default());
        }
        self.calls[place].add(piece)
    }

    /// Which call a piece belongs to: by its index, else by its id, else a name opens a new one unless it only repeats
    /// that of the call before, else by its position among several, else the latest.
    fn place(&self, piece: &Piece, position: Option<usize>) -> usize {
        let new = self.calls.len();
        if piece.index.is_some() {
            // Parallel calls that all say 0 are told apart by their ids, or by the end of the arguments before.
            let another = |call: &Draft| match piece.id.is_empty() {
                true => call.is_followed_by_another(piece),
                false => !piece.opens_nothing() && call.id != piece.id,
            };
            let same = |call: &Draft| call.index == piece.index && !another(call);
            return self.calls.iter().rposition(same).unwrap_or(new);
        }
        if !piece.id.is_empty() {
            return self.calls.iter().position(|call| call.id == piece.id).unwrap_or(new);
        }
        if !piece.name.is_empty() {
            let goes_on = self.calls.last().is_some_and(|latest| latest.is_continued_by(piece));
            return if goes_on { new - 1 } else { new };
        }
        position.filter(|position| *position < new).unwrap_or(new.saturating_sub(1))
    }

    /// The complete calls, each with an id of its own.
    pub(super) fn finish(self, ids: &Ids, maker: &ModelName) -> Result<Vec<ToolCall>, LlmError> {
        let mut calls: Vec<ToolCall> = Vec::with_capacity(self.calls.len());
        for Draft { index: _, mut id, name, arguments, extra } in self.calls {
            if name.is_empty() {
                return Err(LlmError::Garbled("a tool call without a name".into()));
            }
            if id.is_empty() || calls.iter().any(|earlier| earlier.id == id) {
                id = ids.mint("call");
            }
            calls.push(ToolCall { id, name, arguments, extra, made_by: Some(maker.clone()) });
        }
        Ok(calls)
    }
}

impl Draft {
    /// A name behind complete arguments is that of the next call.
    fn is_followed_by_another(&self, piece: &Piece) -> bool {
        !piece.name.is_empty() && !self.name.is_empty() && self.is_complete()
    }

    /// The same name behind arguments that have begun and not ended is a repetition.
    fn is_continued_by(&self, piece: &Piece) -> bool {
        self.name == piece.name && !self.arguments.is_empty() && !self.is_complete()
    }

    fn is_complete(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_ok()
    }

    fn add(&mut self, piece: Piece) -> Result<(), LlmError> {
        self.index = self.index.or(piece.index);
        if self.id.is_empty() {
            self.id = piece.id;
        }
        // Some repeat the whole name in each piece.
        if self.name != piece.name {
            self.name.push_str(&piece.name);
        }
        self.arguments.push_str(&piece.arguments);
        if self.arguments.len() > TOOL_ARGUMENTS_BYTES_MAX {
            return Err(LlmError::Garbled(format!("tool arguments of more than {TOOL_ARGUMENTS_BYTES_MAX} bytes")));
        }
        for (name, value) in piece.extra {
            merge(self.extra.entry(name).or_insert(Value::Null), value);
        }
        Ok(())
    }
}

/// Objects grow together; of anything else the later one counts.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[derive(Debug)]
struct Piece {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    extra: JsonMap,
}

impl Piece {
    fn opens_nothing(&self) -> bool {
        self.id.is_empty() || self.name.is_empty()
    }
}

impl From<JsonMap> for Piece {
    fn from(mut members: JsonMap) -> Self {
        let index = members.shift_remove("index").and_then(|index| match index {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        let id = text(members.shift_remove("id"));
        members.shift_remove("type");
        let mut function = match members.shift_remove("function") {
            Some(Value::Object(function)) => function,
            _ => JsonMap::new(),
        };
        let name = text(function.shift_remove("name"));
        let arguments = text(function.shift_remove("arguments"));
        Self { index, id, name, arguments, extra: members }
    }
}

/// A string as it is; an object that should have been a string of JSON, as one.
fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(value @ (Value::Object(_) | Value::Array(_) | Value::Number(_))) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker() -> ModelName {
        ModelName { provider: "gemini".into(), model: "m".into() }
    }

    #[track_caller]
    fn check(pieces: &[&str], expected: &[(&str, &str, &str)]) -> Vec<ToolCall> {
        let mut assembly = Assembly::default();
        for piece in pieces {
            assembly.add(piece).unwrap();
        }
        let calls = assembly.finish(&Ids::counting(), &maker()).unwrap();
        let told: Vec<_> = calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
        assert_eq!(told, expected);
        calls
    }

    #[test]
    fn pieces_with_an_index_find_their_call() {
        check(
            &[
                r#"[{"index":0,"id":"a","type":"function","function":{"name":"search","arguments":""}}]"#,
                r#"[{"index":1,"id":"b","function":{"name":"look"}}]"#,
                r#"[{"index":0,"function":{"arguments":"{\"q\":"}},{"index":1,"function":{"arguments":"{}"}}]"#,
                r#"[{"index":0,"function":{"arguments":"1}"}}]"#,
            ],
            &[("a", "search", "{\"q\":1}"), ("b", "look", "{}")],
        );
    }

    #[test]
    fn pieces_without_index_or_id_belong_to_the_latest_call() {
        check(
            &[
                r#"[{"id":"","function":{"name":"search","arguments":"{\"q\""}}]"#,
                r#"[{"index":null,"function":{"arguments":":1}"}}]"#,
                r#"[{"function":{"name":"look","arguments":"{}"}}]"#,
            ],
            &[("call_1", "search", "{\"q\":1}"), ("call_2", "look", "{}")],
        );
    }

    #[test]
    fn several_calls_in_one_event_are_kept_apart() {
        check(
            &[
                r#"[{"function":{"name":"search"}},{"function":{"name":"search"}}]"#,
                r#"[{"function":{"arguments":"1"}},{"function":{"arguments":"2"}}]"#,
            ],
            &[("call_1", "search", "1"), ("call_2", "search", "2")],
        );
    }

    #[test]
    fn parallel_calls_that_all_say_index_0_are_told_apart_by_their_ids() {
        check(
            &[
                r#"[{"index":0,"id":"a","function":{"name":"search","arguments":"1"}}]"#,
                r#"[{"index":0,"id":"b","function":{"name":"search","arguments":"2"}}]"#,
            ],
            &[("a", "search", "1"), ("b", "search", "2")],
        );
    }

    #[test]
    fn an_id_or_a_name_that_is_repeated_is_the_same_call() {
        check(
            &[
                r#"[{"id":"a","function":{"name":"search","arguments":"{"}}]"#,
                r#"[{"id":"a","function":{"name":"search","arguments":"}"}}]"#,
            ],
            &[("a", "search", "{}")],
        );
    }

    #[test]
    fn parallel_calls_that_all_say_index_0_and_have_no_ids_are_told_apart_by_where_arguments_end() {
        check(
            &[
                r#"[{"index":0,"id":"","function":{"name":"search","arguments":"{\"q\":1}"}}]"#,
                r#"[{"index":0,"id":"","function":{"name":"search","arguments":"{\"q\":2}"}}]"#,
                r#"[{"index":0,"function":{"name":"look","arguments":"{"}},{"index":0,"function":{"arguments":"}"}}]"#,
            ],
            &[("call_1", "search", "{\"q\":1}"), ("call_2", "search", "{\"q\":2}"), ("call_3", "look", "{}")],
        );
    }

    #[test]
    fn a_name_that_is_repeated_with_each_piece_opens_nothing() {
        check(
            &[
                r#"[{"function":{"name":"search","arguments":"{\"q\""}}]"#,
                r#"[{"function":{"name":"search","arguments":":1}"}}]"#,
                r#"[{"function":{"name":"search","arguments":"{}"}}]"#,
            ],
            &[("call_1", "search", "{\"q\":1}"), ("call_2", "search", "{}")],
        );
    }

    #[test]
    fn arguments_may_come_as_an_object() {
        check(
            &[r#"{"id":"a","function":{"name":"search","arguments":{"z":1,"a":2}}}"#],
            &[("a", "search", r#"{"z":1,"a":2}"#)],
        );
    }

    #[test]
    fn what_is_unknown_is_kept_and_grows_together() {
        let calls = check(
            &[
                r#"[{"index":0,"id":"a","function":{"name":"f"},"extra_content":{"google":{"thought_signature":"c2ln"}},"z":1}]"#,
                r#"[{"index":0,"extra_content":{"google":{"more":[1]}}}]"#,
            ],
            &[("a", "f", "")],
        );
        assert_eq!(
            serde_json::to_string(&calls[0].extra).unwrap(),
            r#"{"extra_content":{"google":{"thought_signature":"c2ln","more":[1]}},"z":1}"#
        );
    }

    #[test]
    fn a_model_gone_wild_is_stopped() {
        let mut assembly = Assembly::default();
        let long =
            format!(r#"[{{"function":{{"name":"f","arguments":"{}"}}}}]"#, "x".repeat(TOOL_ARGUMENTS_BYTES_MAX + 1));
        assert!(matches!(assembly.add(&long), Err(LlmError::Garbled(_))));

        let mut assembly = Assembly::default();
        let many = format!("[{}]", vec![r#"{"function":{"name":"f"}}"#; TOOL_CALLS_MAX + 1].join(","));
        assert!(matches!(assembly.add(&many), Err(LlmError::Garbled(_))));

        let mut assembly = Assembly::default();
        assembly.add(r#"[{"function":{"arguments":"{}"}}]"#).unwrap();
        assert!(matches!(assembly.finish(&Ids::counting(), &maker()), Err(LlmError::Garbled(_))));
    }
}
