//! A widget that is shown while it is being made: what is sent from one state to the next, and the copy that follows.

use std::collections::BTreeSet;

use super::{NotAWidget, WIDGET_LEVELS_MAX, Widget, fits_into, is_root, without_nulls};
use crate::{CannotApply, ItemUpdate, JsonMap, Value};

/// Components whose text may grow piece by piece.
const STREAMING: [&str; 2] = ["Text", "Markdown"];

impl Widget {
    /// What to send to whoever sees this widget, so that they see `next`.
    ///
    /// Nothing where nothing changed. One piece of text for each `Text` and `Markdown` whose `value` grew at its end, if
    /// that is all that changed and each has an `id` of its own to be found by. The whole widget otherwise.
    ///
    /// ```
    /// use chatkit_protocol::{ItemUpdate, Widget};
    /// use serde_json::json;
    ///
    /// let state = |text: &str, streaming: bool| {
    ///     let text = json!({"type": "Text", "id": "t", "value": text, "streaming": streaming});
    ///     Widget::new(json!({"type": "Card", "children": [text]})).unwrap()
    /// };
    /// let (first, next, last) = (state("He", true), state("Hello", true), state("Hello", false));
    ///
    /// let delta =
    ///     ItemUpdate::WidgetTextDelta { component_id: "t".to_owned(), delta: "llo".to_owned(), done: false };
    /// assert_eq!(first.updates_to(&next), [delta.clone()]);
    /// assert_eq!(next.updates_to(&last), [ItemUpdate::WidgetRootUpdated { widget: last.clone() }]);
    /// assert_eq!(last.updates_to(&last), []);
    ///
    /// let mut seen = first;
    /// seen.apply(&delta).unwrap();
    /// assert_eq!(seen, next);
    /// ```
    pub fn updates_to(&self, next: &Self) -> Vec<ItemUpdate> {
        let mut grown = Vec::new();
        let mut whole = !only_texts_grow(&self.0, &next.0, &mut grown);
        if !whole && !grown.is_empty() {
            let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
            collect_ids(&next.0, &mut seen, &mut repeated);
            // A client would not know which of two is meant.
            whole = grown.iter().any(|text| repeated.contains(text.id));
        }
        if whole {
            return vec![ItemUpdate::WidgetRootUpdated { widget: next.clone() }];
        }
        grown.into_iter().map(Grown::into_update).collect()
    }

    /// Applies an update to a copy of the widget it is for; updates of other items are ignored.
    ///
    /// # Errors
    /// The widget has no such component, or would not be a widget any more; it is as it was.
    pub fn apply(&mut self, update: &ItemUpdate) -> Result<(), CannotApply> {
        match update {
            ItemUpdate::WidgetRootUpdated { widget } => *self = widget.clone(),
            ItemUpdate::WidgetTextDelta { component_id, delta, done: _ } => {
                let text = component_mut(&mut self.0, 0, component_id).and_then(|(_, found)| found.get_mut("value"));
                let Some(Value::String(text)) = text else {
                    return Err(CannotApply::NoSuchComponent { id: component_id.clone() });
                };
                text.push_str(delta);
            }
            ItemUpdate::WidgetComponentUpdated { component_id, component } => self.put(component_id, component)?,
            ItemUpdate::ContentPartAdded { .. }
            | ItemUpdate::TextDelta { .. }
            | ItemUpdate::AnnotationAdded { .. }
            | ItemUpdate::ContentPartDone { .. }
            | ItemUpdate::WorkflowTaskAdded { .. }
            | ItemUpdate::WorkflowTaskUpdated { .. }
            | ItemUpdate::GeneratedImageUpdated { .. } => {}
        }
        Ok(())
    }

    /// Puts `component` in the place of the one of this id.
    fn put(&mut self, id: &str, component: &Value) -> Result<(), CannotApply> {
        let (level, place) =
            component_mut(&mut self.0, 0, id).ok_or_else(|| CannotApply::NoSuchComponent { id: id.to_owned() })?;
        if level == 0 && !is_root(component) {
            return Err(NotAWidget::Root.into());
        }
        if !fits_into(WIDGET_LEVELS_MAX - level, component) {
            return Err(NotAWidget::TooDeep.into());
        }
        *place = without_nulls(component.clone());
        Ok(())
    }
}

/// A component whose text is longer than before.
struct Grown<'a> {
    id: &'a str,
    delta: &'a str,
    done: bool,
}

impl Grown<'_> {
    fn into_update(self) -> ItemUpdate {
        ItemUpdate::WidgetTextDelta { component_id: self.id.to_owned(), delta: self.delta.to_owned(), done: self.done }
    }
}

/// Whether nothing changes but texts that can be sent piece by piece; those that do are added to `grown`.
///
/// Only lists of children are followed: a growing text anywhere else, such as in the single child of a `Transition`, is
/// a change like any other.
fn only_texts_grow<'a>(before: &'a Value, after: &'a Value, grown: &mut Vec<Grown<'a>>) -> bool {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before == after };
    let text = growth(before, after);
    let text_grows = text.is_some();
    grown.extend(text);
    before.len() == after.len()
        && before.iter().all(|(name, old)| match (name.as_str(), old, after.get(name)) {
            (_, _, None) => false,
            ("value", _, Some(_)) if text_grows => true,
            ("children", Value::Array(old), Some(Value::Array(new))) => {
                old.len() == new.len() && old.iter().zip(new).all(|(old, new)| only_texts_grow(old, new, grown))
            }
            (_, old, Some(new)) => old == new,
        })
}

/// What the text of a component gained at its end; `None` where that is nothing, or cannot be sent by itself.
fn growth<'a>(before: &'a JsonMap, after: &'a JsonMap) -> Option<Grown<'a>> {
    let text = |component: &'a JsonMap, name: &str| component.get(name).and_then(Value::as_str);
    let kind = text(after, "type")?;
    let id = text(after, "id").filter(|id| !id.is_empty())?;
    let delta = text(after, "value")?.strip_prefix(text(before, "value")?)?;
    let grows = STREAMING.contains(&kind) && !delta.is_empty();
    grows.then(|| Grown { id, delta, done: !after.get("streaming").is_some_and(is_truthy) })
}

/// Whether a script would take the value for a yes.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// The components directly below one.
fn children(component: &Value) -> &[Value] {
    match component.get("children") {
        Some(Value::Array(children)) => children,
        Some(child) => std::slice::from_ref(child),
        None => &[],
    }
}

fn collect_ids<'a>(component: &'a Value, seen: &mut BTreeSet<&'a str>, repeated: &mut BTreeSet<&'a str>) {
    if let Some(id) = component.get("id").and_then(Value::as_str)
        && !seen.insert(id)
    {
        repeated.insert(id);
    }
    for child in children(component) {
        collect_ids(child, seen, repeated);
    }
}

/// The first component of this id, and how many levels of JSON lie above it.
fn component_mut<'a>(component: &'a mut Value, level: usize, id: &str) -> Option<(usize, &'a mut Value)> {
    if component.get("id").and_then(Value::as_str) == Some(id) {
        return Some((level, component));
    }
    match component.get_mut("children") {
        Some(Value::Array(children)) => children.iter_mut().find_map(|child| component_mut(child, level + 2, id)),
        Some(child) => component_mut(child, level + 1, id),
        None => None,
    }
}
