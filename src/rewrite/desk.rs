//! The desk at which texts are brought to be written anew: each of them once, within a day's number, and kept.
//!
//! A text that is being written is written to its end and kept, whoever listens: what was paid for is there when its
//! reader asks again. Whoever asks for the same meanwhile hears the same, and pays nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatkit_protocol::Timestamp;
use chrono::TimeDelta;
use futures_util::StreamExt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::flight::{Flight, Listening};
use super::hashes::{content_hash, key_of};
use super::places::{Place, Places};
use super::refusal::{Failure, Refusal};
use super::{Rewriter, Task};
use crate::clock::Clock;
use crate::identity::{Identity, Ids, OwnerId};
use crate::llm::ChatModel;
use crate::quota::{Allowance, Day};
use crate::store::rewrites::{KeptText, NotedPage, RewriteKind};
use crate::store::{Claim, RewriteStore, StoreError, ThreadStore, Tokens};

/// The longest text that is kept and told again.
const REWRITTEN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A text that is kept is given again for so long.
pub(super) const TEXTS_KEPT: TimeDelta = TimeDelta::days(30);
/// Texts that are kept for one reader.
const TEXTS_OF_READER_MAX: u32 = 200;
/// Texts that are kept for everybody.
const TEXTS_OF_EVERYBODY_MAX: u32 = 5_000;
/// Pages of one kind that are noted for one reader, and listed.
const PAGES_OF_READER_MAX: u32 = 500;
/// What cannot be written down is tried again so often.
const WRITE_TRIES_MAX: u32 = 4;
/// And after so long, then twice as long, and so on.
const WRITE_PAUSE: Duration = Duration::from_millis(500);
/// After the grace of a shutdown, what was counted for texts that were not written gets so long to be given back.
const GIVE_BACK_WAIT_MAX: Duration = Duration::from_secs(5);

/// The desk. Cheap to clone.
#[derive(Clone)]
pub struct RewriteDesk(Arc<Inner>);

struct Inner {
    /// None where nobody can write.
    rewriter: Option<Rewriter>,
    store: Arc<dyn RewriteStore>,
    threads: Arc<dyn ThreadStore>,
    clock: Clock,
    ids: Ids,
    places: Places,
    tracker: TaskTracker,
    /// Says that no new texts are taken.
    closing: CancellationToken,
    /// Says that those that are being written must stop.
    stopping: CancellationToken,
    /// Whether something was kept here since the last sweep.
    busy: AtomicBool,
}

impl std::fmt::Debug for RewriteDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RewriteDesk").field("rewriter", &self.0.rewriter).finish_non_exhaustive()
    }
}

/// With what the desk works.
pub struct Surroundings {
    /// Who writes, if anybody does.
    pub model: Option<Arc<dyn ChatModel>>,
    /// How long a text may take.
    pub time_max: Duration,
    /// Where texts are kept.
    pub store: Arc<dyn RewriteStore>,
    /// Where it is counted what readers' answers cost.
    pub threads: Arc<dyn ThreadStore>,
    /// The time.
    pub clock: Clock,
    /// Names.
    pub ids: Ids,
}

/// A text that somebody wants written anew.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is to be made of it.
    pub task: Task,
    /// The text.
    pub text: Arc<str>,
    /// Where it stands, if it is a page: it is then noted that the reader had it written anew.
    pub page_url: Option<String>,
    /// Who wants it.
    pub who: Identity,
    /// What they may spend.
    pub allowance: Allowance,
    /// How many they may have in a day.
    pub day: Day,
}

impl Order {
    /// Who may be given the same text again. A page in another language is the same for all its readers; whoever hands
    /// in the same page has it already, and only ever hears what was made of just that.
    fn shared_by(&self) -> OwnerId {
        match (&self.task, &self.page_url) {
            (Task::Translate { .. }, Some(_)) => OwnerId::stored("everybody"),
            (Task::Translate { .. }, None) | (Task::Personalize { .. }, _) => self.who.owner(),
        }
    }

    /// What is noted of the page. Nothing is noted of strangers, who are all one.
    fn page(&self, now: Timestamp) -> Option<(OwnerId, NotedPage)> {
        let (Identity::User { id } | Identity::Visitor { id }) = &self.who else { return None };
        let (kind, profile_hash) = match &self.task {
            Task::Personalize { profile } => (RewriteKind::Personalized, Some(super::hashes::profile_hash(profile))),
            Task::Translate { .. } => (RewriteKind::Translated, None),
        };
        let content_hash = Some(content_hash(&self.text));
        let page = NotedPage { kind, url: self.page_url.clone()?, content_hash, profile_hash, at: now };
        Some((id.clone(), page))
    }
}

/// Where somebody waits to hear how it begins.
type Began = oneshot::Sender<Result<Listening, Refusal>>;

impl RewriteDesk {
    /// A desk.
    pub fn new(surroundings: Surroundings) -> Self {
        let Surroundings { model, time_max, store, threads, clock, ids } = surroundings;
        let rewriter = model.map(|model| Rewriter::new(model, time_max)).filter(Rewriter::is_able);
        Self(Arc::new(Inner {
            rewriter,
            store,
            threads,
            clock,
            ids,
            places: Places::default(),
            tracker: TaskTracker::new(),
            closing: CancellationToken::new(),
            stopping: CancellationToken::new(),
            busy: AtomicBool::new(true),
        }))
    }

    /// Takes an order. What is there already is given at once; otherwise one of the day's number is counted, which is
    /// given back if the text cannot be written.
    ///
    /// # Errors
    /// Nothing was begun, and nothing is counted.
    pub async fn order(&self, order: Order) -> Result<Listening, Refusal> {
        if self.0.closing.is_cancelled() {
            return Err(Refusal::Failure(Failure::Stopped));
        }
        let (began, hears) = oneshot::channel();
        // In a task of its own: a caller who leaves must not leave behind what was only just counted.
        self.0.tracker.spawn(self.clone().carry_out(order, began));
        hears.await.unwrap_or(Err(Refusal::Failure(Failure::Failed)))
    }

    /// The pages of a reader, the newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn pages(&self, owner: &OwnerId, kind: RewriteKind) -> Result<Vec<NotedPage>, Refusal> {
        Ok(self.0.store.noted_pages(owner, kind, PAGES_OF_READER_MAX).await?)
    }

    /// A page of a reader.
    ///
    /// # Errors
    /// The database.
    pub async fn page(&self, owner: &OwnerId, kind: RewriteKind, url: &str) -> Result<Option<NotedPage>, Refusal> {
        Ok(self.0.store.noted_page(owner, kind, url).await?)
    }

    /// Takes no new orders, lets those that are being written come to their end within the grace, then stops them and
    /// gives back what was counted for them.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.closing.cancel();
        self.0.tracker.close();
        if tokio::time::timeout(grace, self.0.tracker.wait()).await.is_ok() {
            return;
        }
        self.0.stopping.cancel();
        if tokio::time::timeout(GIVE_BACK_WAIT_MAX, self.0.tracker.wait()).await.is_err() {
            tracing::warn!("Some texts were not written, and what was counted for them could not be given back");
        }
    }

    pub(super) fn store(&self) -> &dyn RewriteStore {
        &*self.0.store
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn busy(&self) -> &AtomicBool {
        &self.0.busy
    }

    async fn carry_out(self, order: Order, began: Began) {
        let (shared_by, key) = (order.shared_by(), key_of(&order.task, &order.text));
        let place = self.0.places.of(&shared_by, &key);
        // One at a time asks whether the text is there, and begins it if it is not.
        let mut flight = place.flight.lock().await;
        if let Some(running) = flight.as_ref().filter(|flight| flight.is_running()) {
            let running = running.clone();
            drop(flight);
            let _ = began.send(Ok(running.listen()));
            if running.ended().await.is_ok() {
                self.note(&order).await;
            }
            return;
        }
        match self.prepare(&order, &shared_by, &key, &began).await {
            Ok(Prepared::Kept(text)) => {
                drop(flight);
                self.note(&order).await;
                let _ = began.send(Ok(Flight::done(text).listen()));
            }
            Ok(Prepared::Begins { rewriter, claims, slot }) => {
                let new = Arc::new(Flight::default());
                *flight = Some(new.clone());
                drop(flight);
                let _ = began.send(Ok(new.listen()));
                let written = Written { order, shared_by, key, rewriter, claims };
                self.write(written, &new).await;
                drop(slot);
            }
            Err(refusal) => {
                drop(flight);
                let _ = began.send(Err(refusal));
            }
        }
        let _: Arc<Place> = place;
    }

    /// Finds the text, or counts one.
    async fn prepare(&self, order: &Order, shared_by: &OwnerId, key: &str, began: &Began) -> Result<Prepared, Refusal> {
        let since = Timestamp::new(self.now().utc() - TEXTS_KEPT);
        if let Some(text) = self.0.store.rewritten(shared_by, key, since).await? {
            return Ok(Prepared::Kept(text));
        }
        let Some(rewriter) = self.0.rewriter.clone() else { return Err(Refusal::Failure(Failure::NoModel)) };
        if let Some(limit) = order.allowance.tokens() {
            let spent = self.0.threads.spent_since(&limit.payer, limit.since).await?;
            order.allowance.affords(spent).map_err(Refusal::Reached)?;
        }
        let slot = order.allowance.listen().map_err(Refusal::Reached)?;
        // Nobody waits any more, and nothing was begun.
        if began.is_closed() {
            return Err(Refusal::Failure(Failure::Stopped));
        }
        match order.day.claim().await {
            Ok(claims) => Ok(Prepared::Begins { rewriter, claims, slot }),
            Err(StoreError::Exceeded(_)) => Err(Refusal::QuotaExceeded(order.day.status().await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the text, and keeps it before its end is told; or gives back what was counted.
    async fn write(&self, written: Written, flight: &Arc<Flight>) {
        let Written { order, shared_by, key, rewriter, claims } = written;
        let writing = flight.writing();
        let mut rewriting = rewriter.rewrite(order.task.clone(), order.text.clone());
        let meter = rewriting.meter();
        let pieces = async {
            while let Some(piece) = rewriting.next().await {
                let bytes = writing.add(&piece.map_err(|error| Failure::of(&error))?);
                if bytes > REWRITTEN_BYTES_MAX {
                    tracing::warn!("A text became longer than {REWRITTEN_BYTES_MAX} bytes while it was written anew");
                    return Err(Failure::Failed);
                }
            }
            Ok(())
        };
        let end = tokio::select! {
            end = pieces => end,
            () = self.0.stopping.cancelled() => Err(Failure::Stopped),
        };
        drop(rewriting);
        let spent = meter.spent();
        let tokens = Tokens { input: spent.input_tokens, output: spent.output_tokens };
        self.count(&order, tokens).await;
        match end {
            Ok(()) => {
                self.keep(&order, shared_by, key, writing.text()).await;
                self.note(&order).await;
            }
            Err(_) => self.give_back(&order.day, &claims).await,
        }
        writing.end(end);
    }

    async fn count(&self, order: &Order, tokens: Tokens) {
        if tokens == Tokens::default() {
            return;
        }
        let (payer, name) = (order.allowance.payer(&order.who), self.0.ids.mint("rewrite"));
        let counting = || self.0.store.count_rewrite(&payer, &name, tokens, self.now());
        patiently("count what a rewrite cost", counting).await;
    }

    async fn keep(&self, order: &Order, owner: OwnerId, key: String, text: String) {
        let together_max = match (&order.task, &order.page_url) {
            (Task::Translate { .. }, Some(_)) => TEXTS_OF_EVERYBODY_MAX,
            (Task::Translate { .. }, None) | (Task::Personalize { .. }, _) => TEXTS_OF_READER_MAX,
        };
        let kept = KeptText { owner, key, text, now: self.now(), together_max };
        self.0.busy.store(true, Ordering::Relaxed);
        patiently("keep a text that was written anew", || self.0.store.keep_rewritten(&kept)).await;
    }

    /// Notes the page, if it is one.
    async fn note(&self, order: &Order) {
        let Some((owner, page)) = order.page(self.now()) else { return };
        self.0.busy.store(true, Ordering::Relaxed);
        let noting = || self.0.store.note_page(&owner, &page, PAGES_OF_READER_MAX);
        patiently("note a page that was written anew", noting).await;
    }

    async fn give_back(&self, day: &Day, claims: &[Claim]) {
        patiently("give back what was counted for a text", || day.give_back(claims)).await;
    }
}

/// What there is for an order.
enum Prepared {
    /// The text.
    Kept(String),
    /// Somebody who writes it.
    Begins { rewriter: Rewriter, claims: Vec<Claim>, slot: crate::quota::Slot },
}

/// A text that is being written.
struct Written {
    order: Order,
    shared_by: OwnerId,
    key: String,
    rewriter: Rewriter,
    claims: Vec<Claim>,
}

/// Writes something down, trying again while the database is away. Whoever listens has their text in any case.
async fn patiently<F>(what: &'static str, write: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    let mut pause = WRITE_PAUSE;
    for attempt in 1..=WRITE_TRIES_MAX {
        match write().await {
            Ok(()) => return,
            Err(error) if attempt == WRITE_TRIES_MAX || !matches!(error, StoreError::Away(_) | StoreError::Slow(_)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "Could not {what}");
                return;
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
}
