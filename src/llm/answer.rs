//! One answer on the OpenAI wire, from its bytes to chunks: what its events amount to, and how it ends.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::timeout;

use super::discreet::STOPPED;
use super::errors::Complaint;
use super::openai_wire::{Choice, Event};
use super::sse::{self, Body, EventBody, Opening};
use super::thoughts::Thoughts;
use super::tool_calls::Assembly;
use super::{Chunk, LlmError, ModelName, Usage};
use crate::identity::Ids;

/// A whole answer that was not streamed.
const WHOLE_BODY_BYTES_MAX: usize = 4 << 20;

/// A provider's name for a model or a reason is kept so far.
const NAME_CHARS_MAX: usize = 100;

/// A provider that keeps a finished answer open longer than this loses the connection.
const LEAVING_WAIT_MAX: Duration = Duration::from_millis(50);

/// An answer that is being read.
pub(super) struct Answer {
    source: Source,
    heard: Heard,
}

enum Source {
    Events(EventBody),
    /// A body that was one JSON document.
    Whole(String),
    /// Everything was said, but the connection is of use again only when its end was read.
    Leaving(EventBody),
    Ended,
}

impl Answer {
    /// Looks at how the body begins, since content types lie. `asked` is the model as it was asked for.
    pub(super) async fn open(
        mut body: Body,
        text_bytes_max: usize,
        asked: ModelName,
        ids: Ids,
        key: Option<&str>,
    ) -> Result<Self, LlmError> {
        let source = match sse::opening(&mut body).await? {
            Opening::Page => return Err(LlmError::Garbled("a page for people".into())),
            Opening::Json(start) => {
                let whole = body.rest(start, WHOLE_BODY_BYTES_MAX).await?;
                Source::Whole(String::from_utf8_lossy(&whole).into_owned())
            }
            Opening::Events(start) => Source::Events(EventBody::new(&start, body)),
        };
        let key = key.map(str::to_owned);
        Ok(Self { source, heard: Heard { text_bytes_max, ids, key, ..Heard::new(asked) } })
    }

    /// The next chunk; after an error and after the end there is none.
    pub(super) async fn next(&mut self) -> Option<Result<Chunk, LlmError>> {
        loop {
            if let Some(chunk) = self.heard.ready.pop_front() {
                return Some(Ok(chunk));
            }
            if let Some(error) = self.heard.failed.take() {
                self.source = Source::Ended;
                return Some(Err(error));
            }
            match std::mem::replace(&mut self.source, Source::Ended) {
                Source::Ended => return None,
                Source::Leaving(mut events) => {
                    let end = async { while let Ok(true) = events.more().await {} };
                    let _ = timeout(LEAVING_WAIT_MAX, end).await;
                }
                Source::Whole(json) => {
                    let how = self.heard.hear_whole(&json).and_then(|()| match self.heard.has_choice {
                        true => Ok(()),
                        false => Err(LlmError::Garbled("neither an answer nor an error".into())),
                    });
                    self.heard.end(how);
                }
                Source::Events(mut events) => match self.heard.hear_arrived(&mut events).await {
                    None => self.source = Source::Events(events),
                    Some(how) => {
                        if how.is_ok() {
                            self.source = Source::Leaving(events);
                        }
                        self.heard.end(how);
                    }
                },
            }
        }
    }
}

/// What the events so far amount to.
struct Heard {
    ready: VecDeque<Chunk>,
    failed: Option<LlmError>,
    calls: Assembly,
    thoughts: Thoughts,
    usage: Option<Usage>,
    /// Under which name the model was asked.
    asked: ModelName,
    /// The model's name was told.
    introduced: bool,
    text_bytes: usize,
    text_bytes_max: usize,
    /// Some reason to finish was given; some give one with every event.
    finished: bool,
    has_choice: bool,
    /// The last event with a choice gave a reason to finish and brought nothing else.
    closed: bool,
    reason: String,
    ids: Ids,
    /// Never told, not even by an error that quotes it.
    key: Option<String>,
}

impl Heard {
    fn new(asked: ModelName) -> Self {
        Self {
            ready: VecDeque::new(),
            failed: None,
            calls: Assembly::default(),
            thoughts: Thoughts::default(),
            usage: None,
            asked,
            introduced: false,
            text_bytes: 0,
            text_bytes_max: usize::MAX,
            finished: false,
            has_choice: false,
            closed: false,
            reason: String::new(),
            ids: Ids::random(),
            key: None,
        }
    }

    /// Hears all events that have arrived, then waits for more; gives back how the answer ended, if it did.
    async fn hear_arrived(&mut self, events: &mut EventBody) -> Option<Result<(), LlmError>> {
        while let Some(payload) = events.next_arrived() {
            let heard = match payload {
                Ok(payload) if payload.trim() == "[DONE]" => return Some(Ok(())),
                Ok(payload) => self.hear_json(payload),
                Err(error) => Err(error),
            };
            match heard {
                Ok(()) => {}
                // Where nothing follows, it is the front half of an event.
                Err(LlmError::Garbled(_)) if events.is_over().await => return Some(Err(LlmError::Cut)),
                Err(error) => return Some(Err(error)),
            }
        }
        if !self.ready.is_empty() {
            return None;
        }
        match events.more().await {
            Ok(true) => None,
            Ok(false) if self.finished => Some(Ok(())),
            Ok(false) => Some(Err(LlmError::Cut)),
            Err(LlmError::Cut) if self.closed => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    }

    /// One document, or several: some servers send the events of a stream as lines, without the framing.
    fn hear_whole(&mut self, json: &str) -> Result<(), LlmError> {
        let mut documents = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
        let mut read = 0;
        while let Some(Ok(document)) = documents.next() {
            self.hear_json(document.get())?;
            read = documents.byte_offset();
        }
        match json[read..].trim() {
            "" => Ok(()),
            rest => self.hear_json(rest),
        }
    }

    fn hear_json(&mut self, json: &str) -> Result<(), LlmError> {
        let complaint = |needs_certainty: bool| {
            let complaint = Complaint::read(json).filter(|complaint| !needs_certainty || complaint.is_certain());
            complaint.map(|complaint| complaint.into_error(self.key.as_deref()))
        };
        let Ok(event) = serde_json::from_str::<Event<'_>>(json) else {
            return Err(complaint(false).unwrap_or_else(|| LlmError::Garbled("an event that is not JSON".into())));
        };
        let says_nothing = event.choices.is_none() && event.usage.is_none();
        if (event.error.is_some() || says_nothing)
            && let Some(error) = complaint(event.error.is_none())
        {
            return Err(error);
        }
        self.hear(event)
    }

    fn hear(&mut self, event: Event<'_>) -> Result<(), LlmError> {
        if !event.model.0.is_empty() {
            self.introduce(Some(&event.model.0));
        }
        if let Some(usage) = event.usage {
            self.usage = Some(usage.into());
        }
        for choice in event.choices.into_iter().flatten() {
            if choice.index.is_none_or(|index| index.0 == 0) {
                self.hear_choice(choice)?;
            }
        }
        Ok(())
    }

    fn hear_choice(&mut self, choice: Choice<'_>) -> Result<(), LlmError> {
        self.has_choice = true;
        let mut brought = false;
        if let Some(delta) = choice.delta.or(choice.message) {
            for text in [delta.content.0, delta.refusal.0] {
                if !text.is_empty() {
                    brought = true;
                    let said = self.thoughts.without(text);
                    self.hear_text(said)?;
                }
            }
            if let Some(pieces) = delta.tool_calls {
                self.calls.add(pieces.get())?;
            }
        }
        let reason = choice.finish_reason.0;
        if !reason.is_empty() {
            self.finished = true;
            self.reason = reason.into_owned();
        }
        self.closed = !brought && !self.reason.is_empty();
        Ok(())
    }

    /// Says once who answers; a provider that gives no name before it counts answers under the one it was asked by.
    fn introduce(&mut self, told: Option<&str>) {
        if !self.introduced {
            self.introduced = true;
            let model = told.map_or_else(|| self.asked.model.clone(), shortened);
            self.ready.push_back(Chunk::Model(ModelName { model, ..self.asked.clone() }));
        }
    }

    /// Text that arrived together is told together.
    fn hear_text(&mut self, text: Cow<'_, str>) -> Result<(), LlmError> {
        if text.is_empty() {
            return Ok(());
        }
        self.introduce(None);
        self.text_bytes += text.len();
        if self.text_bytes > self.text_bytes_max {
            return Err(LlmError::Garbled(format!("an answer of more than {} bytes", self.text_bytes_max)));
        }
        match self.ready.back_mut() {
            Some(Chunk::Text(told)) => told.push_str(&text),
            _ => self.ready.push_back(Chunk::Text(text.into_owned())),
        }
        Ok(())
    }

    /// The last chunks, and the error if there is one: what was spent is told in both cases.
    fn end(&mut self, how: Result<(), LlmError>) {
        if how.is_ok() || self.usage.is_some() || !self.calls.is_empty() {
            self.introduce(None);
        }
        let how = how.and_then(|()| self.conclude());
        self.ready.extend(self.usage.take().map(Chunk::Usage));
        self.failed = how.err();
    }

    fn conclude(&mut self) -> Result<(), LlmError> {
        let held_back = self.thoughts.end();
        self.hear_text(held_back.into())?;
        let calls = std::mem::take(&mut self.calls);
        if !calls.is_empty() {
            self.ready.push_back(Chunk::ToolCalls(calls.finish(&self.ids, &self.asked)?));
        } else if self.text_bytes == 0 {
            // An answer of nothing is in order only when the model had nothing to say.
            let reason = self.reason.to_lowercase();
            // `function_call_filter: MALFORMED_FUNCTION_CALL` is an accident, and no filter's doing.
            if reason.contains("malformed") || reason.contains("error") {
                return Err(LlmError::Garbled(format!("{STOPPED}`{}`", shortened(&self.reason))));
            }
            if ["filter", "safety", "prohibited", "blocklist", "recitation"].iter().any(|word| reason.contains(word)) {
                return Err(LlmError::Filtered(format!("{STOPPED}`{}`", shortened(&self.reason))));
            }
        }
        Ok(())
    }
}

/// What a provider calls a reason or a model, as far as that is kept.
fn shortened(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_arrived_together_is_told_together() {
        let mut heard = Heard::new(ModelName { provider: "gemini".into(), model: "m".into() });
        for text in ["Robots", " sense"] {
            heard.hear_json(&format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#)).unwrap();
        }
        assert!(
            matches!(heard.ready.make_contiguous(), [Chunk::Model(_), Chunk::Text(text)] if text == "Robots sense")
        );
    }
}
