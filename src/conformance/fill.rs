//! Requests made ready to be sent: names become what they stand for, scripts become texts.

use serde_json::Value;

use super::matcher::Names;

/// A request names something that no answer has shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request needs $cap:{0}, which no step before has shown")]
pub(super) struct Unnamed(String);

/// Puts values in the place of `$cap:NAME`, and compact JSON in the place of `{"$script": …}`.
pub(super) fn fill(written: &Value, names: &Names) -> Result<Value, Unnamed> {
    match written {
        Value::String(text) => match text.strip_prefix("$cap:") {
            Some(name) => names.get(name).cloned().ok_or_else(|| Unnamed(name.to_owned())),
            None => Ok(written.clone()),
        },
        Value::Array(elements) => elements.iter().map(|element| fill(element, names)).collect(),
        Value::Object(members) => match (members.len(), members.get("$script")) {
            (1, Some(script)) => Ok(Value::String(fill(script, names)?.to_string())),
            _ => members.iter().map(|(name, value)| Ok((name.clone(), fill(value, names)?))).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(written.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_scripts_are_filled_in_wherever_they_stand() {
        let names = Names::from([("thread".to_owned(), json!("thr_1"))]);
        let written =
            json!({"id": "$cap:thread", "text": {"$script": {"respond": [{"z": "$cap:thread", "a": "$now"}]}}});
        let filled = json!({"id": "thr_1", "text": "{\"respond\":[{\"z\":\"thr_1\",\"a\":\"$now\"}]}"});
        assert_eq!(fill(&written, &names), Ok(filled));
        assert_eq!(fill(&json!([["$cap:x"]]), &names), Err(Unnamed("x".to_owned())));
    }
}
