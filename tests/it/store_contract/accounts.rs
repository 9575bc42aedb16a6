//! Accounts: one for each address, and sessions that end when they should.

use std::sync::Arc;

use chatkit_gateway::store::AccountStore;
use chatkit_gateway::store::accounts::{
    Account, AuditEntry, Background, EmailAddress, NewAccount, NewSession, Refreshed, SweptAccounts,
};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};

use super::on_both_homes;
use super::scene::{Scene, at};

on_both_homes!(
    an_account_is_read_back_as_it_was_made,
    of_sign_ups_at_once_with_one_address_one_is_kept_whole,
    an_address_is_found_whatever_its_capitals_and_first_of_all_as_it_is_written,
    a_session_is_live_until_it_expires_or_is_closed,
    a_session_is_refreshed_once,
    whoever_refreshes_what_was_replaced_long_ago_ends_all_that_came_of_it,
    an_account_has_so_many_sessions_and_the_oldest_end,
    a_disabled_account_is_there_for_nobody,
    a_better_hash_takes_the_place_of_the_old_one,
    a_sweep_takes_what_has_been_over_for_long_and_leaves_what_is_not_ours,
);

fn store(scene: &Scene) -> Arc<dyn AccountStore> {
    scene.home.accounts.clone()
}

fn address(written: &str) -> EmailAddress {
    EmailAddress { written: written.to_owned(), key: written.to_ascii_lowercase() }
}

fn account(id: &str, email: &str) -> NewAccount {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    NewAccount {
        id: id.to_owned(),
        email: address(email),
        password_hash: SecretString::from(format!("hash of {id}")),
        full_name: "Ada \"Lovelace\" 😀".to_owned(),
        background: Background {
            experience_level: Some("Beginner".to_owned()),
            programming_languages: words("Rust C++"),
            frameworks: Vec::new(),
            available_hardware: words("Jetson"),
            robotics_hardware: words("Go2 G1"),
        },
        now: at(0),
    }
}

fn session(token_hash: &str, seconds: i64) -> NewSession {
    let (created_at, expires_at) = (at(seconds), at(seconds + 1_000));
    NewSession { token_hash: token_hash.to_owned(), created_at, expires_at, together_max: 3 }
}

fn entry(seconds: i64) -> AuditEntry {
    let request_id = format!("req_{seconds}");
    AuditEntry { now: at(seconds), address_hash: Some("where".to_owned()), email_hash: None, request_id }
}

/// Makes Ada's account with a session `first`.
async fn sign_up(scene: &Scene) {
    assert!(store(scene).sign_up(&account("a", "Ada@example.org"), &session("first", 0), &entry(0)).await.unwrap());
}

async fn sign_in(scene: &Scene, token_hash: &str, seconds: i64) -> bool {
    store(scene).sign_in("a", None, &session(token_hash, seconds), &entry(seconds)).await.unwrap()
}

async fn refresh(scene: &Scene, old: &str, new: &str, seconds: i64) -> Refreshed {
    let stolen_before = at(seconds - 60);
    store(scene).refresh(old, &session(new, seconds), stolen_before, &entry(seconds)).await.unwrap()
}

async fn is_live(scene: &Scene, token_hash: &str, seconds: i64) -> bool {
    store(scene).session(token_hash, at(seconds)).await.unwrap().is_some()
}

async fn an_account_is_read_back_as_it_was_made(scene: Scene) {
    sign_up(&scene).await;
    let made = account("a", "Ada@example.org");
    let expected = Account {
        id: made.id,
        email: made.email.written,
        full_name: Some(made.full_name),
        background: made.background,
        created_at: at(0),
    };
    assert_eq!(store(&scene).account("a").await.unwrap(), Some(expected));
    assert_eq!(store(&scene).account("b").await.unwrap(), None);
    let kept = store(&scene).session("first", at(1)).await.unwrap().unwrap();
    assert_eq!((kept.account_id.as_str(), kept.created_at, kept.expires_at), ("a", at(0), at(1_000)));
}

async fn of_sign_ups_at_once_with_one_address_one_is_kept_whole(scene: Scene) {
    let names: Vec<String> = (0..8).map(|number| format!("a{number}")).collect();
    let told = join_all(names.iter().enumerate().map(|(number, name)| {
        let email = if number % 2 == 0 { "ada@example.org" } else { "ADA@example.org" };
        let (store, account, session) = (store(&scene), account(name, email), session(name, 0));
        async move { store.sign_up(&account, &session, &entry(0)).await.unwrap() }
    }))
    .await;
    let won: Vec<_> = names.iter().zip(&told).filter(|(_, told)| **told).map(|(name, _)| name.clone()).collect();
    assert_eq!(won.len(), 1, "{told:?}");
    assert_eq!(scene.home.look("select id from users").await, won);
    assert_eq!(scene.home.look("select user_id from user_software_background").await, won);
    assert_eq!(scene.home.look("select user_id from auth_sessions").await, won);
    let events = scene.home.look("select event_type from audit_logs order by event_type").await;
    assert_eq!((events.len(), events[0].as_str(), events[7].as_str()), (8, "signup", "signup_refused"));
}

async fn an_address_is_found_whatever_its_capitals_and_first_of_all_as_it_is_written(scene: Scene) {
    sign_up(&scene).await;
    // Of an earlier back end, which took capitals for a difference.
    scene
        .home
        .alter(
            "insert into users (id, email, password_hash, created_at, updated_at)
             values ('b', 'ada@example.org', 'hash of b', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z')",
        )
        .await;
    for (written, id) in
        [("Ada@example.org", "a"), ("ADA@EXAMPLE.ORG", "a"), ("ada@example.org", "b"), ("aDa@example.org", "a")]
    {
        let lock = store(&scene).lock(&address(written)).await.unwrap().unwrap();
        assert_eq!((lock.account_id.as_str(), id), (id, lock.account_id.as_str()), "{written}");
        assert_eq!(lock.password_hash.unwrap().expose_secret(), format!("hash of {id}"));
    }
    assert!(store(&scene).lock(&address("grace@example.org")).await.unwrap().is_none());
    for taken in ["ada@example.org", "Ada@Example.org"] {
        assert!(!store(&scene).sign_up(&account("c", taken), &session("c", 0), &entry(0)).await.unwrap(), "{taken}");
    }
}

async fn a_session_is_live_until_it_expires_or_is_closed(scene: Scene) {
    sign_up(&scene).await;
    assert!(is_live(&scene, "first", 999).await);
    assert!(!is_live(&scene, "first", 1_000).await);
    assert!(!is_live(&scene, "unknown", 0).await);
    assert!(sign_in(&scene, "second", 10).await);
    store(&scene).sign_out("first", &entry(20)).await.unwrap();
    store(&scene).sign_out("first", &entry(21)).await.unwrap();
    store(&scene).sign_out("unknown", &entry(22)).await.unwrap();
    assert!(!is_live(&scene, "first", 20).await);
    assert!(is_live(&scene, "second", 20).await);
    let closed = scene.home.look("select request_id from audit_logs where event_type = 'signout'").await;
    assert_eq!(closed, ["req_20"]);
}

async fn a_session_is_refreshed_once(scene: Scene) {
    sign_up(&scene).await;
    let told = join_all((0..6).map(|number| {
        let scene = &scene;
        async move { refresh(scene, "first", &format!("next {number}"), 10).await }
    }))
    .await;
    assert_eq!(told.iter().filter(|told| **told == Refreshed::Now).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|told| **told == Refreshed::Over).count(), 5, "{told:?}");
    assert!(!is_live(&scene, "first", 10).await);
    let live = scene.home.look("select token_hash from auth_sessions where revoked_at is null").await;
    assert_eq!(live.len(), 1, "{live:?}");
    assert_eq!(refresh(&scene, "unknown", "x", 10).await, Refreshed::Over);
    let (hash, family) = (&live[0], scene.home.look("select distinct family from auth_sessions").await);
    assert_eq!(family.len(), 1);
    assert_eq!(refresh(&scene, hash, "late", 1_010).await, Refreshed::Over, "it has expired");
}

async fn whoever_refreshes_what_was_replaced_long_ago_ends_all_that_came_of_it(scene: Scene) {
    sign_up(&scene).await;
    assert!(sign_in(&scene, "elsewhere", 5).await);
    assert_eq!(refresh(&scene, "first", "second", 10).await, Refreshed::Now);
    assert_eq!(refresh(&scene, "second", "third", 20).await, Refreshed::Now);
    // Another tab, at about the same time.
    assert_eq!(refresh(&scene, "second", "x", 80).await, Refreshed::Over);
    assert!(is_live(&scene, "third", 80).await);
    assert_eq!(refresh(&scene, "second", "x", 81).await, Refreshed::Stolen);
    assert!(!is_live(&scene, "third", 81).await);
    assert!(is_live(&scene, "elsewhere", 81).await, "what did not come of it goes on");
    // A session that was closed was not replaced: showing it again says nothing.
    store(&scene).sign_out("elsewhere", &entry(90)).await.unwrap();
    assert!(sign_in(&scene, "again", 91).await);
    assert_eq!(refresh(&scene, "elsewhere", "x", 900).await, Refreshed::Over);
    assert!(is_live(&scene, "again", 900).await);
}

async fn an_account_has_so_many_sessions_and_the_oldest_end(scene: Scene) {
    sign_up(&scene).await;
    for (number, name) in ["b", "c", "d", "e"].iter().enumerate() {
        assert!(sign_in(&scene, name, 10 + number as i64).await);
    }
    for (name, live) in [("first", false), ("b", false), ("c", true), ("d", true), ("e", true)] {
        assert_eq!(is_live(&scene, name, 20).await, live, "{name}");
    }
    // A clock that went back does not end the session that was just opened.
    assert!(sign_in(&scene, "early", 1).await);
    assert!(is_live(&scene, "early", 20).await);
    assert_eq!(scene.home.look("select token_hash from auth_sessions where revoked_at is null").await.len(), 3);
}

async fn a_disabled_account_is_there_for_nobody(scene: Scene) {
    sign_up(&scene).await;
    scene.home.alter("update users set disabled = true").await;
    assert!(!is_live(&scene, "first", 1).await);
    assert!(store(&scene).lock(&address("ada@example.org")).await.unwrap().is_none());
    assert_eq!(store(&scene).account("a").await.unwrap(), None);
    assert!(!sign_in(&scene, "x", 1).await);
    assert_eq!(refresh(&scene, "first", "x", 1).await, Refreshed::Over);
    assert!(!store(&scene).sign_up(&account("b", "ada@example.org"), &session("x", 0), &entry(0)).await.unwrap());
    assert!(!store(&scene).sign_in("gone", None, &session("x", 0), &entry(0)).await.unwrap());
    assert_eq!(scene.home.look("select token_hash from auth_sessions").await, ["first"]);
}

async fn a_better_hash_takes_the_place_of_the_old_one(scene: Scene) {
    sign_up(&scene).await;
    let better = SecretString::from("better");
    let store = store(&scene);
    assert!(store.sign_in("a", Some(&better), &session("b", 1), &entry(1)).await.unwrap());
    assert!(sign_in(&scene, "c", 2).await);
    let lock = store.lock(&address("ada@example.org")).await.unwrap().unwrap();
    assert_eq!(lock.password_hash.unwrap().expose_secret(), "better");
}

async fn a_sweep_takes_what_has_been_over_for_long_and_leaves_what_is_not_ours(scene: Scene) {
    sign_up(&scene).await;
    assert!(sign_in(&scene, "closed", 10).await);
    store(&scene).sign_out("closed", &entry(20)).await.unwrap();
    assert!(sign_in(&scene, "live", 2_000).await);
    let swept = async |over, noted| store(&scene).sweep_accounts(at(over), at(noted), 2).await.unwrap();
    assert_eq!(swept(20, 0).await, SweptAccounts { sessions: 0, entries: 0 });
    assert_eq!(swept(21, 0).await, SweptAccounts { sessions: 1, entries: 0 });
    assert_eq!(swept(1_001, 21).await, SweptAccounts { sessions: 1, entries: 2 });
    assert_eq!(swept(1_001, 21).await, SweptAccounts { sessions: 0, entries: 1 });
    assert!(is_live(&scene, "live", 2_001).await);
    assert_eq!(scene.home.look("select event_type from audit_logs").await, ["signin"]);
    assert_eq!(scene.home.look("select id from users").await, ["a"]);
}
