//! From bytes to a request, with the name of whatever member is wrong.

use serde::de::DeserializeOwned;

use super::{Envelope, Request};
use crate::{JsonMap, Malformed, Value};

/// What was given instead of something known is repeated up to so many characters.
const REPEATED_CHARS_MAX: usize = 80;

pub(super) fn envelope(body: &[u8]) -> Result<Envelope, Malformed> {
    let json: Value = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    let Value::Object(mut members) = json else {
        return Err(Malformed::new("body", "must be a JSON object with `type` and `params`"));
    };
    let kind = match members.shift_remove("type") {
        Some(Value::String(kind)) => kind,
        Some(other) => return Err(Malformed::new("type", format!("must be a text, not {}", name_of(&other)))),
        None => return Err(Malformed::new("type", "is missing; say what is asked, such as `threads.create`")),
    };
    let metadata = match members.shift_remove("metadata") {
        None | Some(Value::Null) => JsonMap::new(),
        Some(Value::Object(metadata)) => metadata,
        Some(other) => return Err(Malformed::new("metadata", format!("must be an object, not {}", name_of(&other)))),
    };
    if !Request::KINDS.contains(&kind.as_str()) {
        let given: String = kind.chars().take(REPEATED_CHARS_MAX).collect();
        return Err(Malformed::new("type", format!("is `{given}`, which is no request of this protocol")));
    }
    let params = match members.shift_remove("params") {
        Some(params @ Value::Object(_)) => params,
        Some(other) => return Err(Malformed::new("params", format!("must be an object, not {}", name_of(&other)))),
        None => return Err(Malformed::new("params", "is missing; it may be `{}` where nothing is required")),
    };
    check_content(&params)?;
    let request = Request::read(&kind, params).expect("the kind is among the known ones")?;
    Ok(Envelope { request, metadata })
}

/// Reads params of one type.
pub(super) fn params<T: DeserializeOwned>(params: Value) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(params).map_err(|error| {
        let path = error.path().to_string();
        let member = if path == "." { "params".to_owned() } else { format!("params.{path}") };
        explain(&member, &error.into_inner().to_string())
    })
}

/// The parts of a message are told apart by a member of their own, behind which paths cannot be followed; so the parts
/// are looked at here first.
fn check_content(params: &Value) -> Result<(), Malformed> {
    let Some(parts) = params.pointer("/input/content").and_then(Value::as_array) else { return Ok(()) };
    for (position, part) in parts.iter().enumerate() {
        let member = format!("params.input.content[{position}]");
        let Value::Object(part) = part else {
            return Err(Malformed::new(member, format!("must be an object, not {}", name_of(part))));
        };
        let required: &[&str] = match part.get("type").and_then(Value::as_str) {
            Some("input_text") => &["text"],
            Some("input_tag") => &["id", "text"],
            _ => return Err(Malformed::new(format!("{member}.type"), "must be `input_text` or `input_tag`")),
        };
        for name in required {
            match part.get(*name) {
                Some(Value::String(_)) => {}
                Some(other) => {
                    let problem = format!("must be a text, not {}", name_of(other));
                    return Err(Malformed::new(format!("{member}.{name}"), problem));
                }
                None => return Err(Malformed::new(format!("{member}.{name}"), "is missing")),
            }
        }
    }
    Ok(())
}

fn not_json(error: &serde_json::Error) -> Malformed {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof if error.line() <= 1 && error.column() == 0 => {
            Malformed::new("body", "is empty; send a JSON object with `type` and `params`")
        }
        _ => Malformed::new("body", format!("is not JSON: it cannot be read at {place}")),
    }
}

/// A library's words, turned into a sentence about a member.
fn explain(member: &str, words: &str) -> Malformed {
    let words = words.split(" at line ").next().unwrap_or(words);
    if let Some(name) = words.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Malformed::new(format!("{member}.{name}"), "is missing");
    }
    if let Some((given, expected)) =
        words.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return Malformed::new(member, format!("must be {expected}, not {}", shortened(given)));
    }
    if let Some((given, expected)) =
        words.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return Malformed::new(member, format!("is {}, but must be {expected}", shortened(given)));
    }
    Malformed::new(member, shortened(words))
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(2 * REPEATED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
