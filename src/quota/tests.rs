//! What is counted for whom, and what is said of it.

use std::net::IpAddr;

use secrecy::SecretString;

use super::*;
use crate::config::LimitSettings;
use crate::store::sqlite::SqliteStore;

/// 23:59:20.5 UTC.
const NOW: &str = "2026-03-01T23:59:20.5Z";

struct Scene {
    quota: Quota,
    _folder: tempfile::TempDir,
}

async fn scene(now: &str, limits: LimitSettings) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
    store.migrate().await.unwrap();
    let clock = Clock::fixed(time(now).utc());
    let names = AddressNames::new(&SecretString::from("a key"));
    Scene { quota: Quota::new(&limits, names, Arc::new(store), clock.clone(), Metrics::new(&clock)), _folder: folder }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn limits() -> LimitSettings {
    LimitSettings {
        messages_per_minute: Some(20),
        messages_per_day: Some(500),
        messages_per_minute_per_address: Some(60),
        messages_per_day_per_address: Some(3_000),
        tokens_per_day: Some(9_000),
        ..LimitSettings::default()
    }
}

fn ada() -> Identity {
    Identity::User { id: OwnerId::user("ada") }
}

fn somewhere() -> Option<ClientAddress> {
    Some(ClientAddress::new("192.0.2.7".parse::<IpAddr>().unwrap()))
}

#[tokio::test]
async fn a_reader_is_counted_by_name_and_by_address() {
    let Scene { quota, _folder } = scene(NOW, limits()).await;
    let allowance = quota.of(&ada(), somewhere());
    let claims = allowance.one(Counted::Messages);
    let told: Vec<(u64, u64, Timestamp)> = claims.iter().map(|c| (c.allowed, c.units, c.resets_at)).collect();
    let (minute, midnight) = (time("2026-03-02T00:00:20.5Z"), time("2026-03-02T00:00:00Z"));
    assert_eq!(told, [(20, 1, minute), (500, 1, midnight), (60, 1, minute), (3_000, 1, midnight)]);
    assert_eq!(claims[0].key, "messages/minute/of-reader/user:ada");
    assert!(claims.iter().all(|claim| !claim.key.contains("192.0.2.7")), "no address is kept");
    assert_eq!(quota.of(&ada(), None).one(Counted::Messages).len(), 2);
    let tokens = allowance.tokens().unwrap();
    assert_eq!((tokens.payer, tokens.allowed), (OwnerId::user("ada"), 9_000));
    assert_eq!((tokens.since, tokens.resets_at), (time("2026-03-01T00:00:00Z"), midnight));
    assert_eq!(allowance.payer(&ada()), OwnerId::user("ada"));
}

#[tokio::test]
async fn a_stranger_is_counted_by_address_alone() {
    let Scene { quota, _folder } = scene(NOW, limits()).await;
    let here = quota.of(&Identity::Stranger, somewhere());
    let there = quota.of(&Identity::Stranger, Some(ClientAddress::new("192.0.2.8".parse::<IpAddr>().unwrap())));
    assert_ne!(here.one(Counted::Messages), there.one(Counted::Messages));
    assert_ne!(here.payer(&Identity::Stranger), there.payer(&Identity::Stranger));
    assert_eq!(here.tokens().unwrap().payer, here.payer(&Identity::Stranger));
    assert_ne!(here.payer(&Identity::Stranger), OwnerId::stranger());
    let nowhere = quota.of(&Identity::Stranger, None);
    assert_eq!(nowhere.payer(&Identity::Stranger), OwnerId::stranger());
    assert_eq!(nowhere.one(Counted::Messages).len(), 2, "strangers from nowhere are counted together");
}

#[tokio::test]
async fn without_limits_nothing_is_counted() {
    let Scene { quota, _folder } = scene(NOW, LimitSettings::default()).await;
    for allowance in [Allowance::default(), quota.of(&ada(), somewhere())] {
        assert_eq!(allowance.one(Counted::Messages), []);
        assert_eq!(allowance.tokens(), None);
        let slots: Vec<Slot> = (0..100).map(|_| allowance.listen().unwrap()).collect();
        assert_eq!(slots.len(), 100);
        assert_eq!(allowance.payer(&ada()), OwnerId::user("ada"));
    }
}

#[tokio::test]
async fn the_sentence_says_what_was_reached_and_when_it_resets() {
    async fn check(now: &str, limit: Limit, resets_at: &str, sentence: &str, wait_seconds: u32) {
        let Scene { quota, _folder } = scene(now, limits()).await;
        let resets_at = time(resets_at);
        let reached = quota.of(&ada(), somewhere()).reached(Counted::Messages, &Exceeded { limit, resets_at });
        assert_eq!((reached.to_string().as_str(), reached.wait_seconds), (sentence, wait_seconds));
        assert_eq!(reached.resets_at, Some(resets_at));
    }
    let noon = "2026-03-01T12:00:00Z";
    let minute = "You have sent 20 messages within a minute. Please try again in 34 seconds.";
    check(noon, Limit::Claim(0), "2026-03-01T12:00:33.2Z", minute, 34).await;
    let soon = "60 messages have come from your network within a minute. Please try again in 1 second.";
    check(noon, Limit::Claim(2), "2026-03-01T12:00:00.000001Z", soon, 1).await;
    let midnight = "2026-03-02T00:00:00Z";
    let day = "You have sent 500 messages within a day. Please try again at 00:00 UTC.";
    check(noon, Limit::Claim(1), midnight, day, 12 * 3_600).await;
    let network = "3000 messages have come from your network within a day. Please try again in 40 seconds.";
    check(NOW, Limit::Claim(3), midnight, network, 40).await;
    let tokens = "Your answers have used up the 9000 tokens of a day. Please try again at 00:00 UTC.";
    check(noon, Limit::Tokens, midnight, tokens, 12 * 3_600).await;
}

#[tokio::test]
async fn streams_are_limited_by_reader_and_by_address() {
    let limits = LimitSettings { streams_per_reader: Some(2), streams_per_address: Some(3), ..limits() };
    let Scene { quota, _folder } = scene(NOW, limits).await;
    let (ada, stranger) = (quota.of(&ada(), somewhere()), quota.of(&Identity::Stranger, somewhere()));
    let hers = [ada.listen().unwrap(), ada.listen().unwrap()];
    let reached = ada.listen().unwrap_err();
    assert_eq!((reached.resource, reached.limit, reached.resets_at), (Resource::Streams, 2, None));
    let sentence = "2 answers are on the way to you already. Please try again when one of them has ended.";
    assert_eq!(reached.to_string(), sentence);
    let theirs = stranger.listen().unwrap();
    assert_eq!(stranger.listen().unwrap_err().limit, 3);
    drop(hers);
    stranger.listen().unwrap();
    drop(theirs);
}
