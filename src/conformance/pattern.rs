//! Patterns: what a case expects of a value, read from the JSON it is written in.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::moment::{Moment, Spelling};

/// The name a thread has in a case that gives it none.
const THREAD: &str = "thread";

/// What a value must be like.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Pattern {
    /// `$any`
    Anything,
    /// `$str`: a text that is not empty.
    Text,
    /// `$time`, or `$time:` and the instant it must be.
    Time(Option<(String, Moment)>),
    /// `$cap:NAME`: an identifier, the same one wherever the name stands.
    Named(String),
    /// `{"$has": {…}}`: an object with at least these members.
    Has(Vec<(String, Pattern)>),
    /// `{"$prefix": […]}`: a list that begins so.
    Prefix(Vec<Pattern>),
    /// `{"$len": n}`: a list of that length.
    Length(usize),
    /// `{"$in": […]}`: one of these values.
    OneOf(Vec<Value>),
    /// `{"$pluck": "/pointer", "is": …}`: a list of which the values there fit.
    Pluck(String, Box<Pattern>),
    /// An object with exactly these members.
    Object(Vec<(String, Pattern)>),
    /// A list of exactly these elements.
    List(Vec<Pattern>),
    /// This value.
    Exactly(Value),
}

impl TryFrom<Value> for Pattern {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, String> {
        match written {
            Value::String(text) => word(text),
            Value::Array(elements) => list(elements).map(Self::List),
            Value::Object(members) if members.keys().next().is_some_and(|first| first.starts_with('$')) => {
                special(members)
            }
            Value::Object(members) => object(members).map(Self::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Self::Exactly(written)),
        }
    }
}

impl Pattern {
    /// The JSON the pattern stands for, to be shown where something else came.
    pub(super) fn written(&self) -> Value {
        let members = |members: &[(String, Self)]| {
            Value::Object(members.iter().map(|(name, pattern)| (name.clone(), pattern.written())).collect())
        };
        let elements = |elements: &[Self]| Value::Array(elements.iter().map(Self::written).collect());
        match self {
            Self::Anything => json!("$any"),
            Self::Text => json!("$str"),
            Self::Time(None) => json!("$time"),
            Self::Time(Some((text, _))) => json!(format!("$time:{text}")),
            Self::Named(name) => json!(format!("$cap:{name}")),
            Self::Has(has) => json!({"$has": members(has)}),
            Self::Prefix(prefix) => json!({"$prefix": elements(prefix)}),
            Self::Length(length) => json!({"$len": length}),
            Self::OneOf(values) => json!({"$in": values}),
            Self::Pluck(pointer, is) => json!({"$pluck": pointer, "is": is.written()}),
            Self::Object(all) => members(all),
            Self::List(all) => elements(all),
            Self::Exactly(value) => value.clone(),
        }
    }
}

fn list(elements: Vec<Value>) -> Result<Vec<Pattern>, String> {
    elements.into_iter().map(Pattern::try_from).collect()
}

fn object(members: Map<String, Value>) -> Result<Vec<(String, Pattern)>, String> {
    members.into_iter().map(|(name, value)| Ok((name, Pattern::try_from(value)?))).collect()
}

/// A text: one of the words with a meaning, or itself. Scripts may leave texts with `$` as they are, so answers have them.
fn word(text: String) -> Result<Pattern, String> {
    let (head, argument) = text.split_once(':').map_or((text.as_str(), None), |(head, rest)| (head, Some(rest)));
    match (head, argument) {
        ("$any", _) => Ok(Pattern::Anything),
        ("$str", _) => Ok(Pattern::Text),
        ("$time", None) => Ok(Pattern::Time(None)),
        ("$time", Some(instant)) => {
            let moment = Moment::parse(instant, Spelling::AnyZone);
            let moment =
                moment.ok_or_else(|| format!("`{text}` names no instant; write 2026-01-02T03:04:05.678901Z"))?;
            Ok(Pattern::Time(Some((instant.to_owned(), moment))))
        }
        ("$cap", None | Some("")) => Err(format!("`{text}` names nothing; write `$cap:NAME`")),
        ("$cap", Some(name)) => Ok(Pattern::Named(name.to_owned())),
        _ if text.starts_with('@') => opening(&text),
        _ => Ok(Pattern::Exactly(Value::String(text))),
    }
}

/// The events that open nearly every stream, by their short names.
fn opening(text: &str) -> Result<Pattern, String> {
    let mut parts = text.split(':');
    let (word, first, second, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let event = match (word, first, second, rest) {
        (Some("@created"), thread, None, None) => json!({
            "type": "thread.created",
            "thread": {
                "id": format!("$cap:{}", thread.unwrap_or(THREAD)),
                "created_at": "$time",
                "status": {"type": "active"},
                "metadata": {},
                "items": {"data": [], "has_more": false},
            },
        }),
        (Some("@user"), name, thread, None) => json!({
            "type": "thread.item.done",
            "item": {
                "id": format!("$cap:{}", name.unwrap_or("user")),
                "thread_id": format!("$cap:{}", thread.unwrap_or(THREAD)),
                "created_at": "$time",
                "type": "user_message",
                "content": "$any",
                "attachments": [],
                "inference_options": {},
            },
        }),
        (Some("@options"), None, None, None) => {
            json!({"type": "stream_options", "stream_options": {"allow_cancel": true}})
        }
        _ => {
            return Err(format!(
                "`{text}` stands for no event; there are `@created[:THREAD]`, `@user[:NAME[:THREAD]]` and `@options`"
            ));
        }
    };
    Pattern::try_from(event)
}

/// An object whose first member says how to compare.
fn special(mut members: Map<String, Value>) -> Result<Pattern, String> {
    let is = members.shift_remove("is");
    let mut members = members.into_iter();
    let (Some((word, argument)), None) = (members.next(), members.next()) else {
        return Err("a pattern with `$` has no other members".to_owned());
    };
    let wrong = |needed: &str| Err(format!("`{word}` needs {needed}"));
    match (word.as_str(), argument, is) {
        ("$pluck", Value::String(pointer), Some(is)) if pointer.starts_with('/') => {
            Ok(Pattern::Pluck(pointer, Box::new(Pattern::try_from(is)?)))
        }
        ("$pluck", ..) => wrong("a pointer such as \"/id\", and beside it `is`"),
        (_, _, Some(_)) => Err(format!("`{word}` has no `is`; only `$pluck` has")),
        ("$has", Value::Object(members), None) => object(members).map(Pattern::Has),
        ("$has", ..) => wrong("an object"),
        ("$prefix", Value::Array(elements), None) => list(elements).map(Pattern::Prefix),
        ("$prefix", ..) => wrong("a list"),
        ("$in", Value::Array(values), None) => Ok(Pattern::OneOf(values)),
        ("$in", ..) => wrong("a list"),
        ("$len", length, None) => match length.as_u64().and_then(|length| usize::try_from(length).ok()) {
            Some(length) => Ok(Pattern::Length(length)),
            None => wrong("a length"),
        },
        _ => Err(format!("there is no pattern `{word}`; there are `$has`, `$prefix`, `$len`, `$in` and `$pluck`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tables read better without a `&` before every `json!`")]
    fn refused(written: Value, named: &str) {
        let mistake = Pattern::try_from(written.clone()).expect_err(&written.to_string());
        assert!(mistake.contains(named), "{mistake}");
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused_with_its_name() {
        refused(json!({"$hsa": {}}), "$hsa");
        refused(json!({"a": [{"$has": []}]}), "$has");
        refused(json!({"$has": {}, "type": "x"}), "no other members");
        refused(json!({"$has": {}, "is": 1}), "only `$pluck`");
        refused(json!({"$len": -1}), "$len");
        refused(json!({"$len": 1.5}), "$len");
        refused(json!({"$in": 5}), "$in");
        refused(json!({"$prefix": {}}), "$prefix");
        refused(json!({"$pluck": "/id"}), "is");
        refused(json!({"$pluck": "id", "is": []}), "pointer");
        refused(json!("$time:yesterday"), "yesterday");
        refused(json!("$cap:"), "$cap");
        refused(json!("@creatde"), "@creatde");
        refused(json!("@options:thread"), "@options");
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        let written = json!({
            "a": ["$any", "$str", "$time", "$time:2026-01-02T03:04:05Z", "$cap:x", "$now", "$id:a:message", null, 1.0],
            "b": [{"$has": {"c": {"$in": [1, "$any"]}}}, {"$prefix": []}, {"$len": 3}, {"$pluck": "/0", "is": ["x"]}],
        });
        assert_eq!(Pattern::try_from(written.clone()).unwrap().written(), written);
    }

    #[test]
    fn short_names_stand_for_the_events_that_open_a_stream() {
        let shown = |word: &str| Pattern::try_from(json!(word)).unwrap().written();
        assert_eq!(shown("@created")["thread"]["id"], "$cap:thread");
        assert_eq!(shown("@created:t")["thread"]["id"], "$cap:t");
        assert_eq!(shown("@user:u")["item"]["thread_id"], "$cap:thread");
        assert_eq!(shown("@user:u:t")["item"]["thread_id"], "$cap:t");
        assert_eq!(shown("@user:u:t")["item"]["id"], "$cap:u");
        assert_eq!(shown("@options")["stream_options"], json!({"allow_cancel": true}));
    }
}
