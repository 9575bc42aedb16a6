//! Where conversations and passages are kept: the contract, in domain words.
//!
//! Two homes carry it out, `sqlite` and `postgres`, and one suite of tests holds both to it:
//!
//! - **The owner is a parameter wherever a row has one.** Somebody else's thread is not found, and cannot be told
//!   from one that does not exist.
//! - **Order is position, not time.** Items list in the order in which they were first stored; saving an item again
//!   keeps its place. An item that was only *in progress* takes its place when it is saved for good.
//! - **Pages are cut by row.** A cursor is the id of the last row of the page before, exclusive; a cursor that is not a
//!   row of that list is [`StoreError::UnknownCursor`]. Hidden items are not listed unless asked for.
//! - **A thread has one turn at a time, on all instances together.** [`ThreadStore::begin_turn`] takes the lease,
//!   [`ThreadStore::record`] renews it and, at the end, gives it back. A lease that ran out belongs to a dead instance:
//!   whoever begins the next turn takes it over, and what was in progress is kept as it was last written.
//! - **A turn that lost its lease, or whose thread is gone, writes nothing** ([`StoreError::TurnLost`]).
//! - **What is known of an item beside its content stays beside it**: a [`Write::Note`] is laid over what was known, is
//!   gone with the item, and never part of what is read back as the item. What turns cost outlives their threads.
//! - **An attachment that a message names belongs to the message's thread from then on**; one that is not there, not
//!   theirs or deleted is [`StoreError::NoAttachment`], and nothing of the message is kept.
//! - **A title that nobody asked for never takes the place of one**: [`ThreadStore::entitle`] looks and writes at once.
//! - **What is counted is counted once for all instances**, all of a claim or nothing, and together with the turn it is
//!   claimed for ([`StoreError::Exceeded`]).
//! - **A reader has one profile or none**, and a change leaves the members alone that it does not name.
//! - **Each method is one transaction**: all of it happens, or nothing.

pub mod accounts;
pub mod adoption;
pub mod attachments;
mod batch;
pub mod conversations;
pub mod counts;
mod cursor;
mod failure;
mod migration;
mod notes;
pub mod passages;
pub mod postgres;
pub mod profiles;
pub mod rewrites;
mod rows;
pub mod sqlite;

use std::collections::HashMap;

use async_trait::async_trait;
use chatkit_protocol::{
    AttachmentId, ItemId, JsonMap, Order, Page, ThreadId, ThreadItem, ThreadRecord, ThreadStatus, Timestamp,
};

use crate::identity::OwnerId;

pub use accounts::AccountStore;
pub use adoption::AdoptionStore;
pub use attachments::AttachmentStore;
pub use chatkit_protocol::FeedbackKind;
pub use conversations::{Conversation, ConversationStore, Stretch};
pub use counts::{Claim, CountStore, Exceeded, Limit, TokenLimit, Used};
pub use failure::{Migrated, OpenError};
pub use notes::{ItemNote, Spent, Tokens};
pub use passages::PassageStore;
pub use profiles::ProfileStore;
pub use rewrites::RewriteStore;

/// The largest page a list hands out, in rows.
pub const PAGE_ROWS_MAX: u32 = 200;
/// The page when nobody says how large, in rows.
pub const PAGE_ROWS_DEFAULT: u32 = 20;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such thread for this owner.
    #[error("there is no such thread")]
    NoThread,
    /// The thread has no such item.
    #[error("the thread has no such item")]
    NoItem,
    /// The cursor is not a row of this list.
    #[error("the cursor is not a row of this list")]
    UnknownCursor,
    /// No such attachment for this owner.
    #[error("there is no attachment `{0}`")]
    NoAttachment(AttachmentId),
    /// There are no rows of such a collection.
    #[error("there is no such collection")]
    NoCollection,
    /// The thread is locked or closed, and the turn wanted an active one.
    #[error("the thread is not active")]
    NotActive(ThreadStatus),
    /// An item is no longer as it was read.
    #[error("an item was changed meanwhile")]
    Changed,
    /// Another turn holds the thread.
    #[error("another turn is running in this thread")]
    Busy,
    /// A limit was reached; nothing was counted.
    #[error("a limit was reached")]
    Exceeded(Exceeded),
    /// This turn no longer holds the thread, or the thread was deleted.
    #[error("the turn no longer holds its thread")]
    TurnLost,
    /// The database is away or slow; the same call may succeed later.
    #[error("the database cannot be reached")]
    Away(#[source] sqlx::Error),
    /// The database did not answer in time; whether it did the work is not known.
    #[error("the database did not answer within {} s", .0.as_secs())]
    Slow(std::time::Duration),
    /// The database answered with an error that will come again.
    #[error("the database refused")]
    Refused(#[source] sqlx::Error),
    /// A stored row could not be read back.
    #[error("a stored row could not be read: {0}")]
    Unreadable(String),
}

/// A part of a list that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageQuery {
    /// Rows at most; 0 means [`PAGE_ROWS_DEFAULT`], more than [`PAGE_ROWS_MAX`] means that.
    pub limit: u32,
    /// Oldest or newest first.
    pub order: Order,
    /// The id of the last row of the page before; empty or none: from the start.
    pub after: Option<String>,
}

impl PageQuery {
    /// The number of rows really read, between 1 and [`PAGE_ROWS_MAX`].
    pub fn rows(&self) -> u32 {
        match self.limit {
            0 => PAGE_ROWS_DEFAULT,
            limit => limit.min(PAGE_ROWS_MAX),
        }
    }

    /// The cursor, if there is a real one.
    pub fn cursor(&self) -> Option<&str> {
        self.after.as_deref().filter(|after| !after.is_empty())
    }
}

/// Fields of a thread that somebody changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreadChange {
    /// A new title; `Some(None)` takes the title away.
    pub title: Option<Option<String>>,
    /// A new status.
    pub status: Option<ThreadStatus>,
    /// New image hosts; `Some(None)` takes the list away.
    pub allowed_image_domains: Option<Option<Vec<String>>>,
    /// New private metadata, replacing the old.
    pub metadata: Option<JsonMap>,
}

impl ThreadChange {
    /// What turns `before` into `after`, field by field.
    pub fn between(before: &ThreadRecord, after: &ThreadRecord) -> Self {
        fn changed<T: PartialEq + Clone>(before: &T, after: &T) -> Option<T> {
            (before != after).then(|| after.clone())
        }
        Self {
            title: changed(&before.title, &after.title),
            status: changed(&before.status, &after.status),
            allowed_image_domains: changed(&before.allowed_image_domains, &after.allowed_image_domains),
            metadata: changed(&before.metadata, &after.metadata),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The thread a turn wants to run in.
#[derive(Clone, Debug)]
pub enum TurnThread {
    /// A thread made with this turn.
    New(ThreadRecord),
    /// A thread there already is.
    Existing(ThreadId),
}

/// What a turn begins with.
#[derive(Clone, Debug)]
pub enum Opening {
    /// A new message of the reader.
    Question(ThreadItem),
    /// The reader wants another answer: everything stored after the user message that `item_id` stands for is deleted.
    /// An id of another kind of item stands for the nearest user message before it.
    Retry {
        /// Any item of the thread.
        item_id: ItemId,
    },
    /// Items are replaced where they are, or deleted, provided that they are still as they were read; otherwise
    /// [`StoreError::Changed`].
    Amend {
        /// The items as they were read; one that was never there counts as changed.
        read: Vec<ThreadItem>,
        /// What becomes of them: [`Write::Save`] and [`Write::Delete`].
        writes: Vec<Write>,
    },
    /// Nothing new is stored.
    Resume,
}

/// The end of a thread that somebody wants to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Only items of this type, by its name on the wire.
    pub kind: Option<&'static str>,
    /// Items at most.
    pub limit: u32,
}

/// A wish to run a turn.
#[derive(Clone, Debug)]
pub struct BeginTurn {
    /// Where.
    pub thread: TurnThread,
    /// With what.
    pub opening: Opening,
    /// Names the turn; the lease is given under this name.
    pub turn_id: String,
    /// The lease runs out then, unless it is renewed.
    pub lease_until: Timestamp,
    /// The time it is.
    pub now: Timestamp,
    /// At most this many of the newest items come back as history.
    pub history_items_max: u32,
    /// Attachments that belong to the thread from now on.
    pub attachments: Vec<AttachmentId>,
    /// Whether a locked or closed thread is refused ([`StoreError::NotActive`]).
    pub only_active: bool,
    /// What is counted when the turn begins, and only then.
    pub claims: Vec<Claim>,
    /// What may have been spent before it begins.
    pub tokens: Option<TokenLimit>,
}

/// A turn that has begun: it holds the thread.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The thread, as stored.
    pub thread: ThreadRecord,
    /// The newest items, oldest first, hidden ones included; a new question is the last of them.
    pub history: Vec<ThreadItem>,
}

/// Names a running turn to the store.
#[derive(Clone, Debug)]
pub struct TurnKey {
    /// Whose thread.
    pub owner: OwnerId,
    /// Which thread.
    pub thread_id: ThreadId,
    /// Which turn.
    pub turn_id: String,
}

/// One thing a turn wants kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Insert or replace an item for good; a replaced one keeps its place.
    Save(ThreadItem),
    /// Insert or replace an item that is still being written: it is shown, and its place is not final.
    Checkpoint(ThreadItem),
    /// Delete an item; nothing happens when it is not there.
    Delete(ItemId),
    /// Change fields of the thread.
    Change(ThreadChange),
    /// Lay a note over what is known of an item; nothing happens when the item is not there.
    Note(ItemId, ItemNote),
    /// Count what a turn has cost so far.
    Spend(Spent),
}

/// What becomes of the lease after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The turn goes on, at least until then.
    Until(Timestamp),
    /// The turn is over: the lease is given back, and items still in progress stay as they are, for good.
    Release,
}

/// What the store tells a turn that has just written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody minds.
    GoOn,
    /// Somebody, perhaps on another instance, wants this turn to stop.
    Stop,
}

/// Threads, their items, and the turns that run in them.
#[async_trait]
pub trait ThreadStore: AdoptionStore + ConversationStore {
    /// The thread. [`StoreError::NoThread`] when it is not there or not theirs.
    async fn thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<ThreadRecord, StoreError>;

    /// A page of the owner's threads, in order of creation.
    async fn threads(&self, owner: &OwnerId, asked: &PageQuery) -> Result<Page<ThreadRecord>, StoreError>;

    /// Changes fields of a thread and gives the thread as it is then.
    async fn change_thread(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        change: &ThreadChange,
        now: Timestamp,
    ) -> Result<ThreadRecord, StoreError>;

    /// Gives a thread a title, unless it has one already, whoever gave it: the thread as it is then, or nothing.
    /// [`StoreError::NoThread`] as for [`ThreadStore::thread`].
    async fn entitle(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<ThreadRecord>, StoreError>;

    /// Deletes a thread with all that hangs on it; nothing happens when it is not there or not theirs.
    async fn delete_thread(&self, owner: &OwnerId, id: &ThreadId) -> Result<(), StoreError>;

    /// A page of the visible items of a thread. [`StoreError::NoThread`] as for [`ThreadStore::thread`].
    async fn items(&self, owner: &OwnerId, id: &ThreadId, asked: &PageQuery) -> Result<Page<ThreadItem>, StoreError>;

    /// The thread together with a page of its visible items.
    async fn thread_with_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &PageQuery,
    ) -> Result<(ThreadRecord, Page<ThreadItem>), StoreError>;

    /// One item, hidden or not. [`StoreError::NoItem`] when the thread does not have it.
    async fn item(&self, owner: &OwnerId, id: &ThreadId, item_id: &ItemId) -> Result<ThreadItem, StoreError>;

    /// The thread and its newest items, oldest first, hidden ones included, those in progress left out.
    async fn newest_items(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        asked: &Newest,
    ) -> Result<(ThreadRecord, Vec<ThreadItem>), StoreError>;

    /// What is known of items beside their content: of those that the thread has, and of which anything is known.
    /// [`StoreError::NoThread`] as for [`ThreadStore::thread`].
    async fn item_notes(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
    ) -> Result<HashMap<ItemId, ItemNote>, StoreError>;

    /// What the turns that somebody pays for have cost since then, all together; a turn counts as of its first write.
    async fn spent_since(&self, payer: &OwnerId, since: Timestamp) -> Result<Tokens, StoreError>;

    /// Keeps something outside of any turn, whether or not one runs. [`StoreError::NoThread`] as for
    /// [`ThreadStore::thread`].
    async fn keep(&self, owner: &OwnerId, id: &ThreadId, writes: &[Write], now: Timestamp) -> Result<(), StoreError>;

    /// Keeps what a reader thought of some items; ids that the thread does not have are left out.
    async fn keep_feedback(
        &self,
        owner: &OwnerId,
        id: &ThreadId,
        item_ids: &[ItemId],
        kind: FeedbackKind,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes the thread for a turn, stores its opening, and brings the history: one round trip when all is well.
    ///
    /// [`StoreError::NoThread`], [`StoreError::NotActive`], [`StoreError::NoItem`] (a retry of an item that is not
    /// there, or with no user message before it), [`StoreError::Changed`], [`StoreError::NoAttachment`],
    /// [`StoreError::Exceeded`] and, after all of these, [`StoreError::Busy`] leave everything as it was: nothing is
    /// counted for a turn that does not begin.
    async fn begin_turn(&self, owner: &OwnerId, begin: &BeginTurn) -> Result<Begun, StoreError>;

    /// Keeps what a turn has produced, in order, and renews or gives back its lease. A turn that began as a visitor's
    /// goes on when the visitor is adopted meanwhile, and costs the adopter.
    async fn record(
        &self,
        turn: &TurnKey,
        writes: &[Write],
        lease: Lease,
        now: Timestamp,
    ) -> Result<Standing, StoreError>;

    /// Asks the turn that runs in a thread, on whichever instance, to stop. Whether there is one.
    async fn ask_to_stop(&self, owner: &OwnerId, id: &ThreadId, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends turns whose lease ran out before `now`; what they had in progress is kept for good. How many there were.
    async fn close_stale_turns(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
}
