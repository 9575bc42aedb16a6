//! What happens in a house, counted: for `GET /metrics`, and for nobody's name.
//!
//! Each house has a registry of its own. Labels are names from the code and the settings, never anything that a reader
//! sends, so that there are as many series as there are doors, and no more. Nothing is counted while an answer streams:
//! a turn is counted when it begins and when it ends.

mod text;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::clock::Clock;

pub use text::Format;

/// Bounds of how long the head of an answer takes, in seconds.
const HEAD_SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of how long a reader waits for the first word, in seconds.
const FIRST_DELTA_SECONDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
/// Bounds of how long a turn takes, in seconds.
const TURN_SECONDS: [f64; 11] = [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// The counts of one house. Cheap to clone; clones count the same.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    registry: Registry,
    requests: Family<Answered, Counter>,
    heads: Family<Route, Histogram, fn() -> Histogram>,
    streams_open: Gauge,
    turns_running: Gauge,
    turns_begun: Counter,
    turns_ended: Family<Ended, Counter>,
    turn_seconds: Histogram,
    first_delta_seconds: Histogram,
    tokens: Family<Direction, Counter>,
    limits_reached: Family<Limit, Counter>,
    model_requests: Family<Asked, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    ending: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    resource: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    provider: String,
    model: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

impl Metrics {
    /// Nothing has happened yet, in a house that begins now.
    pub fn new(clock: &Clock) -> Self {
        let counts = Counts {
            registry: Registry::default(),
            requests: Family::default(),
            heads: Family::new_with_constructor(|| Histogram::new(HEAD_SECONDS)),
            streams_open: Gauge::default(),
            turns_running: Gauge::default(),
            turns_begun: Counter::default(),
            turns_ended: Family::default(),
            turn_seconds: Histogram::new(TURN_SECONDS),
            first_delta_seconds: Histogram::new(FIRST_DELTA_SECONDS),
            tokens: Family::default(),
            limits_reached: Family::default(),
            model_requests: Family::default(),
        };
        Self(Arc::new(counts.registered(clock)))
    }

    /// A request whose answer has its head: the route is the template of its door, never its path.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.0.heads.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.0.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// Somebody listens to a stream, as long as this is held.
    pub fn stream(&self) -> OpenStream {
        self.0.streams_open.inc();
        OpenStream(self.clone())
    }

    /// A turn runs, for somebody who asked at that moment.
    pub fn turn(&self, asked_at: Instant) -> CountedTurn {
        self.0.turns_begun.inc();
        self.0.turns_running.inc();
        CountedTurn { metrics: self.clone(), asked_at, first_delta: None, ending: "failed" }
    }

    /// Somebody wanted more than there is, and was told so.
    pub fn limit_reached(&self, resource: &'static str) {
        self.0.limits_reached.get_or_create(&Limit { resource }).inc();
    }

    /// A model was asked once, and that is what came of it.
    pub fn model_asked(&self, provider: &str, model: &str, outcome: &'static str) {
        let asked = Asked { provider: provider.to_owned(), model: model.to_owned(), outcome };
        self.0.model_requests.get_or_create(&asked).inc();
    }
}

impl Counts {
    /// The same, with everything that is counted known to the registry.
    fn registered(mut self, clock: &Clock) -> Self {
        let mut root = Registry::default();
        let started: Gauge<f64, AtomicU64> = Gauge::default();
        started.set(clock.now().utc().timestamp_micros() as f64 / 1e6);
        root.register("process_start_time_seconds", "When this instance began, in seconds since 1970", started);
        let house = root.sub_registry_with_prefix("chatkit");
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        house.register("build_info", "Always 1; the version is a label", build);
        let requests = "Requests by method, template of the route, and status of the answer";
        house.register("http_requests", requests, self.requests.clone());
        let heads = "Time from a request to the head of its answer, by template of the route";
        house.register("http_response_head_seconds", heads, self.heads.clone());
        house.register("streams_open", "Answers that somebody listens to", self.streams_open.clone());
        house.register("turns_running", "Turns that run on this instance", self.turns_running.clone());
        house.register("turns_begun", "Turns that began on this instance", self.turns_begun.clone());
        house.register("turns_ended", "Turns by how they ended", self.turns_ended.clone());
        house.register("turn_seconds", "Time from a message to the end of its turn", self.turn_seconds.clone());
        let first = "Time from a message to the first words of its answer; turns without words are left out";
        house.register("turn_first_delta_seconds", first, self.first_delta_seconds.clone());
        house.register("tokens", "Tokens that models read and wrote, or estimates of them", self.tokens.clone());
        house.register("limits_reached", "Refusals because a limit was reached", self.limits_reached.clone());
        let asked = "Requests to models by what came of them, each attempt for itself";
        house.register("model_requests", asked, self.model_requests.clone());
        self.registry = root;
        self
    }
}

/// A stream that somebody listens to.
#[derive(Debug)]
pub struct OpenStream(Metrics);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.0.streams_open.dec();
    }
}

/// A turn that runs. It is counted as ended when this goes, and as failed unless it was said how.
#[derive(Debug)]
pub struct CountedTurn {
    metrics: Metrics,
    asked_at: Instant,
    first_delta: Option<Duration>,
    ending: &'static str,
}

impl CountedTurn {
    /// The reader is shown words; the first time counts.
    pub fn shows(&mut self) {
        self.first_delta.get_or_insert(self.asked_at.elapsed());
    }

    /// How it ends, and the tokens that it read and wrote.
    pub fn ends(&mut self, ending: &'static str, tokens_read: u64, tokens_written: u64) {
        self.ending = ending;
        for (direction, tokens) in [("read", tokens_read), ("written", tokens_written)] {
            self.metrics.0.tokens.get_or_create(&Direction { direction }).inc_by(tokens);
        }
    }
}

impl Drop for CountedTurn {
    fn drop(&mut self) {
        let counts = &self.metrics.0;
        counts.turns_running.dec();
        counts.turns_ended.get_or_create(&Ended { ending: self.ending }).inc();
        counts.turn_seconds.observe(self.asked_at.elapsed().as_secs_f64());
        if let Some(first_delta) = self.first_delta {
            counts.first_delta_seconds.observe(first_delta.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_that_breaks_off_without_a_word_has_failed_and_runs_no_more() {
        let metrics = Metrics::new(&Clock::system());
        let turn = metrics.turn(Instant::now());
        assert!(metrics.written(Format::Plain).contains("\nchatkit_turns_running 1\n"));
        drop(turn);
        let written = metrics.written(Format::Plain);
        assert!(written.contains("\nchatkit_turns_running 0\n"), "{written}");
        assert!(written.contains("\nchatkit_turns_ended_total{ending=\"failed\"} 1\n"), "{written}");
        assert!(written.contains("\nchatkit_turn_first_delta_seconds_count 0\n"), "{written}");
    }

    #[tokio::test]
    async fn only_the_first_words_count() {
        let metrics = Metrics::new(&Clock::system());
        let mut turn = metrics.turn(Instant::now());
        turn.shows();
        let first = turn.first_delta;
        turn.shows();
        assert_eq!(turn.first_delta, first);
    }

    #[test]
    fn two_houses_of_one_process_count_apart() {
        let (one, other) = (Metrics::new(&Clock::system()), Metrics::new(&Clock::system()));
        one.limit_reached("messages");
        assert!(one.written(Format::Plain).contains("chatkit_limits_reached_total{resource=\"messages\"} 1"));
        assert!(!other.written(Format::Plain).contains("messages"));
    }
}
