//! What somebody hears who wants more than there is.

use std::fmt;

use chatkit_protocol::Timestamp;

use super::{CountLimit, Counted, Whose, Window};

/// Up to so long a wait is told in seconds, and a longer one as a time of day.
const TOLD_IN_SECONDS: i64 = 90;
/// Nobody knows when a stream ends; so long is a good time to wait for one.
const STREAM_WAIT_SECONDS: u32 = 5;

/// A limit that was reached. It reads as a sentence or two for whoever wanted more.
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
    sentence: String,
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

impl Reached {
    pub(super) fn counted(limit: CountLimit, resets_at: Timestamp, now: Timestamp) -> Self {
        let CountLimit { what, whose, window, allowed } = limit;
        let (resource, one) = match what {
            Counted::Messages => (Resource::Messages, "message"),
            Counted::Recordings => (Resource::Recordings, "recording"),
        };
        let window = match window {
            Window::Minute => "within a minute",
            Window::Day => "within a day",
        };
        let reached = match (whose, allowed) {
            (Whose::Reader, 1) => format!("You have sent 1 {one} {window}."),
            (Whose::Reader, _) => format!("You have sent {allowed} {one}s {window}."),
            (Whose::Address, 1) => format!("1 {one} has come from your network {window}."),
            (Whose::Address, _) => format!("{allowed} {one}s have come from your network {window}."),
        };
        Self::until(resource, allowed, &reached, resets_at, now)
    }

    pub(super) fn tokens(allowed: u64, resets_at: Timestamp, now: Timestamp) -> Self {
        let reached = format!("Your answers have used up the {allowed} tokens of a day.");
        Self::until(Resource::Tokens, allowed, &reached, resets_at, now)
    }

    pub(super) fn streams(allowed: u64) -> Self {
        let answers = if allowed == 1 { "1 answer is" } else { &format!("{allowed} answers are") };
        let sentence = format!("{answers} on the way to you already. Please try again when one of them has ended.");
        let wait_seconds = STREAM_WAIT_SECONDS;
        Self { resource: Resource::Streams, limit: allowed, resets_at: None, wait_seconds, sentence }
    }

    fn until(resource: Resource, limit: u64, reached: &str, resets_at: Timestamp, now: Timestamp) -> Self {
        let millis = (resets_at.utc() - now.utc()).num_milliseconds().max(1);
        let seconds = (millis + 999) / 1_000;
        let when = match seconds {
            1 => "in 1 second".to_owned(),
            seconds if seconds <= TOLD_IN_SECONDS => format!("in {seconds} seconds"),
            _ => format!("at {} UTC", resets_at.utc().format("%H:%M")),
        };
        let sentence = format!("{reached} Please try again {when}.");
        let wait_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { resource, limit, resets_at: Some(resets_at), wait_seconds, sentence }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Reached {}
