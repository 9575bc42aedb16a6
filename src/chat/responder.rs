//! The seam: implement [`Responder`] and have a ChatKit server for an agent of your own.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use chatkit_protocol::{
    Action, AttachmentId, FeedbackKind, ItemId, ItemKind, StreamOptions, Thread, ThreadEvent, ThreadId, ThreadItem,
    ThreadRecord, UserMessage, WidgetItem,
};
use futures_util::Stream;
use serde::{Deserialize, Serialize};

use super::notebook::Notebook;
use super::turns::Turns;
use crate::attachments::{AttachmentError, Attachments};
use crate::clock::Clock;
use crate::identity::{Identity, Ids, OwnerId};
use crate::language::Language;
use crate::store::{ItemNote, Newest, StoreError, ThreadStore, Tokens};

/// What a responder says, event by event. It ends when the turn is over, or after its first error.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<ThreadEvent, TurnError>> + Send>>;

/// Answers readers. Everything else of ChatKit (threads, storage, streaming, stopping) is done around it.
///
/// An answer is a stream of events: an item is `added`, `updated` any number of times, and `done`; or just `done`. What
/// is done is stored before it is sent. The stream is dropped at its next `await` when the turn is stopped.
///
/// ```
/// use async_stream::stream;
/// use chatkit_gateway::chat::{EventStream, Responder, Turn};
/// use chatkit_protocol::ItemKind;
///
/// struct Parrot;
///
/// impl Responder for Parrot {
///     fn respond(&self, turn: Turn) -> EventStream {
///         Box::pin(stream! {
///             let said = turn.question().map(|question| question.text()).unwrap_or_default();
///             yield Ok(turn.done(ItemKind::message(said)));
///         })
///     }
/// }
/// ```
#[async_trait]
pub trait Responder: Send + Sync + 'static {
    /// Answers [`Turn::question`]; when there is none, goes on after the answer to a client tool or a form has come,
    /// which is in [`Turn::history`].
    fn respond(&self, turn: Turn) -> EventStream;

    /// Does what a widget, or the page, asks for, and answers in the thread. Without it such requests fail.
    fn act(&self, turn: Turn, action: Action) -> EventStream {
        let _ = (turn, action);
        Box::pin(futures_util::stream::once(async { Err(TurnError::NotSupported) }))
    }

    /// Does what a widget, or the page, asks for at once, even while an answer is written. The item it gives back, often
    /// the widget itself in its new state, is stored and shown; changes of the thread are stored.
    async fn act_at_once(&self, turn: Turn, action: Action) -> Result<Option<ThreadItem>, TurnError> {
        let _ = (turn, action);
        Err(TurnError::NotSupported)
    }

    /// Turns a recording into text.
    async fn transcribe(&self, who: &Identity, recording: Recording) -> Result<String, TurnError> {
        let _ = (who, recording);
        Err(TurnError::NotSupported)
    }

    /// Hears what a reader thought of some items; it is stored already.
    async fn feedback(&self, who: &Identity, thread_id: &ThreadId, item_ids: &[ItemId], kind: FeedbackKind) {
        let _ = (who, thread_id, item_ids, kind);
    }

    /// What the reader may do while the answer is written.
    fn stream_options(&self, thread: &ThreadRecord) -> StreamOptions {
        let _ = thread;
        StreamOptions { allow_cancel: true }
    }
}

/// What a reader said, as sound.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The sound.
    pub bytes: Bytes,
    /// What the client says it is, such as `audio/webm;codecs=opus`.
    pub mime_type: String,
    /// What the reader is spoken to in, if something must be said.
    pub language: Language,
}

impl Recording {
    /// The media type without its parameters, such as `audio/webm`.
    pub fn media_type(&self) -> &str {
        self.mime_type.split(';').next().unwrap_or_default().trim()
    }
}

/// Why a responder gave up. The reader sees the sentence of `Custom`; of the others, a general one.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// A sentence for the reader.
    #[error("the responder gave up with a sentence for the reader")]
    Custom {
        /// What the reader is told.
        message: String,
        /// Whether the reader is offered to try again.
        allow_retry: bool,
    },
    /// The widget's own sentence about a broken answer.
    #[error("the responder gave up")]
    Stream {
        /// Whether the reader is offered to try again.
        allow_retry: bool,
    },
    /// The responder does not do such things.
    #[error("the responder does not do this")]
    NotSupported,
    /// Something nobody foresaw: the log gets the details, the reader a general sentence.
    #[error("the responder failed")]
    Unexpected(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the answer to a request may rest on, as the door that it came through says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// Whatever the responder finds right.
    #[default]
    Anything,
    /// What the responder knows for sure, and nothing else: for the tutor, the book.
    Knowledge,
    /// The text that the reader selected, and the message: not the conversation before, and nothing that is looked up.
    SelectionAlone,
}

/// What a responder works with during one turn.
#[derive(Clone)]
pub struct Turn {
    /// The thread; may be changed.
    pub thread: ThreadHandle,
    /// Who asks.
    pub who: Identity,
    /// The newest items of the thread, oldest first, hidden ones included; the question is the last of them.
    pub history: Arc<[ThreadItem]>,
    /// The time.
    pub clock: Clock,
    /// Names for new items.
    pub ids: Ids,
    /// The message to answer; none when the turn goes on after a tool or a form, and in actions.
    pub(super) question_id: Option<ItemId>,
    /// The widget that an action comes from.
    pub(super) sender: Option<ThreadItem>,
    pub(super) last_word: Arc<AtomicBool>,
    pub(super) notebook: Notebook,
    pub(super) rests_on: RestsOn,
    pub(super) language: Language,
    pub(super) store: Arc<dyn ThreadStore>,
    pub(super) attachments: Option<Attachments>,
    pub(super) turns: Turns,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("thread", self.thread.id()).finish_non_exhaustive()
    }
}

impl Turn {
    /// The reader's message that is to be answered, if this turn has one.
    pub fn question(&self) -> Option<&UserMessage> {
        match &self.question_item()?.kind {
            ItemKind::UserMessage(message) => Some(message),
            _ => None,
        }
    }

    /// The same message as the item of the thread that it is.
    pub fn question_item(&self) -> Option<&ThreadItem> {
        self.history.iter().rev().find(|item| Some(&item.id) == self.question_id.as_ref())
    }

    /// What the answer may rest on.
    pub fn rests_on(&self) -> RestsOn {
        self.rests_on
    }

    /// What the reader is spoken to in, as far as the door knows.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The widget that an action comes from, if it comes from one.
    pub fn sender(&self) -> Option<&WidgetItem> {
        match &self.sender_item()?.kind {
            ItemKind::Widget(widget) => Some(widget),
            _ => None,
        }
    }

    /// The same widget as the item of the thread that it is.
    pub fn sender_item(&self) -> Option<&ThreadItem> {
        self.sender.as_ref()
    }

    /// The newest items as they are stored now, oldest first, hidden ones included: with what this turn has done so far.
    ///
    /// # Errors
    /// The store; the thread may be gone.
    pub async fn stored_items(&self, limit: u32) -> Result<Vec<ThreadItem>, StoreError> {
        let asked = Newest { kind: None, limit };
        let mut found = self.store.newest_items(&self.who.owner(), self.thread.id(), &asked).await;
        if matches!(found, Err(StoreError::NoThread))
            && let Some(adopter) = self.adopter().await?
        {
            found = self.store.newest_items(&adopter, self.thread.id(), &asked).await;
        }
        Ok(found?.1)
    }

    /// Gives the thread a title, unless somebody has given it one by now; what readers are then told, to be said in the
    /// stream of events. It is stored at once, also after the last word.
    ///
    /// # Errors
    /// The store; the thread may be gone.
    pub async fn entitle(&self, title: &str) -> Result<Option<ThreadEvent>, StoreError> {
        let turn = self.clone();
        let title = title[..title.floor_char_boundary(super::threads::TITLE_CHARS_MAX)].to_owned();
        // In a task of its own: whoever waits for it may be asked for nothing while the turn writes, and would keep what
        // the store lends to one writer at a time.
        let given = self.turns.spawn_and_join(async move { turn.entitle_now(&title).await }).await;
        let given = given.unwrap_or_else(|_| Err(StoreError::Unreadable("a title broke off".to_owned())))?;
        Ok(given.map(|thread| ThreadEvent::ThreadUpdated { thread: Thread::without_items(&thread) }))
    }

    async fn entitle_now(&self, title: &str) -> Result<Option<ThreadRecord>, StoreError> {
        let (id, now) = (self.thread.id(), self.clock.now());
        let mut given = self.store.entitle(&self.who.owner(), id, title, now).await;
        if matches!(given, Err(StoreError::NoThread))
            && let Some(adopter) = self.adopter().await?
        {
            given = self.store.entitle(&adopter, id, title, now).await;
        }
        given
    }

    /// The bytes of a file that a message of this thread names.
    ///
    /// # Errors
    /// They never came, were deleted, are more than `bytes_max`, or cannot be read now.
    pub async fn attachment_bytes(&self, id: &AttachmentId, bytes_max: u64) -> Result<Bytes, AttachmentError> {
        let missing = || AttachmentError::NoAttachment(id.clone());
        let attachments = self.attachments.as_ref().ok_or_else(missing)?;
        let mut read = attachments.read(&self.who.owner(), id, bytes_max).await;
        if matches!(read, Err(AttachmentError::NoAttachment(_)))
            && let Some(adopter) = self.adopter().await?
        {
            read = attachments.read(&adopter, id, bytes_max).await;
        }
        read
    }

    /// Whose the thread is by now, when it was a visitor's who has signed in since this turn began.
    async fn adopter(&self) -> Result<Option<OwnerId>, StoreError> {
        self.store.adopter(&self.who.owner()).await
    }

    /// Where the reader can fetch a file of this thread for a while, to be put in a link. `None` where there are no files.
    pub fn attachment_url(&self, id: &AttachmentId) -> Option<String> {
        self.attachments.as_ref().map(|attachments| attachments.download_url(id))
    }

    /// The same turn, for a question or an action.
    pub(super) fn on(self, question_id: Option<ItemId>, sender: Option<ThreadItem>) -> Self {
        Self { question_id, sender, ..self }
    }

    /// Says that the next item that is done is the last event of this turn.
    ///
    /// The item is then stored in the same round trip that ends the turn. Only a promise that is kept saves anything:
    /// what comes after it can be shown, but not stored.
    pub fn last_word(&self) {
        self.last_word.store(true, Ordering::Relaxed);
    }

    /// Notes what is known of an item of this turn beside its content: which model wrote it, what that cost, what it
    /// rests on. It is laid over what was noted before, stored together with the item, and never shown.
    ///
    /// An answer that is stopped, or fails, is kept with what was noted until then; so note early what is known early.
    pub fn note(&self, item_id: &ItemId, note: ItemNote) {
        self.notebook.note(item_id, note);
    }

    /// Counts tokens that this turn has cost, whether or not anything came of them.
    pub fn spend(&self, tokens: Tokens) {
        self.notebook.spend(tokens);
    }

    /// A new item of this thread that is done as soon as it is shown.
    pub fn done(&self, kind: ItemKind) -> ThreadEvent {
        ThreadEvent::done(self.item(prefix(&kind), kind))
    }

    /// A new item of this thread, named `<prefix>_…` and dated now.
    pub fn item(&self, prefix: &str, kind: ItemKind) -> ThreadItem {
        ThreadItem {
            id: ItemId::from(self.ids.mint(prefix)),
            thread_id: self.thread.id().clone(),
            created_at: self.clock.now(),
            kind,
        }
    }
}

/// What the names of new items of a kind begin with.
fn prefix(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::ClientToolCall(_) => "tc",
        ItemKind::Workflow(_) => "wf",
        ItemKind::Task(_) => "tsk",
        ItemKind::SdkHiddenContext(_) => "shcx",
        ItemKind::UserMessage(_)
        | ItemKind::AssistantMessage(_)
        | ItemKind::Widget(_)
        | ItemKind::GeneratedImage(_)
        | ItemKind::StructuredInput(_)
        | ItemKind::EndOfTurn
        | ItemKind::HiddenContext(_) => "msg",
    }
}

/// A thread that the responder may change while it answers; each change is stored and shown to the reader.
#[derive(Clone, Debug)]
pub struct ThreadHandle {
    id: ThreadId,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    record: Mutex<ThreadRecord>,
    edits: AtomicU64,
}

impl ThreadHandle {
    pub(super) fn new(record: ThreadRecord) -> Self {
        let id = record.id.clone();
        Self { id, shared: Arc::new(Shared { record: Mutex::new(record), edits: AtomicU64::new(0) }) }
    }

    /// Which thread it is.
    pub fn id(&self) -> &ThreadId {
        &self.id
    }

    /// The thread as it is now.
    pub fn read(&self) -> ThreadRecord {
        self.lock().clone()
    }

    /// Changes the thread. Its id and its date stay as they are, whatever `change` does to them.
    pub fn edit(&self, change: impl FnOnce(&mut ThreadRecord)) {
        let mut record = self.lock();
        let created_at = record.created_at;
        change(&mut record);
        record.id = self.id.clone();
        record.created_at = created_at;
        drop(record);
        self.shared.edits.fetch_add(1, Ordering::Release);
    }

    /// How often it was edited: tells cheaply whether there is anything to compare.
    pub(super) fn edits(&self) -> u64 {
        self.shared.edits.load(Ordering::Acquire)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ThreadRecord> {
        self.shared.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
