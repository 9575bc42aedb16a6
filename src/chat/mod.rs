//! ChatKit's meaning: what each request does, whoever brings it and however the answer travels.
//!
//! **Every door speaks [`Envelope`] and hears [`Reply`].** Nothing here knows HTTP, SQL or any model.

mod actions;
mod attachments;
mod client_tools;
mod collect;
mod error;
mod history;
mod items;
mod ledger;
mod notebook;
mod outbox;
mod question_note;
mod repeats;
mod responder;
mod rested_on;
mod structured_input;
mod threads;
mod transcribe;
mod turn;
mod turns;
mod widgets;

use std::sync::Arc;

use chatkit_protocol::{
    Envelope, Request, Response, ThreadId, ThreadItem, ThreadRecord, ThreadsAddUserMessage, ThreadsCreate,
};

use self::notebook::Notebook;
use self::outbox::Replay;
use self::repeats::Repeats;
use crate::attachments::Attachments;
use crate::clock::Clock;
use crate::config::{ChatSettings, LockedThreads, OnDisconnect};
use crate::identity::{Identity, Ids};
use crate::language::Language;
use crate::metrics::Metrics;
use crate::quota::{Allowance, Slot};
use crate::store::{StoreError, ThreadStore};

pub use crate::store::{Conversation, ItemNote, Stretch, Tokens};
pub use collect::{Collected, Failure, collect, events, payloads};
pub use error::ChatError;
pub use history::{Interaction, Noted};
pub use ledger::{Ending, Ledger, Step};
pub use notebook::Account;
pub use outbox::{LetGo, Listening, OUTBOX_BYTES_MAX, Outbox, outbox};
pub use question_note::QuestionNote;
pub use responder::{EventStream, Recording, Responder, RestsOn, ThreadHandle, Turn, TurnError};
pub use rested_on::{RestedOn, is_refusal};
pub use turn::refusal;
pub use turns::{TURN_LEASE, Turns};

/// Items that somebody else changes meanwhile are read again so often.
const AMEND_TRIES_MAX: usize = 5;

/// What a request is answered with.
#[derive(Debug)]
pub enum Reply {
    /// One value.
    Single(Box<Response>),
    /// The frames of one turn, as they come.
    Stream(Listening),
}

impl Reply {
    fn single(response: Response) -> Self {
        Self::Single(Box::new(response))
    }
}

/// Limits and habits of one server.
#[derive(Clone, Debug)]
pub struct ChatOptions {
    /// What a closed connection means.
    pub on_disconnect: OnDisconnect,
    /// What becomes of a message to a locked or closed thread.
    pub locked_threads: LockedThreads,
    /// The largest message of a reader, in bytes of text.
    pub message_bytes_max: usize,
    /// Whether a message without text and attachments is accepted.
    pub empty_messages: bool,
    /// How many of the newest items a responder is given.
    pub history_items_max: u32,
    /// Whether a request that a frame of a page sends twice is carried out once.
    pub once_per_frame: bool,
}

impl From<&ChatSettings> for ChatOptions {
    fn from(settings: &ChatSettings) -> Self {
        Self {
            on_disconnect: settings.on_disconnect,
            locked_threads: settings.locked_threads,
            message_bytes_max: settings.message_bytes_max,
            empty_messages: false,
            history_items_max: 60,
            once_per_frame: true,
        }
    }
}

/// A ChatKit server without a door: the front desk of the house. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    store: Arc<dyn ThreadStore>,
    responder: Arc<dyn Responder>,
    turns: Turns,
    clock: Clock,
    ids: Ids,
    options: ChatOptions,
    /// Files of readers; none when they are off.
    attachments: Option<Attachments>,
    repeats: Repeats,
    /// Is told what the turn of this request tells.
    replay: Option<Replay>,
    /// What the door says of the message of this request.
    question_note: QuestionNote,
    /// How much the caller of this request may do.
    allowance: Allowance,
    /// What the caller of this request is spoken to in.
    language: Language,
    metrics: Metrics,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Chat {
    /// A server that keeps conversations in `store` and lets `responder` answer.
    pub fn new(
        store: Arc<dyn ThreadStore>,
        responder: Arc<dyn Responder>,
        clock: Clock,
        ids: Ids,
        options: ChatOptions,
    ) -> Self {
        let turns = Turns::new(store.clone(), clock.clone());
        let metrics = Metrics::new(&clock);
        let (attachments, repeats, replay) = (None, Repeats::default(), None);
        let question_note = QuestionNote::default();
        let (allowance, language) = (Allowance::default(), Language::default());
        Self {
            store,
            responder,
            turns,
            clock,
            ids,
            options,
            attachments,
            repeats,
            replay,
            question_note,
            allowance,
            language,
            metrics,
        }
    }

    /// The same, with a place for readers' files.
    #[must_use]
    pub fn keeping(self, attachments: Option<Attachments>) -> Self {
        Self { attachments, ..self }
    }

    /// The same, with its turns and streams counted there.
    #[must_use]
    pub fn counted_by(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// The same desk for a request whose message is answered, and answered again, as this says.
    #[must_use]
    pub fn noting(&self, question_note: QuestionNote) -> Self {
        Self { question_note, ..self.clone() }
    }

    /// The same desk for a request whose caller may do this much.
    #[must_use]
    pub fn within(&self, allowance: Allowance) -> Self {
        Self { allowance, ..self.clone() }
    }

    /// The same desk for a request whose caller is spoken to in this language.
    #[must_use]
    pub fn speaking(&self, language: Language) -> Self {
        Self { language, ..self.clone() }
    }

    /// The largest message that is taken, in bytes of text, a selected text included.
    pub fn message_bytes_max(&self) -> usize {
        self.options.message_bytes_max
    }

    /// The turns that run here: to wait for them, to stop them.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Answers one request.
    ///
    /// # Errors
    /// What is wrong with the request, before anything was stored or streamed. A failure during an answer is an event of
    /// its stream instead.
    pub async fn handle(&self, who: &Identity, asked: Envelope) -> Result<Reply, ChatError> {
        let streams = asked.request.streams();
        let slot = if streams { self.allowance.listen()? } else { Slot::default() };
        match self.carry_out_or_find(who, asked.request).await {
            // A 5xx would make the widget send the message again, so what failed on our side is told in the stream.
            Err(error) if streams && error.is_our_fault() => {
                tracing::error!(error = &error as &dyn std::error::Error, "Could not begin a turn");
                Ok(Reply::Stream(turn::store_away(self.language)))
            }
            Ok(Reply::Stream(listening)) => {
                Ok(Reply::Stream(listening.holding(slot, self.metrics.stream()).speaking(self.language)))
            }
            reply => reply,
        }
    }

    /// Whatever a stranger made is open to whoever knows its id, and so to visitors, who were strangers a moment ago: a
    /// browser may be told who it is while a message of its own is already on the way.
    async fn carry_out_or_find(&self, who: &Identity, request: Request) -> Result<Reply, ChatError> {
        let is_visitor = matches!(who, Identity::Visitor { .. });
        // Recordings are large, and belong to no thread.
        if !is_visitor || matches!(request, Request::InputTranscribe(_)) {
            return self.carry_out(who, request).await;
        }
        let missing = match self.carry_out(who, request.clone()).await {
            Err(error) if error.is_missing() => error,
            reply => return reply,
        };
        // A new thread is the visitor's, whoever they were when they uploaded what its message names.
        let begins = matches!(request, Request::ThreadsCreate(_));
        if !begins {
            match self.carry_out(&Identity::Stranger, request.clone()).await {
                Err(error) if error.is_missing() => {}
                reply => return reply,
            }
        }
        let (Request::ThreadsCreate(ThreadsCreate { input })
        | Request::ThreadsAddUserMessage(ThreadsAddUserMessage { input, .. })) = &request
        else {
            return Err(missing);
        };
        if !matches!(missing, ChatError::NoAttachment(_)) {
            return Err(missing);
        }
        attachments::take_over(self, who, &input.attachments).await?;
        self.carry_out(who, request).await
    }

    async fn carry_out(&self, who: &Identity, request: Request) -> Result<Reply, ChatError> {
        match request {
            Request::ThreadsCreate(asked) => turn::create(self, who, asked).await.map(Reply::Stream),
            Request::ThreadsAddUserMessage(asked) => turn::add_user_message(self, who, asked).await.map(Reply::Stream),
            Request::ThreadsRetryAfterItem(asked) => turn::retry(self, who, asked).await.map(Reply::Stream),
            Request::ThreadsAddClientToolOutput(asked) => {
                client_tools::add_output(self, who, asked).await.map(Reply::Stream)
            }
            Request::ThreadsAddStructuredInput(asked) => {
                structured_input::answer(self, who, asked).await.map(Reply::Stream)
            }
            Request::ThreadsCustomAction(asked) => actions::act(self, who, asked).await.map(Reply::Stream),
            Request::ThreadsSyncCustomAction(asked) => actions::act_at_once(self, who, asked).await.map(Reply::single),
            Request::ThreadsGetById(asked) => threads::get(self, who, asked).await.map(Reply::single),
            Request::ThreadsList(asked) => threads::list(self, who, asked).await.map(Reply::single),
            Request::ThreadsUpdate(asked) => threads::rename(self, who, asked).await.map(Reply::single),
            Request::ThreadsDelete(asked) => threads::delete(self, who, asked).await.map(Reply::single),
            Request::ItemsList(asked) => items::list(self, who, asked).await.map(Reply::single),
            Request::ItemsFeedback(asked) => items::feedback(self, who, asked).await.map(Reply::single),
            Request::AttachmentsCreate(asked) => attachments::create(self, who, asked).await.map(Reply::single),
            Request::AttachmentsDelete(asked) => attachments::delete(self, who, asked).await.map(Reply::single),
            Request::InputTranscribe(asked) => transcribe::transcribe(self, who, asked).await.map(Reply::single),
        }
    }

    /// Stops the turn that runs in a thread, here or on another instance; what was shown is kept. Whether there was one.
    ///
    /// # Errors
    /// No such thread for this caller, or the store.
    pub async fn stop(&self, who: &Identity, thread_id: &ThreadId) -> Result<bool, ChatError> {
        match (who, self.turns.stop(&who.owner(), thread_id).await) {
            (Identity::Visitor { .. }, Err(StoreError::NoThread)) => {
                Ok(self.turns.stop(&Identity::Stranger.owner(), thread_id).await?)
            }
            (_, stopped) => Ok(stopped?),
        }
    }

    /// Whether a visitor has signed in, so that a user has what they wrote until then.
    ///
    /// # Errors
    /// The store.
    pub async fn is_adopted(&self, visitor: &Identity) -> Result<bool, ChatError> {
        Ok(self.store.adopter(&visitor.owner()).await?.is_some())
    }

    /// What a responder is given to work with.
    fn turn(&self, turn_id: &str, who: Identity, thread: ThreadRecord, history: Vec<ThreadItem>) -> Turn {
        let notebook = Notebook::new(turn_id, self.allowance.payer(&who));
        Turn {
            thread: ThreadHandle::new(thread),
            who,
            history: history.into(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            question_id: None,
            sender: None,
            last_word: Arc::default(),
            notebook,
            rests_on: self.question_note.rests_on,
            language: self.language,
            store: self.store.clone(),
            attachments: self.attachments.clone(),
        }
    }
}
