//! Requests of all sixteen types.

use chatkit_protocol::{
    Action, AttachmentsCreate, AttachmentsDelete, Envelope, FeedbackKind, InputTranscribe, ItemId, ItemsFeedback,
    ItemsList, Order, Request, StructuredAnswers, SubmittedAnswer, SubmittedStatus, ThreadsAddClientToolOutput,
    ThreadsAddStructuredInput, ThreadsAddUserMessage, ThreadsCreate, ThreadsCustomAction, ThreadsDelete,
    ThreadsGetById, ThreadsList, ThreadsRetryAfterItem, ThreadsSyncCustomAction, ThreadsUpdate, UserMessageInput,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::content::{inference_options, output};
use super::{FreeForm, json, object, text, user_content};

/// A request with its metadata. Without nulls there is none that has to be sent as one either.
pub(crate) fn request(free: FreeForm) -> BoxedStrategy<Envelope> {
    let asked = prop_oneof![conversation(free), housekeeping()];
    (asked, object(free)).prop_map(|(request, metadata)| Envelope { request, metadata }).boxed()
}

fn conversation(free: FreeForm) -> BoxedStrategy<Request> {
    // An empty id means that there is none.
    let from = || option::of(text().prop_filter("not empty", |id| !id.is_empty()).prop_map(ItemId::from));
    let action = || (text(), output(free)).prop_map(|(kind, payload)| Action { kind, payload });
    prop_oneof![
        message(free).prop_map(|input| Request::ThreadsCreate(ThreadsCreate { input })),
        (text(), message(free)).prop_map(|(thread, input)| {
            Request::ThreadsAddUserMessage(ThreadsAddUserMessage { thread_id: thread.into(), input })
        }),
        (text(), json(free)).prop_map(|(thread, result)| {
            Request::ThreadsAddClientToolOutput(ThreadsAddClientToolOutput { thread_id: thread.into(), result })
        }),
        (text(), text(), answers()).prop_map(|(thread, item, input)| {
            let (thread_id, item_id) = (thread.into(), item.into());
            Request::ThreadsAddStructuredInput(ThreadsAddStructuredInput { thread_id, item_id, input })
        }),
        (text(), text()).prop_map(|(thread, item)| {
            let (thread_id, item_id) = (thread.into(), item.into());
            Request::ThreadsRetryAfterItem(ThreadsRetryAfterItem { thread_id, item_id })
        }),
        (text(), from(), action()).prop_map(|(thread, item_id, action)| {
            Request::ThreadsCustomAction(ThreadsCustomAction { thread_id: thread.into(), item_id, action })
        }),
        (text(), from(), action()).prop_map(|(thread, item_id, action)| {
            Request::ThreadsSyncCustomAction(ThreadsSyncCustomAction { thread_id: thread.into(), item_id, action })
        }),
    ]
    .boxed()
}

fn housekeeping() -> BoxedStrategy<Request> {
    let order = || prop::sample::select(vec![Order::Asc, Order::Desc]);
    let kind = prop::sample::select(vec![FeedbackKind::Positive, FeedbackKind::Negative]);
    let size = prop_oneof![any::<i64>(), prop::sample::select(vec![0, i64::MIN, i64::MAX, 9_007_199_254_740_993])];
    prop_oneof![
        text().prop_map(|thread| Request::ThreadsGetById(ThreadsGetById { thread_id: thread.into() })),
        (option::of(any::<u32>()), order(), option::of(text()))
            .prop_map(|(limit, order, after)| Request::ThreadsList(ThreadsList { limit, order, after })),
        (text(), text()).prop_map(|(id, title)| Request::ThreadsUpdate(ThreadsUpdate { thread_id: id.into(), title })),
        text().prop_map(|id| Request::ThreadsDelete(ThreadsDelete { thread_id: id.into() })),
        (text(), option::of(any::<u32>()), order(), option::of(text())).prop_map(|(id, limit, order, after)| {
            Request::ItemsList(ItemsList { thread_id: id.into(), limit, order, after })
        }),
        (text(), vec(text().prop_map(ItemId::from), 0..3), kind).prop_map(|(id, item_ids, kind)| {
            Request::ItemsFeedback(ItemsFeedback { thread_id: id.into(), item_ids, kind })
        }),
        (text(), size, text()).prop_map(|(name, size, mime_type)| {
            Request::AttachmentsCreate(AttachmentsCreate { name, size, mime_type })
        }),
        text().prop_map(|id| Request::AttachmentsDelete(AttachmentsDelete { attachment_id: id.into() })),
        (text(), text()).prop_map(|(audio_base64, mime_type)| {
            Request::InputTranscribe(InputTranscribe { audio_base64, mime_type })
        }),
    ]
    .boxed()
}

fn message(free: FreeForm) -> BoxedStrategy<UserMessageInput> {
    let attachments = vec(text().prop_map(Into::into), 0..3);
    (vec(user_content(free), 0..3), attachments, option::of(text()), inference_options())
        .prop_map(|(content, attachments, quoted_text, inference_options)| UserMessageInput {
            content,
            attachments,
            quoted_text,
            inference_options,
        })
        .boxed()
}

fn answers() -> BoxedStrategy<StructuredAnswers> {
    let status = prop::sample::select(vec![SubmittedStatus::Answered, SubmittedStatus::Skipped]);
    let answer = (vec(text(), 0..3), any::<bool>()).prop_map(|(values, skipped)| SubmittedAnswer { values, skipped });
    (status, btree_map(text(), answer, 0..3))
        .prop_map(|(status, answers)| StructuredAnswers { status, answers })
        .boxed()
}
