//! A model that does not give up at once: asks again what may pass, then asks the next model of a list.
//!
//! Both only until something was shown; after that the reader keeps what was written. What a failure is worth is in
//! `patience.rs`, how an endpoint that keeps failing is left alone in `breaker.rs`, how a model is told what another
//! began in `retold.rs`.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::breaker::{Breaker, Permit};
use super::patience::{self, Rest};
use super::retold::{Listener, retold};
use super::{ChatModel, Chunk, ChunkStream, LlmError, Message, ModelName, Prompt};
use crate::metrics::Metrics;

/// After a second model, no further one is asked so long after the first one was.
const SWITCHING_TIME_MAX: Duration = Duration::from_secs(90);

/// One of the models that may answer.
pub struct Candidate {
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Where it is: models at one place are left alone together when the place fails.
    pub place: String,
}

/// Answers with the first model of a list that can.
///
/// A failure that may pass is met with the same model again, a little later; what remains, with the next model. The
/// stream comes when there is something to show: its first chunks are [`Chunk::Model`], with the name of the model that
/// really answers, and the first text or the calls. An error in its place means that all models failed, and is the one
/// with the best prospect for the reader.
pub struct Resilient {
    models: Vec<Member>,
    metrics: Metrics,
}

struct Member {
    model: Arc<dyn ChatModel>,
    name: ModelName,
    breaker: Arc<Breaker>,
    rest: Mutex<Option<Rest>>,
}

impl std::fmt::Debug for Resilient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.models.iter().map(|member| &member.name)).finish()
    }
}

impl Resilient {
    /// Asks `first`, and then those of `others` in their order; each attempt is counted.
    pub fn new(first: Candidate, others: impl IntoIterator<Item = Candidate>, metrics: Metrics) -> Self {
        let mut places: Vec<(String, Arc<Breaker>)> = Vec::new();
        let models = std::iter::once(first).chain(others).map(|Candidate { model, place }| {
            let known = places.iter().find(|(known, _)| *known == place).map(|(_, breaker)| Arc::clone(breaker));
            let breaker = known.unwrap_or_else(Breaker::new);
            places.push((place, Arc::clone(&breaker)));
            Member { name: model.name(), model, breaker, rest: Mutex::default() }
        });
        Self { models: models.collect(), metrics }
    }

    /// The models in the order in which this prompt is put to them: whoever began with tools in this turn goes first.
    fn order(&self, prompt: &Prompt) -> impl Iterator<Item = &Member> {
        let began = prompt.messages.iter().rev().map_while(|message| match message {
            Message::User { .. } | Message::System(_) => None,
            Message::Assistant { tool_calls, .. } => Some(tool_calls.first().and_then(|call| call.made_by.as_ref())),
            Message::Tool { .. } => Some(None),
        });
        let began = began.flatten().next();
        let at = self.models.iter().position(|member| Some(&member.name) == began).unwrap_or_default();
        let rest = self.models.iter().enumerate().filter(move |(place, _)| *place != at);
        self.models.get(at).into_iter().chain(rest.map(|(_, member)| member))
    }

    /// Asks one model, and asks again as long as that may help.
    async fn ask(&self, member: &Member, prompt: &Prompt, began: Instant) -> Result<ChunkStream, LlmError> {
        let alone = self.models.len() == 1;
        let listener =
            Listener { name: &member.name, sees: member.model.sees(), takes_over: member.model.takes_over() };
        let prompt = retold(prompt, listener);
        let mut failed: Option<LlmError> = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let permit = match member.breaker.admit(Instant::now()) {
                Ok(permit) => permit,
                Err(left) => return Err(failed.unwrap_or(LlmError::Resting(left))),
            };
            let begun = begin(&*member.model, prompt.clone().into_owned()).await;
            let ModelName { provider, model } = &member.name;
            self.metrics.model_asked(provider, model, begun.as_ref().map_or_else(outcome, |_| "answered"));
            let error = match begun {
                Ok(chunks) => {
                    permit.answered();
                    return Ok(chunks);
                }
                Err(error) => error,
            };
            member.judge(permit, &error);
            let Some(wait) = patience::pause(&error, attempt, began.elapsed(), alone) else {
                member.leave_alone(&error, alone);
                return Err(error);
            };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                llm.provider = member.name.provider,
                llm.model = member.name.model,
                llm.attempt = attempt,
                wait_ms,
                error = &error as &dyn Error,
                "The model failed before it said anything; it is asked again"
            );
            failed = Some(error);
            sleep(wait).await;
        }
    }
}

impl Member {
    /// Tells the breaker whether the endpoint was there, which is not to say that it answered.
    fn judge(&self, permit: Permit, error: &LlmError) {
        if !patience::is_of_the_place(error) {
            return permit.answered();
        }
        if let Some(rest) = permit.failed(Instant::now()) {
            tracing::warn!(
                llm.provider = self.name.provider,
                llm.model = self.name.model,
                rest_s = rest.as_secs(),
                "The model's provider failed several times in a row and is left alone for a while"
            );
        }
    }

    /// Another model answers sooner than one that said itself when it can; alone, each question may try.
    fn leave_alone(&self, error: &LlmError, alone: bool) {
        if !alone && let Some(rest) = Rest::after(error, Instant::now()) {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }

    /// What it would say if it were asked, while it is left alone.
    fn resting(&self) -> Option<LlmError> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.error(Instant::now())
    }
}

/// What came of a request that failed, for the counts.
fn outcome(error: &LlmError) -> &'static str {
    match error {
        LlmError::Busy { .. } => "busy",
        LlmError::QuotaExhausted { .. } | LlmError::NoQuota => "no_quota",
        LlmError::Unauthorized => "unauthorized",
        LlmError::NoModel(_) => "no_model",
        LlmError::Refused(_) => "refused",
        LlmError::Filtered(_) => "filtered",
        LlmError::ProviderFailed(_) => "failed",
        LlmError::Unreachable(_) => "unreachable",
        LlmError::Silent(_) => "silent",
        LlmError::Cut | LlmError::Garbled(_) | LlmError::Nothing => "broken",
        LlmError::Resting(_) => "resting",
    }
}

/// Waits for the first thing to show: an error before it is one that another attempt can still make good.
async fn begin(model: &dyn ChatModel, prompt: Prompt) -> Result<ChunkStream, LlmError> {
    let mut chunks = model.stream(prompt).await?;
    let mut ahead = Vec::with_capacity(2);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        let shows = matches!(chunk, Chunk::Text(_) | Chunk::ToolCalls(_));
        ahead.push(Ok(chunk));
        if shows {
            // Nothing is done with the chunks that follow: each costs one look at an iterator that has ended.
            return Ok(Box::pin(stream::iter(ahead).chain(chunks)));
        }
    }
    Err(LlmError::Nothing)
}

#[async_trait]
impl ChatModel for Resilient {
    async fn stream(&self, prompt: Prompt) -> Result<ChunkStream, LlmError> {
        let began = Instant::now();
        let mut failed: Option<LlmError> = None;
        for (place, member) in self.order(&prompt).enumerate() {
            if place > 1 && began.elapsed() >= SWITCHING_TIME_MAX {
                break;
            }
            let error = match member.resting() {
                Some(error) => error,
                None => match self.ask(member, &prompt, began).await {
                    Ok(chunks) => {
                        if failed.is_some() {
                            tracing::warn!(
                                llm.provider = member.name.provider,
                                llm.model = member.name.model,
                                "A model answers in the place of another"
                            );
                        }
                        return Ok(chunks);
                    }
                    // What one provider does not let pass is not taken to the next until one does.
                    Err(error @ LlmError::Filtered(_)) => return Err(error),
                    Err(error) => {
                        // Who has nobody to stand in for it is logged where the reader is told.
                        if self.models.len() > 1 {
                            tracing::warn!(
                                llm.provider = member.name.provider,
                                llm.model = member.name.model,
                                error = &error as &dyn Error,
                                "A model was given up for this question"
                            );
                        }
                        error
                    }
                },
            };
            failed = Some(patience::better(failed, error));
        }
        Err(failed.expect("there is always a first model, and it did not answer"))
    }

    fn name(&self) -> ModelName {
        self.models[0].name.clone()
    }

    fn fallbacks(&self) -> usize {
        self.models.len() - 1
    }

    /// As the first one does: another one that does not is told so.
    fn sees(&self) -> bool {
        self.models[0].model.sees()
    }
}
