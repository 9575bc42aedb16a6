//! Scripts: the steps that a message asks for, played as events.

use std::time::Duration;

use async_stream::stream;
use chatkit_gateway::chat::{EventStream, Turn, TurnError};
use chatkit_gateway::protocol::{ItemId, ItemKind, ThreadRecord, UserContent, UserMessage, Value, Widget};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::template::Template;

/// The steps for a turn; `None` when the newest message is no script.
pub fn of(turn: &Turn) -> Option<Vec<Value>> {
    let (message, hook) = match turn.question() {
        Some(message) => (message, "respond"),
        None => (newest_message(turn)?, "after"),
    };
    let script: Value = serde_json::from_str(&text_of(message)).ok()?;
    script.is_object().then(|| steps(&script, hook))
}

/// The steps of one hook of a script; none when it has no list of that name.
pub fn steps(script: &Value, hook: &str) -> Vec<Value> {
    script.get(hook).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The answer to everything that is no script.
pub fn hello(turn: &Turn) -> EventStream {
    let hello = turn.done(ItemKind::message("Hi there!"));
    Box::pin(futures_util::stream::once(async { Ok(hello) }))
}

/// Reads a filled template; nulls of optional members count as absent.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, TurnError> {
    serde_json::from_value(value).map_err(|error| TurnError::Unexpected(Box::new(error)))
}

fn newest_message(turn: &Turn) -> Option<&UserMessage> {
    turn.history.iter().rev().find_map(|item| match &item.kind {
        ItemKind::UserMessage(message) => Some(message),
        _ => None,
    })
}

/// The text without its tags.
fn text_of(message: &UserMessage) -> String {
    let texts = message.content.iter().filter_map(|part| match part {
        UserContent::Text { text } => Some(text.as_str()),
        UserContent::Tag { .. } => None,
    });
    texts.collect()
}

/// One run of a hook.
pub struct Script {
    template: Template,
}

/// What a step that fails asks for.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Failure {
    Custom {
        message: String,
        #[serde(default)]
        allow_retry: bool,
    },
    Stream {
        allow_retry: Option<bool>,
    },
    Unexpected,
}

/// The script asked for it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AsAsked(String);

impl Script {
    pub fn new(turn: Turn) -> Self {
        Self { template: Template::new(turn) }
    }

    /// A value with its templates filled in.
    pub async fn fill(mut self, value: Value) -> Result<Value, TurnError> {
        self.template.fill(value).await
    }

    /// Plays the steps, one after the other.
    pub fn play(mut self, steps: Vec<Value>) -> EventStream {
        let mut blocks = vec![Block { steps, next: 0, round: 0, rounds: 1 }];
        Box::pin(stream! {
            while let Some(block) = blocks.last_mut() {
                let Some(step) = block.step() else {
                    if !block.again(&mut self.template) {
                        blocks.pop();
                    }
                    continue;
                };
                let (verb, argument) = match self.read_step(step).await {
                    Ok(step) => step,
                    Err(error) => { yield Err(error); return }
                };
                match verb {
                    Verb::Repeat(steps) => {
                        let rounds = argument.as_u64().unwrap_or(0);
                        if rounds > 0 {
                            self.template.round = 0;
                            blocks.push(Block { steps, next: 0, round: 0, rounds });
                        }
                    }
                    Verb::SleepMs => {
                        tokio::time::sleep(Duration::from_millis(argument.as_u64().unwrap_or(0))).await;
                    }
                    Verb::StreamWidget => {
                        let mut events = match self.widget(argument) {
                            Ok(events) => events,
                            Err(error) => { yield Err(error); return }
                        };
                        while let Some(event) = events.next().await {
                            yield event;
                        }
                    }
                    Verb::Emit => yield read(argument),
                    Verb::Fail => yield Err(failure(argument)),
                    Verb::Set(member) => {
                        if let Err(error) = self.set(&member, argument) {
                            yield Err(error);
                        }
                    }
                }
            }
        })
    }

    async fn read_step(&mut self, step: Value) -> Result<(Verb, Value), TurnError> {
        let Value::Object(mut members) = step else { return Err(unknown("a step that is no object")) };
        let steps = members.remove("steps");
        let Some((name, argument)) = members.into_iter().next() else { return Err(unknown("a step without a name")) };
        let verb = match name.as_str() {
            "emit" => Verb::Emit,
            "fail" => Verb::Fail,
            "sleep_ms" => Verb::SleepMs,
            "stream_widget" => Verb::StreamWidget,
            "repeat" => Verb::Repeat(steps.and_then(|steps| steps.as_array().cloned()).unwrap_or_default()),
            "set_title" | "set_status" | "set_metadata" | "set_allowed_image_domains" => Verb::Set(name),
            other => return Err(unknown(other)),
        };
        Ok((verb, self.template.fill(argument).await?))
    }

    fn set(&self, member: &str, value: Value) -> Result<(), TurnError> {
        let mut change: Box<dyn FnOnce(&mut ThreadRecord)> = Box::new(|_| {});
        match member {
            "set_title" => {
                let title = read(value)?;
                change = Box::new(|thread| thread.title = title);
            }
            "set_status" => {
                let status = read(value)?;
                change = Box::new(|thread| thread.status = status);
            }
            "set_metadata" => {
                let metadata = read(value)?;
                change = Box::new(|thread| thread.metadata = metadata);
            }
            "set_allowed_image_domains" => {
                let domains = read(value)?;
                change = Box::new(|thread| thread.allowed_image_domains = domains);
            }
            _ => {}
        }
        self.template.turn.thread.edit(change);
        Ok(())
    }

    fn widget(&mut self, argument: Value) -> Result<EventStream, TurnError> {
        let WidgetStates { name, copy_text, states } = read(argument)?;
        let id = self.template.id(&name, "message");
        let turn = &self.template.turn;
        Ok(turn.stream_widget(ItemId::from(id), copy_text, futures_util::stream::iter(states)))
    }
}

/// A list of steps that is being played.
struct Block {
    steps: Vec<Value>,
    next: usize,
    round: u64,
    rounds: u64,
}

impl Block {
    fn step(&mut self) -> Option<Value> {
        let step = self.steps.get(self.next).cloned();
        self.next += 1;
        step
    }

    /// Begins the next round, if there is one.
    fn again(&mut self, template: &mut Template) -> bool {
        self.round += 1;
        self.next = 0;
        if self.round < self.rounds {
            template.round = self.round;
        }
        self.round < self.rounds
    }
}

/// What a step does.
enum Verb {
    Emit,
    Fail,
    Set(String),
    SleepMs,
    Repeat(Vec<Value>),
    StreamWidget,
}

/// What `stream_widget` is given.
#[derive(Deserialize)]
struct WidgetStates {
    name: String,
    copy_text: Option<String>,
    states: Vec<Widget>,
}

fn failure(argument: Value) -> TurnError {
    match read(argument) {
        Ok(Failure::Custom { message, allow_retry }) => TurnError::Custom { message, allow_retry },
        Ok(Failure::Stream { allow_retry }) => TurnError::Stream { allow_retry: allow_retry.unwrap_or(true) },
        Ok(Failure::Unexpected) => TurnError::Unexpected(Box::new(AsAsked("the script asked to fail".to_owned()))),
        Err(error) => error,
    }
}

fn unknown(step: &str) -> TurnError {
    TurnError::Unexpected(Box::new(AsAsked(format!("there is no step `{step}`"))))
}
