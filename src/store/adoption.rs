//! A visitor who signs in: what was theirs becomes the user's, all of it at once, and once.
//!
//! - **Threads, attachments, feedback and what turns have cost move together**; limits that were counted stay with
//!   whoever was counted.
//! - **Once**: the first to adopt a visitor has what was theirs, on all instances together. What the visitor's token
//!   writes later is a visitor's as before, and nobody adopts that.
//! - **Whatever is written at the same moment is written before or after**: before, it moves along; after, it is the
//!   visitor's. It never belongs to both, and never to nobody.
//! - **A turn that began before goes on.** [`ThreadStore::record`](super::ThreadStore::record) takes a turn's key for
//!   the adopted thread too; whatever else such a turn wants to read there, it reads as the [adopter](AdoptionStore::adopter).

use async_trait::async_trait;
use chatkit_protocol::Timestamp;

use super::{Spent, StoreError, Write};
use crate::identity::OwnerId;

/// What visitors leave to the users that they turn out to be.
#[async_trait]
pub trait AdoptionStore: Send + Sync + 'static {
    /// Gives a user what is a visitor's. How many threads there were; `None` when the visitor was adopted before, by
    /// whomever, and when the first is no visitor or the second one is: nothing moves then.
    async fn adopt(&self, visitor: &OwnerId, user: &OwnerId, now: Timestamp) -> Result<Option<u64>, StoreError>;

    /// Who adopted a visitor; `None` when nobody did.
    ///
    /// Only for work that began while the thread was the visitor's: whoever brings the visitor's token later sees
    /// nothing of what has moved.
    async fn adopter(&self, visitor: &OwnerId) -> Result<Option<OwnerId>, StoreError>;
}

/// Whether one may adopt what is the other's. All strangers share one owner, and what one of them wrote is not for
/// another to take.
pub(super) fn may_adopt(visitor: &OwnerId, user: &OwnerId) -> bool {
    visitor.is_visitor() && !user.is_visitor() && *user != OwnerId::stranger()
}

/// The writes of a turn that began as a visitor's, once the visitor is adopted: its cost is the adopter's.
pub(super) fn at_cost_of(adopter: &OwnerId, visitor: &OwnerId, writes: &[Write]) -> Vec<Write> {
    let paid = |write: &Write| match write {
        Write::Spend(spent) if spent.payer == *visitor => {
            Write::Spend(Spent { payer: adopter.clone(), ..spent.clone() })
        }
        other => other.clone(),
    };
    writes.iter().map(paid).collect()
}
