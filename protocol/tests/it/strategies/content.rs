//! Parts of messages, their sources, attachments, tasks and forms.

use chatkit_protocol::{
    Annotation, Answer, AssistantContent, Attachment, AttachmentKind, Icon, InferenceOptions, Source, SourceKind,
    StatusIndicator, StructuredInput, StructuredInputKind, StructuredOption, Summary, Task, TaskKind, ToolChoice,
    UploadDescriptor, UploadMethod, UserContent, Value, Widget, Workflow, WorkflowKind,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{FreeForm, json, object, text};

pub(crate) fn icon() -> BoxedStrategy<Icon> {
    prop_oneof![
        prop::sample::select(vec!["agent", "book-open", "write-alt2", "lucide:", "vendor:x y"]).prop_map(str::to_owned),
        text().prop_map(|name| format!("lucide:{name}")),
    ]
    .prop_map(|name| Icon::new(name).expect("it is an icon"))
    .boxed()
}

pub(crate) fn inference_options() -> BoxedStrategy<InferenceOptions> {
    (option::of(text().prop_map(|id| ToolChoice { id })), option::of(text()))
        .prop_map(|(tool_choice, model)| InferenceOptions { tool_choice, model })
        .boxed()
}

pub(crate) fn user_content(free: FreeForm) -> BoxedStrategy<UserContent> {
    let tag = (text(), text(), object(free), option::of(text()), any::<bool>());
    prop_oneof![
        text().prop_map(|text| UserContent::Text { text }),
        tag.prop_map(|(id, text, data, group, interactive)| UserContent::Tag { id, text, data, group, interactive }),
    ]
    .boxed()
}

pub(crate) fn assistant_content(free: FreeForm) -> BoxedStrategy<AssistantContent> {
    (vec(annotation(free), 0..2), text()).prop_map(|(annotations, text)| AssistantContent { annotations, text }).boxed()
}

pub(crate) fn annotation(free: FreeForm) -> BoxedStrategy<Annotation> {
    (source(free), option::of(any::<u32>())).prop_map(|(source, index)| Annotation { source, index }).boxed()
}

fn source(free: FreeForm) -> BoxedStrategy<Source> {
    let url = (text(), option::of(text())).prop_map(|(url, attribution)| SourceKind::Url { url, attribution });
    let file = text().prop_map(|filename| SourceKind::File { filename });
    let entity = (text(), option::of(icon()), option::of(text()), option::of(text()), any::<bool>(), object(free))
        .prop_flat_map(|(id, icon, label, inline_label, interactive, data)| {
            option::of(Just("lazy".to_owned())).prop_map(move |preview| SourceKind::Entity {
                id: id.clone(),
                icon: icon.clone(),
                label: label.clone(),
                inline_label: inline_label.clone(),
                interactive,
                data: data.clone(),
                preview,
            })
        });
    (text(), option::of(text()), option::of(text()), option::of(text()), prop_oneof![url, file, entity])
        .prop_map(|(title, description, timestamp, group, kind)| Source { title, description, timestamp, group, kind })
        .boxed()
}

pub(crate) fn attachment() -> BoxedStrategy<Attachment> {
    let headers = vec((text(), text().prop_map(Value::from)), 0..3).prop_map(|headers| headers.into_iter().collect());
    let method = prop::sample::select(vec![UploadMethod::Post, UploadMethod::Put]);
    let descriptor =
        (text(), method, headers).prop_map(|(url, method, headers)| UploadDescriptor { url, method, headers });
    let kind =
        prop_oneof![Just(AttachmentKind::File), text().prop_map(|preview_url| AttachmentKind::Image { preview_url }),];
    (text(), text(), text(), option::of(descriptor), option::of(text()), kind)
        .prop_map(|(id, name, mime_type, upload_descriptor, thread_id, kind)| Attachment {
            id: id.into(),
            name,
            mime_type,
            upload_descriptor,
            thread_id: thread_id.map(Into::into),
            kind,
        })
        .boxed()
}

/// Widgets made of any JSON, nulls included: those are taken out.
pub(crate) fn widget() -> BoxedStrategy<Widget> {
    (prop::sample::select(vec!["Card", "ListView", "Basic"]), object(FreeForm::WithNulls))
        .prop_map(|(root, mut members)| {
            members.insert("type".to_owned(), root.into());
            Widget::new(Value::Object(members)).expect("the root is one of the three")
        })
        .boxed()
}

pub(crate) fn component() -> BoxedStrategy<Value> {
    (text(), object(FreeForm::WithoutNulls))
        .prop_map(|(kind, mut members)| {
            members.insert("type".to_owned(), kind.into());
            Value::Object(members)
        })
        .boxed()
}

pub(crate) fn task(free: FreeForm) -> BoxedStrategy<Task> {
    let title = || option::of(text());
    let kind = prop_oneof![
        (title(), option::of(icon()), option::of(text())).prop_map(|(title, icon, content)| TaskKind::Custom {
            title,
            icon,
            content
        }),
        (title(), title(), vec(text(), 0..3), vec(source(free), 0..2)).prop_map(
            |(title, title_query, queries, sources)| TaskKind::WebSearch { title, title_query, queries, sources }
        ),
        (title(), text()).prop_map(|(title, content)| TaskKind::Thought { title, content }),
        (title(), vec(source(free), 0..2)).prop_map(|(title, sources)| TaskKind::File { title, sources }),
        title().prop_map(|title| TaskKind::Image { title }),
    ];
    let status = vec![StatusIndicator::None, StatusIndicator::Loading, StatusIndicator::Complete];
    (prop::sample::select(status), kind).prop_map(|(status_indicator, kind)| Task { status_indicator, kind }).boxed()
}

pub(crate) fn workflow(free: FreeForm) -> BoxedStrategy<Workflow> {
    let summary = prop_oneof![
        (text(), option::of(icon())).prop_map(|(title, icon)| Summary::Custom { title, icon }),
        any::<i64>().prop_map(|duration| Summary::Duration { duration }),
    ];
    let kind = prop::sample::select(vec![WorkflowKind::Custom, WorkflowKind::Reasoning]);
    (kind, vec(task(free), 0..3), option::of(summary), any::<bool>())
        .prop_map(|(kind, tasks, summary, expanded)| Workflow { kind, tasks, summary, expanded })
        .boxed()
}

pub(crate) fn structured_input() -> BoxedStrategy<StructuredInput> {
    let kind = prop_oneof![
        (vec(text().prop_map(|value| StructuredOption { value }), 0..3), any::<bool>())
            .prop_map(|(options, multiple)| StructuredInputKind::MultipleChoice { options, multiple }),
        option::of(text()).prop_map(|description| StructuredInputKind::Freeform { description }),
    ];
    let answer = (vec(text(), 0..3), any::<bool>()).prop_map(|(values, skipped)| Answer { values, skipped });
    (text(), text(), option::of(answer), kind)
        .prop_map(|(id, question, answer, kind)| StructuredInput { id, question, answer, kind })
        .boxed()
}

/// Any JSON that a page's handler or a model may give.
pub(crate) fn output(free: FreeForm) -> BoxedStrategy<Value> {
    prop_oneof![Just(Value::Null), json(free)].boxed()
}
