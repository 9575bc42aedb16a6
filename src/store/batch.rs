//! What a list of writes comes to, item by item: pure, and the same for both homes.
//!
//! A statement can touch a row only once, while a list of writes may save, check and delete the same item in turn.

use std::collections::HashMap;

use chatkit_protocol::{ItemId, ThreadItem};

use super::{ItemNote, Spent, ThreadChange, Write};

/// The writes of one call, each item named at most once.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    /// Items to insert or replace, in the order in which new ones take their places.
    pub(super) kept: Vec<Kept<'a>>,
    /// Items to delete.
    pub(super) deleted: Vec<&'a ItemId>,
    /// The changes of the thread, as one.
    pub(super) change: ThreadChange,
    /// What is to be known of items that are not written themselves.
    pub(super) noted: Vec<(&'a ItemId, ItemNote)>,
    /// What turns have cost; the last word on each.
    pub(super) spent: Vec<&'a Spent>,
}

/// An item to insert or replace.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    /// The item as it was last written.
    pub(super) item: &'a ThreadItem,
    /// Kept for good; otherwise it is in progress, unless the stored one was for good already.
    pub(super) for_good: bool,
    /// Takes a new place even if the store has it: it was deleted in between.
    pub(super) anew: bool,
    /// What is to be known of it.
    pub(super) note: ItemNote,
}

/// What becomes of one item.
enum Fate<'a> {
    Deleted,
    Kept { item: &'a ThreadItem, for_good: bool, anew: bool, place: usize },
}

impl<'a> Batch<'a> {
    /// Folds writes that happen one after the other.
    pub(super) fn fold(writes: &'a [Write]) -> Self {
        let mut fates: HashMap<&ItemId, Fate<'a>> = HashMap::new();
        let mut batch = Self::default();
        let mut notes: HashMap<&ItemId, ItemNote> = HashMap::new();
        for (place, write) in writes.iter().enumerate() {
            let (item, for_good) = match write {
                Write::Save(item) => (item, true),
                Write::Checkpoint(item) => (item, false),
                Write::Delete(id) => {
                    fates.insert(id, Fate::Deleted);
                    notes.remove(id);
                    continue;
                }
                Write::Change(fields) => {
                    merge(&mut batch.change, fields);
                    continue;
                }
                Write::Note(id, note) => {
                    notes.entry(id).or_default().lay_over(note.clone());
                    continue;
                }
                Write::Spend(spent) => {
                    batch.spent.retain(|earlier| earlier.turn_id != spent.turn_id);
                    batch.spent.push(spent);
                    continue;
                }
            };
            let fate = match fates.get(&item.id) {
                None => Fate::Kept { item, for_good, anew: false, place },
                Some(Fate::Deleted) => Fate::Kept { item, for_good, anew: true, place },
                // It takes its place with its first save; a checkpoint before that holds none.
                Some(&Fate::Kept { for_good: false, anew, .. }) if for_good => {
                    Fate::Kept { item, for_good, anew, place }
                }
                Some(&Fate::Kept { for_good: before, anew, place, .. }) => {
                    Fate::Kept { item, for_good: before, anew, place }
                }
            };
            fates.insert(&item.id, fate);
        }
        batch.sort(fates, notes);
        batch
    }

    fn sort(&mut self, fates: HashMap<&'a ItemId, Fate<'a>>, mut notes: HashMap<&'a ItemId, ItemNote>) {
        let mut placed = Vec::with_capacity(fates.len());
        for (id, fate) in fates {
            let note = notes.remove(id).unwrap_or_default();
            match fate {
                Fate::Deleted => self.deleted.push(id),
                Fate::Kept { item, for_good, anew, place } => placed.push((place, Kept { item, for_good, anew, note })),
            }
        }
        placed.sort_by_key(|(place, _)| *place);
        self.kept = placed.into_iter().map(|(_, kept)| kept).collect();
        self.noted = notes.into_iter().collect();
    }
}

/// Lays the fields of a later change over those of an earlier one.
fn merge(change: &mut ThreadChange, later: &ThreadChange) {
    let ThreadChange { title, status, allowed_image_domains, metadata } = later.clone();
    change.title = title.or_else(|| change.title.take());
    change.status = status.or_else(|| change.status.take());
    change.allowed_image_domains = allowed_image_domains.or_else(|| change.allowed_image_domains.take());
    change.metadata = metadata.or_else(|| change.metadata.take());
}
