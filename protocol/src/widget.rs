//! Widgets: trees of components, passed on as they are but for their nulls.

mod stream;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

use crate::Value;

pub(crate) const ROOTS: [&str; 3] = ["Card", "ListView", "Basic"];

/// How deeply a widget may be nested: readers of JSON give up a little beyond this, and a kept one must be readable.
const WIDGET_LEVELS_MAX: usize = 100;

/// A widget: opaque JSON without nulls at any depth.
///
/// ```
/// use chatkit_protocol::Widget;
/// use serde_json::json;
///
/// let card = json!({"type": "Card", "title": null, "children": [null, {"type": "Text", "value": "Hi"}]});
/// let card = Widget::new(card).unwrap();
/// assert_eq!(*card.as_json(), json!({"type": "Card", "children": [{"type": "Text", "value": "Hi"}]}));
/// assert!(Widget::new(json!({"type": "Text", "value": "Hi"})).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Widget(Value);

/// The JSON is not a widget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWidget {
    /// The root is something else.
    #[error("a widget must be an object whose `type` is Card, ListView or Basic")]
    Root,
    /// Nobody could read it back.
    #[error("a widget may be nested at most {WIDGET_LEVELS_MAX} levels deep")]
    TooDeep,
}

impl Widget {
    /// A widget of this JSON; its nulls are taken out.
    ///
    /// # Errors
    /// The root is not a `Card`, a `ListView` or a `Basic`, or there are more levels than can be read back.
    pub fn new(json: Value) -> Result<Self, NotAWidget> {
        if !is_root(&json) {
            return Err(NotAWidget::Root);
        }
        if !fits_into(WIDGET_LEVELS_MAX, &json) {
            return Err(NotAWidget::TooDeep);
        }
        Ok(Self(without_nulls(json)))
    }

    /// The JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// Whether a widget may begin like this.
fn is_root(json: &Value) -> bool {
    json.get("type").and_then(Value::as_str).is_some_and(|root| ROOTS.contains(&root))
}

/// Whether objects and arrays lie at most so many levels within each other.
fn fits_into(levels: usize, json: &Value) -> bool {
    let below = |value: &Value| fits_into(levels - 1, value);
    match json {
        Value::Object(members) => levels > 0 && members.values().all(below),
        Value::Array(values) => levels > 0 && values.iter().all(below),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The same JSON without its nulls, in objects and in arrays.
pub(crate) fn without_nulls(json: Value) -> Value {
    match json {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(values) => {
            Value::Array(values.into_iter().filter(|value| !value.is_null()).map(without_nulls).collect())
        }
        other => other,
    }
}

/// Components, which may have any type but must have one.
pub(crate) mod component {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Value, without_nulls};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(component: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        without_nulls(component.clone()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let component = Value::deserialize(deserializer)?;
        if component.get("type").is_some_and(Value::is_string) {
            Ok(without_nulls(component))
        } else {
            Err(D::Error::custom("a component must be an object with a `type`"))
        }
    }
}

impl Serialize for Widget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Widget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
