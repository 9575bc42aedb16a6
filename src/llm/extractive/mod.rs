//! The offline model: it searches the book as any model would, and answers with the best sentences of what was found.
//!
//! How passages fall into sentences is in `sentences.rs`; which of them answer a question, in `choose.rs`.

mod choose;
mod plain;
mod sentences;
mod small_talk;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use chatkit_protocol::JsonMap;
use futures_util::{StreamExt, stream};

use super::passages::{BOOK_AWAY, CitedPassage, KNOWLEDGE_TOOL, NOTHING_FOUND, ToolResult};
use super::{ChatModel, Chunk, ChunkStream, LlmError, Message, ModelName, Prompt, ToolCall, Usage};
use crate::identity::Ids;
use crate::language::Language;

pub use sentences::split as sentences_of;

/// What it is called in logs and notes.
pub(super) const PROVIDER: &str = "offline";

/// Whether a message asks nothing that a book could answer: a greeting, thanks, a farewell, nothing at all.
pub fn is_small_talk(message: &str) -> bool {
    small_talk::heard(message).is_some()
}

/// The longest search; a pasted page is cut to this.
const QUERY_CHARS_MAX: usize = 500;

/// Passages that are read for one answer.
const PASSAGES_MAX: usize = 24;

/// Characters that are read of one passage.
const PASSAGE_CHARS_MAX: usize = 20_000;

/// Answers with sentences of the passages that the tool `query_knowledge_base` finds, each with its mark such as `[1]`.
///
/// It takes part in the agent's loop like any other model: it calls the tool when it is offered and was not called
/// since the reader's last message, and otherwise reads the results. A text that is to be answered from without a
/// search can be given as the result of such a call.
#[derive(Clone, Debug)]
pub struct Extractive {
    pace: Duration,
    ids: Ids,
}

impl Extractive {
    /// A word comes every `pace`; all at once when that is zero.
    pub fn new(pace: Duration, ids: Ids) -> Self {
        Self { pace, ids }
    }

    fn answer(&self, prompt: &Prompt) -> Answer {
        let asked = prompt.messages.iter().rposition(|message| matches!(message, Message::User { .. }));
        let question = asked.and_then(|at| user_text(&prompt.messages[at])).unwrap_or_default();
        let results = tool_outputs(&prompt.messages[asked.map_or(0, |at| at + 1)..]);
        if !results.is_empty() {
            return Answer::Words(from_results(question, &results, prompt.language));
        }
        if let Some(courtesy) = small_talk::heard(question) {
            return Answer::Words(courtesy.reply(prompt.language));
        }
        if prompt.tools.iter().any(|tool| tool.name == KNOWLEDGE_TOOL) {
            return Answer::Search(self.search(question));
        }
        Answer::Words(prompt.language.say("offline-nothing-found"))
    }

    fn search(&self, question: &str) -> ToolCall {
        let query: String = question.trim().chars().take(QUERY_CHARS_MAX).collect();
        ToolCall {
            id: self.ids.mint("call"),
            name: KNOWLEDGE_TOOL.to_owned(),
            arguments: serde_json::json!({ "query": query }).to_string(),
            extra: JsonMap::new(),
            made_by: Some(name()),
        }
    }
}

enum Answer {
    Search(ToolCall),
    Words(String),
}

#[async_trait]
impl ChatModel for Extractive {
    async fn stream(&self, prompt: Prompt) -> Result<ChunkStream, LlmError> {
        // It costs nothing, which nobody has to guess.
        let introduction = [Chunk::Model(name()), Chunk::Usage(Usage::default())];
        let chunks: Vec<Chunk> = match self.answer(&prompt) {
            Answer::Search(call) => introduction.into_iter().chain([Chunk::ToolCalls(vec![call])]).collect(),
            Answer::Words(text) => {
                let words = text.split_inclusive(char::is_whitespace).map(|word| Chunk::Text(word.to_owned()));
                introduction.into_iter().chain(words).collect()
            }
        };
        let pace = self.pace;
        Ok(Box::pin(stream::iter(chunks).then(move |chunk| async move {
            if !pace.is_zero() && matches!(chunk, Chunk::Text(_)) {
                tokio::time::sleep(pace).await;
            }
            Ok(chunk)
        })))
    }

    fn name(&self) -> ModelName {
        name()
    }

    fn takes_over(&self) -> bool {
        true
    }
}

fn name() -> ModelName {
    ModelName { provider: PROVIDER.into(), model: "extractive".into() }
}

fn user_text(message: &Message) -> Option<&str> {
    match message {
        Message::User { text, .. } => Some(text),
        Message::System(_) | Message::Assistant { .. } | Message::Tool { .. } => None,
    }
}

fn tool_outputs(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(tool_output).collect()
}

fn tool_output(message: &Message) -> Option<&str> {
    match message {
        Message::Tool { name, output, .. } => (name == KNOWLEDGE_TOOL).then_some(output),
        Message::System(_) | Message::User { .. } | Message::Assistant { .. } => None,
    }
}

fn from_results(question: &str, outputs: &[&str], language: Language) -> String {
    let results: Vec<ToolResult> = outputs.iter().filter_map(|output| ToolResult::parse(output)).collect();
    if results.is_empty() {
        return language.say("offline-cannot-search");
    }
    let mut passages: Vec<&CitedPassage> = Vec::new();
    for passage in results.iter().flat_map(|result| &result.passages) {
        if !passages.iter().any(|known| known.number == passage.number) && passages.len() < PASSAGES_MAX {
            passages.push(passage);
        }
    }
    let answer = choose::answer(question, &passages);
    if !answer.is_empty() {
        return answer;
    }
    match results.iter().find_map(|result| result.note.as_deref()).filter(|note| !note.trim().is_empty()) {
        None => language.say("offline-nothing-found"),
        Some(NOTHING_FOUND) => language.say("search-nothing"),
        Some(BOOK_AWAY) => language.say("search-away"),
        // It comes from a tool of somebody else's.
        Some(note) => note.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::ToolSpec;

    const SENSORS: &str = "## Sensors\n\nA sensor is a device that turns a physical quantity into a signal. It tells a robot \
        what is around it. Cameras, lidars and encoders are common sensors.\n\n| kind | price |\n|---|---|\n| lidar | 100 |\n\n\
        To read a sensor in Python, ask its driver:\n\n```python\nvalue = sensor.read()\n```\n";
    const MOTORS: &str = "Motors turn current into movement. Dr. Ada built the first one in 1834, see [history](./h.md). \
        What drives a wheel? A gear, e.g. a worm gear, slows a motor down.";

    fn passages() -> String {
        let passage = |number, title: &str, text: &str| CitedPassage {
            number,
            title: title.into(),
            text: text.into(),
            ..CitedPassage::default()
        };
        ToolResult { passages: vec![passage(1, "Sensors", SENSORS), passage(2, "Motors", MOTORS)], note: None }
            .to_json()
    }

    fn tool() -> ToolSpec {
        ToolSpec { name: KNOWLEDGE_TOOL.into(), description: String::new(), parameters: serde_json::json!({}) }
    }

    async fn hear(messages: Vec<Message>) -> Vec<Chunk> {
        let model = Extractive::new(Duration::ZERO, Ids::counting());
        let prompt = Prompt { messages, tools: vec![tool()], ..Prompt::default() };
        model.stream(prompt).await.unwrap().map(Result::unwrap).collect().await
    }

    async fn answer(question: &str, output: &str) -> String {
        let result = Message::Tool { call_id: "c".into(), name: KNOWLEDGE_TOOL.into(), output: output.into() };
        let chunks = hear(vec![Message::user(question), result]).await;
        let text = |chunk: &Chunk| if let Chunk::Text(text) = chunk { Some(text.clone()) } else { None };
        chunks.iter().filter_map(text).collect()
    }

    #[tokio::test]
    async fn a_question_is_searched_for_first() {
        let earlier = [
            Message::user("What is a motor?"),
            Message::Tool { call_id: "c".into(), name: KNOWLEDGE_TOOL.into(), output: passages() },
            Message::Assistant { text: "Motors turn.".into(), tool_calls: vec![] },
        ];
        let messages = earlier.into_iter().chain([Message::user(" What is a \"sensor\"? ")]).collect();
        let call = ToolCall {
            id: "call_1".into(),
            name: KNOWLEDGE_TOOL.into(),
            arguments: r#"{"query":"What is a \"sensor\"?"}"#.into(),
            extra: JsonMap::new(),
            made_by: Some(name()),
        };
        let expected = [Chunk::Model(name()), Chunk::Usage(Usage::default()), Chunk::ToolCalls(vec![call])];
        assert_eq!(hear(messages).await, expected);
    }

    #[tokio::test]
    async fn the_definition_comes_with_what_belongs_to_it() {
        expect_test::expect!["A sensor is a device that turns a physical quantity into a signal. [1] Cameras, lidars and encoders are common sensors. [1]"]
            .assert_eq(&answer("What is a sensor?", &passages()).await);
    }

    #[tokio::test]
    async fn sentences_keep_their_abbreviations_and_lose_their_links() {
        expect_test::expect![
            "Motors turn current into movement. [2] Dr. Ada built the first one in 1834, see history. [2]"
        ]
        .assert_eq(&answer("Who built motors first, and how do they turn current?", &passages()).await);
    }

    #[tokio::test]
    async fn code_is_quoted_whole_when_it_is_asked_for() {
        let told = answer("Show me Python code to read a sensor", &passages()).await;
        assert!(told.contains("ask its driver: [1]\n\n```python\nvalue = sensor.read()\n```"), "{told}");
        assert!(!answer("What is a sensor?", &passages()).await.contains("```"));
    }

    #[tokio::test]
    async fn nothing_found_is_said_plainly() {
        let nothing = ToolResult::default();
        assert_eq!(answer("Cooking?", &nothing.to_json()).await, "The book has nothing on this.");
        for note in ["Only chapter 1 is open.", NOTHING_FOUND, BOOK_AWAY] {
            let noted = ToolResult { note: Some(note.into()), ..nothing.clone() };
            assert_eq!(answer("Cooking?", &noted.to_json()).await, note);
        }
        let away = "The book cannot be searched just now. Please ask again in a moment.";
        assert_eq!(answer("Cooking?", "error: away").await, away);
    }

    #[tokio::test]
    async fn its_own_sentences_are_in_the_readers_language_and_those_of_the_book_are_not() {
        let urdu = Language::of_tag("ur").unwrap();
        let from = |result: ToolResult| from_results("What is a sensor?", &[&result.to_json()], urdu);
        let noted = |note: &str| from(ToolResult { note: Some(note.into()), ..ToolResult::default() });
        assert_eq!(noted(NOTHING_FOUND), "کتاب میں اس کے بارے میں کچھ نہیں ہے۔");
        assert_eq!(noted(BOOK_AWAY), "کتاب اس وقت دیکھی نہیں جا سکی۔");
        assert_eq!(from(ToolResult::default()), "کتاب میں اس بارے میں کچھ نہیں ہے۔");
        let found = from_results("What is a sensor?", &[&passages()], urdu);
        assert!(found.starts_with("A sensor is a device"), "{found}");
    }

    #[tokio::test]
    async fn what_was_found_by_meaning_alone_is_quoted_from_its_beginning() {
        let told = answer("روبوٹ کیسے دیکھتا ہے؟", &passages()).await;
        assert!(told.starts_with("A sensor is a device"), "{told}");
    }

    #[tokio::test]
    async fn a_greeting_needs_no_book_and_comes_word_by_word() {
        let chunks = hear(vec![Message::user("hello")]).await;
        assert_eq!(chunks[2], Chunk::Text("Hello! ".into()));
        assert_eq!(chunks[3], Chunk::Text("Ask ".into()));
    }

    #[tokio::test]
    async fn words_come_no_faster_than_the_given_pace() {
        let pace = Duration::from_millis(1);
        let model = Extractive::new(pace, Ids::counting());
        let messages = vec![Message::user("hello")];
        let begun = tokio::time::Instant::now();
        let words = model.stream(Prompt { messages, ..Prompt::default() }).await.unwrap().count().await - 1;
        assert!(begun.elapsed() >= pace * u32::try_from(words).unwrap());
    }
}
