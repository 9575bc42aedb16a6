//! What a request to the model costs: counted as the provider says or, when the answer broke off before it said, as
//! estimated. It is counted when the meter goes, so also when the turn is stopped.

use crate::chat::{Tokens, Turn};
use crate::llm::extractive::PROVIDER;
use crate::llm::{Message, ModelName, Prompt, Usage};

/// Bytes of text in one token, as near as an estimate for all languages and models can be.
const BYTES_PER_TOKEN: u64 = 4;

/// Counts one request.
pub(super) struct Meter<'a> {
    turn: &'a Turn,
    /// As the provider says.
    read: Option<Tokens>,
    is_free: bool,
    bytes: Tokens,
}

impl<'a> Meter<'a> {
    pub(super) fn new(turn: &'a Turn, model: &ModelName, prompt: &Prompt) -> Self {
        let input = prompt.messages.iter().map(bytes_of).sum();
        Self { turn, read: None, is_free: model.provider == PROVIDER, bytes: Tokens { input, output: 0 } }
    }

    /// Another model than the one that was asked for may answer, and be free where that is not.
    pub(super) fn answered_by(&mut self, model: &ModelName) {
        self.is_free = model.provider == PROVIDER;
    }

    /// Some text was written.
    pub(super) fn wrote(&mut self, text: &str) {
        self.bytes.output += text.len() as u64;
    }

    /// The provider says what it cost; the last word counts.
    pub(super) fn read(&mut self, spent: Usage) -> Tokens {
        let tokens = Tokens { input: spent.input_tokens.into(), output: spent.output_tokens.into() };
        self.read = Some(tokens);
        tokens
    }

    pub(super) fn log(&self, round: usize, tool_calls: usize) {
        let Tokens { input, output } = self.tokens();
        tracing::info!(
            round,
            tool_calls,
            tokens.input = input,
            tokens.output = output,
            tokens.estimated = self.read.is_none(),
            "The model finished a round"
        );
    }

    fn tokens(&self) -> Tokens {
        let estimated = || match self.is_free {
            true => Tokens::default(),
            false => Tokens {
                input: self.bytes.input.div_ceil(BYTES_PER_TOKEN),
                output: self.bytes.output.div_ceil(BYTES_PER_TOKEN),
            },
        };
        self.read.unwrap_or_else(estimated)
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.turn.spend(self.tokens());
    }
}

/// The text of a message; a picture costs what the provider says, and nobody else knows.
fn bytes_of(message: &Message) -> u64 {
    let bytes = match message {
        Message::System(text) => text.len(),
        Message::User { text, material, .. } => text.len() + material.iter().map(String::len).sum::<usize>(),
        Message::Assistant { text, tool_calls } => {
            text.len() + tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>()
        }
        Message::Tool { output, .. } => output.len(),
    };
    bytes as u64
}
