//! Widgets that are shown while they are made: what is sent, and the copy that follows.

use std::path::Path;

use chatkit_protocol::{CannotApply, ItemUpdate, NotAWidget, ThreadEvent, Value, Widget};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use crate::strategies::{FreeForm, component, text, update, widget};

fn card(children: Value) -> Widget {
    let mut card = json!({"type": "Card"});
    card["children"] = children;
    Widget::new(card).unwrap()
}

fn delta(component_id: &str, delta: &str, done: bool) -> ItemUpdate {
    ItemUpdate::WidgetTextDelta { component_id: component_id.to_owned(), delta: delta.to_owned(), done }
}

/// Sends `updates` from a card with the children `before` to one with the children `after`, and nothing the way back.
#[track_caller]
fn check(before: Value, after: Value, updates: &[ItemUpdate]) {
    let (before, after) = (card(before), card(after));
    assert_eq!(before.updates_to(&after), updates, "{} → {}", before.as_json(), after.as_json());
    let mut seen = before;
    updates.iter().for_each(|update| seen.apply(update).unwrap());
    assert_eq!(seen, after);
    assert_eq!(after.updates_to(&after), []);
}

/// The same where nothing less than the whole will do.
#[track_caller]
fn check_whole(before: Value, after: Value) {
    let widget = card(after.clone());
    check(before, after, &[ItemUpdate::WidgetRootUpdated { widget }]);
}

#[test]
fn texts_that_grow_are_sent_piece_by_piece_from_the_top_down() {
    let state = |first: &str, second: &str, third: &str| {
        json!([
            {"type": "Row", "children": [
                {"type": "Text", "id": "a", "value": first, "streaming": true},
                {"type": "Unheard.Of", "children": [{"type": "Markdown", "id": "b", "value": second}]},
            ]},
            {"type": "Text", "id": "c", "value": third, "streaming": false},
            {"type": "Transition", "children": {"type": "Text", "id": "d", "value": "as it was"}},
        ])
    };
    check(
        state("", "é", "x"),
        state("Hi", "é👩‍🏫", "x y"),
        &[delta("a", "Hi", false), delta("b", "👩‍🏫", true), delta("c", " y", true)],
    );
    check(state("Hi", "é", "x"), state("Hi", "é", "xy"), &[delta("c", "y", true)]);
    check(state("Hi", "é", "x"), state("Hi", "é", "x"), &[]);
}

#[test]
fn the_last_piece_is_the_one_of_a_text_that_does_not_stream() {
    for (streaming, done) in [
        (json!(true), false),
        (json!(1), false),
        (json!("yes"), false),
        (json!(false), true),
        (json!(0), true),
        (json!(""), true),
    ] {
        let state = |value: &str| json!([{"type": "Text", "id": "t", "value": value, "streaming": streaming}]);
        check(state("a"), state("ab"), &[delta("t", "b", done)]);
    }
    let silent = |value: &str| json!([{"type": "Text", "id": "t", "value": value, "streaming": null}]);
    check(silent("a"), silent("ab"), &[delta("t", "b", true)]);
}

#[test]
fn the_order_of_members_is_no_change() {
    let (before, after) = (json!([{"type": "Text", "id": "t"}]), json!([{"id": "t", "type": "Text"}]));
    check(before, after, &[]);
}

#[test]
fn whatever_else_changes_replaces_the_whole() {
    let text = |members: Value| {
        let mut text = json!({"type": "Text", "id": "t", "value": "ab"});
        for (name, value) in members.as_object().unwrap() {
            text[name] = value.clone();
        }
        text
    };
    let before = || json!([text(json!({}))]);
    for after in [
        json!([text(json!({"value": "ba"}))]),
        json!([text(json!({"value": null}))]),
        json!([text(json!({"value": ["ab"]}))]),
        json!([text(json!({"value": "abc", "size": "lg"}))]),
        json!([text(json!({"value": "abc", "id": "u"}))]),
        json!([text(json!({"value": "abc", "key": "k"}))]),
        json!([text(json!({"value": "abc", "type": "Markdown"}))]),
        json!([text(json!({"value": "abc", "type": "Title"}))]),
        json!([text(json!({"value": "abc"})), {"type": "Badge", "label": "new"}]),
        json!([]),
        json!(["ab"]),
        text(json!({})),
    ] {
        check_whole(before(), after.clone());
        check_whole(after, before());
    }
    check_whole(before(), json!([text(json!({"value": "a"}))]));
    let streaming = |streaming: bool| json!([text(json!({"streaming": streaming}))]);
    check_whole(streaming(true), streaming(false));
    let root = |kind: &str| Widget::new(json!({"type": kind, "children": []})).unwrap();
    assert_eq!(root("Card").updates_to(&root("Basic")), [ItemUpdate::WidgetRootUpdated { widget: root("Basic") }]);
}

#[test]
fn a_growing_text_that_a_client_could_not_find_replaces_the_whole() {
    let without_id = |value: &str| json!([{"type": "Text", "value": value}]);
    check_whole(without_id("a"), without_id("ab"));
    let odd_id = |id: Value, value: &str| json!([{"type": "Text", "id": id, "value": value}]);
    check_whole(odd_id(json!(""), "a"), odd_id(json!(""), "ab"));
    check_whole(odd_id(json!(5), "a"), odd_id(json!(5), "ab"));
    let in_transition = |value: &str| json!([{"type": "Transition", "children": {"type": "Row", "children": [{"type": "Text", "id": "t", "value": value}]}}]);
    check_whole(in_transition("a"), in_transition("ab"));
    let with_another =
        |value: &str| json!([{"type": "Text", "id": "t", "value": value}, {"type": "Text", "value": value}]);
    check_whole(with_another("a"), with_another("ab"));
    let elsewhere = |value: &str| json!([{"type": "Select", "options": [{"type": "Text", "id": "t", "value": value}]}]);
    check_whole(elsewhere("a"), elsewhere("ab"));
}

#[test]
fn a_growing_text_that_shares_its_id_replaces_the_whole() {
    for other in [
        json!({"type": "Text", "id": "t", "value": "x"}),
        json!({"type": "Badge", "id": "t"}),
        json!({"type": "Row", "children": [{"type": "Box", "id": "t"}]}),
        json!({"type": "Transition", "children": {"type": "Text", "id": "t", "value": "x"}}),
    ] {
        let state = |value: &str| json!([{"type": "Text", "id": "t", "value": value}, other]);
        check_whole(state("a"), state("ab"));
        let shared =
            |value: &str| json!([{"type": "Text", "id": "u", "value": value}, {"type": "Box", "id": "t"}, other]);
        check(shared("a"), shared("ab"), &[delta("u", "b", true)]);
    }
}

#[test]
fn the_conformance_cases_are_told_as_they_want_it() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases");
    for name in ["widget-stream-growing-text", "widget-stream-no-id"] {
        let case = std::fs::read_to_string(cases.join(name).with_extension("json")).unwrap();
        let step = &serde_json::from_str::<Value>(&case).unwrap()["steps"][0];
        let script = &step["request"]["params"]["input"]["content"][0]["text"]["$script"]["respond"];
        let states = script[0]["stream_widget"]["states"].as_array().unwrap();
        let states: Vec<Widget> = states.iter().map(|state| Widget::new(state.clone()).unwrap()).collect();
        let sent = states.windows(2).flat_map(|pair| pair[0].updates_to(&pair[1]));
        let sent: Vec<Value> = sent.map(|update| serde_json::to_value(update).unwrap()).collect();
        let events = step["expect"]["events"].as_array().unwrap();
        let wanted: Vec<Value> = events.iter().filter_map(|event| event.get("update").cloned()).collect();
        assert_eq!(sent, wanted, "{name}");
        assert!(!wanted.is_empty());
    }
}

#[test]
fn a_component_is_put_in_the_place_of_another() {
    let put = |component_id: &str, component: Value| ItemUpdate::WidgetComponentUpdated {
        component_id: component_id.to_owned(),
        component,
    };
    let mut seen = card(json!([{"type": "Transition", "children": {"type": "Row", "id": "r", "children": []}}]));
    seen.apply(&put("r", json!({"type": "Text", "id": "t", "value": "", "size": null}))).unwrap();
    seen.apply(&delta("t", "Hi", true)).unwrap();
    let hi = json!({"type": "Text", "id": "t", "value": "Hi"});
    assert_eq!(seen, card(json!([{"type": "Transition", "children": hi}])));

    let before = seen.clone();
    for (wrong, id) in [(delta("r", "x", true), "r"), (put("", json!({"type": "Box"})), "")] {
        assert_eq!(seen.apply(&wrong), Err(CannotApply::NoSuchComponent { id: id.to_owned() }));
    }
    let deep = json!({"type": "Box", "data": nested(97)});
    assert_eq!(seen.apply(&put("t", deep)), Err(NotAWidget::TooDeep.into()));
    assert_eq!(seen, before);
    seen.apply(&put("t", json!({"type": "Box", "data": nested(96)}))).unwrap();

    let mut seen = Widget::new(json!({"type": "Card", "id": "root"})).unwrap();
    assert_eq!(seen.apply(&put("root", json!({"type": "Text"}))), Err(NotAWidget::Root.into()));
    assert_eq!(seen.apply(&delta("root", "x", true)), Err(CannotApply::NoSuchComponent { id: "root".to_owned() }));
    seen.apply(&put("root", json!({"type": "Basic"}))).unwrap();
    assert_eq!(seen, Widget::new(json!({"type": "Basic"})).unwrap());
}

/// So many levels of arrays.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| Value::Array(vec![inner]))
}

#[test]
fn a_widget_is_no_deeper_than_what_can_be_read_back() {
    let widget = |levels: usize| {
        let mut card = json!({"type": "Card"});
        card["data"] = nested(levels - 1);
        Widget::new(card)
    };
    assert_eq!(widget(101), Err(NotAWidget::TooDeep));
    assert_eq!(widget(2_000), Err(NotAWidget::TooDeep));
    let deepest = widget(100).unwrap();
    assert_eq!(deepest.updates_to(&deepest), []);
    let page = json!({"items": {"data": [{"id": "i", "thread_id": "t", "created_at": "2026-01-02T12:00:00Z",
        "type": "widget", "widget": deepest}], "has_more": false}, "id": "t", "created_at": "2026-01-02T12:00:00Z"});
    let event = json!({"type": "thread.updated", "thread": page}).to_string();
    serde_json::from_str::<ThreadEvent>(&event).unwrap();
}

/// Two states of a component: mostly the same, and mostly grown where they are not.
fn states() -> BoxedStrategy<(Value, Value)> {
    let id = || option::weighted(0.8, "[a-h]");
    let value = prop_oneof![
        4 => text().prop_map(|text| (text.clone(), text)),
        4 => (text(), text()).prop_map(|(text, more)| (text.clone(), text + &more)),
        1 => (text(), text()),
    ];
    let streaming = || {
        prop_oneof![
            8 => option::of(any::<bool>()).prop_map(|same| (same, same)),
            1 => (option::of(any::<bool>()), option::of(any::<bool>())),
        ]
    };
    let kind = || prop_oneof![8 => Just("Text"), 4 => Just("Markdown"), 1 => Just("Title")];
    let leaf = (kind(), id(), value, streaming()).prop_map(|(kind, id, (before, after), (streams, still))| {
        let state = |value: &str, streaming: Option<bool>| {
            json!({"type": kind, "id": id, "value": value, "streaming": streaming})
        };
        (state(&before, streams), state(&after, still))
    });
    leaf.prop_recursive(3, 10, 3, move |inner| {
        let row = (id(), vec(inner.clone(), 0..4)).prop_map(|(id, children)| {
            let (before, after): (Vec<_>, Vec<_>) = children.into_iter().unzip();
            let row = |children| json!({"type": "Row", "id": id, "children": children});
            (row(before), row(after))
        });
        let transition = (id(), inner).prop_map(|(id, (before, after))| {
            let transition = |child| json!({"type": "Transition", "id": id, "children": child});
            (transition(before), transition(after))
        });
        prop_oneof![8 => row, 1 => transition]
    })
    .boxed()
}

/// A component without its children, and whether it is reached through lists of children only.
#[derive(Clone, Debug, PartialEq)]
struct Met {
    own: Value,
    listed: bool,
}

fn components(widget: &Widget) -> Vec<Met> {
    fn meet(component: &Value, listed: bool, met: &mut Vec<Met>) {
        let mut own = component.clone();
        own.as_object_mut().unwrap().shift_remove("children");
        met.push(Met { own, listed });
        match component.get("children") {
            Some(Value::Array(children)) => children.iter().for_each(|child| meet(child, listed, met)),
            Some(child) => meet(child, false, met),
            None => {}
        }
    }
    let mut met = Vec::new();
    meet(widget.as_json(), true, &mut met);
    met
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn whoever_applies_what_is_sent_sees_the_next_state(children in vec(states(), 0..4)) {
        let (before, after): (Vec<_>, Vec<_>) = children.into_iter().unzip();
        follows(&card(before.into()), &card(after.into()))?;
    }

    #[test]
    fn states_that_have_nothing_in_common_can_follow_each_other(before in widget(), after in widget()) {
        follows(&before, &after)?;
        follows(&after, &before)?;
    }

    #[test]
    fn an_update_is_applied_to_a_widget_or_changes_nothing(
        children in vec(states(), 0..4),
        updates in vec(prop_oneof![
            update(FreeForm::WithNulls),
            ("[a-h]", text()).prop_map(|(id, text)| delta(&id, &text, true)),
            ("[a-h]", component()).prop_map(|(component_id, component)| ItemUpdate::WidgetComponentUpdated { component_id, component }),
        ], 0..8),
    ) {
        let mut seen = card(children.into_iter().map(|(before, _)| before).collect());
        for update in updates {
            let before = seen.clone();
            if seen.apply(&update).is_err() {
                prop_assert_eq!(&seen, &before);
            }
            prop_assert_eq!(Widget::new(seen.as_json().clone()), Ok(seen.clone()));
        }
    }

    #[test]
    fn a_piece_is_only_sent_where_text_was_added_and_nothing_else_happened(children in vec(states(), 1..3)) {
        let (before, after): (Vec<_>, Vec<_>) = children.into_iter().unzip();
        let (before, after) = (card(before.into()), card(after.into()));
        let (old, new) = (components(&before), components(&after));
        let pieces: Option<Vec<_>> =
            old.iter().zip(&new).filter(|(old, new)| old != new).map(|(old, met)| piece(old, met, &new)).collect();
        let wanted = pieces.unwrap_or_else(|| vec![ItemUpdate::WidgetRootUpdated { widget: after.clone() }]);
        prop_assert_eq!(before.updates_to(&after), wanted);
    }
}

/// The piece that says all there is to say about a component that changed, among all that there are now.
fn piece(old: &Met, new: &Met, all: &[Met]) -> Option<ItemUpdate> {
    let mut shortened = new.own.clone();
    shortened["value"] = old.own["value"].clone();
    let id = new.own["id"].as_str()?;
    let alone = all.iter().filter(|met| met.own["id"] == id).count() == 1;
    let found = alone && new.listed && new.own["type"] != "Title";
    let more = new.own["value"].as_str()?.strip_prefix(old.own["value"].as_str()?)?;
    (found && shortened == old.own).then(|| delta(id, more, new.own["streaming"] != true))
}

fn follows(before: &Widget, after: &Widget) -> Result<(), TestCaseError> {
    let mut seen = before.clone();
    for update in before.updates_to(after) {
        seen.apply(&update).map_err(|wrong| TestCaseError::fail(wrong.to_string()))?;
    }
    prop_assert_eq!(&seen, after);
    prop_assert_eq!(after.updates_to(after), []);
    Ok(())
}
