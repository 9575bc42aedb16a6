//! What stands in a frame: a request with the name that its sender gave it, and an answer that carries that name.

use chatkit_protocol::Malformed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::ChatError;
use crate::routes::error::ApiError;

/// A longer `id` is refused: it is repeated in every frame of an answer.
const ID_BYTES_MAX: usize = 128;

/// How a client tells the answers on one socket apart: JSON of a string or a number, if it gave one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag(Option<String>);

#[derive(Deserialize)]
struct Tagged {
    id: Option<Value>,
}

impl Tag {
    /// The `id` of a request; what is no request has none.
    pub(super) fn of(frame: &str) -> Result<Self, ApiError> {
        // An array would be read as the members in their order.
        if !frame.trim_start().starts_with('{') {
            return Ok(Self(None));
        }
        let Ok(Tagged { id: Some(id) }) = serde_json::from_str(frame) else { return Ok(Self(None)) };
        match &id {
            Value::String(text) if text.len() <= ID_BYTES_MAX => Ok(Self(Some(id.to_string()))),
            Value::Number(_) => Ok(Self(Some(id.to_string()))),
            _ => {
                let problem = format!("must be a number, or a string of at most {ID_BYTES_MAX} bytes");
                Err(ChatError::from(Malformed { member: "id".to_owned(), problem }).into())
            }
        }
    }

    /// An event of an answer, which is a JSON object.
    pub(super) fn event(&self, event: String) -> String {
        match (&self.0, event.strip_prefix('{')) {
            (Some(id), Some("}")) => format!("{{\"id\":{id}}}"),
            (Some(id), Some(members)) => format!("{{\"id\":{id},{members}"),
            _ => event,
        }
    }

    /// An answer that is one value. It may have an `id` of its own, so beside another it stands apart.
    pub(super) fn value(&self, value: &impl Serialize) -> String {
        let value = serde_json::to_string(value).expect("what is answered is plain data");
        match &self.0 {
            Some(id) => format!("{{\"id\":{id},\"type\":\"result\",\"result\":{value}}}"),
            None => value,
        }
    }

    /// What says that an answer has come to its end, to whoever told it apart from others.
    pub(super) fn end(&self) -> Option<String> {
        self.0.as_ref().map(|id| format!("{{\"id\":{id},\"type\":\"end\"}}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(frame: &Value, event: &str, value: &str) {
        let tag = Tag::of(&frame.to_string()).unwrap();
        assert_eq!(tag.event(r#"{"type":"x"}"#.to_owned()), event);
        assert_eq!(tag.value(&json!({"id": "thr_1"})), value);
    }

    #[test]
    fn an_id_comes_back_as_it_was_given_and_leaves_that_of_an_answer_alone() {
        check(&json!({"id": 7}), r#"{"id":7,"type":"x"}"#, r#"{"id":7,"type":"result","result":{"id":"thr_1"}}"#);
        check(
            &json!({"id": "ا\"b"}),
            r#"{"id":"ا\"b","type":"x"}"#,
            r#"{"id":"ا\"b","type":"result","result":{"id":"thr_1"}}"#,
        );
        check(&json!({"id": null}), r#"{"type":"x"}"#, r#"{"id":"thr_1"}"#);
        check(&json!({}), r#"{"type":"x"}"#, r#"{"id":"thr_1"}"#);
        assert_eq!((Tag::of("{").unwrap(), Tag::of("[1]").unwrap()), (Tag(None), Tag(None)));
        assert_eq!(Tag(Some("7".to_owned())).event("{}".to_owned()), r#"{"id":7}"#);
        assert_eq!(
            (Tag(Some("7".to_owned())).end().as_deref(), Tag(None).end()),
            (Some(r#"{"id":7,"type":"end"}"#), None)
        );
    }

    #[test]
    fn an_id_that_is_no_name_is_refused() {
        for id in [json!("x".repeat(ID_BYTES_MAX + 1)), json!([]), json!({}), json!(true)] {
            let refused = Tag::of(&json!({"id": id}).to_string()).unwrap_err();
            assert!(refused.message().contains("`id`"), "{}", refused.message());
        }
    }
}
