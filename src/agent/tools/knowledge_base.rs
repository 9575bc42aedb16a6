//! `query_knowledge_base`: looks for passages of the book.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatkit_protocol::ItemKind;
use serde::Deserialize;
use serde_json::json;

use super::{Tool, ToolOutput};
use crate::chat::Turn;
use crate::knowledge::{KnowledgeBase, Search};
use crate::llm::ToolSpec;
use crate::llm::passages::KNOWLEDGE_TOOL;

/// A query is cut after so many bytes.
const QUERY_BYTES_MAX: usize = 2_000;
/// So many earlier questions of the reader help to understand a short one.
const EARLIER_QUESTIONS_MAX: usize = 3;
/// A search may take so long.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(10);

/// The tool over a knowledge base.
pub struct QueryKnowledgeBase {
    knowledge: Arc<dyn KnowledgeBase>,
    passages: usize,
}

#[derive(Deserialize)]
struct Arguments {
    query: String,
}

impl QueryKnowledgeBase {
    /// Brings at most `passages` passages per search.
    pub fn new(knowledge: Arc<dyn KnowledgeBase>, passages: usize) -> Self {
        Self { knowledge, passages }
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
        let query = &query[..query.floor_char_boundary(QUERY_BYTES_MAX)];
        let earlier = earlier_questions(turn);
        let search = Search { query, earlier: &earlier, limit: self.passages, strict: false };
        match tokio::time::timeout(SEARCH_TIME_MAX, self.knowledge.search(&search)).await {
            Ok(Ok(found)) if found.is_empty() => ToolOutput::note("The book has nothing about this."),
            Ok(Ok(passages)) => ToolOutput { passages, note: None },
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "The knowledge base could not be searched");
                ToolOutput::note("The book cannot be searched at the moment. Say so to the reader.")
            }
            Err(_) => {
                tracing::error!("A search took longer than {} s", SEARCH_TIME_MAX.as_secs());
                ToolOutput::note("The book cannot be searched at the moment. Say so to the reader.")
            }
        }
    }
}

/// What the reader asked before the present question, oldest first.
fn earlier_questions(turn: &Turn) -> Vec<String> {
    let messages = turn.history.iter().filter_map(|item| match &item.kind {
        ItemKind::UserMessage(message) => Some(message.text()),
        _ => None,
    });
    let mut earlier: Vec<String> = messages.collect();
    earlier.pop();
    earlier.split_off(earlier.len().saturating_sub(EARLIER_QUESTIONS_MAX))
}
