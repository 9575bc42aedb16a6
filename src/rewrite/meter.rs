//! What rewriting a text costs: as the provider says or, where an answer broke off before it said, as estimated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::llm::{Message, Prompt, Usage};

/// Bytes of text in one token, as near as an estimate for all languages and models can be.
const BYTES_PER_TOKEN: u64 = 4;

/// Tokens that all requests of a rewriting cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Counts what a rewriting costs. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    input: AtomicU64,
    output: AtomicU64,
}

impl Meter {
    /// What was spent so far, also by answers that broke off or were thrown away.
    pub fn spent(&self) -> Spent {
        Spent {
            input_tokens: self.0.input.load(Ordering::Acquire),
            output_tokens: self.0.output.load(Ordering::Acquire),
        }
    }

    /// Begins to count one request.
    pub(super) fn request(&self, prompt: &Prompt) -> Request {
        let input_bytes = prompt.messages.iter().map(bytes_of).sum();
        Request { meter: self.clone(), told: None, input_bytes, output_bytes: 0 }
    }
}

/// One request, which is counted when this goes.
pub(super) struct Request {
    meter: Meter,
    told: Option<Usage>,
    input_bytes: u64,
    output_bytes: u64,
}

impl Request {
    pub(super) fn wrote(&mut self, text: &str) {
        self.output_bytes += text.len() as u64;
    }

    pub(super) fn told(&mut self, usage: Usage) {
        self.told = Some(usage);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let told = self.told.map(|usage| (usage.input_tokens.into(), usage.output_tokens.into()));
        let estimated = || (self.input_bytes.div_ceil(BYTES_PER_TOKEN), self.output_bytes.div_ceil(BYTES_PER_TOKEN));
        let (input, output) = told.unwrap_or_else(estimated);
        self.meter.0.input.fetch_add(input, Ordering::AcqRel);
        self.meter.0.output.fetch_add(output, Ordering::AcqRel);
    }
}

fn bytes_of(message: &Message) -> u64 {
    match message {
        Message::System(text) | Message::User { text, .. } | Message::Assistant { text, .. } => text.len() as u64,
        Message::Tool { output, .. } => output.len() as u64,
    }
}
