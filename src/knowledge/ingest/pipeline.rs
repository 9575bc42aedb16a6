//! The way from a source into the knowledge base, with bounds: batches are stored while pages are read, what is gone is
//! forgotten at the end, and whatever breaks it off leaves what was stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{End, IngestError, Options, PATIENCE, PROBLEMS_MAX, Page, Problem, Progress, Read, Report, Source, Step};
use crate::embedding::EmbeddingError;
use crate::knowledge::{Document, KnowledgeBase, KnowledgeError};

/// Passages that are stored together: a document more makes a batch full.
const BATCH_PASSAGES: usize = 256;
/// Documents that are stored together, since one without passages costs something too.
const BATCH_DOCUMENTS: usize = 256;
/// Batches that are on their way at once: vectors come from a provider, and that is waiting.
const PUTS_TOGETHER_MAX: usize = 4;
/// Documents that are forgotten at once.
const REMOVALS_TOGETHER_MAX: usize = 4;
/// What is on its way when it is told to stop, or when another batch fails, gets so long to be stored.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);
/// The first pause before a knowledge base that is away is tried again; each one after it is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// Problems of one page that are told; a page with more is broken in a way that the first ones show.
const PAGE_PROBLEMS_MAX: usize = 20;

pub(super) async fn run(
    source: &mut dyn Source,
    options: &Options,
    knowledge: &dyn KnowledgeBase,
    progress: &dyn Progress,
) -> Result<Report, IngestError> {
    let patience = options.patience.unwrap_or(PATIENCE);
    let shelf = Shelf { knowledge, progress, patience, halt: options.stop.child_token(), dry_run: options.dry_run };
    let stored = shelf.patiently(|| knowledge.documents()).await?;
    let stored = stored.into_iter().map(|state| (state.path, state.fingerprint)).collect();
    let mut run =
        Run { stored, seen: BTreeSet::new(), kept: BTreeSet::new(), documents: 0, report: Report::default(), progress };
    progress.begin(source.expected());
    let carried = run.carry(source, &shelf).await;
    let End { whole, kept, problems } = source.end();
    run.report.incomplete = !whole;
    run.kept.extend(kept);
    run.note(problems);
    run.report.problems.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let done = match carried {
        Err(halt) => Err(halt),
        Ok(()) if shelf.halt.is_cancelled() => Ok(false),
        // Going on would forget everything that is stored.
        Ok(()) if run.documents == 0 && run.report.hidden == 0 => Err(Halt::Source(run.nothing_in(&source.name()))),
        Ok(()) => run.finish(&shelf, whole).await,
    };
    let report = Box::new(run.report);
    match done {
        Ok(true) => Ok(*report),
        Ok(false) => Err(IngestError::Stopped { report }),
        Err(_) if options.stop.is_cancelled() => Err(IngestError::Stopped { report }),
        Err(Halt::Source(error)) => Err(error),
        Err(Halt::Knowledge(why)) => Err(IngestError::BrokenOff { why, report }),
    }
}

/// Why it does not go on.
enum Halt {
    Source(IngestError),
    Knowledge(KnowledgeError),
}

/// What is known on the way.
struct Run<'a> {
    /// What was stored before and was not met yet, with its fingerprint.
    stored: BTreeMap<String, String>,
    seen: BTreeSet<String>,
    /// Paths that are kept although they were not given; with `/` at the end, all below.
    kept: BTreeSet<String>,
    /// Documents that were given.
    documents: usize,
    report: Report,
    progress: &'a dyn Progress,
}

/// Documents that are stored together, and whether each is new.
#[derive(Default)]
struct Batch {
    documents: Vec<Document>,
    steps: Vec<Done>,
    passages: usize,
}

/// A document that is stored once its batch is.
struct Done {
    path: String,
    step: Step,
    passages: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.passages >= BATCH_PASSAGES || self.documents.len() >= BATCH_DOCUMENTS
    }
}

impl Run<'_> {
    /// Reads and stores until the source has nothing more, something fails, or it is told to stop.
    async fn carry(&mut self, source: &mut dyn Source, shelf: &Shelf<'_>) -> Result<(), Halt> {
        // A stream keeps the page that is being read when a batch is done first.
        let pages = stream::unfold(source, |source| async {
            let page = source.next().await.transpose()?;
            Some((page, source))
        });
        let mut pages = Box::pin(pages.take_until(shelf.halt.clone().cancelled_owned()));
        let mut puts = FuturesUnordered::new();
        let mut late = Box::pin(shelf.late());
        let (mut batch, mut reading, mut halted) = (Batch::default(), true, None);
        while reading || !puts.is_empty() {
            tokio::select! {
                biased;
                Some(put) = puts.next(), if !puts.is_empty() => match put {
                    Ok(done) => self.stored(done),
                    Err(error) => {
                        halted.get_or_insert(Halt::Knowledge(error));
                        shelf.halt.cancel();
                    }
                },
                () = &mut late => break,
                page = pages.next(), if reading && puts.len() < PUTS_TOGETHER_MAX => {
                    match page {
                        Some(Ok(page)) => self.take(page, &mut batch),
                        Some(Err(error)) => {
                            halted.get_or_insert(Halt::Source(error));
                            reading = false;
                        }
                        None => reading = false,
                    }
                    if batch.is_full() || (!reading && !batch.documents.is_empty() && !shelf.halt.is_cancelled()) {
                        puts.push(shelf.put(std::mem::take(&mut batch)));
                    }
                },
            }
        }
        halted.map_or(Ok(()), Err)
    }

    /// A page was read: what is new of it goes into the batch.
    fn take(&mut self, page: Page, batch: &mut Batch) {
        let Page { path, read, problems } = page;
        self.note_page(&path, problems);
        if !self.seen.insert(path.clone()) {
            self.note(vec![Problem { path, line: None, sentence: "it is there twice; the first one counts".into() }]);
            return;
        }
        let document = match read {
            Read::Document(document) => document,
            Read::Hidden => {
                self.report.hidden += 1;
                return self.progress.leave_out(&path);
            }
            Read::Broken => {
                self.progress.leave_out(&path);
                self.kept.insert(path);
                return;
            }
        };
        let passages = document.passages.len();
        self.documents += 1;
        self.report.passages += passages;
        let without_site = document.passages.first().is_some_and(|passage| passage.url.starts_with('/'));
        self.report.without_site += usize::from(without_site);
        let step = match self.stored.remove(&path) {
            Some(fingerprint) if fingerprint == document.fingerprint => {
                self.report.unchanged += 1;
                return self.progress.advance(&path, Step::Unchanged, 0);
            }
            Some(_) => Step::Changed,
            None => Step::Added,
        };
        batch.passages += passages;
        batch.steps.push(Done { path, step, passages });
        batch.documents.push(document);
    }

    fn stored(&mut self, done: Vec<Done>) {
        for Done { path, step, passages } in done {
            match step {
                Step::Added => self.report.added += 1,
                Step::Changed => self.report.changed += 1,
                Step::Unchanged => self.report.unchanged += 1,
                Step::Removed => self.report.removed += 1,
            }
            self.report.passages_stored += passages;
            self.progress.advance(&path, step, passages);
        }
    }

    /// Everything was given: what is gone is forgotten, and what can only be known of the whole is worked out. Gives
    /// whether it came to its end.
    async fn finish(&mut self, shelf: &Shelf<'_>, whole: bool) -> Result<bool, Halt> {
        let is_kept = |path: &String| {
            self.kept.contains(path) || path.match_indices('/').any(|(at, _)| self.kept.contains(&path[..=at]))
        };
        let gone: Vec<String> = self.stored.keys().filter(|path| whole && !is_kept(path)).cloned().collect();
        let removals = stream::iter(gone).map(|path| shelf.remove(path)).buffer_unordered(REMOVALS_TOGETHER_MAX);
        let mut removals = Box::pin(removals.take_until(shelf.halt.clone().cancelled_owned()));
        while let Some(removed) = removals.next().await {
            let path = removed.map_err(Halt::Knowledge)?;
            self.report.removed += 1;
            self.progress.advance(&path, Step::Removed, 0);
        }
        if shelf.halt.is_cancelled() {
            return Ok(false);
        }
        shelf.settle().await.map_err(Halt::Knowledge)?;
        Ok(true)
    }

    fn note_page(&mut self, path: &str, mut problems: Vec<Problem>) {
        let more = problems.len().saturating_sub(PAGE_PROBLEMS_MAX);
        problems.truncate(PAGE_PROBLEMS_MAX);
        if more > 0 {
            let sentence = format!("{more} more problems");
            problems.push(Problem { path: path.to_owned(), line: None, sentence });
        }
        self.note(problems);
    }

    fn note(&mut self, problems: Vec<Problem>) {
        let room = PROBLEMS_MAX - self.report.problems.len();
        self.report.more_problems += problems.len().saturating_sub(room);
        self.report.problems.extend(problems.into_iter().take(room));
    }

    fn nothing_in(&self, source: &str) -> IngestError {
        let first = self.report.problems.first().map_or(String::new(), |problem| format!(": {problem}"));
        IngestError::Source(format!("no page in {source} can be read{first}"))
    }
}

/// The knowledge base, with patience.
struct Shelf<'a> {
    knowledge: &'a dyn KnowledgeBase,
    progress: &'a dyn Progress,
    patience: Duration,
    /// Cancelled when it is told to stop, or when something failed for good.
    halt: CancellationToken,
    dry_run: bool,
}

impl Shelf<'_> {
    async fn put(&self, batch: Batch) -> Result<Vec<Done>, KnowledgeError> {
        if !self.dry_run {
            self.patiently(|| self.knowledge.put(batch.documents.clone())).await?;
        }
        Ok(batch.steps)
    }

    async fn remove(&self, path: String) -> Result<String, KnowledgeError> {
        if !self.dry_run {
            self.patiently(|| self.knowledge.remove(&path)).await?;
        }
        Ok(path)
    }

    async fn settle(&self) -> Result<(), KnowledgeError> {
        if self.dry_run {
            return Ok(());
        }
        self.patiently(|| self.knowledge.settle()).await
    }

    /// Tries again what may work later, as long as there is patience.
    async fn patiently<T, F: Future<Output = Result<T, KnowledgeError>>>(
        &self,
        mut work: impl FnMut() -> F,
    ) -> Result<T, KnowledgeError> {
        let end = Instant::now() + self.patience;
        let mut pause = PAUSE_FIRST;
        loop {
            let error = match work().await {
                Err(error) if error.may_pass() => error,
                done => return done,
            };
            let pause_now = pause.max(asked_pause(&error)).min(end.saturating_duration_since(Instant::now()));
            if pause_now.is_zero() {
                return Err(error);
            }
            self.progress.wait(&error, pause_now);
            if self.halt.run_until_cancelled(tokio::time::sleep(pause_now)).await.is_none() {
                return Err(error);
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Comes when whatever is on its way has had time enough to end after it was told to.
    async fn late(&self) {
        self.halt.cancelled().await;
        tokio::time::sleep(STOP_TIME_MAX).await;
    }
}

/// How long whoever refused says to wait.
fn asked_pause(error: &KnowledgeError) -> Duration {
    match error {
        KnowledgeError::Embedding(EmbeddingError::Busy { retry_after }) => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
