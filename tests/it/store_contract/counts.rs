//! Counts by key: windows, all or nothing, and many who count at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::store::{Claim, CountStore, Exceeded, Limit, StoreError, Used};
use chatkit_protocol::Timestamp;
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::on_both_homes;
use super::scene::{Home, Scene, at};

on_both_homes!(
    a_window_begins_with_the_first_claim_and_holds_what_is_allowed,
    a_window_ends_when_its_first_claim_said,
    a_refused_claim_counts_nothing_and_begins_no_window,
    several_claims_are_counted_together_or_not_at_all,
    of_several_limits_the_one_that_resets_last_is_named,
    more_than_a_window_holds_is_never_granted,
    any_key_and_any_number_can_be_counted,
    what_is_given_back_can_be_claimed_again,
    nothing_is_given_back_to_a_later_window,
    windows_that_have_ended_are_forgotten,
    fifty_of_two_hundred_claims_at_once_are_granted,
    claims_on_crossing_keys_do_not_lock_each_other_out,
);

/// How long many claims at once may take together.
const CROWD_WAIT_MAX: Duration = Duration::from_secs(60);

fn claim(key: &str, allowed: u64, resets_at: i64) -> Claim {
    Claim { key: key.to_owned(), allowed, units: 1, resets_at: at(resets_at) }
}

/// The place and the time of a refusal; `None` when all was counted.
async fn refusal(counts: &dyn CountStore, claims: &[Claim], now: i64) -> Option<(usize, Timestamp)> {
    match counts.claim(claims, at(now)).await {
        Ok(()) => None,
        Err(StoreError::Exceeded(Exceeded { limit: Limit::Claim(place), resets_at })) => Some((place, resets_at)),
        Err(other) => panic!("{other:?}"),
    }
}

async fn units(counts: &dyn CountStore, key: &str, now: i64) -> u64 {
    counts.used(key, at(now)).await.unwrap().units
}

async fn a_window_begins_with_the_first_claim_and_holds_what_is_allowed(scene: Scene) {
    let counts = &*scene.home.counts;
    assert_eq!(counts.used("a", at(0)).await.unwrap(), Used::default());
    assert_eq!(refusal(counts, &[claim("a", 2, 60)], 0).await, None);
    assert_eq!(refusal(counts, &[claim("a", 2, 80)], 20).await, None);
    assert_eq!(counts.used("a", at(20)).await.unwrap(), Used { units: 2, resets_at: Some(at(60)) });
    assert_eq!(refusal(counts, &[claim("a", 2, 90)], 30).await, Some((0, at(60))));
    assert_eq!(refusal(counts, &[claim("b", 2, 90)], 30).await, None, "another key has a window of its own");
    assert_eq!(refusal(counts, &[], 30).await, None);
}

async fn a_window_ends_when_its_first_claim_said(scene: Scene) {
    let counts = &*scene.home.counts;
    refusal(counts, &[claim("a", 1, 60)], 0).await;
    assert_eq!(refusal(counts, &[claim("a", 1, 119)], 59).await, Some((0, at(60))));
    assert_eq!(counts.used("a", at(60)).await.unwrap(), Used::default());
    assert_eq!(refusal(counts, &[claim("a", 1, 120)], 60).await, None);
    assert_eq!(counts.used("a", at(61)).await.unwrap(), Used { units: 1, resets_at: Some(at(120)) });
}

async fn a_refused_claim_counts_nothing_and_begins_no_window(scene: Scene) {
    let counts = &*scene.home.counts;
    assert_eq!(refusal(counts, &[claim("a", 0, 60)], 0).await, Some((0, at(60))));
    assert_eq!(counts.used("a", at(0)).await.unwrap(), Used::default());
    assert_eq!(refusal(counts, &[claim("a", 1, 100)], 40).await, None);
    assert_eq!(counts.used("a", at(40)).await.unwrap(), Used { units: 1, resets_at: Some(at(100)) });
    for second in 41..50 {
        assert_eq!(refusal(counts, &[claim("a", 1, second + 60)], second).await, Some((0, at(100))));
    }
    assert_eq!(units(counts, "a", 50).await, 1);
}

async fn several_claims_are_counted_together_or_not_at_all(scene: Scene) {
    let counts = &*scene.home.counts;
    refusal(counts, &[claim("full", 1, 60)], 0).await;
    // Whatever the order of the keys, and whether or not their windows have begun.
    for others in [["a", "z"], ["b", "y"], ["a", "y"]] {
        let claims = [claim(others[0], 5, 60), claim("full", 1, 60), claim(others[1], 5, 60)];
        assert_eq!(refusal(counts, &claims, 1).await, Some((1, at(60))));
        assert_eq!((units(counts, others[0], 1).await, units(counts, others[1], 1).await), (0, 0));
    }
    assert_eq!(refusal(counts, &[claim("z", 5, 60), claim("a", 5, 60)], 2).await, None);
    assert_eq!((units(counts, "a", 2).await, units(counts, "z", 2).await, units(counts, "full", 2).await), (1, 1, 1));
}

async fn of_several_limits_the_one_that_resets_last_is_named(scene: Scene) {
    let counts = &*scene.home.counts;
    let claims = [claim("minute", 1, 60), claim("day", 1, 5_000), claim("free", 9, 9_000)];
    refusal(counts, &claims, 0).await;
    assert_eq!(refusal(counts, &claims, 1).await, Some((1, at(5_000))));
    let backwards: Vec<Claim> = claims.iter().rev().cloned().collect();
    assert_eq!(refusal(counts, &backwards, 1).await, Some((1, at(5_000))));
}

async fn more_than_a_window_holds_is_never_granted(scene: Scene) {
    let counts = &*scene.home.counts;
    let many = |units| [Claim { units, ..claim("a", 10, 60) }];
    assert_eq!(refusal(counts, &many(11), 0).await, Some((0, at(60))));
    assert_eq!(refusal(counts, &many(7), 0).await, None);
    assert_eq!(refusal(counts, &many(4), 0).await, Some((0, at(60))));
    assert_eq!(refusal(counts, &many(3), 0).await, None);
    assert_eq!(refusal(counts, &many(0), 0).await, None, "nothing always fits");
    assert_eq!(units(counts, "a", 0).await, 10);
}

async fn any_key_and_any_number_can_be_counted(scene: Scene) {
    let counts = &*scene.home.counts;
    for key in ["", "with\0nothing", "'; drop table limit_counts; --", "ہاں 🤖", &"k".repeat(2_000)] {
        assert_eq!(refusal(counts, &[claim(key, 1, 60)], 0).await, None, "{key:?}");
        assert_eq!(refusal(counts, &[claim(key, 1, 60)], 0).await, Some((0, at(60))), "{key:?}");
    }
    let all = [Claim { units: u64::MAX, allowed: u64::MAX, ..claim("huge", 0, 60) }];
    assert_eq!(refusal(counts, &all, 0).await, None);
    assert_eq!(refusal(counts, &all, 0).await, Some((0, at(60))));
}

async fn what_is_given_back_can_be_claimed_again(scene: Scene) {
    let counts = &*scene.home.counts;
    let claims = [claim("b", 1, 60), claim("a", 2, 90)];
    refusal(counts, &claims, 0).await;
    assert_eq!(refusal(counts, &claims, 1).await, Some((0, at(60))));
    counts.give_back(&claims, at(2)).await.unwrap();
    assert_eq!((units(counts, "a", 2).await, units(counts, "b", 2).await), (0, 0));
    counts.give_back(&claims, at(2)).await.unwrap();
    assert_eq!(refusal(counts, &claims, 3).await, None, "what was never counted is not given");
    assert_eq!(refusal(counts, &claims, 3).await, Some((0, at(60))));
    counts.give_back(&[claim("nobody's", 1, 60)], at(3)).await.unwrap();
    counts.give_back(&[], at(3)).await.unwrap();
}

async fn nothing_is_given_back_to_a_later_window(scene: Scene) {
    let counts = &*scene.home.counts;
    let early = [claim("a", 1, 60)];
    refusal(counts, &early, 0).await;
    refusal(counts, &[claim("a", 1, 130)], 70).await;
    counts.give_back(&early, at(71)).await.unwrap();
    assert_eq!(units(counts, "a", 71).await, 1);
    // A claim that joined a window asked for an end that is later than the one it got.
    let joined = [claim("a", 2, 140)];
    refusal(counts, &joined, 80).await;
    counts.give_back(&joined, at(81)).await.unwrap();
    assert_eq!(units(counts, "a", 81).await, 1);
}

async fn windows_that_have_ended_are_forgotten(scene: Scene) {
    let counts = &*scene.home.counts;
    for (key, resets_at) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
        refusal(counts, &[claim(key, 1, resets_at)], 0).await;
    }
    assert_eq!(counts.forget_counts(at(30), 2).await.unwrap(), 2);
    assert_eq!(counts.forget_counts(at(30), 2).await.unwrap(), 1);
    assert_eq!(counts.forget_counts(at(30), 2).await.unwrap(), 0);
    assert_eq!(scene.home.look("select key from limit_counts").await, ["d"]);
}

/// How many of so many claims at once, made by two instances, are granted.
async fn granted(scene: &Scene, tries: usize, claims: impl Fn(usize) -> Vec<Claim>) -> usize {
    let instances = [Arc::clone(&scene.home.counts), scene.home.other_counts().await];
    let trying = (0..tries).map(|n| {
        let (counts, claims) = (Arc::clone(&instances[n % 2]), claims(n));
        async move { refusal(&*counts, &claims, 0).await.is_none() }
    });
    let all = tokio::time::timeout(CROWD_WAIT_MAX, join_all(trying)).await.expect("nobody waits for ever");
    all.into_iter().filter(|granted| *granted).count()
}

async fn fifty_of_two_hundred_claims_at_once_are_granted(scene: Scene) {
    let both = |_| vec![claim("wide", 1_000, 60), claim("narrow", 50, 60)];
    assert_eq!(granted(&scene, 200, both).await, 50);
    let counts = &*scene.home.counts;
    assert_eq!((units(counts, "wide", 0).await, units(counts, "narrow", 0).await), (50, 50));
}

async fn claims_on_crossing_keys_do_not_lock_each_other_out(scene: Scene) {
    // Half of them in one order and half in the other, some on keys that others do not have yet.
    let crossing = |n: usize| {
        let mut claims = vec![claim("a", 1_000, 60), claim("m", 1_000, 60), claim("z", 1_000, 60)];
        claims.insert(n % 4, claim(&format!("k{}", n % 7), 1_000, 60));
        if n.is_multiple_of(2) {
            claims.reverse();
        }
        claims
    };
    assert_eq!(granted(&scene, 120, crossing).await, 120);
    let counts = &*scene.home.counts;
    assert_eq!((units(counts, "a", 0).await, units(counts, "z", 0).await), (120, 120));
}

/// What somebody does, and when.
#[derive(Clone, Debug)]
enum Act {
    Claim(Vec<(usize, u64)>),
    /// Takes back one of the claims that were granted.
    GiveBack(usize),
    Wait(i64),
    Forget,
}

const KEYS: [(&str, u64, i64); 3] = [("x", 3, 10), ("y", 5, 25), ("z", 2, 40)];

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let claims = proptest::sample::subsequence(vec![0, 1, 2], 1..=3).prop_shuffle();
    let claims = claims.prop_flat_map(|keys| {
        let units = proptest::collection::vec(0_u64..3, keys.len());
        units.prop_map(move |units| keys.iter().copied().zip(units).collect())
    });
    let act = prop_oneof![
        6 => claims.prop_map(Act::Claim),
        2 => any::<usize>().prop_map(Act::GiveBack),
        2 => (1_i64..12).prop_map(Act::Wait),
        1 => Just(Act::Forget),
    ];
    proptest::collection::vec(act, 1..25)
}

/// What the counts are by the book: for each key its window's end and its units.
#[derive(Default)]
struct Model {
    windows: HashMap<usize, (i64, u64)>,
    granted: Vec<(i64, Vec<(usize, u64)>)>,
}

impl Model {
    fn used(&self, key: usize, now: i64) -> u64 {
        self.windows.get(&key).filter(|(ends, _)| *ends > now).map_or(0, |(_, units)| *units)
    }

    fn claim(&mut self, wanted: &[(usize, u64)], now: i64) -> bool {
        let fits = wanted.iter().all(|(key, units)| self.used(*key, now) + units <= KEYS[*key].1);
        if fits {
            for (key, units) in wanted {
                let used = self.used(*key, now);
                let ends = if used == 0 { now + KEYS[*key].2 } else { self.windows[key].0 };
                self.windows.insert(*key, (ends, used + units));
            }
            self.granted.push((now, wanted.to_vec()));
        }
        fits
    }

    fn give_back(&mut self, wanted: &[(usize, u64)], claimed: i64, now: i64) {
        for (key, units) in wanted {
            if let Some((ends, used)) = self.windows.get_mut(key)
                && *ends > now
                && *ends <= claimed + KEYS[*key].2
            {
                *used = used.saturating_sub(*units);
            }
        }
    }
}

fn hold(cases: u32, home: impl Future<Output = Home>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = runtime.block_on(home);
    let run = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let held = runner.run(&acts(), |acts| {
        run.set(run.get() + 1);
        runtime.block_on(play(&*home.counts, run.get(), &acts));
        Ok(())
    });
    if let Err(broken) = held {
        panic!("{broken}");
    }
}

#[test]
fn never_is_more_granted_than_allowed_whatever_the_order_on_sqlite() {
    hold(64, Home::sqlite());
}

#[test]
fn never_is_more_granted_than_allowed_whatever_the_order_on_postgres() {
    hold(32, Home::postgres());
}

/// Plays a story and compares with the book after each act.
async fn play(counts: &dyn CountStore, run: u32, acts: &[Act]) {
    let (mut model, mut now) = (Model::default(), 0);
    let name = |key: usize| format!("{run} {}", KEYS[key].0);
    let claims = |wanted: &[(usize, u64)], now: i64| -> Vec<Claim> {
        let claim = |(key, units): &(usize, u64)| {
            let (_, allowed, length) = KEYS[*key];
            Claim { key: name(*key), allowed, units: *units, resets_at: at(now + length) }
        };
        wanted.iter().map(claim).collect()
    };
    for act in acts {
        match act {
            Act::Claim(wanted) => {
                let is_granted = refusal(counts, &claims(wanted, now), now).await.is_none();
                assert_eq!(is_granted, model.claim(wanted, now), "{wanted:?} at {now} in {acts:?}");
            }
            Act::GiveBack(which) if !model.granted.is_empty() => {
                let (claimed, wanted) = model.granted.remove(which % model.granted.len());
                counts.give_back(&claims(&wanted, claimed), at(now)).await.unwrap();
                model.give_back(&wanted, claimed, now);
            }
            Act::GiveBack(_) => {}
            Act::Wait(seconds) => now += seconds,
            Act::Forget => {
                counts.forget_counts(at(now), 100).await.unwrap();
            }
        }
        for (key, (plain, allowed, _)) in KEYS.iter().enumerate() {
            let used = units(counts, &name(key), now).await;
            assert_eq!(used, model.used(key, now), "{plain} at {now} in {acts:?}");
            assert!(used <= *allowed);
        }
    }
}
