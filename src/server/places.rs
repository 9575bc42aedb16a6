//! Who has how many connections.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::identity::ClientAddress;

/// The places there are, for all together and for one address; `None` for any number.
#[derive(Clone, Debug)]
pub(super) struct Places {
    all_max: u64,
    per_address_max: u64,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    by_address: HashMap<ClientAddress, u64>,
}

/// The place of one connection. Dropping it makes it free.
#[derive(Debug)]
pub(super) struct Place {
    address: Option<ClientAddress>,
    taken: Arc<Mutex<Taken>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// All are taken.
    House,
    /// This address has as many as one may have.
    Address,
}

impl Places {
    pub(super) fn new(all_max: Option<u64>, per_address_max: Option<u64>) -> Self {
        let (all_max, per_address_max) = (all_max.unwrap_or(u64::MAX), per_address_max.unwrap_or(u64::MAX));
        Self { all_max, per_address_max, taken: Arc::default() }
    }

    /// A place, counted for an address if there is one to count for: behind a proxy are many.
    pub(super) fn take(&self, address: Option<ClientAddress>) -> Result<Place, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all_max {
            return Err(Full::House);
        }
        if let Some(address) = address {
            let own = taken.by_address.get(&address).copied().unwrap_or_default();
            if own >= self.per_address_max {
                return Err(Full::Address);
            }
            taken.by_address.insert(address, own + 1);
        }
        taken.all += 1;
        Ok(Place { address, taken: self.taken.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        let Some(address) = self.address else { return };
        if let Entry::Occupied(mut own) = taken.by_address.entry(address) {
            match own.get() {
                0 | 1 => drop(own.remove()),
                count => *own.get_mut() = count - 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<ClientAddress> {
        Some(ClientAddress::new([192, 0, 2, last].into()))
    }

    #[test]
    fn an_address_has_its_share_and_gets_a_place_back_when_one_of_its_connections_ends() {
        let places = Places::new(Some(4), Some(2));
        let first = places.take(address(1)).unwrap();
        let _second = places.take(address(1)).unwrap();
        assert_eq!(places.take(address(1)).unwrap_err(), Full::Address);
        drop(first);
        let _third = places.take(address(1)).unwrap();
        let _others = [places.take(address(2)).unwrap(), places.take(None).unwrap()];
        assert_eq!(places.take(address(3)).unwrap_err(), Full::House);
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let places = Places::new(None, None);
        drop((places.take(address(1)).unwrap(), places.take(address(1)).unwrap(), places.take(None).unwrap()));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_address.len()), (0, 0));
    }
}
