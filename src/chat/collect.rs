//! A stream of events folded into one answer, for doors that answer with a single value.

use std::pin::pin;

use async_stream::stream;
use chatkit_protocol::sse::Decoder;
use chatkit_protocol::{AssistantMessage, ItemId, ItemKind, ThreadEvent, ThreadId};
use futures_util::{Stream, StreamExt};

use super::{LetGo, Listening, OUTBOX_BYTES_MAX};
use crate::language::Language;

/// What a turn came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// The thread, if the turn began a new one.
    pub thread_id: Option<ThreadId>,
    /// The reader's own message, as it was kept.
    pub question_id: Option<ItemId>,
    /// What was answered, in its order.
    pub messages: Vec<(ItemId, AssistantMessage)>,
    /// Why the answer ended before its end.
    pub failure: Option<Failure>,
}

/// Why there is no answer, or no more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A sentence for the reader.
    pub message: String,
    /// Whether the same again may help.
    pub allow_retry: bool,
}

impl Collected {
    /// The whole answer, a blank line between its messages.
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.messages.iter().map(|(_, message)| message.text()).collect();
        texts.join("\n\n")
    }

    fn hear(&mut self, event: ThreadEvent, language: Language) {
        match event {
            ThreadEvent::ThreadCreated { thread } => self.thread_id = Some(thread.id),
            ThreadEvent::ItemDone { item } => match item.kind {
                ItemKind::UserMessage(_) => self.question_id = Some(item.id),
                ItemKind::AssistantMessage(message) => self.messages.push((item.id, message)),
                _ => {}
            },
            ThreadEvent::Error { message, allow_retry, .. } => {
                let message = message.unwrap_or_else(|| broken_off(language));
                self.failure = Some(Failure { message, allow_retry });
            }
            _ => {}
        }
    }
}

/// What the reader is told when nobody had a sentence.
fn broken_off(language: Language) -> String {
    language.say("answer-broken-off")
}

/// The events of a turn, each as its JSON, for doors that do not speak server-sent events. It ends early when the
/// listener was too slow and was let go.
pub fn payloads(listening: Listening) -> impl Stream<Item = String> + Send {
    frames(listening).take_while(|frame| std::future::ready(frame.is_ok())).filter_map(async |frame| frame.ok())
}

/// The events of a turn as values, for doors that tell them in words of their own. When the listener was too slow, the
/// last one is that it was let go.
pub fn events(listening: Listening) -> impl Stream<Item = Result<ThreadEvent, LetGo>> + Send {
    frames(listening).filter_map(async |frame| match frame {
        Ok(payload) => match serde_json::from_str(&payload) {
            Ok(event) => Some(Ok(event)),
            Err(error) => {
                tracing::error!(%error, "An event of our own cannot be read");
                None
            }
        },
        Err(LetGo) => Some(Err(LetGo)),
    })
}

fn frames(mut listening: Listening) -> impl Stream<Item = Result<String, LetGo>> + Send {
    stream! {
        let mut decoder = Decoder::new(OUTBOX_BYTES_MAX);
        while let Some(bytes) = listening.next().await {
            let read = bytes.and_then(|bytes| decoder.push(&bytes).map_err(|_| LetGo));
            while let Some(payload) = decoder.next_payload() {
                yield Ok(payload);
            }
            if read.is_err() {
                yield Err(LetGo);
                return;
            }
        }
    }
}

/// Listens to the end.
pub async fn collect(listening: Listening) -> Collected {
    let (mut collected, language) = (Collected::default(), listening.language());
    let mut events = pin!(events(listening));
    let mut let_go = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => collected.hear(event, language),
            Err(LetGo) => let_go = true,
        }
    }
    if (collected.messages.is_empty() || let_go) && collected.failure.is_none() {
        collected.failure = Some(Failure { message: broken_off(language), allow_retry: true });
    }
    collected
}

#[cfg(test)]
mod tests {
    use chatkit_protocol::{ThreadItem, Timestamp};

    use super::*;
    use crate::chat::outbox;

    fn item(id: &str, kind: ItemKind) -> ThreadEvent {
        let created_at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        ThreadEvent::done(ThreadItem { id: ItemId::from(id), thread_id: ThreadId::from("thr_1"), created_at, kind })
    }

    #[tokio::test]
    async fn messages_are_put_together_and_a_failure_is_told() {
        let (mut events, listening) = outbox();
        events.put(&item("msg_1", ItemKind::message("One.")));
        events.put(&item("msg_2", ItemKind::message("Two.")));
        events.put(&ThreadEvent::custom_error("No more.", false));
        events.finish();
        let collected = collect(listening).await;
        assert_eq!(collected.text(), "One.\n\nTwo.");
        assert_eq!(collected.failure, Some(Failure { message: "No more.".to_owned(), allow_retry: false }));
    }

    #[tokio::test]
    async fn a_turn_that_says_nothing_has_failed() {
        let (events, listening) = outbox();
        events.finish();
        assert!(collect(listening).await.failure.is_some());
    }
}
