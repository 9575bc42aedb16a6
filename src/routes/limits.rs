//! How many requests an address may send to this instance, whatever they ask for.
//!
//! It protects the instance alone, so it is counted here, in microseconds and before a body is read. What must hold on
//! all instances together is counted in the database, by `quota`.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::address::{self, Notice};
use super::error::ApiError;
use super::{health, spoken};
use crate::config::LimitSettings;
use crate::identity::ClientAddress;
use crate::metrics::Metrics;
use crate::quota::in_seconds;

/// What is counted is counted in a minute.
const MINUTE: Duration = Duration::from_secs(60);
/// The addresses are kept in so many parts, so that requests wait for each other rarely.
const PARTS: usize = 64;
/// Addresses of one part that are remembered. When they are more, those that sent least are forgotten.
const PART_ADDRESSES_MAX: usize = 1024;

/// What stands before all doors.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    limits: LimitSettings,
    pace: Option<Pace>,
    metrics: Metrics,
    told_not_trusted: AtomicBool,
    told_contradiction: AtomicBool,
}

impl Gate {
    pub(super) fn new(limits: &LimitSettings, metrics: Metrics) -> Self {
        let pace = limits.requests_per_minute_per_address.map(Pace::new);
        let (told_not_trusted, told_contradiction) = Default::default();
        Self(Arc::new(Inner { limits: limits.clone(), pace, metrics, told_not_trusted, told_contradiction }))
    }
}

impl Gate {
    /// Counts one request more of a connection that brings several, or says why it may not.
    pub(super) fn count(&self, address: Option<ClientAddress>) -> Result<(), ApiError> {
        match (&self.0.pace, address) {
            (Some(pace), Some(address)) => pace.take(address, Instant::now()).map_err(too_many),
            _ => Ok(()),
        }
    }
}

/// Finds out where a request comes from, and lets it in unless there were too many from there.
pub(super) async fn pass(State(door): State<Gate>, mut request: Request, next: Next) -> Response {
    let gate = &door.0;
    let Some(peer) = address::peer(request.extensions()) else { return next.run(request).await };
    let origin = address::origin(&gate.limits, peer, request.headers());
    if let Some(notice) = origin.notice {
        gate.tell(notice, peer);
    }
    let client = ClientAddress::new(origin.client);
    request.extensions_mut().insert(client);
    if request.headers().contains_key(header::UPGRADE) {
        // What comes over the connection afterwards is counted by whoever reads it.
        request.extensions_mut().insert(door.clone());
    }
    let is_probe = health::PROBES.contains(&request.uri().path());
    match &gate.pace {
        Some(pace) if !is_probe => match pace.take(client, Instant::now()) {
            Ok(()) => next.run(request).await,
            Err(wait) => {
                gate.metrics.limit_reached("requests");
                too_many(wait).into_response()
            }
        },
        _ => next.run(request).await,
    }
}

fn too_many(wait: Duration) -> ApiError {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
    let wait = in_seconds(seconds, spoken::current());
    let message = spoken::say_with("door-too-many-requests", &[("wait", wait.into())]);
    ApiError::spoken(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).after(seconds)
}

impl Inner {
    /// Says once what is wrong with the headers of proxies: it is so for every request.
    fn tell(&self, notice: Notice, peer: IpAddr) {
        match notice {
            Notice::NotTrusted if !self.told_not_trusted.swap(true, Ordering::Relaxed) => tracing::warn!(
                "A request says for whom it was forwarded, but TRUSTED_PROXIES does not name its sender, which so counts \
                 as the client; if that is a proxy of yours, name it there, or all its readers share one limit ({})",
                network(peer)
            ),
            Notice::Contradiction if !self.told_contradiction.swap(true, Ordering::Relaxed) => tracing::warn!(
                "A trusted proxy passed on `X-Forwarded-For` and `Forwarded` that name different clients, so neither is \
                 believed; let the proxy remove the one that it does not write"
            ),
            Notice::NotTrusted | Notice::Contradiction => {}
        }
    }
}

/// Which network a proxy is in, as far as that says nothing of a person.
fn network(peer: IpAddr) -> &'static str {
    const PRIVATE: [(&str, &str); 7] = [
        ("127.0.0.0/8", "it is on this machine: 127.0.0.0/8"),
        ("::1/128", "it is on this machine: ::1"),
        ("10.0.0.0/8", "it is in 10.0.0.0/8"),
        ("172.16.0.0/12", "it is in 172.16.0.0/12"),
        ("192.168.0.0/16", "it is in 192.168.0.0/16"),
        ("100.64.0.0/10", "it is in 100.64.0.0/10"),
        ("fc00::/7", "it is in fc00::/7"),
    ];
    let holds = |network: &str| network.parse::<ipnet::IpNet>().is_ok_and(|network| network.contains(&peer));
    let known = PRIVATE.iter().find(|(network, _)| holds(network));
    known.map_or("it is no private address", |(_, sentence)| sentence)
}

/// How fast each address may go: a minute's worth at once, and then as it grows back.
struct Pace {
    /// What one request costs, in time.
    cost: Duration,
    hasher: RandomState,
    /// By address, when all it has sent is paid for.
    parts: Vec<Mutex<HashMap<ClientAddress, Instant>>>,
}

impl Pace {
    fn new(per_minute: u64) -> Self {
        let cost = Duration::from_nanos((MINUTE.as_nanos() as u64 / per_minute).max(1));
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        Self { cost, hasher: RandomState::new(), parts }
    }

    /// Takes one request of an address, or says how long it must wait.
    fn take(&self, address: ClientAddress, now: Instant) -> Result<(), Duration> {
        let part = self.hasher.hash_one(address) as usize % PARTS;
        let mut part = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        if part.len() >= PART_ADDRESSES_MAX && !part.contains_key(&address) {
            make_room(&mut part, now);
        }
        let paid = part.entry(address).or_insert(now);
        let will_be_paid = (*paid).max(now) + self.cost;
        match (will_be_paid - now).checked_sub(MINUTE) {
            None | Some(Duration::ZERO) => {
                *paid = will_be_paid;
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }
}

/// Forgets who owes nothing and, while that is not enough, who owes little.
fn make_room(part: &mut HashMap<ClientAddress, Instant>, now: Instant) {
    for owed in [Duration::ZERO, MINUTE / 2, MINUTE] {
        part.retain(|_, paid| *paid > now + owed);
        if part.len() < PART_ADDRESSES_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> ClientAddress {
        ClientAddress::new(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn an_address_may_send_a_minutes_worth_at_once_and_then_as_it_grows_back() {
        let (pace, now) = (Pace::new(60), Instant::now());
        for _ in 0..60 {
            pace.take(address(1), now).unwrap();
        }
        assert_eq!(pace.take(address(1), now), Err(Duration::from_secs(1)));
        assert_eq!(pace.take(address(2), now), Ok(()), "each has its own");
        let later = now + Duration::from_millis(2500);
        assert_eq!([(); 3].map(|()| pace.take(address(1), later).is_ok()), [true, true, false]);
        let much_later = now + 10 * MINUTE;
        assert_eq!((0..100).filter(|_| pace.take(address(1), much_later).is_ok()).count(), 60);
    }

    #[test]
    fn every_limit_is_kept_exactly() {
        for per_minute in [1, 7, 600, 999_983] {
            let (pace, now) = (Pace::new(per_minute), Instant::now());
            let passed = (0..per_minute + 10).filter(|_| pace.take(address(1), now).is_ok()).count() as u64;
            assert!((per_minute..=per_minute + 1).contains(&passed), "{passed} of {per_minute}");
        }
    }

    #[test]
    fn many_addresses_take_no_more_memory_and_free_nobody_who_is_over_the_limit() {
        let (pace, now) = (Pace::new(10), Instant::now());
        while pace.take(address(0), now).is_ok() {}
        for number in 1..=200_000 {
            pace.take(address(number), now).unwrap();
        }
        let remembered: usize = pace.parts.iter().map(|part| part.lock().unwrap().len()).sum();
        assert!(remembered <= PARTS * PART_ADDRESSES_MAX, "{remembered}");
        assert!(pace.take(address(0), now).is_err());
    }

    #[test]
    fn a_network_is_named_only_where_it_is_nobodys() {
        let named = |text: &str| network(text.parse().unwrap());
        assert_eq!(named("10.12.0.4"), "it is in 10.0.0.0/8");
        assert_eq!(named("::1"), "it is on this machine: ::1");
        assert_eq!(named("203.0.113.9"), "it is no private address");
    }
}
