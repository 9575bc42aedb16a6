//! Rows as both homes keep them, and the domain types they stand for.

use chatkit_protocol::{
    FeedbackKind, ItemId, ItemKind, JsonMap, ThreadId, ThreadItem, ThreadRecord, ThreadStatus, Timestamp,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ItemNote, StoreError, ThreadChange, Tokens};
use crate::identity::OwnerId;

/// Strings of an item longer than this do not go into the `content` that is kept for reports.
const REPORT_STRING_BYTES_MAX: usize = 200;

/// The tag of the items that a retry goes back to.
pub(super) const USER_MESSAGE: &str = "user_message";

/// A thread as it is selected.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct ThreadRow {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    /// JSON.
    pub(super) status: String,
    /// JSON, a list.
    pub(super) allowed_image_domains: Option<String>,
    /// JSON, an object, to the letter.
    pub(super) metadata: String,
}

impl ThreadRow {
    /// The row of a thread.
    pub(super) fn new(thread: &ThreadRecord) -> Result<Self, StoreError> {
        Ok(Self {
            id: thread.id.as_str().to_owned(),
            title: thread.title.as_deref().map(without_nul),
            created_at: thread.created_at.utc(),
            status: json(&thread.status)?,
            allowed_image_domains: thread.allowed_image_domains.as_ref().map(json).transpose()?,
            metadata: json(&thread.metadata)?,
        })
    }

    /// The thread of a row.
    pub(super) fn record(self) -> Result<ThreadRecord, StoreError> {
        Ok(ThreadRecord {
            id: ThreadId::new(self.id),
            title: self.title,
            created_at: Timestamp::new(self.created_at),
            status: read::<ThreadStatus>(&self.status)?,
            allowed_image_domains: self.allowed_image_domains.as_deref().map(read).transpose()?,
            metadata: read::<JsonMap>(&self.metadata)?,
        })
    }
}

/// Changed fields of a thread, each with whether it changes at all.
#[derive(Debug)]
pub(super) struct ChangeRow {
    pub(super) new_title: bool,
    pub(super) title: Option<String>,
    pub(super) status: Option<String>,
    pub(super) new_domains: bool,
    pub(super) allowed_image_domains: Option<String>,
    pub(super) metadata: Option<String>,
}

impl ChangeRow {
    pub(super) fn new(change: &ThreadChange) -> Result<Self, StoreError> {
        let ThreadChange { title, status, allowed_image_domains, metadata } = change;
        Ok(Self {
            new_title: title.is_some(),
            title: title.as_ref().and_then(Option::as_deref).map(without_nul),
            status: status.as_ref().map(json).transpose()?,
            new_domains: allowed_image_domains.is_some(),
            allowed_image_domains: allowed_image_domains.as_ref().and_then(Option::as_ref).map(json).transpose()?,
            metadata: metadata.as_ref().map(json).transpose()?,
        })
    }
}

/// An item as it is inserted.
#[derive(Clone, Debug)]
pub(super) struct ItemRow {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) role: Option<&'static str>,
    /// JSON for reports; none for an item in progress, whose next version is a second away.
    pub(super) content: Option<String>,
    /// JSON, to the letter: what is read back.
    pub(super) document: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) hidden: bool,
}

impl ItemRow {
    /// The row of an item; `for_good` when it is not in progress.
    pub(super) fn new(item: &ThreadItem, for_good: bool) -> Result<Self, StoreError> {
        let document = json(item)?;
        let content = if for_good { Some(report(item)?) } else { None };
        Ok(Self {
            id: item.id.as_str().to_owned(),
            kind: item.kind.name(),
            role: role(item),
            content,
            document,
            created_at: item.created_at.utc(),
            hidden: item.is_hidden(),
        })
    }
}

/// What is known of an item, as it is written and read.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(super) struct NoteRow {
    pub(super) model: Option<String>,
    pub(super) n_tokens: Option<i32>,
    pub(super) n_tokens_input: Option<i32>,
    /// JSON.
    pub(super) grounding: Option<String>,
}

impl NoteRow {
    /// The row of a note.
    pub(super) fn new(note: &ItemNote) -> Result<Self, StoreError> {
        let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
        let grounding = note.grounding.as_ref().map(|told| {
            let mut told = told.clone();
            strip(&mut told);
            json(&told)
        });
        Ok(Self {
            model: note.model.as_deref().map(without_nul),
            n_tokens: note.tokens.map(|tokens| count(tokens.output)),
            n_tokens_input: note.tokens.map(|tokens| count(tokens.input)),
            grounding: grounding.transpose()?,
        })
    }

    /// The note of a row. Rows of an earlier back end may count what was written and not what was read.
    pub(super) fn note(self) -> Result<ItemNote, StoreError> {
        let count = |tokens: Option<i32>| tokens.map(|tokens| u64::try_from(tokens).unwrap_or(0));
        let (input, output) = (count(self.n_tokens_input), count(self.n_tokens));
        let tokens = (input.is_some() || output.is_some())
            .then(|| Tokens { input: input.unwrap_or(0), output: output.unwrap_or(0) });
        Ok(ItemNote { model: self.model, tokens, grounding: self.grounding.as_deref().map(read).transpose()? })
    }
}

/// A note with the item it is of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct NotedRow {
    id: String,
    #[sqlx(flatten)]
    note: NoteRow,
}

/// The notes of rows, by item; those that say nothing left out.
pub(super) fn notes(rows: Vec<NotedRow>) -> Result<std::collections::HashMap<ItemId, ItemNote>, StoreError> {
    let notes = rows.into_iter().map(|row| Ok((ItemId::from(row.id), row.note.note()?)));
    notes.filter(|noted| !matches!(noted, Ok((_, note)) if note.is_empty())).collect()
}

/// Sums as the database gives them.
pub(super) fn tokens((input, output): (i64, i64)) -> Tokens {
    Tokens { input: u64::try_from(input).unwrap_or(0), output: u64::try_from(output).unwrap_or(0) }
}

/// A number of tokens as a column takes it.
pub(super) fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// The item of a document.
pub(super) fn item(document: &str) -> Result<ThreadItem, StoreError> {
    read(document)
}

/// The items of documents, in their order.
pub(super) fn items<'a>(documents: impl IntoIterator<Item = &'a String>) -> Result<Vec<ThreadItem>, StoreError> {
    documents.into_iter().map(|document| item(document)).collect()
}

/// The subject of a signed-in user, for the column that reports know.
pub(super) fn user_of(owner: &OwnerId) -> Option<&str> {
    owner.as_str().strip_prefix("user:")
}

/// The text kept for a kind of feedback.
pub(super) fn feedback(kind: FeedbackKind) -> &'static str {
    match kind {
        FeedbackKind::Positive => "positive",
        FeedbackKind::Negative => "negative",
    }
}

/// Whether a text can be the value of a text column: Postgres has no U+0000, so nothing is stored under such a name.
pub(super) fn can_be_stored(text: &str) -> bool {
    !text.contains('\0')
}

/// JSON without U+0000, which `jsonb` refuses.
pub(super) fn for_jsonb(document: &str) -> Result<String, StoreError> {
    if !document.contains("\\u0000") {
        return Ok(document.to_owned());
    }
    let mut value: Value = read(document)?;
    strip(&mut value);
    json(&value)
}

/// The names of the items that can be stored under their names.
pub(super) fn names<'a>(ids: impl IntoIterator<Item = &'a ItemId>) -> Vec<String> {
    ids.into_iter().map(ItemId::as_str).filter(|id| can_be_stored(id)).map(str::to_owned).collect()
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

pub(super) fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    // Where it went wrong, never what stood there.
    serde_json::from_str(document).map_err(|error| {
        StoreError::Unreadable(format!("{:?} error at column {} of its JSON", error.classify(), error.column()))
    })
}

fn role(item: &ThreadItem) -> Option<&'static str> {
    match item.kind {
        ItemKind::UserMessage(_) => Some("user"),
        ItemKind::AssistantMessage(_) => Some("assistant"),
        ItemKind::ClientToolCall(_)
        | ItemKind::Widget(_)
        | ItemKind::GeneratedImage(_)
        | ItemKind::StructuredInput(_)
        | ItemKind::Workflow(_)
        | ItemKind::Task(_)
        | ItemKind::EndOfTurn
        | ItemKind::HiddenContext(_)
        | ItemKind::SdkHiddenContext(_) => None,
    }
}

/// The parts of a message; of any other item the members that are short, so that nothing large is stored twice.
fn report(item: &ThreadItem) -> Result<String, StoreError> {
    let Value::Object(mut members) =
        serde_json::to_value(item).map_err(|error| StoreError::Unreadable(error.to_string()))?
    else {
        return Ok("{}".to_owned());
    };
    let mut told = if role(item).is_some() {
        members.remove("content").unwrap_or(Value::Null)
    } else {
        members.retain(|name, value| is_short(value) && !matches!(&**name, "id" | "thread_id" | "type" | "created_at"));
        Value::Object(members)
    };
    strip(&mut told);
    json(&told)
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= REPORT_STRING_BYTES_MAX,
        Value::Array(_) | Value::Object(_) => false,
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|char| char != '\0'),
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(members) => {
            if members.keys().any(|name| name.contains('\0')) {
                *members =
                    std::mem::take(members).into_iter().map(|(name, value)| (without_nul(&name), value)).collect();
            }
            members.values_mut().for_each(strip);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text without the one character that Postgres does not keep.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
