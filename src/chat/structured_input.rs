//! Structured input: the reader's answers to a form.

use chatkit_protocol::{
    Answer, InputStatus, ItemKind, StructuredAnswers, StructuredInput, StructuredInputItem, StructuredInputKind,
    SubmittedStatus, ThreadEvent, ThreadItem, ThreadsAddStructuredInput,
};

use super::outbox::Listening;
use super::turn::{self, Start};
use super::{AMEND_TRIES_MAX, Chat, ChatError};
use crate::identity::Identity;
use crate::store::{Opening, Write};

/// Keeps the answers in the form, shows it, and lets the responder go on.
pub(super) async fn answer(
    chat: &Chat,
    who: &Identity,
    asked: ThreadsAddStructuredInput,
) -> Result<Listening, ChatError> {
    for _ in 0..AMEND_TRIES_MAX {
        let item = chat.store.item(&who.owner(), &asked.thread_id, &asked.item_id).await?;
        let ItemKind::StructuredInput(form) = &item.kind else { return Err(ChatError::NotAForm) };
        if form.status != InputStatus::Pending {
            return Err(ChatError::FormIsDone);
        }
        let kind = ItemKind::StructuredInput(filled(form, &asked.input));
        let answered = ThreadItem { kind, ..item.clone() };
        let opening = Opening::Amend { read: vec![item], writes: vec![Write::Save(answered.clone())] };
        let start = Start::existing(asked.thread_id.clone(), opening);
        match turn::start(chat, who, start.with_preface(ThreadEvent::ItemReplaced { item: answered })).await {
            Err(ChatError::Changed) => {}
            begun => return begun,
        }
    }
    Err(ChatError::Changed)
}

/// The form with an answer to each of its questions; answers to others are ignored.
fn filled(form: &StructuredInputItem, submitted: &StructuredAnswers) -> StructuredInputItem {
    let unknown = submitted.answers.keys().filter(|id| !form.inputs.iter().any(|input| input.id == **id)).count();
    if unknown > 0 {
        tracing::info!(answers = unknown, "Ignored answers to questions that the form does not have");
    }
    let status = match submitted.status {
        SubmittedStatus::Answered => InputStatus::Answered,
        SubmittedStatus::Skipped => InputStatus::Skipped,
    };
    let inputs = form.inputs.iter().map(|input| {
        let answer = match submitted.status {
            SubmittedStatus::Answered => answer_to(input, submitted),
            SubmittedStatus::Skipped => None,
        };
        let skipped = Answer { values: Vec::new(), skipped: true };
        StructuredInput { answer: Some(answer.unwrap_or(skipped)), ..input.clone() }
    });
    StructuredInputItem { status, inputs: inputs.collect() }
}

/// What the reader answered; `None` when the question was passed over. Values need not be among the options.
fn answer_to(input: &StructuredInput, submitted: &StructuredAnswers) -> Option<Answer> {
    let given = submitted.answers.get(&input.id).filter(|given| !given.skipped && !given.values.is_empty())?;
    let values_max = match &input.kind {
        StructuredInputKind::MultipleChoice { multiple: false, .. } => 1,
        StructuredInputKind::MultipleChoice { multiple: true, .. } | StructuredInputKind::Freeform { .. } => usize::MAX,
    };
    let values = given.values.iter().take(values_max).cloned().collect();
    Some(Answer { values, skipped: false })
}
