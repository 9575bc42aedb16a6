//! Limits on turns: counted with the turn that begins, and only with it.

use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::{
    BeginTurn, Claim, Exceeded, Lease, Limit, Opening, Spent, StoreError, TokenLimit, Tokens, TurnThread, Write,
};
use chatkit_protocol::{ThreadStatus, Timestamp};
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, at, begin, grace, question, record, turn};

on_both_homes!(
    a_turn_is_counted_when_it_begins,
    a_turn_over_its_limit_begins_nothing_and_counts_nothing,
    a_turn_that_cannot_begin_counts_nothing,
    a_limit_that_is_reached_is_told_before_anything_is_stopped_for_the_turn,
    a_turn_begins_while_its_payer_has_not_spent_what_there_is,
    what_turns_cost_counts_for_whoever_pays,
    ten_of_forty_turns_that_begin_at_once_are_let_in,
);

/// How long many turns that begin at once may take together.
const CROWD_WAIT_MAX: Duration = Duration::from_secs(60);

fn message(key: &str, allowed: u64) -> Claim {
    Claim { key: key.to_owned(), allowed, units: 1, resets_at: at(60) }
}

fn asking(thread: &str, name: &str, claims: &[Claim]) -> BeginTurn {
    let opening = Opening::Question(question(thread, &format!("{name}-question")));
    BeginTurn { claims: claims.to_vec(), ..begin(thread, name, opening) }
}

fn new_thread(wish: BeginTurn, id: &str) -> BeginTurn {
    BeginTurn { thread: TurnThread::New(record(id)), ..wish }
}

fn refused(place: usize, seconds: i64) -> Exceeded {
    Exceeded { limit: Limit::Claim(place), resets_at: at(seconds) }
}

impl Scene {
    async fn counted(&self, key: &str) -> u64 {
        self.home.counts.used(key, at(0)).await.unwrap().units
    }

    async fn over(&self, thread: &str, name: &str) {
        self.write(thread, name, &[], Lease::Release).await.unwrap();
    }

    /// What the database holds beside counts.
    async fn everything(&self) -> Vec<String> {
        let threads = "select id from chat_threads order by id";
        let items = "select thread_id || id || document || position || in_progress from chat_thread_items order by id";
        let turns = "select thread_id || turn_id from chat_turns order by thread_id";
        [self.home.look(threads).await, self.home.look(items).await, self.home.look(turns).await].concat()
    }

    #[track_caller]
    fn expect(told: &Result<chatkit_gateway::store::Begun, StoreError>, exceeded: Exceeded) {
        assert!(matches!(told, Err(StoreError::Exceeded(found)) if *found == exceeded), "{told:?}");
    }
}

async fn a_turn_is_counted_when_it_begins(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "x")]).await;
    let claims = [message("minute", 5), message("day", 5)];
    let openings = [
        Opening::Question(question("t", "q1")),
        Opening::Retry { item_id: "q".into() },
        Opening::Resume,
        Opening::Amend { read: vec![question("t", "q")], writes: vec![Write::Save(question("t", "q"))] },
    ];
    for (times, opening) in (1..).zip(openings) {
        let wish = BeginTurn { claims: claims.to_vec(), ..begin("t", "turn", opening) };
        scene.store.begin_turn(&ada(), &wish).await.unwrap();
        assert_eq!((scene.counted("minute").await, scene.counted("day").await), (times, times));
        scene.over("t", "turn").await;
    }
    scene.store.begin_turn(&ada(), &new_thread(asking("new", "turn", &claims), "new")).await.unwrap();
    assert_eq!((scene.counted("minute").await, scene.counted("day").await), (5, 5));
}

async fn a_turn_over_its_limit_begins_nothing_and_counts_nothing(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "x")]).await;
    let claims = [message("free", 9), message("full", 1)];
    scene.store.begin_turn(&ada(), &asking("t", "first", &claims)).await.unwrap();
    scene.over("t", "first").await;
    let before = scene.everything().await;
    let wishes = [
        asking("t", "second", &claims),
        new_thread(asking("new", "second", &claims), "new"),
        BeginTurn { claims: claims.to_vec(), ..begin("t", "second", Opening::Retry { item_id: "q".into() }) },
        BeginTurn {
            claims: claims.to_vec(),
            ..begin("t", "second", Opening::Amend { read: Vec::new(), writes: vec![Write::Delete("a".into())] })
        },
    ];
    for wish in wishes {
        Scene::expect(&scene.store.begin_turn(&ada(), &wish).await, refused(1, 60));
        let later = BeginTurn { now: at(61), lease_until: at(120), ..wish.clone() };
        assert_eq!((scene.counted("free").await, scene.counted("full").await), (1, 1), "{later:?}");
    }
    assert_eq!(scene.everything().await, before);
    let later = BeginTurn { now: at(60), lease_until: at(120), ..asking("t", "later", &claims) };
    scene.store.begin_turn(&ada(), &later).await.unwrap();
}

async fn a_turn_that_cannot_begin_counts_nothing(scene: Scene) {
    let claims = [message("minute", 5)];
    scene.thread("t", &[question("t", "q")]).await;
    scene.thread("locked", &[]).await;
    let locked = ThreadStatus::Locked { reason: None };
    let change = chatkit_gateway::store::ThreadChange { status: Some(locked), ..Default::default() };
    scene.store.change_thread(&ada(), &"locked".into(), &change, at(0)).await.unwrap();
    scene.begin("t", "busy", Opening::Resume).await.unwrap();
    let with = |wish: BeginTurn| BeginTurn { claims: claims.to_vec(), ..wish };
    let changed = Opening::Amend { read: vec![answer("t", "q", "other")], writes: Vec::new() };
    let attached = vec!["atc_unknown".into()];
    let refusals = [
        scene.store.begin_turn(&ada(), &asking("nowhere", "turn", &claims)).await,
        scene.store.begin_turn(&grace(), &asking("t", "turn", &claims)).await,
        scene.store.begin_turn(&ada(), &asking("t", "turn", &claims)).await,
        scene.store.begin_turn(&ada(), &with(begin("t", "turn", changed))).await,
        scene.store.begin_turn(&ada(), &with(begin("t", "turn", Opening::Retry { item_id: "x".into() }))).await,
        scene.store.begin_turn(&ada(), &BeginTurn { only_active: true, ..asking("locked", "turn", &claims) }).await,
        scene
            .store
            .begin_turn(&ada(), &BeginTurn { attachments: attached.clone(), ..asking("locked", "u", &claims) })
            .await,
        scene
            .store
            .begin_turn(&ada(), &new_thread(BeginTurn { attachments: attached, ..asking("n", "u", &claims) }, "n"))
            .await,
    ];
    let told: Vec<String> = refusals.iter().map(|refusal| format!("{:?}", refusal.as_ref().unwrap_err())).collect();
    let kinds: Vec<&str> = told.iter().map(|told| told.split(['(', ' ']).next().unwrap()).collect();
    assert_eq!(
        kinds,
        ["NoThread", "NoThread", "Busy", "Changed", "NoItem", "NotActive", "NoAttachment", "NoAttachment"]
    );
    assert_eq!(scene.counted("minute").await, 0);
    scene.over("t", "busy").await;
    scene.store.begin_turn(&ada(), &asking("t", "turn", &claims)).await.unwrap();
    assert_eq!(scene.counted("minute").await, 1);
}

async fn a_limit_that_is_reached_is_told_before_anything_is_stopped_for_the_turn(scene: Scene) {
    scene.thread("t", &[]).await;
    let claims = [message("minute", 1)];
    scene.store.begin_turn(&ada(), &asking("t", "first", &claims)).await.unwrap();
    Scene::expect(&scene.store.begin_turn(&ada(), &asking("t", "second", &claims)).await, refused(0, 60));
    let free = [message("other", 1)];
    let busy = scene.store.begin_turn(&ada(), &asking("t", "second", &free)).await;
    assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
    assert_eq!(scene.counted("other").await, 0);
}

fn tokens(payer: OwnerId, allowed: u64) -> Option<TokenLimit> {
    Some(TokenLimit { payer, since: at(0), allowed, resets_at: at(900) })
}

fn spent(turn_id: &str, payer: OwnerId, input: u64, output: u64) -> Write {
    Write::Spend(Spent { turn_id: turn_id.to_owned(), payer, tokens: Tokens { input, output } })
}

async fn a_turn_begins_while_its_payer_has_not_spent_what_there_is(scene: Scene) {
    scene.thread("t", &[]).await;
    let limited = |thread: &str, name: &str| BeginTurn {
        tokens: tokens(ada(), 100),
        ..asking(thread, name, &[message("minute", 9)])
    };
    let spend = async |name: &str, tokens: u64, now: Timestamp| {
        let writes = [spent(name, ada(), tokens - 1, 1)];
        scene.store.record(&turn("t", name), &writes, Lease::Release, now).await.unwrap();
    };
    scene.begin("t", "yesterday", Opening::Resume).await.unwrap();
    spend("yesterday", 500, at(-1)).await;
    scene.store.begin_turn(&ada(), &limited("t", "first")).await.unwrap();
    spend("first", 99, at(1)).await;
    scene.store.begin_turn(&ada(), &limited("t", "second")).await.unwrap();
    spend("second", 1, at(2)).await;
    let before = scene.everything().await;
    let up = Exceeded { limit: Limit::Tokens, resets_at: at(900) };
    Scene::expect(&scene.store.begin_turn(&ada(), &limited("t", "third")).await, up);
    Scene::expect(&scene.store.begin_turn(&ada(), &new_thread(limited("n", "third"), "n")).await, up);
    assert_eq!(scene.everything().await, before);
    assert_eq!(scene.counted("minute").await, 2, "what tokens forbid is not counted as a message");
    let other = BeginTurn { tokens: tokens(grace(), 1), ..limited("t", "third") };
    scene.store.begin_turn(&ada(), &other).await.unwrap();
    scene.over("t", "third").await;
    let tomorrow = TokenLimit { since: at(3), ..tokens(ada(), 1).unwrap() };
    scene.store.begin_turn(&ada(), &BeginTurn { tokens: Some(tomorrow), ..limited("t", "fourth") }).await.unwrap();
}

async fn what_turns_cost_counts_for_whoever_pays(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    let address = OwnerId::address("0f");
    let writes = [spent("one", address.clone(), 7, 3), spent("two", ada(), 1, 1)];
    scene.write("t", "turn", &writes, Lease::Release).await.unwrap();
    let keep = [spent("three", address.clone(), 1, 1)];
    scene.store.keep(&ada(), &"t".into(), &keep, at(1)).await.unwrap();
    let sum = async |payer: &OwnerId| scene.store.spent_since(payer, at(0)).await.unwrap();
    assert_eq!(sum(&address).await, Tokens { input: 8, output: 4 });
    assert_eq!(sum(&ada()).await, Tokens { input: 1, output: 1 });
}

async fn ten_of_forty_turns_that_begin_at_once_are_let_in(scene: Scene) {
    for thread in 0..20 {
        scene.new_thread(&ada(), &record(&format!("t{thread}"))).await;
    }
    let stores = [Arc::clone(&scene.store), scene.home.another().await];
    let beginning = (0..40).map(|n| {
        let claims = [message("minute", 10), message("day", 900)];
        // Half of them in threads of their own, half in new ones.
        let wish = match n % 2 {
            0 => asking(&format!("t{}", n / 2), &format!("turn{n}"), &claims),
            _ => new_thread(asking(&format!("n{n}"), &format!("turn{n}"), &claims), &format!("n{n}")),
        };
        let store = Arc::clone(&stores[(n / 2) % 2]);
        async move { store.begin_turn(&ada(), &wish).await }
    });
    let told = tokio::time::timeout(CROWD_WAIT_MAX, join_all(beginning)).await.expect("nobody waits for ever");
    let (begun, refused): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (10, 30));
    assert!(refused.iter().all(|told| matches!(told, Err(StoreError::Exceeded(_)))), "{refused:?}");
    assert_eq!((scene.counted("minute").await, scene.counted("day").await), (10, 10));
    assert_eq!(scene.home.look("select turn_id from chat_turns").await.len(), 10);
    assert_eq!(scene.home.look("select id from chat_thread_items").await.len(), 10);
}
