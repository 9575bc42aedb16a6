//! Looking back: a reader's conversations, and what was asked and answered in one of them.

use std::collections::HashMap;

use chatkit_protocol::{
    AssistantMessage, ItemId, ItemKind, ThreadId, ThreadItem, ThreadRecord, Timestamp, UserMessage,
};

use super::{Chat, ChatError, QuestionNote};
use crate::identity::Identity;
use crate::store::{BeginTurn, Conversation, ItemNote, Lease, Newest, Opening, Stretch, TurnKey, TurnThread};

/// Of a conversation, so many of the newest items are looked back on.
const ITEMS_MAX: u32 = 1_000;

/// A question and what was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// The item of the question.
    pub question_id: ItemId,
    /// The question.
    pub question: UserMessage,
    /// What its door said of it.
    pub note: QuestionNote,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The messages of the answer, in their order; none while there is no answer.
    pub answers: Vec<Noted>,
}

/// A message of an answer with what is known of it beside its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Noted {
    /// Its item.
    pub id: ItemId,
    /// The message.
    pub message: AssistantMessage,
    /// What is known of it.
    pub note: ItemNote,
}

impl Chat {
    /// A stretch of a reader's conversations, the one that changed last first, and how many there are.
    ///
    /// # Errors
    /// The store.
    pub async fn conversations(&self, who: &Identity, asked: Stretch) -> Result<(Vec<Conversation>, u64), ChatError> {
        // All strangers share one owner: listing it would show each of them the conversations of the others.
        if *who == Identity::Stranger {
            return Ok((Vec::new(), 0));
        }
        Ok(self.store.conversations(&who.owner(), asked).await?)
    }

    /// A conversation with what was asked and answered in it, oldest first: of a long one, its end.
    ///
    /// # Errors
    /// No such thread for this caller, or the store.
    pub async fn look_back(
        &self,
        who: &Identity,
        thread_id: &ThreadId,
    ) -> Result<(Conversation, Vec<Interaction>), ChatError> {
        match (who, self.look_back_as(who, thread_id).await) {
            // What a stranger made is open to whoever knows its id.
            (Identity::Visitor { .. }, Err(ChatError::NoThread)) => {
                self.look_back_as(&Identity::Stranger, thread_id).await
            }
            (_, found) => found,
        }
    }

    async fn look_back_as(
        &self,
        who: &Identity,
        thread_id: &ThreadId,
    ) -> Result<(Conversation, Vec<Interaction>), ChatError> {
        let owner = who.owner();
        let conversation = self.store.conversation(&owner, thread_id).await?;
        let newest = Newest { kind: None, limit: ITEMS_MAX };
        let (_, items) = self.store.newest_items(&owner, thread_id, &newest).await?;
        let messages = items.iter().filter(|item| {
            matches!(item.kind, ItemKind::UserMessage(_) | ItemKind::AssistantMessage(_)) && !item.is_hidden()
        });
        let ids: Vec<ItemId> = messages.map(|item| item.id.clone()).collect();
        let notes = self.store.item_notes(&owner, thread_id, &ids).await?;
        Ok((conversation, interactions(items, notes)))
    }

    /// A new thread without any message.
    ///
    /// # Errors
    /// The store.
    pub async fn begin_thread(&self, who: &Identity) -> Result<ThreadRecord, ChatError> {
        let (owner, now) = (who.owner(), self.clock.now());
        let thread = ThreadRecord::new(ThreadId::from(self.ids.mint("thr")), now);
        let turn_id = self.ids.mint("turn");
        let begin = BeginTurn {
            thread: TurnThread::New(thread),
            opening: Opening::Resume,
            turn_id: turn_id.clone(),
            // Nothing is going to run in it: whoever comes next need not wait, even if it is never given back.
            lease_until: now,
            now,
            history_items_max: 0,
            attachments: Vec::new(),
            only_active: false,
            claims: Vec::new(),
            tokens: None,
        };
        let thread = self.store.begin_turn(&owner, &begin).await?.thread;
        let key = TurnKey { owner, thread_id: thread.id.clone(), turn_id };
        self.store.record(&key, &[], Lease::Release, now).await?;
        Ok(thread)
    }
}

/// Each question with the answers up to the next one. What was said before the first question answers none.
fn interactions(items: Vec<ThreadItem>, mut notes: HashMap<ItemId, ItemNote>) -> Vec<Interaction> {
    let mut interactions: Vec<Interaction> = Vec::new();
    for ThreadItem { id, created_at, kind, .. } in items {
        match kind {
            ItemKind::UserMessage(question) => {
                let note = QuestionNote::of(notes.get(&id));
                let answers = Vec::new();
                interactions.push(Interaction { question_id: id, question, note, asked_at: created_at, answers });
            }
            ItemKind::AssistantMessage(message) => {
                let note = notes.remove(&id).unwrap_or_default();
                if let Some(interaction) = interactions.last_mut() {
                    interaction.answers.push(Noted { id, message, note });
                }
            }
            ItemKind::ClientToolCall(_)
            | ItemKind::Widget(_)
            | ItemKind::GeneratedImage(_)
            | ItemKind::StructuredInput(_)
            | ItemKind::Workflow(_)
            | ItemKind::Task(_)
            | ItemKind::EndOfTurn
            | ItemKind::HiddenContext(_)
            | ItemKind::SdkHiddenContext(_) => {}
        }
    }
    interactions
}
