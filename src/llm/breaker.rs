//! A circuit breaker: who failed several times in a row is left alone for a while, and then asked once, to see.
//!
//! It is told the time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After so many failures in a row nobody is sent there for a while.
const FAILURES_MAX: u32 = 5;

/// The first rest; each one that did not help is followed by one twice as long.
const REST_FIRST: Duration = Duration::from_secs(10);

/// The longest rest.
const REST_MAX: Duration = Duration::from_secs(120);

/// What to tell others to wait while one of them is asking whether the rest has helped.
const PROBE_WAIT: Duration = Duration::from_secs(5);

/// Remembers how the last requests to one endpoint went.
#[derive(Debug)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Failures in a row.
    failures: u32,
    /// Open until then, and afterwards for all but one probe, if there is such a time.
    until: Option<Instant>,
    probing: bool,
    next_rest: Duration,
}

/// Leave to send one request. Say how it went; a request that was given up says nothing, and lets the next one probe.
#[derive(Debug)]
#[must_use]
pub(super) struct Permit {
    breaker: Arc<Breaker>,
    probe: bool,
}

impl Breaker {
    /// One that trusts.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { failures: 0, until: None, probing: false, next_rest: REST_FIRST })))
    }

    /// Leave to send a request now, or how long to wait for it.
    pub(super) fn admit(self: &Arc<Self>, now: Instant) -> Result<Permit, Duration> {
        let mut state = self.state();
        let probe = match state.until {
            None => false,
            Some(until) => {
                let left = until.saturating_duration_since(now);
                if !left.is_zero() {
                    return Err(left);
                }
                if state.probing {
                    return Err(PROBE_WAIT);
                }
                state.probing = true;
                true
            }
        };
        Ok(Permit { breaker: Arc::clone(self), probe })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The endpoint answered, whatever it said.
    pub(super) fn answered(self) {
        let mut state = self.breaker.state();
        (state.failures, state.until, state.next_rest) = (0, None, REST_FIRST);
    }

    /// The endpoint failed. Gives back how long it is left alone now, if this is what it took.
    pub(super) fn failed(self, now: Instant) -> Option<Duration> {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        let opens = self.probe || (state.until.is_none() && state.failures >= FAILURES_MAX);
        opens.then(|| {
            let rest = state.next_rest;
            state.until = Some(now + rest);
            state.next_rest = (rest * 2).min(REST_MAX);
            rest
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that opened just now.
    fn open(now: Instant) -> Arc<Breaker> {
        let breaker = Breaker::new();
        let rests: Vec<_> = (0..FAILURES_MAX).map(|_| breaker.admit(now).unwrap().failed(now)).collect();
        assert_eq!(rests.last().unwrap(), &Some(REST_FIRST));
        assert!(rests[..rests.len() - 1].iter().all(Option::is_none), "{rests:?}");
        breaker
    }

    #[test]
    fn some_failures_among_answers_are_forgiven() {
        let (breaker, now) = (Breaker::new(), Instant::now());
        for _ in 0..FAILURES_MAX * 3 {
            assert_eq!(breaker.admit(now).unwrap().failed(now), None);
            breaker.admit(now).unwrap().answered();
        }
    }

    #[test]
    fn after_failures_in_a_row_nobody_is_sent_there_until_one_has_looked() {
        let now = Instant::now();
        let breaker = open(now);
        assert_eq!(breaker.admit(now).unwrap_err(), REST_FIRST);
        assert_eq!(breaker.admit(now + REST_FIRST / 2).unwrap_err(), REST_FIRST / 2);
        let later = now + REST_FIRST;
        let probe = breaker.admit(later).unwrap();
        assert_eq!(breaker.admit(later).unwrap_err(), PROBE_WAIT);
        probe.answered();
        let both = (breaker.admit(later), breaker.admit(later));
        assert!(both.0.is_ok() && both.1.is_ok());
    }

    #[test]
    fn rests_that_do_not_help_grow_up_to_a_limit_and_an_answer_makes_them_short_again() {
        let mut now = Instant::now();
        let breaker = open(now);
        let mut rest = REST_FIRST;
        for _ in 0..8 {
            now += rest;
            let longer = breaker.admit(now).unwrap().failed(now).unwrap();
            assert_eq!(longer, (rest * 2).min(REST_MAX));
            rest = longer;
        }
        now += rest;
        breaker.admit(now).unwrap().answered();
        let rests: Vec<_> = (0..FAILURES_MAX).filter_map(|_| breaker.admit(now).unwrap().failed(now)).collect();
        assert_eq!(rests, [REST_FIRST]);
    }

    #[test]
    fn a_probe_that_was_given_up_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let breaker = open(now);
        let later = now + REST_FIRST;
        drop(breaker.admit(later).unwrap());
        breaker.admit(later).unwrap().answered();
        breaker.admit(later).unwrap().answered();
    }

    #[test]
    fn failures_that_were_under_way_do_not_make_the_rest_longer() {
        let (breaker, now) = (Breaker::new(), Instant::now());
        let under_way: Vec<_> = (0..FAILURES_MAX * 2).map(|_| breaker.admit(now).unwrap()).collect();
        let rests: Vec<_> = under_way.into_iter().filter_map(|permit| permit.failed(now)).collect();
        assert_eq!(rests, [REST_FIRST]);
        assert_eq!(breaker.admit(now).unwrap_err(), REST_FIRST);
    }
}
