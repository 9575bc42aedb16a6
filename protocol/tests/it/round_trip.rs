//! What is printed can be read again, and no null is printed where something is merely absent.

use std::fmt::Debug;

use chatkit_protocol::{Envelope, ItemUpdate, Page, Response, ThreadEvent, ThreadItem, Timestamp, Value, sse};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::strategies::{FreeForm, attachment, event, item, page, record, request, thread, timestamp, update};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_read_as_they_were_printed(asked in request(FreeForm::WithNulls)) {
        let printed = serde_json::to_string(&asked).unwrap();
        let read = Envelope::parse(printed.as_bytes()).map_err(|wrong| TestCaseError::fail(format!("{wrong}: {printed}")))?;
        prop_assert_eq!(&read, &asked);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), printed);
    }

    #[test]
    fn events_are_read_as_they_were_printed(event in event(FreeForm::WithNulls)) {
        keeps(&event)?;
    }

    #[test]
    fn items_updates_and_pages_are_read_as_they_were_printed(
        item in item(FreeForm::WithNulls),
        update in update(FreeForm::WithNulls),
        page in page(FreeForm::WithNulls),
    ) {
        keeps::<ThreadItem>(&item)?;
        keeps::<ItemUpdate>(&update)?;
        keeps::<Page<ThreadItem>>(&page)?;
    }

    #[test]
    fn threads_and_attachments_are_read_as_they_were_printed(
        record in record(FreeForm::WithNulls),
        thread in thread(FreeForm::WithNulls),
        attachment in attachment(),
    ) {
        keeps(&record)?;
        keeps(&thread)?;
        keeps(&attachment)?;
    }

    #[test]
    fn times_are_read_as_they_were_printed(time in timestamp()) {
        keeps(&time)?;
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }

    #[test]
    fn nothing_absent_is_printed_as_null(
        event in event(FreeForm::WithoutNulls),
        asked in request(FreeForm::WithoutNulls),
        thread in thread(FreeForm::WithoutNulls),
        record in record(FreeForm::WithoutNulls),
        item in item(FreeForm::WithoutNulls),
    ) {
        has_no_null(&serde_json::to_value(&event).unwrap())?;
        has_no_null(&serde_json::to_value(&asked).unwrap())?;
        has_no_null(&serde_json::to_value(&record).unwrap())?;
        has_no_null(&serde_json::to_value(Response::Thread(thread)).unwrap())?;
        has_no_null(&serde_json::to_value(Response::UpdatedItem { updated_item: Some(item) }).unwrap())?;
    }

    #[test]
    fn an_event_is_one_frame_of_one_line(event in event(FreeForm::WithNulls)) {
        let mut frame = Vec::new();
        sse::write_frame(&event, &mut frame);
        let json = frame.strip_prefix(b"data: ").and_then(|rest| rest.strip_suffix(b"\n\n")).expect("it is a frame");
        prop_assert!(!json.contains(&b'\n') && !json.contains(&b'\r'));
        prop_assert_eq!(serde_json::from_slice::<ThreadEvent>(json).unwrap(), event);
    }
}

#[test]
fn widgets_are_printed_without_nulls_however_they_were_made() {
    let component =
        json!({"type": "Row", "key": null, "children": [null, {"type": "Text", "value": null}], "data": [[null]]});
    let update = ItemUpdate::WidgetComponentUpdated { component_id: "c".to_owned(), component };
    let printed = serde_json::to_value(&update).unwrap();
    assert_eq!(printed["component"], json!({"type": "Row", "children": [{"type": "Text"}], "data": [[]]}));
}

/// Equality of JSON objects does not look at the order of members, so the bytes are compared as well.
fn keeps<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let printed = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&printed).map_err(|error| TestCaseError::fail(format!("{error}: {printed}")))?;
    prop_assert_eq!(&read, value);
    prop_assert_eq!(&serde_json::to_string(&read).unwrap(), &printed);
    let parsed: Value = serde_json::from_str(&printed).unwrap();
    let read: T = serde_json::from_value(parsed).map_err(|error| TestCaseError::fail(format!("{error}: {printed}")))?;
    prop_assert_eq!(&read, value);
    prop_assert_eq!(serde_json::to_string(&read).unwrap(), printed);
    Ok(())
}

fn has_no_null(json: &Value) -> Result<(), TestCaseError> {
    match json {
        Value::Null => return Err(TestCaseError::fail("there is a null")),
        Value::Object(members) => members.values().try_for_each(has_no_null)?,
        Value::Array(values) => values.iter().try_for_each(has_no_null)?,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}
