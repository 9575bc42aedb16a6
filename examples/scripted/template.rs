//! Templates: strings that stand for something that is only known when a step runs.

use std::collections::HashMap;

use chatkit_gateway::chat::{Turn, TurnError};
use chatkit_gateway::protocol::Value;
use serde_json::json;

/// Threads of the corpus are shorter than this.
const ITEMS_MAX: u32 = 10_000;

/// What the strings of one run of a hook stand for.
pub struct Template {
    pub turn: Turn,
    /// Whether `$input` and `$options` have a message to speak of.
    named: HashMap<String, String>,
    /// The number of the current repetition.
    pub round: u64,
}

impl Template {
    pub fn new(turn: Turn) -> Self {
        Self { turn, named: HashMap::new(), round: 0 }
    }

    /// The same value with its strings filled in.
    pub async fn fill(&mut self, value: Value) -> Result<Value, TurnError> {
        // Looked up only when it is asked for, and as it is at that moment.
        let item_types = match mentions(&value, "$item_types") {
            true => self.item_types().await?,
            false => Value::Null,
        };
        Ok(self.filled(value, &item_types))
    }

    /// The id that a name stands for.
    pub fn id(&mut self, name: &str, kind: &str) -> String {
        let ids = &self.turn.ids;
        self.named.entry(name.to_owned()).or_insert_with(|| ids.mint(prefix(kind))).clone()
    }

    async fn item_types(&self) -> Result<Value, TurnError> {
        let items = self.turn.stored_items(ITEMS_MAX).await.map_err(|error| TurnError::Unexpected(Box::new(error)))?;
        Ok(items.iter().map(|item| item.kind.name()).collect())
    }

    fn filled(&mut self, value: Value, item_types: &Value) -> Value {
        match value {
            Value::String(text) if text.starts_with('$') => self.word(text, item_types),
            Value::Array(values) => values.into_iter().map(|value| self.filled(value, item_types)).collect(),
            Value::Object(members) => {
                let filled = members.into_iter().map(|(name, value)| (name, self.filled(value, item_types)));
                Value::Object(filled.collect())
            }
            plain => plain,
        }
    }

    fn word(&mut self, text: String, item_types: &Value) -> Value {
        if let Some((name, kind)) = text.strip_prefix("$id:").map(|rest| rest.split_once(':').unwrap_or((rest, ""))) {
            return self.id(name, kind).into();
        }
        if let Some(kind) = text.strip_prefix("$new:") {
            return self.turn.ids.mint(prefix(kind)).into();
        }
        let question = self.turn.question_item();
        match text.as_str() {
            "$thread" => self.turn.thread.id().as_str().into(),
            "$now" => json!(self.turn.clock.now()),
            "$n" => self.round.to_string().into(),
            "$input" => json!(question.map(|item| &item.id)),
            "$options" => json!(self.turn.question().map(|message| &message.inference_options)),
            "$sender" => json!(self.turn.sender_item().map(|item| &item.id)),
            "$metadata" => Value::Object(self.turn.thread.read().metadata),
            "$item_types" => item_types.clone(),
            _ => text.into(),
        }
    }
}

fn mentions(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => text == word,
        Value::Array(values) => values.iter().any(|value| mentions(value, word)),
        Value::Object(members) => members.values().any(|value| mentions(value, word)),
        _ => false,
    }
}

/// The prefix of ids of a kind.
fn prefix(kind: &str) -> &str {
    match kind {
        "thread" => "thr",
        "message" => "msg",
        "tool_call" => "tc",
        "task" => "tsk",
        "workflow" => "wf",
        "attachment" => "atc",
        "sdk_hidden_context" => "shcx",
        other => other,
    }
}
