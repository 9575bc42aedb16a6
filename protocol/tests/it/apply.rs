//! The copy of an item that both ends keep while it is being written.

use chatkit_protocol::{
    Annotation, AssistantContent, AssistantMessage, CannotApply, ItemKind, ItemUpdate, Source, SourceKind, ThreadItem,
    Timestamp, Workflow, WorkflowItem, WorkflowKind, apply,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{FreeForm, item, text, update};

fn item_of(kind: ItemKind) -> ThreadItem {
    let created_at = Timestamp::parse("2026-01-02T12:00:00Z").unwrap();
    ThreadItem { id: "i".into(), thread_id: "t".into(), created_at, kind }
}

fn message() -> ThreadItem {
    item_of(ItemKind::AssistantMessage(AssistantMessage::default()))
}

fn parts(item: &ThreadItem) -> &[AssistantContent] {
    match &item.kind {
        ItemKind::AssistantMessage(message) => &message.content,
        other => panic!("{} is no message", other.name()),
    }
}

fn delta(content_index: u32, delta: &str) -> ItemUpdate {
    ItemUpdate::TextDelta { content_index, delta: delta.to_owned() }
}

fn annotation_at(annotation_index: u32, title: &str) -> ItemUpdate {
    let kind = SourceKind::File { filename: "f".to_owned() };
    let source = Source { title: title.to_owned(), description: None, timestamp: None, group: None, kind };
    let annotation = Box::new(Annotation { source, index: None });
    ItemUpdate::AnnotationAdded { content_index: 0, annotation_index, annotation }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_update_is_applied_or_changes_nothing(
        mut item in item(FreeForm::WithNulls),
        updates in vec(update(FreeForm::WithNulls), 0..12),
    ) {
        for update in updates {
            let before = item.clone();
            if apply(&mut item, &update).is_err() {
                prop_assert_eq!(&item, &before);
            }
            let same = |item: &ThreadItem| (item.id.clone(), item.thread_id.clone(), item.created_at, item.kind.name());
            prop_assert_eq!(same(&item), same(&before));
        }
    }

    #[test]
    fn the_deltas_of_a_part_make_its_text(deltas in vec((0..3_u32, text()), 0..20)) {
        let mut item = message();
        for (content_index, text) in &deltas {
            apply(&mut item, &delta(*content_index, text)).unwrap();
            apply(&mut item, &annotation_at(u32::MAX, "s")).unwrap();
        }
        for (place, part) in (0_u32..).zip(parts(&item)) {
            let text: String = deltas.iter().filter(|(index, _)| *index == place).map(|(_, text)| text.as_str()).collect();
            prop_assert_eq!(&part.text, &text);
        }
    }
}

#[test]
fn parts_that_were_never_announced_are_empty() {
    let mut item = message();
    apply(&mut item, &delta(2, "third")).unwrap();
    let texts: Vec<&str> = parts(&item).iter().map(|part| part.text.as_str()).collect();
    assert_eq!(texts, ["", "", "third"]);
}

#[test]
fn a_part_that_is_added_or_done_replaces_what_was_there() {
    let mut item = message();
    apply(&mut item, &delta(0, "draft")).unwrap();
    let done = ItemUpdate::ContentPartDone { content_index: 0, content: AssistantContent::text("final") };
    apply(&mut item, &done).unwrap();
    assert_eq!(parts(&item), [AssistantContent::text("final")]);
    let again = ItemUpdate::ContentPartAdded { content_index: 0, content: AssistantContent::text("") };
    apply(&mut item, &again).unwrap();
    assert_eq!(parts(&item), [AssistantContent::text("")]);
}

#[test]
fn annotations_go_to_their_place_or_to_the_end() {
    let mut item = message();
    for (place, title) in [(0, "b"), (0, "a"), (9, "d"), (2, "c")] {
        apply(&mut item, &annotation_at(place, title)).unwrap();
    }
    let titles: Vec<&str> = parts(&item)[0].annotations.iter().map(|note| note.source.title.as_str()).collect();
    assert_eq!(titles, ["a", "b", "c", "d"]);
}

#[test]
fn a_part_far_beyond_the_end_is_a_mistake() {
    let mut item = message();
    assert_eq!(apply(&mut item, &delta(u32::MAX, "x")), Err(CannotApply::NoSuchPart { index: u32::MAX }));
    assert_eq!(parts(&item), []);
}

#[test]
fn tasks_are_appended_whatever_their_index_and_replaced_only_where_they_are() {
    let workflow = Workflow { kind: WorkflowKind::Custom, tasks: Vec::new(), summary: None, expanded: false };
    let mut item = item_of(ItemKind::Workflow(WorkflowItem { workflow }));
    let task = |json: &str| serde_json::from_str(json).unwrap();
    for (task_index, json) in [(7, r#"{"type":"thought","content":"a"}"#), (0, r#"{"type":"image"}"#)] {
        apply(&mut item, &ItemUpdate::WorkflowTaskAdded { task_index, task: task(json) }).unwrap();
    }
    let better = r#"{"status_indicator":"complete","type":"thought","content":"b"}"#;
    apply(&mut item, &ItemUpdate::WorkflowTaskUpdated { task_index: 0, task: task(better) }).unwrap();
    let before = item.clone();
    let beyond = ItemUpdate::WorkflowTaskUpdated { task_index: 2, task: task(better) };
    assert_eq!(apply(&mut item, &beyond), Err(CannotApply::NoSuchTask { index: 2, tasks: 2 }));
    assert_eq!(item, before);
    let ItemKind::Workflow(item) = item.kind else { panic!("it is a workflow") };
    assert_eq!(item.workflow.tasks, [task(better), task(r#"{"type":"image"}"#)]);
}
