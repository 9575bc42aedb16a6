//! The schemas are what the types say, and what they say is true.

mod validator;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use chatkit_protocol::{Envelope, Response, ThreadEvent, Value, schema};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::mutated::{Mutation, change, mutation};
use crate::strategies::{FreeForm, attachment, event, item, page, request, text, thread};
use validator::Schema;

static SCHEMAS: LazyLock<[Schema; 3]> =
    LazyLock::new(|| schema::documents().map(|document| Schema::new(document.json)));

fn request_schema() -> &'static Schema {
    &SCHEMAS[0]
}

fn event_schema() -> &'static Schema {
    &SCHEMAS[1]
}

fn response_schema() -> &'static Schema {
    &SCHEMAS[2]
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_schemas_that_are_kept_are_those_of_the_types() {
    for document in schema::documents() {
        let kept = std::fs::read_to_string(folder("schema").join(document.name)).unwrap_or_default();
        assert!(
            kept == document.to_string(),
            "protocol/schema/{} is not what the types say; `cargo run -p chatkit-protocol --example schema` writes it anew",
            document.name
        );
    }
}

#[test]
fn every_definition_is_there_and_described() {
    for document in schema::documents() {
        let text = document.to_string();
        for (name, definition) in document.json["$defs"].as_object().unwrap() {
            assert!(definition["description"].is_string(), "{name} in {}", document.name);
            assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name} in {} is not used", document.name);
        }
        assert!(document.json["title"].is_string() && document.json["description"].is_string());
        for inward in ["chatkit_protocol", "::", "[`", "uint32", "```"] {
            assert!(!text.contains(inward), "{inward} in {}", document.name);
        }
    }
}

#[test]
fn a_request_fits_if_and_only_if_it_can_be_read() {
    for kind in chatkit_protocol::Request::KINDS {
        assert!(schema::documents()[0].to_string().contains(&format!("\"const\": \"{kind}\"")));
    }
    let (mut read, mut refused) = (0, 0);
    let mut check = |json: &Value, name: &str| {
        let (fit, parsed) = (request_schema().check(json), Envelope::parse(json.to_string().as_bytes()));
        assert_eq!(fit.is_ok(), parsed.is_ok(), "{name}: {fit:?} {parsed:?}");
        if parsed.is_ok() { read += 1 } else { refused += 1 }
    };
    for entry in std::fs::read_dir(folder("conformance/cases")).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for step in case["steps"].as_array().unwrap() {
            // Bodies that are no JSON are nothing that a schema is asked about.
            let raw = step.get("raw_body").and_then(Value::as_str).and_then(|body| serde_json::from_str(body).ok());
            for asked in [step.get("request").cloned(), step.get("walk").cloned(), raw].into_iter().flatten() {
                check(&with_scripts(asked), &path.display().to_string());
            }
        }
    }
    for limit in
        [json!("5"), json!(" +5 "), json!("-0"), json!(5.0), json!(-0.0), json!(true), json!(null), json!(1e300)]
    {
        check(&json!({"type": "threads.list", "params": {"limit": limit}}), "a limit");
    }
    for limit in [json!("-1"), json!(""), json!("1e3"), json!(-1), json!(0.5), json!({}), json!("٥")] {
        check(&json!({"type": "threads.list", "params": {"limit": limit}}), "no limit");
    }
    assert!(read > 250 && refused > 100, "{read} were read, {refused} refused");
}

/// A script stands for its own text.
fn with_scripts(json: Value) -> Value {
    match json {
        Value::Object(members) => match members.get("$script") {
            Some(script) => script.to_string().into(),
            None => Value::Object(members.into_iter().map(|(name, value)| (name, with_scripts(value))).collect()),
        },
        Value::Array(values) => values.into_iter().map(with_scripts).collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_request_that_somebody_meddled_with_fits_if_and_only_if_it_can_be_read(
        asked in request(FreeForm::WithNulls),
        mutations in vec((any::<Index>(), mutation()), 0..3),
    ) {
        let mut body = serde_json::to_value(&asked).unwrap();
        change(&mut body, mutations);
        let (fit, parsed) = (request_schema().check(&body), Envelope::parse(body.to_string().as_bytes()));
        prop_assert_eq!(fit.is_ok(), parsed.is_ok(), "{:?} {:?}", fit, parsed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_fits(event in event(FreeForm::WithNulls)) {
        event_schema().check(&serde_json::to_value(&event).unwrap()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn an_event_that_fits_can_be_read_whatever_it_lacks(
        event in event(FreeForm::WithNulls),
        missing in vec(any::<Index>(), 1..3),
    ) {
        let mut json = serde_json::to_value(&event).unwrap();
        change(&mut json, missing.into_iter().map(|place| (place, Mutation::Delete)).collect());
        let read = serde_json::from_value::<ThreadEvent>(json.clone());
        prop_assert!(event_schema().check(&json).is_err() || read.is_ok(), "{:?} {}", read, json);
    }

    #[test]
    fn every_answer_fits(
        threads in vec(thread(FreeForm::WithNulls), 1..3),
        page in page(FreeForm::WithNulls),
        attachment in attachment(),
        item in item(FreeForm::WithNulls),
        text in text(),
    ) {
        let rows = page.clone().map(|_| threads[0].clone());
        for answer in [
            Response::Thread(threads[0].clone()),
            Response::Threads(rows),
            Response::Items(page),
            Response::Attachment(attachment),
            Response::Transcript { text },
            Response::UpdatedItem { updated_item: Some(item) },
            Response::UpdatedItem { updated_item: None },
            Response::Empty,
        ] {
            response_schema().check(&serde_json::to_value(&answer).unwrap()).map_err(TestCaseError::fail)?;
        }
    }
}

/// Takes `json`, and refuses it with each of the members at these places replaced or, for `null`, taken away.
#[track_caller]
fn refuses(schema: &Schema, json: &Value, wrong: &[(&str, Value)]) {
    schema.check(json).unwrap();
    for (place, value) in wrong {
        let mut broken = json.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = broken.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => assert!(parent.shift_remove(name).is_some(), "{place}"),
            value => drop(parent.insert(name.to_owned(), value.clone())),
        }
        assert!(schema.check(&broken).is_err(), "{place} {value}: {broken}");
    }
}

#[test]
fn broken_events_do_not_fit() {
    let at = "2026-01-02T12:00:00Z";
    let source = json!({"title": "Sensors", "type": "url", "url": "u"});
    let note = json!({"type": "annotation", "source": source, "index": 3});
    let content = json!({"type": "output_text", "annotations": [note], "text": "Hi"});
    let item =
        json!({"id": "i", "thread_id": "t", "created_at": at, "type": "assistant_message", "content": [content]});
    let done = |item: &Value| json!({"type": "thread.item.done", "item": item});
    refuses(
        event_schema(),
        &done(&item),
        &[
            ("/type", json!("thread.item.finished")),
            ("/item", json!(null)),
            ("/item/id", json!(5)),
            ("/item/thread_id", json!(null)),
            ("/item/created_at", json!("2026-01-02T12:00:00")),
            ("/item/created_at", json!("2026-01-02T12:00:00.5Z")),
            ("/item/created_at", json!("2026-13-02T12:00:00Z")),
            ("/item/type", json!("message")),
            ("/item/type", json!(null)),
            ("/item/content/0/type", json!(null)),
            ("/item/content/0/type", json!("input_text")),
            ("/item/content/0/text", json!(null)),
            ("/item/content/0/annotations", json!(null)),
            ("/item/content/0/annotations/0/type", json!(null)),
            ("/item/content/0/annotations/0/index", json!(-1)),
            ("/item/content/0/annotations/0/source/url", json!(null)),
            ("/item/content/0/annotations/0/source/title", json!(null)),
        ],
    );
    let widget = json!({"type": "Card", "children": [{"type": "Text", "value": "Hi"}]});
    let item = json!({"id": "i", "thread_id": "t", "created_at": at, "type": "widget", "widget": widget});
    refuses(
        event_schema(),
        &done(&item),
        &[
            ("/item/widget", json!(null)),
            ("/item/widget/type", json!("Text")),
            ("/item/widget/children", json!([{"type": "Text", "value": null}])),
            ("/item/widget/children", json!([null])),
            ("/item/copy_text", json!(5)),
        ],
    );
    refuses(
        event_schema(),
        &json!({"type": "progress_update", "text": "…", "icon": "search"}),
        &[("/icon", json!("no-such-icon")), ("/icon", json!("Search")), ("/text", json!(null))],
    );
    let mut with_null = json!({"type": "progress_update", "text": "…"});
    event_schema().check(&with_null).unwrap();
    with_null["icon"] = Value::Null;
    assert!(event_schema().check(&with_null).is_err(), "what is absent is left out");
    refuses(
        event_schema(),
        &json!({"type": "error", "code": "custom", "allow_retry": false}),
        &[("/code", json!("unheard_of")), ("/code", json!(null)), ("/allow_retry", json!(null))],
    );
}

#[test]
fn broken_answers_do_not_fit() {
    let at = "2026-01-02T12:00:00.000001Z";
    let items = json!({"data": [], "has_more": false});
    let thread = json!({"id": "t", "created_at": at, "status": {"type": "locked"}, "metadata": {}, "items": items});
    refuses(
        response_schema(),
        &thread,
        &[
            ("/metadata", json!({"secret": 1})),
            ("/metadata", json!(null)),
            ("/status/type", json!("open")),
            ("/items/has_more", json!(null)),
            ("/id", json!(null)),
        ],
    );
    let image = json!({"id": "a", "name": "n", "mime_type": "image/png", "type": "image", "preview_url": "u"});
    refuses(response_schema(), &image, &[("/type", json!("video")), ("/preview_url", json!(null))]);
    refuses(response_schema(), &json!({"text": "Hi"}), &[("/text", json!(5))]);
    assert!(response_schema().check(&json!({"ok": true})).is_err());
    assert!(response_schema().check(&json!({"updated_item": null})).is_err());
}
