//! Requests to Qdrant: how long each may take, which are tried again, and what their failures mean.

use std::future::Future;
use std::time::Duration;

use qdrant_client::{Qdrant, QdrantError};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::failure::{self, Failure, Kind};
use super::settings::QdrantSettings;

/// A connection that is not there after so long will not come.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// One try of a search. The client makes a second one on a new connection when the first breaks off, which is how it
/// leaves connections that have silently died.
const SEARCH_TRY_TIME_MAX: Duration = Duration::from_secs(3);
/// A search with its second try and the connecting in between.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(7);
/// One try of anything else: writing waits until it is written.
const WORK_TRY_TIME_MAX: Duration = Duration::from_secs(30);
/// Anything else with all its tries.
const WORK_TIME_MAX: Duration = Duration::from_secs(150);
/// How often anything but a search is tried.
const WORK_TRIES_MAX: u32 = 6;
/// Looking at a collection before the first use, with all its tries: a server waits for it before it listens.
const START_TIME_MAX: Duration = Duration::from_secs(15);
/// How often that is tried.
const START_TRIES_MAX: u32 = 2;
/// The pause after the first try that failed; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two tries.
const PAUSE_TIME_MAX: Duration = Duration::from_secs(8);

/// What failures are told with.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) uri: String,
    pub(super) in_cloud: bool,
    pub(super) has_key: bool,
    pub(super) collection: String,
    key: Option<SecretString>,
}

impl Surroundings {
    pub(super) fn of(uri: &str, in_cloud: bool, key: Option<SecretString>, collection: &str) -> Self {
        Self { uri: uri.to_owned(), in_cloud, has_key: key.is_some(), collection: collection.to_owned(), key }
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.expose_secret())
    }
}

/// How patient whoever asks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// A reader waits.
    Search,
    /// A server starts, and can do so without Qdrant.
    Start,
    /// An operator waits, and would rather wait than begin again. What is asked can be asked twice.
    Work,
}

impl Patience {
    /// How long the server works on one request, in seconds: nobody waits any longer.
    pub(super) fn seconds(self) -> u64 {
        match self {
            Self::Search => SEARCH_TRY_TIME_MAX.as_secs(),
            Self::Start | Self::Work => WORK_TRY_TIME_MAX.as_secs(),
        }
    }
}

/// Connections to one Qdrant. Made when they are first needed.
pub(super) struct Client {
    searching: Qdrant,
    working: Qdrant,
    pub(super) around: Surroundings,
}

impl Client {
    pub(super) fn new(settings: &QdrantSettings, collection: &str) -> Result<Self, String> {
        let uri = &settings.address.uri;
        let around = Surroundings::of(uri, settings.address.is_in_cloud(), settings.key.clone(), collection);
        let build = |time: Duration| {
            // The check of versions would block, and print.
            let mut config = Qdrant::from_url(uri).skip_compatibility_check().timeout(time);
            config = config.connect_timeout(CONNECT_TIME_MAX).api_key(around.key());
            config.build().map_err(|_| format!("`{uri}` is no address: check QDRANT_URL"))
        };
        Ok(Self { searching: build(SEARCH_TRY_TIME_MAX)?, working: build(WORK_TRY_TIME_MAX)?, around })
    }

    /// Asks once, or, with the patience for it, until it worked or waiting is no use.
    pub(super) async fn ask<T, F>(&self, patience: Patience, request: impl Fn(Qdrant) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, QdrantError>>,
    {
        let (client, time, tries) = match patience {
            Patience::Search => (&self.searching, SEARCH_TIME_MAX, 1),
            Patience::Start => (&self.working, START_TIME_MAX, START_TRIES_MAX),
            Patience::Work => (&self.working, WORK_TIME_MAX, WORK_TRIES_MAX),
        };
        let until = Instant::now() + time;
        let mut pause = FIRST_PAUSE;
        let mut tried = 0;
        loop {
            tried += 1;
            let failure = match tokio::time::timeout_at(until, request(client.clone())).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => failure::of(&error, &self.around),
                Err(_) => return Err(failure::silence(&self.around)),
            };
            if failure.kind != Kind::Passing || tried >= tries || Instant::now() + pause >= until {
                return Err(failure);
            }
            tracing::warn!(qdrant.tries = tried, "Asking Qdrant again: {}", failure.sentence);
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(PAUSE_TIME_MAX);
        }
    }
}
