//! What somebody hears who wants more than there is.

use std::fmt;

use chatkit_protocol::Timestamp;

use super::{CountLimit, Counted, Whose, Window};
use crate::language::Language;

/// Up to so long a wait is told in seconds, and a longer one as a time of day.
const TOLD_IN_SECONDS: u32 = 90;
/// Nobody knows when a stream ends; so long is a good time to wait for one.
const STREAM_WAIT_SECONDS: u32 = 5;

/// A limit that was reached. It reads, in English, as a sentence or two for whoever wanted more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// What there is no more of.
    pub resource: Resource,
    /// How much there was.
    pub limit: u64,
    /// When there is more; nobody knows of streams.
    pub resets_at: Option<Timestamp>,
    /// How long to wait, in whole seconds, at least one.
    pub wait_seconds: u32,
    what: Told,
}

/// What there may be no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Messages in a while.
    Messages,
    /// Recordings in a while.
    Recordings,
    /// Tokens in a day.
    Tokens,
    /// Answers on their way at once.
    Streams,
}

impl Resource {
    /// Its name, for counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Recordings => "recordings",
            Self::Tokens => "tokens",
            Self::Streams => "streams",
        }
    }
}

/// What there is no more of, as far as a sentence tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Counted(Counted, Whose, Window),
    Tokens,
    Streams,
}

impl Reached {
    pub(super) fn counted(limit: CountLimit, resets_at: Timestamp, now: Timestamp) -> Self {
        let CountLimit { what, whose, window, allowed } = limit;
        let resource = match what {
            Counted::Messages => Resource::Messages,
            Counted::Recordings => Resource::Recordings,
        };
        Self::until(resource, Told::Counted(what, whose, window), allowed, resets_at, now)
    }

    pub(super) fn tokens(allowed: u64, resets_at: Timestamp, now: Timestamp) -> Self {
        Self::until(Resource::Tokens, Told::Tokens, allowed, resets_at, now)
    }

    pub(super) fn streams(allowed: u64) -> Self {
        let (resource, what, wait_seconds) = (Resource::Streams, Told::Streams, STREAM_WAIT_SECONDS);
        Self { resource, limit: allowed, resets_at: None, wait_seconds, what }
    }

    fn until(resource: Resource, what: Told, limit: u64, resets_at: Timestamp, now: Timestamp) -> Self {
        let millis = (resets_at.utc() - now.utc()).num_milliseconds().max(1);
        let wait_seconds = u32::try_from((millis + 999) / 1_000).unwrap_or(u32::MAX);
        Self { resource, limit, resets_at: Some(resets_at), wait_seconds, what }
    }

    /// What was reached and when there is more, for whoever wanted more.
    pub fn told(&self, language: Language) -> String {
        let reached = language.say_with(
            match self.what {
                Told::Counted(Counted::Messages, Whose::Reader, Window::Minute) => "limit-reader-messages-minute",
                Told::Counted(Counted::Messages, Whose::Reader, Window::Day) => "limit-reader-messages-day",
                Told::Counted(Counted::Messages, Whose::Address, Window::Minute) => "limit-address-messages-minute",
                Told::Counted(Counted::Messages, Whose::Address, Window::Day) => "limit-address-messages-day",
                Told::Counted(Counted::Recordings, Whose::Reader, Window::Minute) => "limit-reader-recordings-minute",
                Told::Counted(Counted::Recordings, Whose::Reader, Window::Day) => "limit-reader-recordings-day",
                Told::Counted(Counted::Recordings, Whose::Address, Window::Minute) => "limit-address-recordings-minute",
                Told::Counted(Counted::Recordings, Whose::Address, Window::Day) => "limit-address-recordings-day",
                Told::Tokens => "limit-tokens",
                Told::Streams => "limit-streams",
            },
            &[("count", self.limit.into())],
        );
        let Some(resets_at) = self.resets_at else { return reached };
        let when = match self.wait_seconds {
            seconds if seconds <= TOLD_IN_SECONDS => in_seconds(seconds, language),
            _ => language.say_with("limit-at", &[("time", resets_at.utc().format("%H:%M").to_string().into())]),
        };
        language.say_with("limit-again", &[("reached", reached.into()), ("when", when.into())])
    }
}

/// In how many seconds something is so, such as `in 5 seconds`.
pub fn in_seconds(seconds: u32, language: Language) -> String {
    language.say_with("limit-in-seconds", &[("count", seconds.into())])
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::default()))
    }
}

impl std::error::Error for Reached {}
