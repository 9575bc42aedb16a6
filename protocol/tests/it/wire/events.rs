//! The twelve events and the ten updates.

use chatkit_protocol::{Image, ItemUpdate, ThreadEvent};

use super::{check, check_refused, check_same};

const ITEM: &str = r#"{"id":"i","thread_id":"t","created_at":"2026-01-02T12:00:00Z","type":"end_of_turn"}"#;
const THREAD: &str = r#"{"id":"t","created_at":"2026-01-02T12:00:00Z","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}"#;

#[track_caller]
fn event(given: &str, printed: &str) {
    check::<ThreadEvent>(given, printed);
}

#[track_caller]
fn same_event(json: &str) {
    check_same::<ThreadEvent>(json);
}

#[track_caller]
fn update(given: &str, printed: &str) {
    check::<ItemUpdate>(given, printed);
    event(
        &format!(r#"{{"type":"thread.item.updated","item_id":"i","update":{given}}}"#),
        &format!(r#"{{"type":"thread.item.updated","item_id":"i","update":{printed}}}"#),
    );
}

#[track_caller]
fn same_update(json: &str) {
    update(json, json);
}

#[test]
fn events_about_threads_and_items() {
    same_event(&format!(r#"{{"type":"thread.created","thread":{THREAD}}}"#));
    same_event(&format!(r#"{{"type":"thread.updated","thread":{THREAD}}}"#));
    same_event(&format!(r#"{{"type":"thread.item.added","item":{ITEM}}}"#));
    same_event(&format!(r#"{{"type":"thread.item.done","item":{ITEM}}}"#));
    same_event(&format!(r#"{{"type":"thread.item.replaced","item":{ITEM}}}"#));
    same_event(r#"{"type":"thread.item.removed","item_id":"i"}"#);
}

#[test]
fn events_about_the_stream() {
    same_event(r#"{"type":"stream_options","stream_options":{"allow_cancel":true}}"#);
    same_event(r#"{"type":"stream_options","stream_options":{"allow_cancel":false}}"#);
    same_event(r#"{"type":"progress_update","text":""}"#);
    event(r#"{"type":"progress_update","icon":null,"text":"x"}"#, r#"{"type":"progress_update","text":"x"}"#);
    same_event(r#"{"type":"progress_update","icon":"lucide:any","text":"x"}"#);
}

#[test]
fn effects_always_have_data_and_keep_its_nulls() {
    event(r#"{"type":"client_effect","name":"n"}"#, r#"{"type":"client_effect","name":"n","data":{}}"#);
    event(r#"{"type":"client_effect","name":"n","data":null}"#, r#"{"type":"client_effect","name":"n","data":{}}"#);
    same_event(r#"{"type":"client_effect","name":"","data":{"z":null,"a":[null,{"b":null}]}}"#);
}

#[test]
fn errors_always_have_a_code_and_say_whether_to_try_again() {
    event(r#"{"type":"error"}"#, r#"{"type":"error","code":"custom","allow_retry":false}"#);
    event(
        r#"{"type":"error","message":"No."}"#,
        r#"{"type":"error","code":"custom","message":"No.","allow_retry":false}"#,
    );
    same_event(r#"{"type":"error","code":"stream.error","allow_retry":true}"#);
}

#[test]
fn notices_have_a_title_only_when_there_is_one() {
    for level in ["info", "warning", "danger"] {
        same_event(&format!(r#"{{"type":"notice","level":"{level}","message":"[m](u)","title":"t"}}"#));
    }
    event(
        r#"{"type":"notice","level":"info","message":"m","title":null}"#,
        r#"{"type":"notice","level":"info","message":"m"}"#,
    );
}

#[test]
fn what_the_server_can_say_in_short_is_what_it_would_say_at_length() {
    let printed = |event: &ThreadEvent| serde_json::to_string(event).unwrap();
    assert_eq!(
        printed(&ThreadEvent::custom_error("Too long.", true)),
        r#"{"type":"error","code":"custom","message":"Too long.","allow_retry":true}"#
    );
    assert_eq!(
        printed(&ThreadEvent::stream_error(true)),
        r#"{"type":"error","code":"stream.error","allow_retry":true}"#
    );
    assert_eq!(
        printed(&ThreadEvent::text_delta(&"i".into(), 0, "x".to_owned())),
        r#"{"type":"thread.item.updated","item_id":"i","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"x"}}"#
    );
}

#[test]
fn updates_of_messages() {
    update(
        r#"{"type":"assistant_message.content_part.added","content_index":0,"content":{"type":"output_text","text":""}}"#,
        r#"{"type":"assistant_message.content_part.added","content_index":0,"content":{"type":"output_text","annotations":[],"text":""}}"#,
    );
    same_update(r#"{"type":"assistant_message.content_part.text_delta","content_index":1,"delta":"\n"}"#);
    same_update(
        r#"{"type":"assistant_message.content_part.annotation_added","content_index":0,"annotation_index":0,"annotation":{"type":"annotation","source":{"title":"s","type":"file","filename":"f"},"index":0}}"#,
    );
    same_update(
        r#"{"type":"assistant_message.content_part.done","content_index":0,"content":{"type":"output_text","annotations":[],"text":"x"}}"#,
    );
}

#[test]
fn updates_of_widgets_hold_no_nulls() {
    same_update(r#"{"type":"widget.streaming_text.value_delta","component_id":"c","delta":"","done":false}"#);
    update(
        r#"{"type":"widget.component.updated","component_id":"c","component":{"type":"Text","value":null,"rows":[null,[null,1]]}}"#,
        r#"{"type":"widget.component.updated","component_id":"c","component":{"type":"Text","rows":[[1]]}}"#,
    );
    update(
        r#"{"type":"widget.root.updated","widget":{"type":"ListView","children":null,"status":{"icon":null}}}"#,
        r#"{"type":"widget.root.updated","widget":{"type":"ListView","status":{}}}"#,
    );
}

#[test]
fn updates_of_workflows_resend_the_whole_task() {
    update(
        r#"{"type":"workflow.task.added","task_index":0,"task":{"type":"web_search"}}"#,
        r#"{"type":"workflow.task.added","task_index":0,"task":{"status_indicator":"none","type":"web_search","queries":[],"sources":[]}}"#,
    );
    same_update(
        r#"{"type":"workflow.task.updated","task_index":7,"task":{"status_indicator":"loading","type":"thought","title":"t","content":"c"}}"#,
    );
}

#[test]
fn updates_of_pictures_have_progress_only_when_it_is_known() {
    same_update(
        r#"{"type":"generated_image.updated","image":{"id":"i","url":"data:image/png;base64,AA=="},"progress":0.0}"#,
    );
    update(
        r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"},"progress":1}"#,
        r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"},"progress":1.0}"#,
    );
    update(
        r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"},"progress":null}"#,
        r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"}}"#,
    );
    for progress in [f64::NAN, f64::INFINITY] {
        let image = Image { id: "i".to_owned(), url: "u".to_owned() };
        let update = ItemUpdate::GeneratedImageUpdated { image, progress: Some(progress) };
        let printed = serde_json::to_string(&update).unwrap();
        assert_eq!(printed, r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"}}"#);
    }
}

#[test]
fn unknown_and_incomplete_events_are_refused() {
    check_refused::<ThreadEvent>(r#"{"type":"thread.archived"}"#, "unknown variant");
    check_refused::<ThreadEvent>(r#"{"type":"thread.item.removed"}"#, "missing field `item_id`");
    check_refused::<ThreadEvent>(r#"{"type":"progress_update","icon":"bok","text":"x"}"#, "`bok` is no icon");
    check_refused::<ItemUpdate>(r#"{"type":"widget.root.updated","widget":{"type":"Row"}}"#, "Card, ListView or Basic");
    let component = r#"{"type":"widget.component.updated","component_id":"c","component":null}"#;
    check_refused::<ItemUpdate>(component, "a component must be an object with a `type`");
}
