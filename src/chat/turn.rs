//! One turn: keep the reader's message, let the responder answer, keep the answer.
//!
//! What to write and what to send is decided in `ledger.rs`; this file only carries it out.

mod run;
mod tally;

use chatkit_protocol::{
    Action, Attachment, AttachmentId, ItemId, ItemKind, Malformed, Thread, ThreadEvent, ThreadId, ThreadItem,
    ThreadRecord, ThreadStatus, ThreadsAddUserMessage, ThreadsCreate, ThreadsRetryAfterItem, UserMessage,
    UserMessageInput,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::run::Run;
use self::tally::Tally;
use super::outbox::{Listening, Outbox, outbox, outbox_with};
use super::{Chat, ChatError, attachments, question_note};
use crate::config::LockedThreads;
use crate::identity::Identity;
use crate::language::Language;
use crate::quota::Counted;
use crate::store::{BeginTurn, Begun, Opening, StoreError, TurnKey, TurnThread};

/// What a turn begins with and what it is for.
#[derive(Debug)]
pub(super) struct Start {
    thread: TurnThread,
    opening: Opening,
    /// Named by the question; they belong to the thread from now on.
    attachments: Vec<AttachmentId>,
    /// Whether a locked or closed thread is refused.
    only_active: bool,
    /// Shown before the responder is heard; stored already.
    preface: Option<ThreadEvent>,
    /// What the responder is to do; to answer, when nothing.
    action: Option<Action>,
    /// The widget that the action comes from.
    sender: Option<ThreadItem>,
}

impl Start {
    /// A turn in a thread that is there.
    pub(super) fn existing(thread_id: ThreadId, opening: Opening) -> Self {
        let thread = TurnThread::Existing(thread_id);
        let (attachments, only_active) = (Vec::new(), false);
        Self { thread, opening, attachments, only_active, preface: None, action: None, sender: None }
    }

    /// The same, with an event that is shown first.
    pub(super) fn with_preface(self, event: ThreadEvent) -> Self {
        Self { preface: Some(event), ..self }
    }

    /// The same, for an action rather than an answer.
    pub(super) fn with_action(self, action: Action, sender: Option<ThreadItem>) -> Self {
        Self { action: Some(action), sender, ..self }
    }
}

pub(super) async fn create(chat: &Chat, who: &Identity, asked: ThreadsCreate) -> Result<Listening, ChatError> {
    let thread = ThreadRecord::new(ThreadId::from(chat.ids.mint("thr")), chat.clock.now());
    let asking = asking(chat, who, &thread.id, asked.input).await?;
    start(chat, who, Start { thread: TurnThread::New(thread), ..asking }).await
}

pub(super) async fn add_user_message(
    chat: &Chat,
    who: &Identity,
    asked: ThreadsAddUserMessage,
) -> Result<Listening, ChatError> {
    let asking = asking(chat, who, &asked.thread_id, asked.input).await?;
    start(chat, who, Start { only_active: chat.options.locked_threads == LockedThreads::Refuse, ..asking }).await
}

pub(super) async fn retry(chat: &Chat, who: &Identity, asked: ThreadsRetryAfterItem) -> Result<Listening, ChatError> {
    start(chat, who, Start::existing(asked.thread_id, Opening::Retry { item_id: asked.item_id })).await
}

/// A turn that begins with a message of the reader.
async fn asking(
    chat: &Chat,
    who: &Identity,
    thread_id: &ThreadId,
    input: UserMessageInput,
) -> Result<Start, ChatError> {
    check(chat, &input)?;
    let ids = input.attachments.clone();
    let attachments = attachments::of_message(chat, who, thread_id, &ids).await?;
    let question = question(chat, thread_id, input, attachments);
    Ok(Start { attachments: ids, ..Start::existing(thread_id.clone(), Opening::Question(question)) })
}

fn check(chat: &Chat, input: &UserMessageInput) -> Result<(), ChatError> {
    let bytes = input.text_bytes();
    let max = chat.options.message_bytes_max;
    if bytes > max {
        return Err(ChatError::MessageTooLarge { bytes, max });
    }
    let is_empty = input.text().trim().is_empty() && input.attachments.is_empty();
    if is_empty && !chat.options.empty_messages {
        let problem = "holds no text; write something in a part of type `input_text`, or attach a file".to_owned();
        return Err(Malformed { member: "params.input.content".to_owned(), problem }.into());
    }
    Ok(())
}

fn question(chat: &Chat, thread_id: &ThreadId, input: UserMessageInput, attachments: Vec<Attachment>) -> ThreadItem {
    let kind = ItemKind::UserMessage(UserMessage {
        content: input.content,
        attachments,
        quoted_text: input.quoted_text,
        inference_options: input.inference_options,
    });
    let id = ItemId::from(chat.ids.mint("msg"));
    ThreadItem { id, thread_id: thread_id.clone(), created_at: chat.clock.now(), kind }
}

/// Starts a turn in a task of its own, so that a client that hangs up at any moment leaves nothing half-done.
pub(super) async fn start(chat: &Chat, who: &Identity, start: Start) -> Result<Listening, ChatError> {
    if !chat.turns.is_open() {
        return Ok(refusal(&chat.language.say("chat-closing"), true));
    }
    let (told, hear) = oneshot::channel();
    chat.turns.spawn(begin_and_run(chat.clone(), who.clone(), start, told));
    let begun = hear.await.unwrap_or_else(|_| Err(StoreError::Unreadable("the turn ended before it began".to_owned())));
    match begun {
        Ok(listening) => Ok(listening),
        Err(StoreError::Busy) => Ok(refusal(&chat.language.say("chat-still-answering"), true)),
        Err(StoreError::NotActive(status)) => Ok(refusal(&not_active(&status, chat.language), false)),
        Err(StoreError::Exceeded(exceeded)) => Err(chat.allowance.reached(Counted::Messages, &exceeded).into()),
        Err(error) => Err(error.into()),
    }
}

/// A stream of one sentence for the reader, and whether a button to retry is shown with it.
pub fn refusal(message: &str, allow_retry: bool) -> Listening {
    only(&ThreadEvent::custom_error(message, allow_retry))
}

/// What the reader is told when the conversation store is away.
pub(super) fn store_away(language: Language) -> Listening {
    refusal(&language.say("chat-not-saved"), true)
}

/// A stream of one event.
pub(super) fn only(event: &ThreadEvent) -> Listening {
    let (mut outbox, listening) = outbox();
    outbox.put(event);
    outbox.finish();
    listening
}

fn not_active(status: &ThreadStatus, language: Language) -> String {
    match status {
        ThreadStatus::Active => language.say("chat-not-active"),
        ThreadStatus::Locked { reason: None } => language.say("chat-locked"),
        ThreadStatus::Closed { reason: None } => language.say("chat-closed"),
        ThreadStatus::Locked { reason: Some(reason) } => {
            language.say_with("chat-locked-because", &[("reason", reason.into())])
        }
        ThreadStatus::Closed { reason: Some(reason) } => {
            language.say_with("chat-closed-because", &[("reason", reason.into())])
        }
    }
}

async fn begin_and_run(chat: Chat, who: Identity, start: Start, told: oneshot::Sender<Result<Listening, StoreError>>) {
    let asked_at = Instant::now();
    let Start { thread, opening, attachments, only_active, preface, action, sender } = start;
    let is_new = matches!(thread, TurnThread::New(_));
    let is_retry = matches!(opening, Opening::Retry { .. });
    let asked = match &opening {
        Opening::Question(question) => Some(question.clone()),
        Opening::Retry { .. } | Opening::Amend { .. } | Opening::Resume => None,
    };
    // What a page brings in the reader's name is no message, but its answer costs as much.
    let claims = if asked.is_some() || is_retry { chat.allowance.one(Counted::Messages) } else { Vec::new() };
    let now = chat.clock.now();
    let begin = BeginTurn {
        thread,
        opening,
        turn_id: chat.ids.mint("turn"),
        lease_until: now,
        now,
        history_items_max: chat.options.history_items_max,
        attachments,
        only_active,
        claims,
        tokens: chat.allowance.tokens(),
    };
    let (owner, turn_id) = (who.owner(), begin.turn_id.clone());
    let begun = match chat.turns.take(&owner, begin).await {
        Ok(begun) => begun,
        Err(error) => {
            let _ = told.send(Err(error));
            return;
        }
    };
    let key = TurnKey { owner, thread_id: begun.thread.id.clone(), turn_id };
    let entry = chat.turns.enter(&key.thread_id, &key.turn_id);
    let (mut outbox, listening) = outbox_with(chat.replay.clone());
    greet(&mut outbox, &begun, is_new, asked.as_ref());
    outbox.flush();
    let question_id = match is_retry {
        true => newest_message(&begun.history),
        false => asked.as_ref().map(|question| question.id.clone()),
    };
    let (thread, history) = (begun.thread, begun.history);
    let mut turn = chat.turn(&key.turn_id, who, thread, history).on(question_id, sender);
    let tally = Tally::new(chat.metrics.turn(asked_at), turn.notebook.account());
    // A client that has hung up meanwhile is a listener that has gone: the policy for that decides.
    let _ = told.send(Ok(listening.accounted(turn.notebook.account())));
    match is_retry {
        true => turn.rests_on = question_note::remembered(&chat, &key, &turn).await,
        false => question_note::keep(&chat, &turn),
    }
    let span = tracing::info_span!("turn", thread.id = %key.thread_id, turn.id = %key.turn_id);
    tracing::Instrument::instrument(Run::new(chat, key, turn, outbox, tally).run(entry, action, preface), span).await;
}

/// What every turn begins with: the new thread, the reader's own message as it was stored.
fn greet(outbox: &mut Outbox, begun: &Begun, is_new: bool, asked: Option<&ThreadItem>) {
    if is_new {
        outbox.put(&ThreadEvent::ThreadCreated { thread: Thread::without_items(&begun.thread) });
    }
    if let Some(question) = asked {
        outbox.put(&ThreadEvent::ItemDone { item: question.clone() });
    }
}

/// The message that a retry goes back to: nothing is left after it.
fn newest_message(history: &[ThreadItem]) -> Option<ItemId> {
    let newest = history.iter().rev().find(|item| matches!(item.kind, ItemKind::UserMessage(_)));
    newest.map(|item| item.id.clone())
}
