//! One turn: keep the reader's message, let the responder answer, keep the answer.
//!
//! What to write and what to send is decided in `ledger.rs`; this file only carries it out.

mod run;

use std::sync::Arc;

use chatkit_protocol::{
    ItemId, ItemKind, Malformed, Thread, ThreadEvent, ThreadId, ThreadItem, ThreadRecord, ThreadsAddUserMessage,
    ThreadsCreate, ThreadsRetryAfterItem, UserMessage, UserMessageInput,
};
use tokio::sync::oneshot;

use self::run::Run;
use super::outbox::{Listening, Outbox, outbox};
use super::responder::{ThreadHandle, Turn};
use super::{Chat, ChatError};
use crate::identity::Identity;
use crate::store::{BeginTurn, Begun, Opening, StoreError, TurnKey, TurnThread};

/// What the reader is told when the conversation store is away.
const STORE_AWAY: &str = "Your message could not be saved just now. Please try again in a moment.";
/// What the reader is told when an earlier answer would not make room.
const STILL_ANSWERING: &str = "The answer before this one is still being written. Please try again in a moment.";
/// What the reader is told during a shutdown.
const CLOSING: &str = "The server is about to restart. Please try again in a moment.";

pub(super) async fn create(chat: &Chat, who: &Identity, asked: ThreadsCreate) -> Result<Listening, ChatError> {
    check(chat, &asked.input)?;
    let thread = ThreadRecord::new(ThreadId::from(chat.ids.mint("thr")), chat.clock.now());
    let question = question(chat, &thread.id, asked.input);
    start(chat, who, TurnThread::New(thread), Opening::Question(question)).await
}

pub(super) async fn add_user_message(
    chat: &Chat,
    who: &Identity,
    asked: ThreadsAddUserMessage,
) -> Result<Listening, ChatError> {
    check(chat, &asked.input)?;
    let question = question(chat, &asked.thread_id, asked.input);
    start(chat, who, TurnThread::Existing(asked.thread_id), Opening::Question(question)).await
}

pub(super) async fn retry(chat: &Chat, who: &Identity, asked: ThreadsRetryAfterItem) -> Result<Listening, ChatError> {
    let opening = Opening::Retry { item_id: asked.item_id };
    start(chat, who, TurnThread::Existing(asked.thread_id), opening).await
}

fn check(chat: &Chat, input: &UserMessageInput) -> Result<(), ChatError> {
    if let Some(attachment) = input.attachments.first() {
        return Err(ChatError::NoAttachment(attachment.to_string()));
    }
    let bytes = input.text_bytes();
    let max = chat.options.message_bytes_max;
    if bytes > max {
        return Err(ChatError::MessageTooLarge { bytes, max });
    }
    if !chat.options.empty_messages && input.text().trim().is_empty() {
        let problem = "holds no text; write something in a part of type `input_text`".to_owned();
        return Err(Malformed { member: "params.input.content".to_owned(), problem }.into());
    }
    Ok(())
}

fn question(chat: &Chat, thread_id: &ThreadId, input: UserMessageInput) -> ThreadItem {
    let kind = ItemKind::UserMessage(UserMessage {
        content: input.content,
        attachments: Vec::new(),
        quoted_text: input.quoted_text,
        inference_options: input.inference_options,
    });
    let id = ItemId::from(chat.ids.mint("msg"));
    ThreadItem { id, thread_id: thread_id.clone(), created_at: chat.clock.now(), kind }
}

/// Starts a turn in a task of its own, so that a client that hangs up at any moment leaves nothing half-done.
async fn start(chat: &Chat, who: &Identity, thread: TurnThread, opening: Opening) -> Result<Listening, ChatError> {
    if !chat.turns.is_open() {
        return Ok(refusal(CLOSING));
    }
    let (told, hear) = oneshot::channel();
    chat.turns.spawn(begin_and_run(chat.clone(), who.clone(), thread, opening, told));
    let begun = hear.await.unwrap_or_else(|_| Err(StoreError::Unreadable("the turn ended before it began".to_owned())));
    match begun {
        Ok(listening) => Ok(listening),
        Err(StoreError::Busy) => Ok(refusal(STILL_ANSWERING)),
        Err(error @ (StoreError::NoThread | StoreError::NoItem)) => Err(error.into()),
        // A 5xx would make the widget send the message again, so a store that failed is told in the stream.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "Could not begin a turn");
            Ok(refusal(STORE_AWAY))
        }
    }
}

/// A stream of one sentence for the reader, who may try again.
fn refusal(message: &str) -> Listening {
    let (mut outbox, listening) = outbox();
    outbox.put(&ThreadEvent::custom_error(message, true));
    outbox.finish();
    listening
}

async fn begin_and_run(
    chat: Chat,
    who: Identity,
    thread: TurnThread,
    opening: Opening,
    told: oneshot::Sender<Result<Listening, StoreError>>,
) {
    let is_new = matches!(thread, TurnThread::New(_));
    let asked = match &opening {
        Opening::Question(question) => Some(question.clone()),
        Opening::Retry { .. } | Opening::Resume => None,
    };
    let now = chat.clock.now();
    let begin = BeginTurn {
        thread,
        opening,
        turn_id: chat.ids.mint("turn"),
        lease_until: now,
        now,
        history_items_max: chat.options.history_items_max,
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
    let (mut outbox, listening) = outbox();
    greet(&mut outbox, &begun, is_new, asked.as_ref());
    outbox.flush();
    // A client that has hung up meanwhile is a listener that has gone: the policy for that decides.
    let _ = told.send(Ok(listening));
    let turn = turn(&chat, who, begun, asked.map(|question| question.id));
    let span = tracing::info_span!("turn", thread.id = %key.thread_id, turn.id = %key.turn_id);
    tracing::Instrument::instrument(Run::new(chat, key, turn, outbox).to_the_end(entry), span).await;
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

fn turn(chat: &Chat, who: Identity, begun: Begun, asked: Option<ItemId>) -> Turn {
    let newest_message = begun.history.iter().rev().find(|item| matches!(item.kind, ItemKind::UserMessage(_)));
    let question_id = asked.or_else(|| newest_message.map(|item| item.id.clone()));
    Turn {
        thread: ThreadHandle::new(begun.thread),
        who,
        history: begun.history.into(),
        clock: chat.clock.clone(),
        ids: chat.ids.clone(),
        question_id,
        last_word: Arc::default(),
    }
}
