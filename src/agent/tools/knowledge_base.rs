//! `query_knowledge_base`: looks for passages of the book.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatkit_protocol::ItemKind;
use serde::Deserialize;
use serde_json::json;

use super::{Tool, ToolOutput};
use crate::chat::{RestsOn, Turn};
use crate::knowledge::{Found, KnowledgeBase, Search};
use crate::llm::ToolSpec;
use crate::llm::passages::{BOOK_AWAY, KNOWLEDGE_TOOL, NOTHING_FOUND};

/// A query is cut after so many bytes.
const QUERY_BYTES_MAX: usize = 2_000;
/// So many earlier questions of the reader help to understand a short one.
const EARLIER_QUESTIONS_MAX: usize = 3;
/// Where the book is all that an answer may rest on, so many passages are brought at least.
const PASSAGES_ALONE: usize = 5;
/// A search may take so long.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(10);

/// The tool over a knowledge base.
#[derive(Clone)]
pub struct QueryKnowledgeBase {
    knowledge: Arc<dyn KnowledgeBase>,
    passages: usize,
    strict: bool,
}

#[derive(Deserialize)]
struct Arguments {
    query: String,
}

impl QueryKnowledgeBase {
    /// Brings at most `passages` passages per search.
    pub fn new(knowledge: Arc<dyn KnowledgeBase>, passages: usize) -> Self {
        Self { knowledge, passages, strict: false }
    }

    /// The same, which rather brings nothing than something doubtful.
    #[must_use]
    pub fn strictly(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same, which brings so many passages.
    #[must_use]
    pub fn bringing(self, passages: usize) -> Self {
        Self { passages, ..self }
    }

    /// The same, as a turn needs it whose answer rests on the book alone because its door says so.
    pub(in crate::agent) fn for_turn(&self, turn: &Turn) -> Self {
        match turn.rests_on() {
            RestsOn::Knowledge => self.clone().strictly(true).bringing(self.passages.max(PASSAGES_ALONE)),
            RestsOn::Anything | RestsOn::SelectionAlone => self.clone(),
        }
    }

    /// The best passages on what was asked, with what was asked before in mind.
    pub(in crate::agent) async fn look_up(&self, query: &str, earlier: &[String]) -> Result<Vec<Found>, BookAway> {
        let query = &query[..query.floor_char_boundary(QUERY_BYTES_MAX)];
        let search = Search { query, earlier, limit: self.passages, strict: self.strict };
        match tokio::time::timeout(SEARCH_TIME_MAX, self.knowledge.search(&search)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "The knowledge base could not be searched");
                Err(BookAway)
            }
            Err(_) => {
                tracing::error!("A search took longer than {} s", SEARCH_TIME_MAX.as_secs());
                Err(BookAway)
            }
        }
    }
}

/// The book cannot be looked into at the moment; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) struct BookAway;

/// What the model is given of a search.
pub(in crate::agent) fn output(found: Result<Vec<Found>, BookAway>) -> ToolOutput {
    match found {
        Ok(found) if found.is_empty() => ToolOutput::note(NOTHING_FOUND),
        Ok(passages) => ToolOutput { passages, ..ToolOutput::default() },
        Err(BookAway) => ToolOutput { book_is_away: true, ..ToolOutput::note(BOOK_AWAY) },
    }
}

#[async_trait]
impl Tool for QueryKnowledgeBase {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: KNOWLEDGE_TOOL.to_owned(),
            description: "Searches the textbook. Use it before answering any question about the book's subject. \
                          Returns numbered passages to cite."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "What to look for, in full words, in the language of the book."}
                },
                "required": ["query"]
            }),
        }
    }

    async fn call(&self, arguments: &str, turn: &Turn) -> ToolOutput {
        let Ok(Arguments { query }) = serde_json::from_str(arguments) else {
            return ToolOutput::note(
                "The arguments must be a JSON object such as {\"query\": \"what a quaternion is\"}.",
            );
        };
        output(self.for_turn(turn).look_up(&query, &earlier_questions(turn)).await)
    }
}

/// What the reader asked before the present question, oldest first.
pub(in crate::agent) fn earlier_questions(turn: &Turn) -> Vec<String> {
    let messages = turn.history.iter().filter_map(|item| match &item.kind {
        ItemKind::UserMessage(message) => Some(message.text()),
        _ => None,
    });
    let mut earlier: Vec<String> = messages.collect();
    earlier.pop();
    earlier.split_off(earlier.len().saturating_sub(EARLIER_QUESTIONS_MAX))
}
