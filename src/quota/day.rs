//! What somebody may have a number of in a day: claimed before it is made, and given back when it was not made.

use std::sync::atomic::Ordering;

use chatkit_protocol::Timestamp;

use super::{Allowance, Counted, Quota, Reached, next_midnight};
use crate::identity::{ClientAddress, Identity};
use crate::store::{Claim, Exceeded, Limit, StoreError, Tokens};

/// Where there is no limit, this many are told to be left: front ends calculate with the number.
const UNLIMITED: u64 = 1_000_000_000;

/// What is counted by the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerDay {
    /// Texts that are written anew for a reader.
    Personalizations,
    /// Texts that are written anew in another language.
    Translations,
}

impl PerDay {
    fn name(self) -> &'static str {
        match self {
            Self::Personalizations => "personalizations",
            Self::Translations => "translations",
        }
    }
}

/// How much of a day's number somebody has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayStatus {
    /// How many there are in a day; a thousand million where there is no limit.
    pub limit: u64,
    /// How many of them are used.
    pub used: u64,
    /// How many are left.
    pub remaining: u64,
    /// When there are as many as in the beginning again: midnight UTC.
    pub resets_at: Timestamp,
    /// How long that is, in whole seconds, at least one.
    pub wait_seconds: u32,
}

/// The number of a day, for one caller. Cheap to clone.
#[derive(Clone)]
pub struct Day {
    quota: Quota,
    what: PerDay,
    /// Under which keys one is counted, and how many there are in a day under each.
    limits: Vec<(String, u64)>,
}

impl Quota {
    /// What a caller may have of this in a day. Whoever has no account is counted by their address as well, since they
    /// can be as many visitors as they like.
    pub fn of_day(&self, who: &Identity, address: Option<ClientAddress>, what: PerDay) -> Day {
        let (known, set) = (self.known(who, address), &self.0.limits);
        let (reader, address) = match what {
            PerDay::Personalizations => (set.personalizations_per_day, None),
            PerDay::Translations => (set.translations_per_day, set.translations_per_day_per_address),
        };
        let key = |whose: &str, name: &str| format!("{}/day/{whose}/{name}", what.name());
        let mut limits = Vec::new();
        limits.extend(reader.map(|allowed| (key("of-reader", known.reader.as_str()), allowed)));
        if let (Identity::Visitor { .. } | Identity::Stranger, Some(name)) = (who, &known.address) {
            limits.extend(address.map(|allowed| (key("of-address", name), allowed)));
        }
        Day { quota: self.clone(), what, limits }
    }
}

impl Allowance {
    /// Whether the caller's answers have cost less today than they may.
    ///
    /// # Errors
    /// They have not.
    pub fn affords(&self, spent: Tokens) -> Result<(), Reached> {
        let Some(limit) = self.tokens() else { return Ok(()) };
        if spent.input.saturating_add(spent.output) < limit.allowed {
            return Ok(());
        }
        let exceeded = Exceeded { limit: Limit::Tokens, resets_at: limit.resets_at };
        Err(self.reached(Counted::Messages, &exceeded))
    }
}

impl Day {
    /// Counts one. What it gives is for [`Day::give_back`].
    ///
    /// # Errors
    /// [`StoreError::Exceeded`] when there is none left, and the database.
    pub async fn claim(&self) -> Result<Vec<Claim>, StoreError> {
        let (now, resets_at) = (self.now(), self.resets_at());
        let claim = |(key, allowed): &(String, u64)| Claim { key: key.clone(), allowed: *allowed, units: 1, resets_at };
        let claims: Vec<Claim> = self.limits.iter().map(claim).collect();
        if !claims.is_empty() {
            self.quota.0.busy.store(true, Ordering::Relaxed);
            self.quota.0.counts.claim(&claims, now).await?;
        }
        Ok(claims)
    }

    /// Takes one back that was counted.
    ///
    /// # Errors
    /// The database.
    pub async fn give_back(&self, claims: &[Claim]) -> Result<(), StoreError> {
        match claims {
            [] => Ok(()),
            claims => self.quota.0.counts.give_back(claims, self.now()).await,
        }
    }

    /// How much is used; of several limits, of the one that has least left.
    ///
    /// # Errors
    /// The database.
    pub async fn status(&self) -> Result<DayStatus, StoreError> {
        let (now, resets_at) = (self.now(), self.resets_at());
        let mut status = DayStatus { limit: UNLIMITED, used: 0, remaining: UNLIMITED, resets_at, wait_seconds: 0 };
        for (key, limit) in &self.limits {
            let used = self.quota.0.counts.used(key, now).await?.units;
            let remaining = limit.saturating_sub(used);
            if remaining < status.remaining {
                status = DayStatus { limit: *limit, used, remaining, ..status };
            }
        }
        let wait = (resets_at.utc() - now.utc()).num_seconds();
        Ok(DayStatus { wait_seconds: u32::try_from(wait).unwrap_or_default().saturating_add(1), ..status })
    }

    fn now(&self) -> Timestamp {
        self.quota.0.clock.now()
    }

    fn resets_at(&self) -> Timestamp {
        Timestamp::new(next_midnight(self.now().utc()))
    }
}

impl std::fmt::Debug for Day {
    /// The keys name a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Day").field("what", &self.what).finish_non_exhaustive()
    }
}
