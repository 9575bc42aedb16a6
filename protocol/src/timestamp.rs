//! Points in time: UTC, to the microsecond, written with a `Z`.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// A point in time in UTC, in whole microseconds.
///
/// ```
/// use chatkit_protocol::Timestamp;
///
/// let noon: Timestamp = serde_json::from_str(r#""2026-01-02T14:00:00.5+02:00""#).unwrap();
/// assert_eq!(noon.to_string(), "2026-01-02T12:00:00.500000Z");
/// assert_eq!(Timestamp::parse("2026-01-02T12:00:00").unwrap().to_string(), "2026-01-02T12:00:00Z");
/// assert_eq!(Timestamp::parse("yesterday"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

/// The first and the last second of the years that are written with four digits.
const SECONDS_MIN: i64 = -62_167_219_200;
const SECONDS_MAX: i64 = 253_402_300_799;
const NANOS_MAX: u32 = 999_999_999;

impl Timestamp {
    /// The microsecond that `instant` lies in; before the year 0 and after 9999, the nearest that can be written.
    pub fn new(instant: DateTime<Utc>) -> Self {
        let (seconds, nanos) = match instant.timestamp() {
            ..SECONDS_MIN => (SECONDS_MIN, 0),
            // Within a leap second there are more nanoseconds than a second has.
            seconds @ SECONDS_MIN..=SECONDS_MAX => (seconds, instant.nanosecond().min(NANOS_MAX)),
            _ => (SECONDS_MAX, NANOS_MAX),
        };
        Self(DateTime::from_timestamp(seconds, nanos / 1_000 * 1_000).expect("the seconds lie within four-digit years"))
    }

    /// The instant.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Reads any RFC 3339 time; one without a zone counts as UTC. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc));
        let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc());
        zoned.or_else(|_| naive()).ok().map(Self::new)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.timestamp_subsec_micros() {
            0 => write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%SZ")),
            micros => write!(f, "{}.{micros:06}Z", self.0.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("must be a time such as 2026-01-02T12:00:00Z"))
    }
}
