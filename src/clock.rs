//! The time of day, handed in so that tests can choose it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chatkit_protocol::Timestamp;
use chrono::{DateTime, Utc};

/// Tells the time: the machine's own, or one that a test sets.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `instant` until [`Clock::advance`] moves it.
    pub fn fixed(instant: DateTime<Utc>) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(instant.timestamp_micros()))))
    }

    /// The instant it is now, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
            Source::System => Timestamp::new(Utc::now()),
            Source::Fixed(micros) => {
                let micros = micros.load(Ordering::SeqCst);
                Timestamp::new(DateTime::from_timestamp_micros(micros).unwrap_or_default())
            }
        }
    }

    /// Moves a fixed clock on; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(micros) = &self.0 {
            let step = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            micros.fetch_add(step, Ordering::SeqCst);
        }
    }
}
