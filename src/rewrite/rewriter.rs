//! Writes a text anew, section by section: a few sections are written ahead, and each is handed out when it was checked.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::cut::{self, Section};
use super::meter::Meter;
use super::scan::{Page, scan};
use super::shield::{Damage, Shielded};
use super::{RewriteError, Rewriting, Task, prompt};
use crate::llm::{ChatModel, Chunk, LlmError};

/// Sections of one text that a model writes at the same time.
const SECTIONS_TOGETHER_MAX: usize = 4;

/// How often a section is asked for: a damaged answer, and one that broke off, are asked for once more.
const ATTEMPTS_MAX: usize = 2;

/// Writes texts anew. Cheap to clone.
#[derive(Clone)]
pub struct Rewriter {
    model: Arc<dyn ChatModel>,
    time_max: Duration,
}

impl std::fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").field("model", &self.model.name()).field("time_max", &self.time_max).finish()
    }
}

impl Rewriter {
    /// Lets `model` write; a text that is not done after `time_max` is given up.
    pub fn new(model: Arc<dyn ChatModel>, time_max: Duration) -> Self {
        Self { model, time_max }
    }

    /// Whether there is a model that can write: the offline one only quotes.
    pub fn is_able(&self) -> bool {
        !self.model.name().is_offline()
    }

    /// Writes `text` anew. Nothing is asked of the model before the first piece is waited for.
    ///
    /// The pieces are the sections of the text in their order, with everything that stands between them; their number
    /// and size depend on the text. Errors come as the last item.
    pub fn rewrite(&self, task: Task, text: Arc<str>) -> Rewriting {
        let meter = Meter::default();
        let work = Arc::new(Work { model: Arc::clone(&self.model), task, meter: meter.clone() });
        let (able, time_max) = (self.is_able(), self.time_max);
        let pieces = async_stream::stream! {
            if !able {
                yield Err(RewriteError::NoModel);
                return;
            }
            let deadline = Instant::now() + time_max;
            let page = Arc::new(scan(text));
            let sections = stream::iter(cut::cut(&page, cut::SECTION_BYTES_MAX));
            let written = sections.map(|section| {
                let (work, page) = (Arc::clone(&work), Arc::clone(&page));
                async move { work.write(&page, &section).await }
            });
            let mut written = written.buffered(SECTIONS_TOGETHER_MAX);
            loop {
                match timeout_at(deadline, written.next()).await {
                    Ok(None) => return,
                    Ok(Some(Ok(piece))) => yield Ok(piece),
                    Ok(Some(Err(error))) => {
                        yield Err(error);
                        return;
                    }
                    Err(_) => {
                        yield Err(RewriteError::TooSlow);
                        return;
                    }
                }
            }
        };
        Rewriting::new(pieces, meter)
    }
}

/// One text that is being written.
struct Work {
    model: Arc<dyn ChatModel>,
    task: Task,
    meter: Meter,
}

impl Work {
    /// One section with what stands around it.
    async fn write(&self, page: &Page, section: &Section) -> Result<String, RewriteError> {
        let text = page.text();
        let core = match section.says_something(page) {
            true => self.core(&Shielded::new(page, &section.core)).await?,
            false => text[section.core.clone()].to_owned(),
        };
        Ok([&text[section.lead()], &core, &text[section.tail()]].concat())
    }

    async fn core(&self, shielded: &Shielded) -> Result<String, RewriteError> {
        let mut refused = None;
        for attempt in 1.. {
            let is_last = attempt == ATTEMPTS_MAX;
            match self.ask(shielded, refused).await {
                Ok(text) => return Ok(text),
                Err(Failure::Damaged(damage)) => {
                    tracing::warn!(%damage, attempt, "The model damaged a section of a text");
                    if is_last {
                        return Err(RewriteError::Damaged);
                    }
                    refused = Some(damage);
                }
                Err(Failure::Model(LlmError::Cut)) if !is_last => {}
                Err(Failure::Model(LlmError::Silent(_))) => return Err(RewriteError::TooSlow),
                Err(Failure::Model(error)) => return Err(RewriteError::Model(error)),
            }
        }
        Err(RewriteError::Damaged)
    }

    async fn ask(&self, shielded: &Shielded, refused: Option<Damage>) -> Result<String, Failure> {
        let prompt = prompt::build(&self.task, shielded, refused);
        let mut request = self.meter.request(&prompt);
        let mut chunks = self.model.stream(prompt).await?;
        let mut answer = String::new();
        let bytes_max = shielded.answer_bytes_max();
        while let Some(chunk) = chunks.next().await {
            match chunk? {
                Chunk::Text(text) => {
                    request.wrote(&text);
                    answer.push_str(&text);
                    if answer.len() > bytes_max {
                        return Err(Damage::TooLong.into());
                    }
                }
                // It stands in for one that failed, and has nothing to say here.
                Chunk::Model(name) if name.is_offline() => return Err(LlmError::Nothing.into()),
                Chunk::Usage(usage) => request.told(usage),
                Chunk::Model(_) | Chunk::ToolCalls(_) => {}
            }
        }
        Ok(shielded.restore(&answer)?)
    }
}

/// Why a section was not written.
enum Failure {
    Damaged(Damage),
    Model(LlmError),
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<LlmError> for Failure {
    fn from(error: LlmError) -> Self {
        Self::Model(error)
    }
}
