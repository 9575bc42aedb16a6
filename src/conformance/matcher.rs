//! Comparing: a value with a pattern, what differs as sentences, and which name stands for which value.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::moment::{Moment, Spelling};
use super::pattern::Pattern;
use super::show;

/// What the names of a case stand for.
pub(super) type Names = BTreeMap<String, Value>;

/// Compares, and collects what differs.
#[derive(Debug)]
pub(super) struct Matcher {
    /// The names that were known before, and those that were given since.
    pub(super) names: Names,
    /// What differs, a sentence each.
    pub(super) differences: Vec<String>,
    spelling: Spelling,
}

impl Matcher {
    pub(super) fn new(names: &Names, spelling: Spelling) -> Self {
        Self { names: names.clone(), differences: Vec::new(), spelling }
    }

    /// Notes that something else came.
    pub(super) fn differs(&mut self, path: &str, expected: impl std::fmt::Display, got: impl std::fmt::Display) {
        self.differences.push(format!("{path}: expected {expected}, got {got}"));
    }

    /// Compares a value with what is expected of it; `path` is where it stands.
    pub(super) fn fit(&mut self, pattern: &Pattern, got: &Value, path: &str) {
        match (pattern, got) {
            (Pattern::Anything, _) => {}
            (Pattern::Text, Value::String(text)) if !text.is_empty() => {}
            (Pattern::Text, _) => self.differs(path, "a text that is not empty", show(got)),
            (Pattern::Time(instant), _) => self.fit_time(instant.as_ref(), got, path),
            (Pattern::Named(name), _) => self.fit_name(name, got, path),
            (Pattern::Has(members), Value::Object(_)) => self.fit_members(members, got, path),
            (Pattern::Object(members), Value::Object(there)) => {
                self.fit_members(members, got, path);
                let more = there.iter().filter(|(name, _)| !members.iter().any(|(expected, _)| expected == *name));
                self.differences
                    .extend(more.map(|(name, got)| format!("{path}/{name}: not expected, got {}", show(got))));
            }
            (Pattern::List(elements), Value::Array(there)) => {
                self.fit_elements(elements, there, path);
                let more = there.iter().enumerate().skip(elements.len());
                self.differences.extend(more.map(|(at, got)| format!("{path}/{at}: not expected, got {}", show(got))));
            }
            (Pattern::Prefix(elements), Value::Array(there)) => self.fit_elements(elements, there, path),
            (Pattern::Length(length), Value::Array(there)) if there.len() == *length => {}
            (Pattern::Length(length), Value::Array(there)) => {
                self.differs(path, format_args!("{length} elements"), format_args!("{} elements", there.len()));
            }
            (Pattern::Pluck(pointer, is), Value::Array(there)) => {
                let plucked = there.iter().map(|element| element.pointer(pointer).cloned().unwrap_or(Value::Null));
                self.fit(is, &Value::Array(plucked.collect()), &format!("{path}/*{pointer}"));
            }
            (Pattern::OneOf(values), _) if values.iter().any(|value| same(value, got)) => {}
            (Pattern::Exactly(value), _) if same(value, got) => {}
            (
                Pattern::Has(_)
                | Pattern::Object(_)
                | Pattern::List(_)
                | Pattern::Prefix(_)
                | Pattern::Length(_)
                | Pattern::Pluck(..)
                | Pattern::OneOf(_)
                | Pattern::Exactly(_),
                _,
            ) => self.differs(path, show(&pattern.written()), show(got)),
        }
    }

    fn fit_members(&mut self, members: &[(String, Pattern)], got: &Value, path: &str) {
        for (name, pattern) in members {
            let path = format!("{path}/{name}");
            match got.get(name) {
                Some(got) => self.fit(pattern, got, &path),
                None => self.differences.push(format!("{path}: missing, expected {}", show(&pattern.written()))),
            }
        }
    }

    fn fit_elements(&mut self, elements: &[Pattern], there: &[Value], path: &str) {
        for (at, pattern) in elements.iter().enumerate() {
            let path = format!("{path}/{at}");
            match there.get(at) {
                Some(got) => self.fit(pattern, got, &path),
                None => self.differences.push(format!("{path}: missing, expected {}", show(&pattern.written()))),
            }
        }
    }

    fn fit_time(&mut self, instant: Option<&(String, Moment)>, got: &Value, path: &str) {
        let moment = got.as_str().and_then(|text| Moment::parse(text, self.spelling));
        match (moment, instant) {
            (None, _) => self.differs(path, "a timestamp in UTC such as 2026-01-02T03:04:05.678901Z", show(got)),
            (Some(moment), Some((text, instant))) if moment != *instant => {
                self.differs(path, format_args!("the instant {text}"), show(got));
            }
            (Some(_), _) => {}
        }
    }

    /// A name keeps its first value, and no two names have the same one.
    fn fit_name(&mut self, name: &str, got: &Value, path: &str) {
        if got.as_str().is_none_or(str::is_empty) {
            return self.differs(path, format_args!("an identifier ($cap:{name})"), show(got));
        }
        match self.names.get(name) {
            Some(known) if known == got => {}
            Some(known) => {
                let known = show(known);
                self.differs(path, format_args!("$cap:{name} = {known}"), show(got));
            }
            None => match self.names.iter().find(|(_, known)| *known == got).map(|(other, _)| other.clone()) {
                Some(other) => self.differs(
                    path,
                    format_args!("a new identifier ($cap:{name})"),
                    format_args!("{}, which is $cap:{other}", show(got)),
                ),
                None => {
                    self.names.insert(name.to_owned(), got.clone());
                }
            },
        }
    }
}

/// Whether two values mean the same: the order of members does not matter, and 1 is 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// Integers of 64 bits are compared to the last digit, also with numbers that have a fraction or an exponent.
fn same_number(one: &Number, other: &Number) -> bool {
    let integer = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let equals = |integer: i128, number: &Number| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2f64.powi(100));
        float.is_some_and(|float| float as i128 == integer)
    };
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one == other,
        (Some(one), None) => equals(one, other),
        (None, Some(other)) => equals(other, one),
        (None, None) => one.as_f64() == other.as_f64(),
    }
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
