//! Threads, as they are shown and as they are kept, pages of them, and the answers that carry them.

use chatkit_protocol::{
    Attachment, AttachmentKind, ItemKind, JsonMap, Page, Response, StoredAttachment, Thread, ThreadItem, ThreadRecord,
    ThreadStatus, Timestamp, Value,
};

use super::{check, check_same};

fn record() -> ThreadRecord {
    ThreadRecord::new("t".into(), Timestamp::parse("2026-01-02T12:00:00Z").unwrap())
}

fn item(kind: &str) -> ThreadItem {
    let json =
        format!(r#"{{"id":"i","thread_id":"t","created_at":"2026-01-02T12:00:00Z","type":"{kind}","content":"x"}}"#);
    serde_json::from_str(&json).unwrap()
}

#[track_caller]
fn check_answer(answer: &Response, printed: &str) {
    assert_eq!(serde_json::to_string(answer).unwrap(), printed);
}

#[test]
fn every_status() {
    check_same::<ThreadStatus>(r#"{"type":"active"}"#);
    for kind in ["locked", "closed"] {
        check::<ThreadStatus>(&format!(r#"{{"type":"{kind}","reason":null}}"#), &format!(r#"{{"type":"{kind}"}}"#));
        check_same::<ThreadStatus>(&format!(r#"{{"type":"{kind}","reason":""}}"#));
    }
}

#[test]
fn a_thread_shows_its_members_in_order_and_no_metadata() {
    let mut kept = record();
    kept.title = Some(String::new());
    kept.status = ThreadStatus::Locked { reason: Some("exam".to_owned()) };
    kept.allowed_image_domains = Some(Vec::new());
    kept.metadata.insert("secret".to_owned(), Value::Null);
    let shown = Thread::without_items(&kept);
    assert_eq!(
        serde_json::to_string(&shown).unwrap(),
        r#"{"title":"","id":"t","created_at":"2026-01-02T12:00:00Z","status":{"type":"locked","reason":"exam"},"allowed_image_domains":[],"metadata":{},"items":{"data":[],"has_more":false}}"#
    );
    check_same::<ThreadRecord>(
        r#"{"id":"t","created_at":"2026-01-02T12:00:00Z","title":"","status":{"type":"locked","reason":"exam"},"allowed_image_domains":[],"metadata":{"secret":null}}"#,
    );
}

#[test]
fn metadata_that_another_server_shows_is_not_passed_on() {
    check::<Thread>(
        r#"{"title":null,"id":"t","created_at":"2026-01-02T12:00:00Z","allowed_image_domains":null,"metadata":{"secret":1}}"#,
        r#"{"id":"t","created_at":"2026-01-02T12:00:00Z","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}"#,
    );
}

#[test]
fn hidden_items_are_not_shown_though_the_page_goes_on_after_them() {
    let data = vec![item("sdk_hidden_context"), item("end_of_turn"), item("hidden_context_item")];
    let page = Page { data, has_more: true, after: Some("i".to_owned()) };
    let shown = Thread::with_items(&record(), page);
    assert_eq!(shown.items.data.iter().map(|item| item.kind.name()).collect::<Vec<_>>(), ["end_of_turn"]);
    assert_eq!((shown.items.has_more, shown.items.after.as_deref()), (true, Some("i")));
}

#[test]
fn pages_always_say_whether_there_is_more() {
    check_same::<Page<String>>(r#"{"data":[],"has_more":false}"#);
    check::<Page<String>>(r#"{"data":[],"has_more":false,"after":null}"#, r#"{"data":[],"has_more":false}"#);
    check_same::<Page<String>>(r#"{"data":["x"],"has_more":true,"after":"x"}"#);
}

#[test]
fn every_answer() {
    let thread = r#"{"id":"t","created_at":"2026-01-02T12:00:00Z","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}"#;
    let end = r#"{"id":"i","thread_id":"t","created_at":"2026-01-02T12:00:00Z","type":"end_of_turn"}"#;
    let shown = Thread::without_items(&record());
    let page = |data| Page { data, has_more: false, after: None };
    check_answer(&Response::Thread(shown.clone()), thread);
    let threads = Response::Threads(Page { data: vec![shown], has_more: false, after: None });
    check_answer(&threads, &format!(r#"{{"data":[{thread}],"has_more":false}}"#));
    check_answer(&Response::Items(page(vec![item("end_of_turn")])), &format!(r#"{{"data":[{end}],"has_more":false}}"#));
    check_answer(&Response::Transcript { text: String::new() }, r#"{"text":""}"#);
    let updated = |updated_item| Response::UpdatedItem { updated_item };
    check_answer(&updated(Some(item("end_of_turn"))), &format!(r#"{{"updated_item":{end}}}"#));
    check_answer(&updated(Some(item("hidden_context_item"))), "{}");
    check_answer(&updated(None), "{}");
    check_answer(&Response::Empty, "{}");
}

#[test]
fn an_attachment_is_kept_with_the_metadata_that_is_never_sent() {
    let (id, kind) = ("a".into(), AttachmentKind::File);
    let (name, mime_type) = ("n".to_owned(), "m".to_owned());
    let attachment = Attachment { id, name, mime_type, upload_descriptor: None, thread_id: None, kind };
    let metadata: JsonMap = [("secret".to_owned(), Value::Null)].into_iter().collect();
    let kept = StoredAttachment { attachment, metadata };
    let printed = serde_json::to_string(&kept).unwrap();
    assert_eq!(check_same::<StoredAttachment>(&printed), kept);
    check_answer(&Response::Attachment(kept.attachment), r#"{"id":"a","name":"n","mime_type":"m","type":"file"}"#);
}

#[test]
fn only_notes_for_the_model_are_hidden() {
    assert!(matches!(item("end_of_turn").kind, ItemKind::EndOfTurn));
    assert!(!item("end_of_turn").is_hidden());
    assert!(item("sdk_hidden_context").is_hidden() && item("hidden_context_item").is_hidden());
}
