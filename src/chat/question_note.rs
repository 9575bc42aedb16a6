//! What is noted of a reader's message: what its answer may rest on, so that another answer to it rests on the same.

use serde::{Deserialize, Serialize};

use super::{Chat, RestsOn, Turn};
use crate::store::{ItemNote, TurnKey};

/// What a door says of a message beside its words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionNote {
    /// What the answer may rest on.
    pub rests_on: RestsOn,
    /// The file in which a selected text stands, as the page says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
}

impl QuestionNote {
    /// The note in what is known of a message; that of any message, where nothing is.
    pub fn of(note: Option<&ItemNote>) -> Self {
        let told = note.and_then(|note| note.grounding.as_ref());
        told.and_then(|told| Self::deserialize(told).ok()).unwrap_or_default()
    }
}

/// Notes of the message that a turn answers what its door says of it; nothing, where that is what any message has.
pub(super) fn keep(chat: &Chat, turn: &Turn) {
    let Some(question_id) = &turn.question_id else { return };
    if chat.question_note == QuestionNote::default() {
        return;
    }
    let grounding = serde_json::to_value(&chat.question_note).ok();
    turn.notebook.note_stored(question_id, ItemNote { grounding, ..ItemNote::default() });
}

/// What the answer to a message may rest on that is answered again: what its first answer might.
pub(super) async fn remembered(chat: &Chat, key: &TurnKey, turn: &Turn) -> RestsOn {
    let Some(question_id) = &turn.question_id else { return turn.rests_on };
    let ids = std::slice::from_ref(question_id);
    match chat.store.item_notes(&key.owner, &key.thread_id, ids).await {
        Ok(notes) => match QuestionNote::of(notes.get(question_id)).rests_on {
            RestsOn::Anything => turn.rests_on,
            rests_on => rests_on,
        },
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "Could not read what an answer may rest on; it rests on anything");
            turn.rests_on
        }
    }
}
