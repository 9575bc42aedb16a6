//! How much a reader may do: messages, recordings and tokens, which the database counts for all instances, and open
//! streams, which are counted here.
//!
//! What is counted for a reader without any credential is counted for their address. Whoever wants more than there is
//! hears a sentence that says what was reached and when it resets.

mod day;
mod reached;
mod streams;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatkit_protocol::Timestamp;
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use self::streams::Streams;
use crate::clock::Clock;
use crate::config::LimitSettings;
use crate::identity::{AddressNames, ClientAddress, Identity, OwnerId};
use crate::metrics::Metrics;
use crate::store::{Claim, CountStore, Exceeded, Limit, StoreError, TokenLimit};

pub use self::day::{Day, DayStatus, PerDay};
pub use self::reached::{Reached, Resource, in_seconds};
pub use self::streams::Slot;

/// What everybody may do, and who listens on this instance. Cheap to clone.
#[derive(Clone)]
pub struct Quota(Arc<Inner>);

struct Inner {
    limits: LimitSettings,
    names: AddressNames,
    counts: Arc<dyn CountStore>,
    clock: Clock,
    streams: Streams,
    metrics: Metrics,
    /// Whether something was counted here since the last sweep.
    busy: AtomicBool,
}

impl std::fmt::Debug for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quota").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl Quota {
    /// These limits; addresses are counted under their names.
    pub fn new(
        limits: &LimitSettings,
        names: AddressNames,
        counts: Arc<dyn CountStore>,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let (limits, streams, busy) = (limits.clone(), Streams::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { limits, names, counts, clock, streams, metrics, busy }))
    }

    /// What one request may do.
    ///
    /// Strangers whose address is not known are counted together.
    pub fn of(&self, who: &Identity, address: Option<ClientAddress>) -> Allowance {
        Allowance(Some(self.known(who, address)))
    }

    fn known(&self, who: &Identity, address: Option<ClientAddress>) -> Known {
        let address = address.map(|address| self.0.names.name(address));
        let reader = match (who, &address) {
            (Identity::Stranger, Some(address)) => OwnerId::address(address),
            (Identity::User { .. } | Identity::Visitor { .. } | Identity::Stranger, _) => who.owner(),
        };
        Known { quota: self.clone(), reader, address }
    }
}

/// What one request may do. Without a [`Quota`], everything.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    quota: Quota,
    /// For whom it is counted.
    reader: OwnerId,
    /// The name of the address, where it is known.
    address: Option<String>,
}

/// What is counted one by one, each kind for itself, under the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// New messages, and retries.
    Messages,
    /// Recordings that become text.
    Recordings,
}

/// For whom it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Reader,
    Address,
}

/// How long it is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Minute,
    /// Up to midnight UTC.
    Day,
}

/// One limit on what is counted one by one.
#[derive(Clone, Copy, Debug)]
struct CountLimit {
    what: Counted,
    whose: Whose,
    window: Window,
    allowed: u64,
}

impl Allowance {
    /// Who pays for the answers to this caller.
    pub fn payer(&self, who: &Identity) -> OwnerId {
        self.0.as_ref().map_or_else(|| who.owner(), |known| known.reader.clone())
    }

    /// What is claimed for one of these.
    pub fn one(&self, what: Counted) -> Vec<Claim> {
        let Some(known) = &self.0 else { return Vec::new() };
        let now = known.quota.0.clock.now();
        let claims: Vec<Claim> = known.limits(what).map(|limit| known.claim(limit, now)).collect();
        if !claims.is_empty() {
            known.quota.0.busy.store(true, Ordering::Relaxed);
        }
        claims
    }

    /// Counts one of these that belongs to no turn.
    ///
    /// # Errors
    /// [`StoreError::Exceeded`], for [`Allowance::reached`], and the database.
    pub async fn count(&self, what: Counted) -> Result<(), StoreError> {
        match (&self.0, self.one(what)) {
            (Some(known), claims) if !claims.is_empty() => {
                known.quota.0.counts.claim(&claims, known.quota.0.clock.now()).await
            }
            _ => Ok(()),
        }
    }

    /// What may have been spent before another answer begins; none where there is no limit.
    pub fn tokens(&self) -> Option<TokenLimit> {
        let known = self.0.as_ref()?;
        let now = known.quota.0.clock.now().utc();
        Some(TokenLimit {
            payer: known.reader.clone(),
            since: Timestamp::new(now.with_time(NaiveTime::MIN).single().unwrap_or(now)),
            allowed: known.quota.0.limits.tokens_per_day?,
            resets_at: Timestamp::new(next_midnight(now)),
        })
    }

    /// A place for one more open stream, as long as the slot is held.
    ///
    /// # Errors
    /// The reader, or their address, has as many as there may be.
    pub fn listen(&self) -> Result<Slot, Reached> {
        let Some(Known { quota, reader, address }) = &self.0 else { return Ok(Slot::default()) };
        let limits = &quota.0.limits;
        let reader = limits.streams_per_reader.map(|allowed| (format!("reader {}", reader.as_str()), allowed));
        let address = address.as_ref().map(|address| format!("address {address}")).zip(limits.streams_per_address);
        quota.0.streams.open(reader.into_iter().chain(address)).map_err(|allowed| {
            quota.0.metrics.limit_reached(Resource::Streams.name());
            Reached::streams(allowed)
        })
    }

    /// What the caller hears when a claim of [`Allowance::one`], or [`Allowance::tokens`], was refused.
    pub fn reached(&self, what: Counted, exceeded: &Exceeded) -> Reached {
        let (now, tokens) = match &self.0 {
            Some(Known { quota, .. }) => (quota.0.clock.now(), quota.0.limits.tokens_per_day.unwrap_or_default()),
            None => (exceeded.resets_at, 0),
        };
        let reached = match exceeded.limit {
            Limit::Tokens => Reached::tokens(tokens, exceeded.resets_at, now),
            Limit::Claim(place) => {
                let limit = self.0.as_ref().and_then(|known| known.limits(what).nth(place));
                let unknown = CountLimit { what, whose: Whose::Reader, window: Window::Minute, allowed: 0 };
                Reached::counted(limit.unwrap_or(unknown), exceeded.resets_at, now)
            }
        };
        if let Some(known) = &self.0 {
            known.quota.0.metrics.limit_reached(reached.resource.name());
        }
        reached
    }
}

impl Known {
    /// The limits that hold for this caller, always in the same order.
    fn limits(&self, what: Counted) -> impl Iterator<Item = CountLimit> {
        let limits = &self.quota.0.limits;
        let of_address = |allowed: Option<u64>| allowed.filter(|_| self.address.is_some());
        [
            (Whose::Reader, Window::Minute, limits.messages_per_minute),
            (Whose::Reader, Window::Day, limits.messages_per_day),
            (Whose::Address, Window::Minute, of_address(limits.messages_per_minute_per_address)),
            (Whose::Address, Window::Day, of_address(limits.messages_per_day_per_address)),
        ]
        .into_iter()
        .filter_map(move |(whose, window, allowed)| Some(CountLimit { what, whose, window, allowed: allowed? }))
    }

    fn claim(&self, CountLimit { what, whose, window, allowed }: CountLimit, now: Timestamp) -> Claim {
        let what = match what {
            Counted::Messages => "messages",
            Counted::Recordings => "recordings",
        };
        let (length, resets_at) = match window {
            Window::Minute => ("minute", now.utc() + TimeDelta::minutes(1)),
            Window::Day => ("day", next_midnight(now.utc())),
        };
        let key = match (whose, &self.address) {
            (Whose::Address, Some(address)) => format!("{what}/{length}/of-address/{address}"),
            (Whose::Address | Whose::Reader, _) => format!("{what}/{length}/of-reader/{}", self.reader.as_str()),
        };
        Claim { key, allowed, units: 1, resets_at: Timestamp::new(resets_at) }
    }
}

fn next_midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now.date_naive().checked_add_days(Days::new(1));
    tomorrow.map_or(now, |day| day.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests;
