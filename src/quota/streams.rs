//! Who listens to how many answers on this instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open streams by whose they are. Clones count the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<String, u64>>>);

/// A place for an open stream, given back when it is dropped.
#[derive(Debug, Default)]
pub struct Slot {
    streams: Streams,
    keys: Vec<String>,
}

impl Streams {
    /// A place under each of these keys, or the number of places that one of them has, all of which are taken.
    pub(super) fn open(&self, wanted: impl Iterator<Item = (String, u64)>) -> Result<Slot, u64> {
        let mut open = self.lock();
        let mut keys = Vec::new();
        for (key, allowed) in wanted {
            if open.get(&key).is_some_and(|streams| *streams >= allowed) {
                return Err(allowed);
            }
            keys.push(key);
        }
        for key in &keys {
            *open.entry(key.clone()).or_default() += 1;
        }
        Ok(Slot { streams: self.clone(), keys })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut open = self.streams.lock();
        for key in &self.keys {
            match open.get_mut(key) {
                Some(streams) if *streams > 1 => *streams -= 1,
                _ => {
                    open.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(streams: &Streams, keys: &[(&str, u64)]) -> Result<Slot, u64> {
        streams.open(keys.iter().map(|(key, allowed)| ((*key).to_owned(), *allowed)))
    }

    #[test]
    fn a_place_is_given_back_when_its_slot_goes_and_a_refusal_takes_none() {
        let streams = Streams::default();
        let first = open(&streams, &[("a", 1), ("b", 2)]).unwrap();
        assert_eq!(open(&streams, &[("c", 1), ("a", 1)]).unwrap_err(), 1);
        let second = open(&streams, &[("c", 1), ("b", 2)]).unwrap();
        assert_eq!(open(&streams, &[("b", 2)]).unwrap_err(), 2);
        drop(first);
        let third = open(&streams, &[("a", 1), ("b", 2)]).unwrap();
        drop((second, third));
        assert!(streams.lock().is_empty(), "nothing is remembered of who has gone");
    }

    proptest! {
        #[test]
        fn never_are_more_open_than_allowed(acts in proptest::collection::vec((0..3_usize, any::<bool>()), 0..60)) {
            let (streams, mut slots) = (Streams::default(), Vec::new());
            for (key, opens) in acts {
                let key = ["a", "b", "c"][key];
                if opens {
                    let held = slots.iter().filter(|(of, _)| *of == key).count();
                    match open(&streams, &[(key, 2), ("all", 4)]) {
                        Ok(slot) => slots.push((key, slot)),
                        Err(_) => prop_assert!(held == 2 || slots.len() == 4),
                    }
                } else if let Some(place) = slots.iter().position(|(of, _)| *of == key) {
                    slots.swap_remove(place);
                }
                prop_assert!(slots.len() <= 4);
                prop_assert!(slots.iter().filter(|(of, _)| *of == key).count() <= 2);
            }
        }
    }
}
