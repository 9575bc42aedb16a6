//! Pure: an event of the responder goes in; what to write and what to send comes out.
//!
//! The ledger holds what the reader has been shown and the store does not have for good yet. Applying the updates it
//! lets through to a copy gives exactly the items it has written: what is shown is what is kept.

use chatkit_protocol::{
    CannotApply, ItemId, ItemKind, SdkHiddenContext, Thread, ThreadEvent, ThreadItem, ThreadRecord, Timestamp, apply,
};

use crate::store::{ThreadChange, Write};

/// What a reader who stopped an answer is noted to have done; the model reads it, the reader never does.
const STOPPED_NOTE: &str =
    "The reader stopped the answer above before it was finished. Do not continue it unless the reader asks.";

/// How a turn came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The responder had nothing more to say.
    Finished,
    /// The reader stopped it, or went away where that means stop.
    Stopped,
    /// A newer message of the reader took its place.
    Superseded,
    /// The responder or the store failed.
    Failed,
    /// The process is about to end.
    ShutDown,
}

/// What follows from one event: first the writes, then, if they worked, the event.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    /// To be kept, in order.
    pub write: Vec<Write>,
    /// To be shown; `None` when the reader must not see it.
    pub send: Option<ThreadEvent>,
}

/// An item that was announced and is not done.
#[derive(Debug)]
struct Pending {
    item: ThreadItem,
    /// Whether it changed since it was last written.
    changed: bool,
    /// Whether the store has a checkpoint of it.
    in_store: bool,
}

/// The books of one turn.
#[derive(Debug)]
pub struct Ledger {
    thread: ThreadRecord,
    pending: Vec<Pending>,
    /// A title that the thread was given beside these books: shown with it, and not theirs to write.
    given_title: Option<String>,
    /// Bytes of text that arrived since the last checkpoint.
    unwritten_bytes: usize,
}

impl Ledger {
    /// Opens the books on a thread as it is stored.
    pub fn open(thread: ThreadRecord) -> Self {
        Self { thread, pending: Vec::new(), given_title: None, unwritten_bytes: 0 }
    }

    /// Takes in one event of the responder.
    ///
    /// # Errors
    /// An update that does not fit the item it is for; nothing was taken in.
    pub fn hear(&mut self, event: ThreadEvent) -> Result<Step, CannotApply> {
        match event {
            ThreadEvent::ItemAdded { mut item } => {
                item.thread_id = self.thread.id.clone();
                let in_store = self.forget(&item.id);
                self.pending.push(Pending { item: item.clone(), changed: true, in_store });
                Ok(Step { write: Vec::new(), send: visible(item, |item| ThreadEvent::ItemAdded { item }) })
            }
            ThreadEvent::ItemUpdated { item_id, update } => {
                if let Some(pending) = self.pending.iter_mut().find(|pending| pending.item.id == item_id) {
                    apply(&mut pending.item, &update)?;
                    pending.changed = true;
                    self.unwritten_bytes += update.text_bytes();
                }
                Ok(Step { write: Vec::new(), send: Some(ThreadEvent::ItemUpdated { item_id, update }) })
            }
            ThreadEvent::ItemDone { item } => Ok(self.settle(item, |item| ThreadEvent::ItemDone { item })),
            ThreadEvent::ItemReplaced { item } => Ok(self.settle(item, |item| ThreadEvent::ItemReplaced { item })),
            ThreadEvent::ItemRemoved { item_id } => {
                self.forget(&item_id);
                Ok(Step {
                    write: vec![Write::Delete(item_id.clone())],
                    send: Some(ThreadEvent::ItemRemoved { item_id }),
                })
            }
            ThreadEvent::ThreadUpdated { thread } => {
                self.given_title.clone_from(&thread.title);
                Ok(Step { write: Vec::new(), send: Some(ThreadEvent::ThreadUpdated { thread }) })
            }
            other => Ok(Step { write: Vec::new(), send: Some(other) }),
        }
    }

    /// Takes in the thread as the responder left it; `None` when it is as it was.
    pub fn hear_thread(&mut self, thread: &ThreadRecord) -> Option<Step> {
        let change = ThreadChange::between(&self.thread, thread);
        if change.is_empty() {
            return None;
        }
        self.thread = thread.clone();
        let mut shown = Thread::without_items(thread);
        shown.title = shown.title.or_else(|| self.given_title.clone());
        let send = Some(ThreadEvent::ThreadUpdated { thread: shown });
        Some(Step { write: vec![Write::Change(change)], send })
    }

    /// The thread as it was last taken in.
    pub fn thread(&self) -> &ThreadRecord {
        &self.thread
    }

    /// How many bytes of text the store has not seen yet.
    pub fn unwritten_bytes(&self) -> usize {
        self.unwritten_bytes
    }

    /// The texts so far of answers that are being written, as far as the store does not have them.
    pub fn checkpoint(&mut self) -> Vec<Write> {
        self.unwritten_bytes = 0;
        let changed = self.pending.iter_mut().filter(|pending| pending.changed && has_text(&pending.item));
        changed
            .map(|pending| {
                pending.changed = false;
                pending.in_store = true;
                Write::Checkpoint(pending.item.clone())
            })
            .collect()
    }

    /// Closes the books: answers that were shown in part are kept in part, in the order in which they began.
    ///
    /// A stopped turn also leaves a hidden note, of this id and time, without which the model would go on with the
    /// answer that the reader stopped.
    pub fn close(&mut self, how: Ending, note_id: ItemId, now: Timestamp) -> Vec<Write> {
        let partial = self.pending.drain(..).filter_map(|Pending { item, in_store, .. }| match has_text(&item) {
            true => Some(Write::Save(item)),
            // A checkpoint of what is blank by now.
            false => in_store.then_some(Write::Delete(item.id)),
        });
        let mut writes: Vec<Write> = partial.collect();
        if matches!(how, Ending::Stopped | Ending::Superseded) {
            let kind = ItemKind::SdkHiddenContext(SdkHiddenContext { content: STOPPED_NOTE.to_owned() });
            let note = ThreadItem { id: note_id, thread_id: self.thread.id.clone(), created_at: now, kind };
            writes.push(Write::Save(note));
        }
        writes
    }

    fn settle(&mut self, mut item: ThreadItem, event: fn(ThreadItem) -> ThreadEvent) -> Step {
        item.thread_id = self.thread.id.clone();
        self.forget(&item.id);
        Step { write: vec![Write::Save(item.clone())], send: visible(item, event) }
    }

    /// Strikes an item off. Whether the store has a checkpoint of it.
    fn forget(&mut self, item_id: &ItemId) -> bool {
        let place = self.pending.iter().position(|pending| pending.item.id == *item_id);
        place.is_some_and(|place| self.pending.remove(place).in_store)
    }
}

fn visible(item: ThreadItem, event: impl FnOnce(ThreadItem) -> ThreadEvent) -> Option<ThreadEvent> {
    (!item.is_hidden()).then(|| event(item))
}

/// Whether the item is an answer with something to read in it.
fn has_text(item: &ThreadItem) -> bool {
    matches!(&item.kind, ItemKind::AssistantMessage(message) if !message.is_blank())
}

#[cfg(test)]
mod tests;
