//! Events and updates of every kind.

use chatkit_protocol::{ErrorCode, ItemUpdate, NoticeLevel, StreamOptions, ThreadEvent};
use proptest::option;
use proptest::prelude::*;

use super::content::{component, icon, task, widget};
use super::item::image;
use super::{FreeForm, annotation, assistant_content, item, object, text, thread};

/// Indexes are mostly small, so that updates meet what earlier ones made.
fn index() -> BoxedStrategy<u32> {
    prop_oneof![8 => 0..4_u32, 1 => any::<u32>()].boxed()
}

pub(crate) fn update(free: FreeForm) -> BoxedStrategy<ItemUpdate> {
    prop_oneof![
        (index(), assistant_content(free))
            .prop_map(|(content_index, content)| ItemUpdate::ContentPartAdded { content_index, content }),
        (index(), text()).prop_map(|(content_index, delta)| ItemUpdate::TextDelta { content_index, delta }),
        (index(), index(), annotation(free)).prop_map(|(content_index, annotation_index, annotation)| {
            ItemUpdate::AnnotationAdded { content_index, annotation_index, annotation: Box::new(annotation) }
        }),
        (index(), assistant_content(free))
            .prop_map(|(content_index, content)| ItemUpdate::ContentPartDone { content_index, content }),
        (text(), text(), any::<bool>()).prop_map(|(component_id, delta, done)| ItemUpdate::WidgetTextDelta {
            component_id,
            delta,
            done
        }),
        (text(), component())
            .prop_map(|(component_id, component)| ItemUpdate::WidgetComponentUpdated { component_id, component }),
        widget().prop_map(|widget| ItemUpdate::WidgetRootUpdated { widget }),
        (index(), task(free)).prop_map(|(task_index, task)| ItemUpdate::WorkflowTaskAdded { task_index, task }),
        (index(), task(free)).prop_map(|(task_index, task)| ItemUpdate::WorkflowTaskUpdated { task_index, task }),
        (image(), option::of(0.0..=1.0_f64))
            .prop_map(|(image, progress)| ItemUpdate::GeneratedImageUpdated { image, progress }),
    ]
    .boxed()
}

pub(crate) fn event(free: FreeForm) -> BoxedStrategy<ThreadEvent> {
    let code = prop::sample::select(vec![ErrorCode::Custom, ErrorCode::StreamError]);
    let level = prop::sample::select(vec![NoticeLevel::Info, NoticeLevel::Warning, NoticeLevel::Danger]);
    prop_oneof![
        thread(free).prop_map(|thread| ThreadEvent::ThreadCreated { thread }),
        thread(free).prop_map(|thread| ThreadEvent::ThreadUpdated { thread }),
        item(free).prop_map(|item| ThreadEvent::ItemAdded { item }),
        (text(), update(free))
            .prop_map(|(item_id, update)| ThreadEvent::ItemUpdated { item_id: item_id.into(), update }),
        item(free).prop_map(|item| ThreadEvent::ItemDone { item }),
        text().prop_map(|item_id| ThreadEvent::ItemRemoved { item_id: item_id.into() }),
        item(free).prop_map(|item| ThreadEvent::ItemReplaced { item }),
        any::<bool>()
            .prop_map(|allow_cancel| ThreadEvent::StreamOptions { stream_options: StreamOptions { allow_cancel } }),
        (option::of(icon()), text()).prop_map(|(icon, text)| ThreadEvent::ProgressUpdate { icon, text }),
        (text(), object(free)).prop_map(|(name, data)| ThreadEvent::ClientEffect { name, data }),
        (code, option::of(text()), any::<bool>()).prop_map(|(code, message, allow_retry)| ThreadEvent::Error {
            code,
            message,
            allow_retry
        }),
        (level, text(), option::of(text())).prop_map(|(level, message, title)| ThreadEvent::Notice {
            level,
            message,
            title
        }),
    ]
    .boxed()
}
