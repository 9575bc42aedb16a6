use std::collections::BTreeMap;

use chatkit_protocol::{
    AssistantContent, AssistantMessage, HiddenContext, ItemUpdate, StatusIndicator, Task, TaskKind, ThreadId, Value,
    Workflow, WorkflowItem, WorkflowKind,
};
use proptest::prelude::*;

use super::*;
use crate::clock::Clock;

fn now() -> Timestamp {
    Clock::fixed(chrono::DateTime::UNIX_EPOCH).now()
}

fn ledger() -> Ledger {
    Ledger::open(ThreadRecord::new(ThreadId::from("thr_1"), now()))
}

fn item(id: &str, kind: ItemKind) -> ThreadItem {
    ThreadItem { id: ItemId::from(id), thread_id: ThreadId::from("thr_1"), created_at: now(), kind }
}

fn message(id: &str, text: &str) -> ThreadItem {
    let content = if text.is_empty() { Vec::new() } else { vec![AssistantContent::text(text)] };
    item(id, ItemKind::AssistantMessage(AssistantMessage { content }))
}

fn delta(id: &str, text: &str) -> ThreadEvent {
    ThreadEvent::text_delta(&ItemId::from(id), 0, text.to_owned())
}

/// What a sequence of events and an ending leave in the store, as `type text` lines.
fn kept(events: Vec<ThreadEvent>, how: Ending) -> Vec<String> {
    let mut ledger = ledger();
    let mut stored = Vec::new();
    for event in events {
        store(&mut stored, ledger.hear(event).unwrap().write);
    }
    store(&mut stored, ledger.close(how, ItemId::from("shcx_1"), now()));
    stored.iter().map(line).collect()
}

fn line(item: &ThreadItem) -> String {
    match &item.kind {
        ItemKind::AssistantMessage(message) => format!("assistant {:?}", message.text()),
        other => other.name().to_owned(),
    }
}

fn store(stored: &mut Vec<ThreadItem>, writes: Vec<Write>) {
    for write in writes {
        match write {
            Write::Save(item) | Write::Checkpoint(item) => match stored.iter_mut().find(|old| old.id == item.id) {
                Some(old) => *old = item,
                None => stored.push(item),
            },
            Write::Delete(id) => stored.retain(|item| item.id != id),
            Write::Change(_) | Write::Note(..) | Write::Spend(_) => {}
        }
    }
}

#[test]
fn a_stopped_answer_is_kept_with_a_note_for_the_model() {
    let events =
        vec![ThreadEvent::ItemAdded { item: message("msg_1", "") }, delta("msg_1", "Robots "), delta("msg_1", "se")];
    assert_eq!(kept(events.clone(), Ending::Stopped), ["assistant \"Robots se\"", "sdk_hidden_context"]);
    assert_eq!(kept(events.clone(), Ending::Superseded), ["assistant \"Robots se\"", "sdk_hidden_context"]);
    assert_eq!(kept(events.clone(), Ending::Failed), ["assistant \"Robots se\""]);
    assert_eq!(kept(events, Ending::ShutDown), ["assistant \"Robots se\""]);
}

#[test]
fn an_answer_with_nothing_to_read_is_not_kept() {
    let events = vec![ThreadEvent::ItemAdded { item: message("msg_1", "") }, delta("msg_1", " \n ")];
    assert_eq!(kept(events, Ending::Failed), Vec::<String>::new());
    assert_eq!(kept(vec![], Ending::Stopped), ["sdk_hidden_context"]);
}

#[test]
fn what_is_done_is_written_before_it_is_sent_and_belongs_to_this_thread() {
    let mut stray = message("msg_1", "done");
    stray.thread_id = ThreadId::from("thr_other");
    let step = ledger().hear(ThreadEvent::ItemDone { item: stray }).unwrap();
    let here = message("msg_1", "done");
    assert_eq!(step.write, [Write::Save(here.clone())]);
    assert_eq!(step.send, Some(ThreadEvent::ItemDone { item: here }));
}

#[test]
fn a_hidden_item_is_written_and_never_sent() {
    let hidden = item("hid_1", ItemKind::HiddenContext(HiddenContext { content: Value::from("secret") }));
    let mut ledger = ledger();
    for event in [
        ThreadEvent::ItemAdded { item: hidden.clone() },
        ThreadEvent::ItemReplaced { item: hidden.clone() },
        ThreadEvent::ItemDone { item: hidden },
    ] {
        assert_eq!(ledger.hear(event).unwrap().send, None);
    }
}

#[test]
fn a_checkpoint_holds_the_text_so_far_and_only_once() {
    let mut ledger = ledger();
    ledger.hear(ThreadEvent::ItemAdded { item: message("msg_1", "") }).unwrap();
    assert_eq!(ledger.checkpoint(), []);
    ledger.hear(delta("msg_1", "so far")).unwrap();
    assert_eq!(ledger.unwritten_bytes(), 6);
    assert_eq!(ledger.checkpoint(), [Write::Checkpoint(message("msg_1", "so far"))]);
    assert_eq!((ledger.checkpoint(), ledger.unwritten_bytes()), (vec![], 0));
}

#[test]
fn only_the_fields_that_changed_are_written() {
    let mut ledger = ledger();
    let mut thread = ThreadRecord::new(ThreadId::from("thr_1"), now());
    assert_eq!(ledger.hear_thread(&thread), None);
    thread.title = Some("Balance".to_owned());
    let step = ledger.hear_thread(&thread).unwrap();
    assert_eq!(
        step.write,
        [Write::Change(ThreadChange { title: Some(thread.title.clone()), ..ThreadChange::default() })]
    );
    assert!(
        matches!(step.send, Some(ThreadEvent::ThreadUpdated { thread }) if thread.title.as_deref() == Some("Balance"))
    );
    assert_eq!(ledger.hear_thread(&thread), None);
}

#[test]
fn an_update_that_cannot_be_is_refused_and_changes_nothing() {
    let workflow = Workflow { kind: WorkflowKind::Custom, tasks: vec![], summary: None, expanded: false };
    let mut ledger = ledger();
    ledger.hear(ThreadEvent::ItemAdded { item: item("wf_1", ItemKind::Workflow(WorkflowItem { workflow })) }).unwrap();
    let update = ItemUpdate::WorkflowTaskUpdated { task_index: 0, task: task("x") };
    assert!(ledger.hear(ThreadEvent::ItemUpdated { item_id: ItemId::from("wf_1"), update }).is_err());
}

fn task(title: &str) -> Task {
    let kind = TaskKind::Custom { title: Some(title.to_owned()), icon: None, content: None };
    Task { status_indicator: StatusIndicator::None, kind }
}

/// Events about a few items, in any order, sensible or not.
fn events() -> impl Strategy<Value = Vec<ThreadEvent>> {
    let id = prop::sample::select(vec!["msg_1", "msg_2", "msg_3"]);
    let text = "[a-z ✓]{0,6}";
    let event = (id, text, 0..7_u8, 0..3_u32).prop_map(|(id, text, what, index)| match what {
        0 => ThreadEvent::ItemAdded { item: message(id, &text) },
        1 => ThreadEvent::ItemDone { item: message(id, &text) },
        2 => ThreadEvent::ItemReplaced { item: message(id, &text) },
        3 => ThreadEvent::ItemRemoved { item_id: ItemId::from(id) },
        4 => {
            let update = ItemUpdate::ContentPartDone { content_index: index, content: AssistantContent::text(text) };
            ThreadEvent::ItemUpdated { item_id: ItemId::from(id), update }
        }
        _ => ThreadEvent::text_delta(&ItemId::from(id), index, text),
    });
    prop::collection::vec(event, 0..40)
}

/// What a client knows: the items it was shown, and whether they are done.
#[derive(Default)]
struct Client(BTreeMap<ItemId, (ThreadItem, bool)>);

impl Client {
    fn hear(&mut self, event: ThreadEvent) {
        match event {
            ThreadEvent::ItemAdded { item } => {
                self.0.insert(item.id.clone(), (item, false));
            }
            ThreadEvent::ItemDone { item } | ThreadEvent::ItemReplaced { item } => {
                self.0.insert(item.id.clone(), (item, true));
            }
            ThreadEvent::ItemRemoved { item_id } => {
                self.0.remove(&item_id);
            }
            ThreadEvent::ItemUpdated { item_id, update } => {
                if let Some((item, false)) = self.0.get_mut(&item_id) {
                    apply(item, &update).unwrap();
                }
            }
            _ => {}
        }
    }
}

proptest! {
    /// The promise of the house: applying what was sent to a copy gives what was written, wherever the turn ends.
    #[test]
    fn what_the_client_sees_is_what_is_kept(events in events(), checkpoints in prop::collection::vec(any::<bool>(), 40)) {
        let (mut ledger, mut stored, mut client) = (ledger(), Vec::new(), Client::default());
        for (event, checkpoint) in events.into_iter().zip(checkpoints) {
            // A done item that is announced again has two truths until it is done again; no client relies on either.
            if matches!(&event, ThreadEvent::ItemAdded { item } if client.0.get(&item.id).is_some_and(|(_, done)| *done)) {
                continue;
            }
            let step = ledger.hear(event).unwrap();
            store(&mut stored, step.write);
            step.send.into_iter().for_each(|event| client.hear(event));
            if checkpoint {
                store(&mut stored, ledger.checkpoint());
            }
        }
        store(&mut stored, ledger.close(Ending::Failed, ItemId::from("note"), now()));
        let shown: BTreeMap<ItemId, ThreadItem> = client.0.into_values()
            .filter(|(item, done)| *done || has_text(item)).map(|(item, _)| (item.id.clone(), item)).collect();
        let kept: BTreeMap<ItemId, ThreadItem> = stored.into_iter().map(|item| (item.id.clone(), item)).collect();
        prop_assert_eq!(shown, kept);
    }
}
