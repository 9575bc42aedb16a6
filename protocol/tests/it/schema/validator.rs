//! As much of a validator of JSON Schema as the schemas of the wire need; a word that it does not know is an error.
//!
//! The complete ones would have most of what the server is made of built a second time, with other features.

use std::collections::BTreeMap;

use chatkit_protocol::{Timestamp, Value};
use regex_lite::Regex;

/// A schema with all that it refers to.
pub(crate) struct Schema {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Schema {
    pub(crate) fn new(root: Value) -> Self {
        let mut patterns = BTreeMap::new();
        collect_patterns(&root, &mut patterns);
        Self { root, patterns }
    }

    /// The reason why `json` does not fit, with the value that does not.
    pub(crate) fn check(&self, json: &Value) -> Result<(), String> {
        self.fits(&self.root, json)
    }

    fn fits(&self, schema: &Value, json: &Value) -> Result<(), String> {
        let words = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(words) => words,
            other => panic!("{other} is no schema"),
        };
        words.iter().try_for_each(|(word, wanted)| {
            self.holds(word, wanted, schema, json)?.then_some(()).ok_or_else(|| format!("{word} {wanted}: {json}"))
        })
    }

    /// Whether one word of a schema is true of `json`.
    fn holds(&self, word: &str, wanted: &Value, schema: &Value, json: &Value) -> Result<bool, String> {
        let how_many = |schemas: &Value| {
            schemas.as_array().unwrap().iter().filter(|schema| self.fits(schema, json).is_ok()).count()
        };
        Ok(match (word, json) {
            ("$schema" | "$defs" | "title" | "description" | "default", _) => true,
            ("$ref", _) => {
                let place = wanted.as_str().unwrap().strip_prefix('#').expect("references lead to the same document");
                self.fits(self.root.pointer(place).expect("references lead somewhere"), json)?;
                true
            }
            ("type", _) => match wanted {
                Value::Array(types) => types.iter().any(|wanted| is_of_type(wanted, json)),
                wanted => is_of_type(wanted, json),
            },
            ("const", _) => json == wanted,
            ("enum", _) => wanted.as_array().unwrap().contains(json),
            ("allOf", _) => how_many(wanted) == wanted.as_array().unwrap().len(),
            ("anyOf", _) => how_many(wanted) > 0,
            ("oneOf", _) => how_many(wanted) == 1,
            ("properties", Value::Object(members)) => {
                for (name, schema) in wanted.as_object().unwrap() {
                    members.get(name).map_or(Ok(()), |member| self.fits(schema, member))?;
                }
                true
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = schema["properties"].as_object();
                let others = members.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                others.map(|(_, member)| member).try_for_each(|member| self.fits(wanted, member))?;
                true
            }
            ("required", Value::Object(members)) => {
                wanted.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
            }
            ("maxProperties", Value::Object(members)) => members.len() as u64 <= wanted.as_u64().unwrap(),
            ("items", Value::Array(values)) => {
                values.iter().try_for_each(|value| self.fits(wanted, value))?;
                true
            }
            ("minimum", Value::Number(number)) => number.as_f64().unwrap() >= wanted.as_f64().unwrap(),
            ("pattern", Value::String(text)) => self.patterns[wanted.as_str().unwrap()].is_match(text),
            ("format", Value::String(text)) if wanted == "date-time" => Timestamp::parse(text).is_some(),
            ("properties" | "additionalProperties" | "required" | "maxProperties", _) => true,
            ("items" | "minimum" | "pattern", _) => true,
            (word, _) => panic!("nothing here knows `{word}`"),
        })
    }
}

fn is_of_type(wanted: &Value, json: &Value) -> bool {
    match (wanted.as_str().unwrap(), json) {
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().unwrap().fract() == 0.0
        }
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("null" | "boolean" | "integer" | "number" | "string" | "array" | "object", _) => false,
        (other, _) => panic!("JSON has no {other}"),
    }
}

fn collect_patterns(json: &Value, patterns: &mut BTreeMap<String, Regex>) {
    if let Some(pattern) = json.get("pattern").and_then(Value::as_str) {
        patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
    }
    match json {
        Value::Object(members) => members.values().for_each(|value| collect_patterns(value, patterns)),
        Value::Array(values) => values.iter().for_each(|value| collect_patterns(value, patterns)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
