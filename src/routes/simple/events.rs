//! The events of a turn, told in the simple dialect.

use std::pin::pin;

use async_stream::stream;
use chatkit_protocol::{Annotation, AssistantMessage, ItemId, ItemKind, ItemUpdate, SourceKind, ThreadEvent, ThreadId};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use utoipa::ToSchema;

use crate::chat::{self, Account, LetGo, Listening, RestedOn};
use crate::language::Language;

/// One event of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = SimpleEvent)]
pub(in crate::routes) enum Event {
    /// The first event: where the answer is written.
    Thread {
        /// The thread; to be brought along with the next message.
        #[schema(example = "thr_6f9619ff8b86d011b42d00c04fc964ff")]
        thread_id: String,
    },
    /// More of the answer.
    Content {
        /// The text to append, in Markdown.
        delta: String,
    },
    /// What the answer cites, once it is written; left out when it cites nothing.
    Sources {
        /// Each source once, in the order of the citations.
        sources: Vec<CitedSource>,
    },
    /// Why there is no answer, or no more of it.
    Error {
        /// A sentence for the reader.
        message: String,
        /// Whether the same again may help.
        allow_retry: bool,
    },
    /// The last event, whatever happened.
    Done {
        /// The last message of the answer, by which feedback names it; null where nothing was answered.
        message_id: Option<String>,
        /// What the answer cost.
        usage: Usage,
    },
}

/// A source that an answer cites.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::routes) struct CitedSource {
    /// What it is called.
    title: String,
    /// Where it is read; null where it is a file or something of the page.
    url: Option<String>,
    /// How well it fits the question, from 0 to 1; null where nobody measured.
    score: Option<f64>,
}

/// Tokens, as the model's provider counts them, or as estimated where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::routes) struct Usage {
    /// Tokens that the model read.
    input_tokens: u64,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// Both together.
    total_tokens: u64,
}

impl Event {
    /// Its JSON, on one line.
    pub(in crate::routes) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("events have text keys only")
    }
}

/// Tells a turn as it comes. `thread_id` is the thread that it runs in, if it does not begin one.
pub(in crate::routes) fn events(listening: Listening, thread_id: Option<ThreadId>) -> impl Stream<Item = Event> + Send {
    stream! {
        let account = listening.account();
        let mut telling = Telling::new(listening.language());
        if let Some(thread_id) = thread_id {
            yield Event::Thread { thread_id: thread_id.as_str().to_owned() };
        }
        let mut heard = pin!(chat::events(listening));
        while let Some(event) = heard.next().await {
            for told in telling.hear(event) {
                yield told;
            }
        }
        for told in telling.end(&account) {
            yield told;
        }
    }
}

/// What was told so far.
struct Telling {
    language: Language,
    /// The messages of the answer, each with its text as it was shown.
    shown: Vec<(ItemId, String)>,
    cited: Vec<Annotation>,
    failure: Option<(String, bool)>,
}

impl Telling {
    fn new(language: Language) -> Self {
        Self { language, shown: Vec::new(), cited: Vec::new(), failure: None }
    }

    /// What there is to tell of an event: progress, notices, and items that are no text, are not.
    fn hear(&mut self, event: Result<ThreadEvent, LetGo>) -> Vec<Event> {
        match event {
            Ok(ThreadEvent::ThreadCreated { thread }) => {
                return vec![Event::Thread { thread_id: thread.id.as_str().to_owned() }];
            }
            Ok(ThreadEvent::ItemUpdated { item_id, update: ItemUpdate::TextDelta { delta, .. } }) => {
                return self.show(&item_id, &delta);
            }
            Ok(ThreadEvent::ItemUpdated { item_id, update: ItemUpdate::ContentPartAdded { content, .. } }) => {
                self.cited.extend(content.annotations);
                return self.show(&item_id, &content.text);
            }
            Ok(ThreadEvent::ItemUpdated { update: ItemUpdate::AnnotationAdded { annotation, .. }, .. }) => {
                self.cited.push(*annotation);
            }
            Ok(ThreadEvent::ItemDone { item } | ThreadEvent::ItemAdded { item }) => {
                if let ItemKind::AssistantMessage(message) = item.kind {
                    return self.complete(&item.id, message);
                }
            }
            Ok(ThreadEvent::Error { message, allow_retry, .. }) => {
                let message = message.unwrap_or_else(|| self.language.say("answer-broken-off"));
                self.failure = Some((message, allow_retry));
            }
            Err(LetGo) => self.failure = Some((self.language.say("simple-let-go"), false)),
            Ok(
                ThreadEvent::ThreadUpdated { .. }
                | ThreadEvent::ItemUpdated { .. }
                | ThreadEvent::ItemRemoved { .. }
                | ThreadEvent::ItemReplaced { .. }
                | ThreadEvent::StreamOptions { .. }
                | ThreadEvent::ProgressUpdate { .. }
                | ThreadEvent::ClientEffect { .. }
                | ThreadEvent::Notice { .. },
            ) => {}
        }
        Vec::new()
    }

    /// More text of a message; a blank line stands between two messages.
    fn show(&mut self, item_id: &ItemId, text: &str) -> Vec<Event> {
        if text.is_empty() {
            return Vec::new();
        }
        let place = self.shown.iter().position(|(id, _)| id == item_id);
        let parts = self.shown.len();
        let delta = match place {
            None if parts > 0 => format!("\n\n{text}"),
            _ => text.to_owned(),
        };
        match place {
            Some(place) => self.shown[place].1.push_str(text),
            None => self.shown.push((item_id.clone(), text.to_owned())),
        }
        vec![Event::Content { delta }]
    }

    /// A whole message, of which the text may have been shown, or some of it.
    fn complete(&mut self, item_id: &ItemId, message: AssistantMessage) -> Vec<Event> {
        let text = message.text();
        let shown = self.shown.iter().find(|(id, _)| id == item_id).map_or("", |(_, shown)| shown);
        let rest = text.strip_prefix(shown).unwrap_or_default().to_owned();
        self.cited.extend(message.content.into_iter().flat_map(|part| part.annotations));
        self.show(item_id, &rest)
    }

    fn end(self, account: &Account) -> Vec<Event> {
        let known: Vec<RestedOn> =
            self.shown.iter().filter_map(|(id, _)| account.note(id)).flat_map(|note| RestedOn::all_of(&note)).collect();
        let sources = sources(&self.cited, &known);
        let spent = account.spent();
        let usage = Usage {
            input_tokens: spent.input,
            output_tokens: spent.output,
            total_tokens: spent.input.saturating_add(spent.output),
        };
        let message_id = self.shown.last().map(|(id, _)| id.as_str().to_owned());
        let sources = (!sources.is_empty()).then_some(Event::Sources { sources });
        let failure = self.failure.map(|(message, allow_retry)| Event::Error { message, allow_retry });
        sources.into_iter().chain(failure).chain([Event::Done { message_id, usage }]).collect()
    }
}

/// Each cited source once, with the best score of the passages at its address.
fn sources(cited: &[Annotation], known: &[RestedOn]) -> Vec<CitedSource> {
    let mut sources: Vec<CitedSource> = Vec::new();
    for Annotation { source, .. } in cited {
        let url = match &source.kind {
            SourceKind::Url { url, .. } => Some(url.clone()),
            SourceKind::File { .. } | SourceKind::Entity { .. } => None,
        };
        let scores = known.iter().filter(|passage| url.as_ref() == Some(&passage.url)).map(|passage| passage.score);
        let score = scores.reduce(f64::max);
        let told = CitedSource { title: source.title.clone(), url, score };
        if !sources.contains(&told) {
            sources.push(told);
        }
    }
    sources
}
