//! Items of all eleven kinds, pages of them, and threads.

use chatkit_protocol::{
    AssistantMessage, ClientToolCall, GeneratedImage, HiddenContext, Image, InputStatus, ItemKind, Page,
    SdkHiddenContext, StructuredInputItem, TaskItem, Thread, ThreadItem, ThreadRecord, ThreadStatus, ToolCallStatus,
    UserMessage, WidgetItem, WorkflowItem,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::content::{inference_options, output, structured_input, task, widget, workflow};
use super::{FreeForm, assistant_content, attachment, json, object, text, timestamp, user_content};

pub(crate) fn image() -> BoxedStrategy<Image> {
    (text(), text()).prop_map(|(id, url)| Image { id, url }).boxed()
}

pub(crate) fn item(free: FreeForm) -> BoxedStrategy<ThreadItem> {
    (text(), text(), timestamp(), kind(free))
        .prop_map(|(id, thread_id, created_at, kind)| ThreadItem {
            id: id.into(),
            thread_id: thread_id.into(),
            created_at,
            kind,
        })
        .boxed()
}

fn kind(free: FreeForm) -> BoxedStrategy<ItemKind> {
    let call_status = prop::sample::select(vec![ToolCallStatus::Pending, ToolCallStatus::Completed]);
    let form_status = prop::sample::select(vec![InputStatus::Pending, InputStatus::Answered, InputStatus::Skipped]);
    prop_oneof![
        (vec(user_content(free), 0..3), vec(attachment(), 0..2), option::of(text()), inference_options()).prop_map(
            |(content, attachments, quoted_text, inference_options)| {
                ItemKind::UserMessage(UserMessage { content, attachments, quoted_text, inference_options })
            }
        ),
        vec(assistant_content(free), 0..3).prop_map(|content| ItemKind::AssistantMessage(AssistantMessage { content })),
        (call_status, text(), text(), object(free), output(free)).prop_map(
            |(status, call_id, name, arguments, output)| {
                ItemKind::ClientToolCall(ClientToolCall { status, call_id, name, arguments, output })
            }
        ),
        (widget(), option::of(text()))
            .prop_map(|(widget, copy_text)| ItemKind::Widget(WidgetItem { widget, copy_text })),
        option::of(image()).prop_map(|image| ItemKind::GeneratedImage(GeneratedImage { image })),
        (form_status, vec(structured_input(), 0..3))
            .prop_map(|(status, inputs)| ItemKind::StructuredInput(StructuredInputItem { status, inputs })),
        workflow(free).prop_map(|workflow| ItemKind::Workflow(WorkflowItem { workflow })),
        task(free).prop_map(|task| ItemKind::Task(TaskItem { task })),
        Just(ItemKind::EndOfTurn),
        json(free).prop_map(|content| ItemKind::HiddenContext(HiddenContext { content })),
        text().prop_map(|content| ItemKind::SdkHiddenContext(SdkHiddenContext { content })),
    ]
    .boxed()
}

pub(crate) fn page(free: FreeForm) -> BoxedStrategy<Page<ThreadItem>> {
    (vec(item(free), 0..3), any::<bool>(), option::of(text()))
        .prop_map(|(data, has_more, after)| Page { data, has_more, after })
        .boxed()
}

pub(crate) fn record(free: FreeForm) -> BoxedStrategy<ThreadRecord> {
    let status = prop_oneof![
        Just(ThreadStatus::Active),
        option::of(text()).prop_map(|reason| ThreadStatus::Locked { reason }),
        option::of(text()).prop_map(|reason| ThreadStatus::Closed { reason }),
    ];
    (text(), timestamp(), option::of(text()), status, option::of(vec(text(), 0..3)), object(free))
        .prop_map(|(id, created_at, title, status, allowed_image_domains, metadata)| ThreadRecord {
            id: id.into(),
            created_at,
            title,
            status,
            allowed_image_domains,
            metadata,
        })
        .boxed()
}

pub(crate) fn thread(free: FreeForm) -> BoxedStrategy<Thread> {
    (record(free), page(free)).prop_map(|(record, items)| Thread::with_items(&record, items)).boxed()
}
