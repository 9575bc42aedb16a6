//! What a responder notes beside its items while a turn runs, until it is written with them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatkit_protocol::ItemId;

use crate::identity::OwnerId;
use crate::store::{ItemNote, Spent, Tokens, Write};

/// What a turn has cost and noted so far, for whoever listens to it; all of it, once its last event was heard. It is
/// read in memory, so that no door has to ask the store for what has just been written there.
#[derive(Clone, Debug, Default)]
pub struct Account(Option<Notebook>);

impl Account {
    /// All requests of the turn together; nothing where no turn began.
    pub fn spent(&self) -> Tokens {
        self.0.as_ref().map(|notebook| notebook.open().spent).unwrap_or_default()
    }

    /// What is known of an item of the turn beside its content.
    pub fn note(&self, item_id: &ItemId) -> Option<ItemNote> {
        self.0.as_ref()?.open().notes.get(item_id).cloned()
    }
}

/// The notes of one turn. Clones are the same book.
#[derive(Clone, Debug)]
pub(super) struct Notebook {
    turn_id: Arc<str>,
    payer: OwnerId,
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    notes: HashMap<ItemId, ItemNote>,
    /// Items whose notes changed since they were last written.
    unwritten: HashSet<ItemId>,
    /// Items that are written for good.
    in_store: HashSet<ItemId>,
    spent: Tokens,
    /// Whether `spent` changed since it was written.
    uncounted: bool,
}

impl Notebook {
    /// An empty one, for the turn of this name, whose cost counts against the limit of the payer.
    pub(super) fn new(turn_id: &str, payer: OwnerId) -> Self {
        Self { turn_id: turn_id.into(), payer, pages: Arc::default() }
    }

    /// The same for whoever listens.
    pub(super) fn account(&self) -> Account {
        Account(Some(self.clone()))
    }

    /// Notes what is known of an item that the store has already.
    pub(super) fn note_stored(&self, item_id: &ItemId, note: ItemNote) {
        self.note(item_id, note);
        self.open().in_store.insert(item_id.clone());
    }

    pub(super) fn note(&self, item_id: &ItemId, note: ItemNote) {
        let mut pages = self.open();
        pages.notes.entry(item_id.clone()).or_default().lay_over(note);
        pages.unwritten.insert(item_id.clone());
    }

    pub(super) fn spend(&self, tokens: Tokens) {
        let mut pages = self.open();
        pages.spent += tokens;
        pages.uncounted |= tokens != Tokens::default();
    }

    /// Adds the notes of items that are written for good, those that came after their item was, and what the turn cost.
    pub(super) fn add_to(&self, writes: &mut Vec<Write>) {
        let mut pages = self.open();
        let Pages { notes, unwritten, in_store, spent, uncounted } = &mut *pages;
        let saved = writes.iter().filter_map(|write| match write {
            Write::Save(item) => Some(&item.id),
            Write::Checkpoint(_) | Write::Delete(_) | Write::Change(_) | Write::Note(..) | Write::Spend(_) => None,
        });
        for id in saved.filter(|id| notes.contains_key(*id)) {
            in_store.insert(id.clone());
            unwritten.insert(id.clone());
        }
        // The note of an item that is still being written goes with the item.
        for id in unwritten.extract_if(|id| in_store.contains(id)) {
            let note = notes[&id].clone();
            writes.push(Write::Note(id, note));
        }
        if std::mem::take(uncounted) {
            let (turn_id, payer) = (self.turn_id.to_string(), self.payer.clone());
            writes.push(Write::Spend(Spent { turn_id, payer, tokens: *spent }));
        }
    }

    /// Adds the notes of items in progress to a checkpoint, which may be lost: they are written again later.
    pub(super) fn copy_to(&self, checkpoints: &mut Vec<Write>) {
        let pages = self.open();
        let named = checkpoints.iter().filter_map(|write| match write {
            Write::Checkpoint(item) => Some(&item.id),
            Write::Save(_) | Write::Delete(_) | Write::Change(_) | Write::Note(..) | Write::Spend(_) => None,
        });
        let noted = named.filter_map(|id| Some(Write::Note(id.clone(), pages.notes.get(id)?.clone())));
        let noted: Vec<Write> = noted.collect();
        checkpoints.extend(noted);
    }

    fn open(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
