//! The keys of an issuer: fetched when they are needed, as rarely as will do, and kept when they cannot be fetched.
//!
//! A token whose key is known never waits for the network.

mod fetch;
mod key;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;

use self::key::Unfit;
pub(super) use self::key::{Key, algorithm_named};
use crate::clock::Clock;

/// Keys of this age are fetched again, while the ones that are known go on serving.
pub const REFRESH_AFTER: Duration = Duration::from_secs(5 * 60);
/// When keys were fetched for a token that names none of them, the next such token causes no fetch for so long.
pub const UNKNOWN_KEY_REST: Duration = Duration::from_secs(10);
/// After a fetch that failed there is none for so long.
pub const FAILED_FETCH_REST: Duration = Duration::from_secs(5);
/// Further keys of one issuer are not looked at.
const KEYS_MAX: usize = 64;

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has no key of that name, or, for a token that names none, no single one that fits.
    Unknown,
    /// The key is there, and is for another algorithm.
    OtherAlgorithm,
    /// Nobody can tell before the issuer's keys can be fetched again.
    Unavailable {
        /// How long nothing is tried.
        retry_after: Duration,
    },
}

/// Where the keys of one issuer come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct KeySource(Arc<Shared>);

struct Shared {
    /// What the log calls the issuer.
    issuer: String,
    url: String,
    client: reqwest::Client,
    clock: Clock,
    known: ArcSwap<KeySet>,
    /// Whoever holds it fetches, and nobody else.
    gate: Arc<Mutex<Gate>>,
}

/// What is remembered of fetches, so that there are few.
#[derive(Default)]
struct Gate {
    failed: Option<DateTime<Utc>>,
    fetched_for_unknown: Option<DateTime<Utc>>,
}

/// The keys as an issuer last published them.
#[derive(Default)]
struct KeySet {
    keys: Vec<Arc<Key>>,
    /// What was published and is no key for us, so that the log names each only once.
    unfit: Vec<Unfit>,
    /// Counts the fetches that brought something; zero before the first.
    edition: u64,
    fetched: Option<DateTime<Utc>>,
}

impl KeySource {
    /// Nothing is fetched before a token needs it: an issuer may come up after this server.
    pub(super) fn new(issuer: &str, url: &str, client: reqwest::Client, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            issuer: issuer.to_owned(),
            url: url.to_owned(),
            client,
            clock,
            known: ArcSwap::default(),
            gate: Arc::default(),
        }))
    }

    /// The key that a token names, for the algorithm that it names, and the edition of the keys that it is from.
    ///
    /// Keys that were not there a while ago are looked for at the issuer, by one caller for all, whether or not that
    /// caller waits to the end.
    ///
    /// # Errors
    /// There is no such key, or whether there is cannot be found out now.
    pub(super) async fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<(Arc<Key>, u64), NoKey> {
        let known = self.0.known.load_full();
        let found = match known.find(kid, algorithm) {
            Err(NoKey::Unknown) => {
                let newer = self.newer_than(known.edition).await?;
                newer.find(kid, algorithm).map(|key| (key, newer.edition))
            }
            found => found.map(|key| (key, known.edition)),
        };
        self.keep_fresh();
        found
    }

    /// Whether the keys are still those of this edition.
    pub(super) fn are_still(&self, edition: u64) -> bool {
        self.keep_fresh();
        self.0.known.load().edition == edition
    }

    /// Sees to it that keys in use do not grow old.
    fn keep_fresh(&self) {
        let now = self.now();
        if rest(self.0.known.load().fetched, REFRESH_AFTER, now).is_some() {
            return;
        }
        let Ok(gate) = Arc::clone(&self.0.gate).try_lock_owned() else { return };
        if rest(gate.failed, FAILED_FETCH_REST, now).is_none() {
            self.fetch(gate);
        }
    }

    /// The keys after a fetch, if one is due, when those of `edition` were not enough.
    async fn newer_than(&self, edition: u64) -> Result<Arc<KeySet>, NoKey> {
        let mut gate = Arc::clone(&self.0.gate).lock_owned().await;
        let known = self.0.known.load_full();
        if known.edition != edition {
            return Ok(known);
        }
        let now = self.now();
        if let Some(retry_after) = rest(gate.failed, FAILED_FETCH_REST, now) {
            return Err(NoKey::Unavailable { retry_after });
        }
        // The first fetch is for all tokens, and says nothing about unknown keys.
        if known.fetched.is_some() {
            if rest(gate.fetched_for_unknown, UNKNOWN_KEY_REST, now).is_some() {
                return Ok(known);
            }
            gate.fetched_for_unknown = Some(now);
        }
        // A fetch that broke off without a word is told from one that brought something by the edition.
        let _ = self.fetch(gate).await;
        let renewed = self.0.known.load_full();
        match renewed.edition == edition {
            true => Err(NoKey::Unavailable { retry_after: FAILED_FETCH_REST }),
            false => Ok(renewed),
        }
    }

    /// Fetches in a task of its own: a caller who hangs up must not make the others begin again.
    fn fetch(&self, mut gate: OwnedMutexGuard<Gate>) -> JoinHandle<()> {
        let source = self.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends within FETCH_TIME_MAX, and a shutdown loses nothing")]
        tokio::spawn(async move {
            let shared = &*source.0;
            let issuer = &shared.issuer;
            match fetch::fetch(&shared.client, &shared.url).await {
                Ok(published) => {
                    let before = shared.known.load();
                    let renewed = KeySet::read(published, &before, source.now());
                    for unfit in renewed.unfit.iter().filter(|unfit| !before.unfit.contains(unfit)) {
                        tracing::warn!(auth.issuer = issuer, "One of the keys of `{issuer}` is left out: {unfit}");
                    }
                    if gate.failed.take().is_some() {
                        tracing::info!(auth.issuer = issuer, "The keys of `{issuer}` can be fetched again");
                    }
                    tracing::debug!(auth.issuer = issuer, keys = renewed.keys.len(), "Fetched the keys of `{issuer}`");
                    shared.known.store(Arc::new(renewed));
                }
                Err(error) => {
                    let is_news = gate.failed.replace(source.now()).is_none();
                    // Whether the key is unknown did not come out.
                    gate.fetched_for_unknown = None;
                    let error = &error as &dyn std::error::Error;
                    if is_news {
                        tracing::warn!(error, auth.issuer = issuer, "The keys of `{issuer}` cannot be fetched");
                    } else {
                        tracing::debug!(error, auth.issuer = issuer, "The keys of `{issuer}` still cannot be fetched");
                    }
                }
            }
        })
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.clock.now().utc()
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({})", self.0.issuer)
    }
}

impl KeySet {
    /// What is published, key by key: one that is odd costs itself and no other.
    fn read(published: Vec<serde_json::Value>, before: &Self, now: DateTime<Utc>) -> Self {
        let mut set = Self { edition: before.edition + 1, fetched: Some(now), ..Self::default() };
        for published in published.into_iter().take(KEYS_MAX) {
            match Key::read(published) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(unfit) => set.unfit.push(unfit),
            }
        }
        set
    }

    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Arc<Key>, NoKey> {
        let is_for = |key: &&Arc<Key>| key.algorithm == algorithm;
        let Some(kid) = kid else {
            // Where several fit, trying one after the other would be guessing whom the token is from.
            let mut fitting = self.keys.iter().filter(is_for);
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(Arc::clone(key)),
                _ => Err(NoKey::Unknown),
            };
        };
        let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).peekable();
        if named.peek().is_none() {
            return Err(NoKey::Unknown);
        }
        named.find(is_for).cloned().ok_or(NoKey::OtherAlgorithm)
    }
}

/// How much of the rest after `then` is left; none where the clock was set back.
fn rest(then: Option<DateTime<Utc>>, rest: Duration, now: DateTime<Utc>) -> Option<Duration> {
    let passed = (now - then?).to_std().ok()?;
    rest.checked_sub(passed).filter(|left| !left.is_zero())
}
