//! From bytes to a request, with the name of whatever member is wrong.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::members::{self, name_of, shortened};
use super::{Envelope, Request};
use crate::{JsonMap, Malformed, Value};

pub(super) fn envelope(body: &[u8]) -> Result<Envelope, Malformed> {
    let Value::Object(mut members) = json(body)? else {
        return Err(Malformed::new("body", "must be a JSON object with `type` and `params`"));
    };
    let kind = match members.shift_remove("type") {
        Some(Value::String(kind)) => kind,
        Some(other) => {
            let problem = format!("must be a text such as `threads.create`, not {}", name_of(&other));
            return Err(Malformed::new("type", problem));
        }
        None => return Err(Malformed::new("type", "is missing; it says what is asked, such as `threads.create`")),
    };
    let metadata = match members.shift_remove("metadata") {
        None | Some(Value::Null) => JsonMap::new(),
        Some(Value::Object(metadata)) => metadata,
        Some(other) => {
            let problem = format!("must be an object, not {}; leave it out if there is none", name_of(&other));
            return Err(Malformed::new("metadata", problem));
        }
    };
    if !Request::KINDS.contains(&kind.as_str()) {
        let known = Request::KINDS.join("`, `");
        return Err(Malformed::new("type", format!("must be one of `{known}`, not `{}`", shortened(&kind))));
    }
    let params = match members.shift_remove("params") {
        Some(params @ Value::Object(_)) => params,
        Some(other) => {
            let problem = format!("must be an object, not {}; send `{{}}` where nothing is required", name_of(&other));
            return Err(Malformed::new("params", problem));
        }
        None => return Err(Malformed::new("params", "is missing; send `{}` where nothing is required")),
    };
    members::check(&kind, &params)?;
    let request = Request::read(&kind, params).expect("the kind is among the known ones")?;
    Ok(Envelope { request, metadata })
}

/// Reads params of one type.
pub(super) fn params<T: DeserializeOwned>(kind: &str, params: Value) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(params)
        .map_err(|error| explain(kind, &error.path().clone(), &error.into_inner().to_string()))
}

fn json(body: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Malformed::new("body", format!("is not UTF-8 from byte {} on", error.valid_up_to())))?;
    if text.starts_with('\u{feff}') {
        return Err(Malformed::new("body", "begins with a byte order mark; send it without"));
    }
    if text.trim().is_empty() {
        return Err(Malformed::new("body", "is empty; send a JSON object with `type` and `params`"));
    }
    serde_json::from_str(text).map_err(|error| {
        let (place, words) = (format!("line {}, column {}", error.line(), error.column()), error.to_string());
        let says = |beginning: &str| words.starts_with(beginning);
        let problem = if error.is_eof() {
            format!("ends too early, at {place}: it was cut off, or a bracket or a quote is not closed")
        } else if says("recursion limit exceeded") {
            format!("is nested too deeply, at {place}")
        } else if says("trailing characters") {
            format!("goes on after its end, at {place}: send one JSON object and nothing else")
        } else if says("lone leading surrogate") || says("unexpected end of hex escape") {
            format!("holds one half of a surrogate pair, at {place}: escape both halves or none")
        } else if says("number out of range") {
            format!("holds a number that is too large, at {place}")
        } else {
            format!("is not JSON from {place} on; `JSON.stringify` writes it right")
        };
        Malformed::new("body", problem)
    })
}

/// A library's words, turned into a sentence about a member.
fn explain(kind: &str, path: &Path, words: &str) -> Malformed {
    let mut member = "params".to_owned();
    let mut names = Vec::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                member.push_str(&format!("[{index}]"));
                names.push("[]");
            }
            Segment::Map { key } => {
                member.push_str(&format!(".{}", shortened(key)));
                names.push(key);
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let Some(name) = words.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) else {
        return Malformed::new(member, shortened(words));
    };
    names.push(name);
    let problem = match members::words(kind, &names) {
        Some(wanted) => format!("is missing; it must be {wanted}"),
        None => "is missing".to_owned(),
    };
    Malformed::new(format!("{member}.{name}"), problem)
}
