//! Where those meet who ask for the same text at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::flight::Flight;
use crate::identity::OwnerId;

/// Whose, and which text.
type Key = (OwnerId, String);

/// The places of this instance. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<Key, Weak<Place>>>>);

/// The place of one text; it is there as long as somebody holds it.
pub(super) struct Place {
    /// The text, if it was begun here.
    pub(super) flight: tokio::sync::Mutex<Option<Arc<Flight>>>,
    key: Key,
    places: Places,
}

impl Places {
    pub(super) fn of(&self, owner: &OwnerId, key: &str) -> Arc<Place> {
        let key = (owner.clone(), key.to_owned());
        let mut places = self.lock();
        if let Some(place) = places.get(&key).and_then(Weak::upgrade) {
            return place;
        }
        let place = Arc::new(Place { flight: tokio::sync::Mutex::default(), key: key.clone(), places: self.clone() });
        places.insert(key, Arc::downgrade(&place));
        place
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Weak<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.lock();
        // Somebody may have come for the same text since the last one left.
        if places.get(&self.key).is_some_and(|place| place.strong_count() == 0) {
            places.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_for_all_who_ask_and_gone_with_the_last_of_them() {
        let places = Places::default();
        let (ada, grace) = (OwnerId::user("ada"), OwnerId::user("grace"));
        let (first, second) = (places.of(&ada, "a"), places.of(&ada, "a"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &places.of(&grace, "a")));
        assert!(!Arc::ptr_eq(&first, &places.of(&ada, "b")));
        drop(first);
        assert!(Arc::ptr_eq(&second, &places.of(&ada, "a")));
        drop(second);
        assert!(places.lock().is_empty());
    }
}
