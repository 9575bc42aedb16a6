//! Turns: who may write to a thread, and with what a turn begins.

use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::store::{BeginTurn, Lease, Opening, Standing, StoreError, TurnThread, Write};
use chatkit_protocol::ThreadId;
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, at, begin, hidden, ids, question, record, turn};

/// How long a thread that was given back may stay out of reach.
const EAGER_WAIT_MAX: Duration = Duration::from_secs(20);

on_both_homes!(
    a_new_thread_and_its_first_question_are_kept_together,
    of_many_who_want_a_thread_one_gets_it,
    threads_do_not_stand_in_each_others_way,
    a_turn_that_is_refused_changes_nothing,
    a_lease_holds_until_its_last_moment,
    a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more,
    a_lease_is_renewed_and_never_shortened,
    a_stop_reaches_the_turn_that_runs_and_not_the_next,
    asking_to_stop_tells_whether_a_turn_runs,
    a_retry_goes_back_to_the_question,
    a_retry_without_a_question_changes_nothing,
    the_history_is_the_newest_items_oldest_first,
    a_question_never_misses_what_the_turn_before_wrote_last,
    stale_turns_are_closed_and_others_left_alone,
    callers_who_give_up_half_way_leave_no_trace,
);

async fn a_new_thread_and_its_first_question_are_kept_together(scene: Scene) {
    let mut wish = begin("t", "turn", Opening::Question(question("t", "q")));
    wish.thread = TurnThread::New(record("t"));
    let begun = scene.store.begin_turn(&ada(), &wish).await.unwrap();
    assert_eq!((begun.thread, begun.history), (record("t"), vec![question("t", "q")]));
    assert_eq!(scene.shown("t").await, ["q"]);
    assert!(matches!(scene.begin("t", "other", Opening::Resume).await, Err(StoreError::Busy)));
    wish.thread = TurnThread::New(record("u"));
    wish.opening = Opening::Retry { item_id: "q".into() };
    assert!(matches!(scene.store.begin_turn(&ada(), &wish).await, Err(StoreError::NoItem)));
    let none = scene.store.thread(&ada(), &ThreadId::new("u")).await;
    assert!(matches!(none, Err(StoreError::NoThread)));
}

async fn of_many_who_want_a_thread_one_gets_it(scene: Scene) {
    scene.thread("t", &[]).await;
    let other = scene.home.another().await;
    let wishes = (0..200).map(|number| {
        let store = if number % 2 == 0 { Arc::clone(&scene.store) } else { Arc::clone(&other) };
        async move {
            let opening = Opening::Question(question("t", &format!("q{number}")));
            let begun = store.begin_turn(&ada(), &begin("t", &format!("turn {number}"), opening)).await;
            begun.map(|_| number)
        }
    });
    let mut winners = Vec::new();
    for result in join_all(wishes).await {
        match result {
            Ok(number) => winners.push(number),
            Err(error) => assert!(matches!(error, StoreError::Busy), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(scene.shown("t").await, [format!("q{}", winners[0])]);
    scene.write("t", &format!("turn {}", winners[0]), &[], Lease::Release).await.unwrap();
}

async fn threads_do_not_stand_in_each_others_way(scene: Scene) {
    let stories = (0..20).map(|number| {
        let scene = &scene;
        async move {
            let id = format!("t{number}");
            let mut wish = begin(&id, "turn", Opening::Question(question(&id, "q")));
            wish.thread = TurnThread::New(record(&id));
            scene.store.begin_turn(&ada(), &wish).await.unwrap();
            for text in ["a", "ab", "abc"] {
                let checkpoint = [Write::Checkpoint(answer(&id, "a", text))];
                scene.write(&id, "turn", &checkpoint, Lease::Until(at(90))).await.unwrap();
            }
            scene.write(&id, "turn", &[Write::Save(answer(&id, "a", "abcd"))], Lease::Release).await.unwrap();
            assert_eq!(scene.shown(&id).await, ["q", "a"]);
        }
    });
    join_all(stories).await;
}

async fn a_turn_that_is_refused_changes_nothing(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "x")]).await;
    scene.begin("t", "first", Opening::Resume).await.unwrap();
    scene.write("t", "first", &[Write::Checkpoint(answer("t", "b", "half"))], Lease::Until(at(60))).await.unwrap();
    let before = scene
        .home
        .look("select id || document || position || in_progress from chat_thread_items order by position")
        .await;
    for opening in [Opening::Question(question("t", "q2")), Opening::Retry { item_id: "q".into() }, Opening::Resume] {
        let begun = scene.begin("t", "second", opening).await;
        assert!(matches!(begun, Err(StoreError::Busy)), "{begun:?}");
    }
    let after = scene
        .home
        .look("select id || document || position || in_progress from chat_thread_items order by position")
        .await;
    assert_eq!(before, after);
    assert_eq!(scene.home.look("select turn_id from chat_turns").await, ["first"]);
}

fn later(thread: &str, turn: &str, seconds: i64, opening: Opening) -> BeginTurn {
    BeginTurn { now: at(seconds), lease_until: at(seconds + 60), ..begin(thread, turn, opening) }
}

async fn a_lease_holds_until_its_last_moment(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.begin("t", "first", Opening::Resume).await.unwrap();
    let early = scene.store.begin_turn(&ada(), &later("t", "second", 60, Opening::Resume)).await;
    assert!(matches!(early, Err(StoreError::Busy)), "{early:?}");
    scene.store.begin_turn(&ada(), &later("t", "second", 61, Opening::Resume)).await.unwrap();
}

async fn a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more(scene: Scene) {
    scene.thread("t", &[question("t", "q")]).await;
    scene.begin("t", "dead", Opening::Resume).await.unwrap();
    scene.write("t", "dead", &[Write::Checkpoint(answer("t", "a", "half"))], Lease::Until(at(60))).await.unwrap();
    let wish = later("t", "next", 61, Opening::Question(question("t", "q2")));
    let begun = scene.store.begin_turn(&ada(), &wish).await.unwrap();
    assert_eq!(begun.history, [question("t", "q"), answer("t", "a", "half"), question("t", "q2")]);
    for (writes, lease) in [
        (vec![Write::Save(answer("t", "a", "whole"))], Lease::Until(at(200))),
        (vec![Write::Delete("q2".into())], Lease::Release),
        (vec![], Lease::Release),
    ] {
        let written = scene.write("t", "dead", &writes, lease).await;
        assert!(matches!(written, Err(StoreError::TurnLost)), "{written:?}");
    }
    assert_eq!(scene.item("t", "a").await, answer("t", "a", "half"));
    scene.write("t", "next", &[Write::Save(answer("t", "a", "kept place"))], Lease::Release).await.unwrap();
    assert_eq!(scene.shown("t").await, ["q", "a", "q2"], "what was in progress has its place for good");
    let written = scene.write("t", "next", &[], Lease::Release).await;
    assert!(matches!(written, Err(StoreError::TurnLost)), "a lease is given back once: {written:?}");
}

async fn a_lease_is_renewed_and_never_shortened(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.begin("t", "first", Opening::Resume).await.unwrap();
    for until in [100, 30] {
        assert_eq!(scene.write("t", "first", &[], Lease::Until(at(until))).await.unwrap(), Standing::GoOn);
        let taken = scene.store.begin_turn(&ada(), &later("t", "second", 99, Opening::Resume)).await;
        assert!(matches!(taken, Err(StoreError::Busy)), "{taken:?}");
    }
    assert_eq!(scene.store.close_stale_turns(at(100)).await.unwrap(), 0);
    assert_eq!(scene.store.close_stale_turns(at(101)).await.unwrap(), 1);
}

async fn a_stop_reaches_the_turn_that_runs_and_not_the_next(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.begin("t", "first", Opening::Resume).await.unwrap();
    assert_eq!(scene.write("t", "first", &[], Lease::Until(at(60))).await.unwrap(), Standing::GoOn);
    let other = scene.home.another().await;
    assert!(other.ask_to_stop(&ada(), &ThreadId::new("t"), at(1)).await.unwrap());
    assert_eq!(scene.write("t", "first", &[], Lease::Until(at(60))).await.unwrap(), Standing::Stop);
    let last = [Write::Save(answer("t", "a", "so far"))];
    assert_eq!(scene.write("t", "first", &last, Lease::Release).await.unwrap(), Standing::Stop);
    scene.begin("t", "second", Opening::Resume).await.unwrap();
    assert_eq!(scene.write("t", "second", &[], Lease::Until(at(60))).await.unwrap(), Standing::GoOn);
    scene.store.ask_to_stop(&ada(), &ThreadId::new("t"), at(1)).await.unwrap();
    scene.store.begin_turn(&ada(), &later("t", "third", 61, Opening::Resume)).await.unwrap();
    assert_eq!(scene.write("t", "third", &[], Lease::Release).await.unwrap(), Standing::GoOn);
}

async fn asking_to_stop_tells_whether_a_turn_runs(scene: Scene) {
    scene.thread("t", &[]).await;
    let t = ThreadId::new("t");
    assert!(!scene.store.ask_to_stop(&ada(), &t, at(0)).await.unwrap());
    scene.begin("t", "first", Opening::Resume).await.unwrap();
    assert!(scene.store.ask_to_stop(&ada(), &t, at(60)).await.unwrap());
    assert!(!scene.store.ask_to_stop(&ada(), &t, at(61)).await.unwrap());
}

async fn a_retry_goes_back_to_the_question(scene: Scene) {
    let story = [
        answer("t", "welcome", "x"),
        question("t", "q1"),
        answer("t", "a1", "x"),
        question("t", "q2"),
        hidden("t", "h"),
        answer("t", "a2", "x"),
        answer("t", "a3", "x"),
    ];
    for (named, left) in [("a3", 4), ("a2", 4), ("h", 4), ("q2", 4), ("a1", 2), ("q1", 2)] {
        let id = format!("t-{named}");
        let moved: Vec<_> = story
            .iter()
            .map(|item| chatkit_protocol::ThreadItem { thread_id: id.as_str().into(), ..item.clone() })
            .collect();
        scene.thread(&id, &moved).await;
        scene.begin(&id, "dead", Opening::Resume).await.unwrap();
        let half = [Write::Checkpoint(answer(&id, "half", "x"))];
        scene.write(&id, "dead", &half, Lease::Until(at(60))).await.unwrap();
        let wish = later(&id, "again", 61, Opening::Retry { item_id: named.into() });
        let begun = scene.store.begin_turn(&ada(), &wish).await.unwrap();
        assert_eq!(begun.history, moved[..left], "back from {named}");
        assert_eq!(scene.shown(&id).await, ids(&moved[..left]));
        let saved = [Write::Save(answer(&id, "new", "x"))];
        scene.write(&id, "again", &saved, Lease::Release).await.unwrap();
        assert_eq!(scene.shown(&id).await.last().unwrap(), "new");
    }
}

async fn a_retry_without_a_question_changes_nothing(scene: Scene) {
    scene.thread("t", &[answer("t", "welcome", "x"), question("t", "q"), answer("t", "a", "x")]).await;
    scene.thread("u", &[question("u", "other")]).await;
    for named in ["welcome", "nothing", "other"] {
        let begun = scene.begin("t", "again", Opening::Retry { item_id: named.into() }).await;
        assert!(matches!(begun, Err(StoreError::NoItem)), "{named}: {begun:?}");
    }
    assert_eq!(scene.shown("t").await, ["welcome", "q", "a"]);
    scene.begin("t", "next", Opening::Resume).await.expect("nobody holds the thread");
}

async fn the_history_is_the_newest_items_oldest_first(scene: Scene) {
    let story: Vec<_> = (0..5).map(|number| answer("t", &format!("a{number}"), "x")).collect();
    scene.thread("t", &story).await;
    for (turn, limit, expected) in [("0", 0, vec![]), ("1", 1, vec!["q1"]), ("3", 3, vec!["q0", "q1", "q3"])] {
        let mut wish = begin("t", turn, Opening::Question(question("t", &format!("q{turn}"))));
        wish.history_items_max = limit;
        let begun = scene.store.begin_turn(&ada(), &wish).await.unwrap();
        assert_eq!(ids(&begun.history), expected);
        scene.write("t", turn, &[], Lease::Release).await.unwrap();
    }
    let mut wish = begin("t", "resumed", Opening::Resume);
    wish.history_items_max = 4;
    assert_eq!(ids(&scene.store.begin_turn(&ada(), &wish).await.unwrap().history), ["a4", "q0", "q1", "q3"]);
}

async fn a_question_never_misses_what_the_turn_before_wrote_last(scene: Scene) {
    scene.thread("t", &[]).await;
    let other = scene.home.another().await;
    for number in 0..60 {
        let (turn, last) = (format!("first {number}"), format!("a{number}"));
        scene.begin("t", &turn, Opening::Resume).await.unwrap();
        let writes = [Write::Save(answer("t", &last, "the end"))];
        let next = format!("next {number}");
        let eager = async {
            loop {
                match other.begin_turn(&ada(), &begin("t", &next, Opening::Resume)).await {
                    Ok(begun) => return begun,
                    Err(error) => assert!(matches!(error, StoreError::Busy), "{error:?}"),
                }
            }
        };
        let eager = tokio::time::timeout(EAGER_WAIT_MAX, eager);
        let (written, begun) = futures_util::join!(scene.write("t", &turn, &writes, Lease::Release), eager);
        written.unwrap();
        let begun = begun.expect("the thread is free once the turn before has given it back");
        assert_eq!(begun.history.last().map(|item| item.id.as_str()), Some(last.as_str()));
        scene.write("t", &next, &[], Lease::Release).await.unwrap();
    }
}

async fn stale_turns_are_closed_and_others_left_alone(scene: Scene) {
    for (id, until) in [("dead", 60), ("live", 120), ("idle", 0)] {
        scene.thread(id, &[]).await;
        if until > 0 {
            scene.begin(id, "turn", Opening::Resume).await.unwrap();
            let half = [Write::Checkpoint(answer(id, "a", "half")), Write::Save(answer(id, "b", "x"))];
            scene.write(id, "turn", &half, Lease::Until(at(until))).await.unwrap();
        }
    }
    assert_eq!(scene.store.close_stale_turns(at(61)).await.unwrap(), 1);
    assert_eq!(scene.store.close_stale_turns(at(61)).await.unwrap(), 0);
    let written = scene.write("dead", "turn", &[Write::Save(answer("dead", "a", "whole"))], Lease::Release).await;
    assert!(matches!(written, Err(StoreError::TurnLost)), "{written:?}");
    scene.begin("dead", "next", Opening::Resume).await.unwrap();
    for (id, name, order) in [("dead", "next", ["a", "b"]), ("live", "turn", ["b", "a"])] {
        scene.write(id, name, &[Write::Save(answer(id, "a", "whole"))], Lease::Release).await.unwrap();
        assert_eq!(scene.shown(id).await, order, "only what is in progress moves when it is saved");
    }
}

async fn callers_who_give_up_half_way_leave_no_trace(scene: Scene) {
    scene.thread("t", &[]).await;
    for polls in 0..40 {
        let name = format!("turn {polls}");
        let opening = Opening::Question(question("t", &format!("q{polls}")));
        let wish = begin("t", &name, opening);
        let owner = ada();
        let mut begun = Some(scene.store.begin_turn(&owner, &wish));
        // Polled a number of times, then dropped, wherever it is.
        for _ in 0..polls {
            let Some(future) = begun.as_mut() else { break };
            if futures_util::poll!(future).is_ready() {
                begun = None;
            }
            tokio::task::yield_now().await;
        }
        drop(begun);
        // It has happened or it has not, or the server is still at it; either way the thread can be had by whoever may
        // have it, who then is alone with it.
        let _ = scene.store.record(&turn("t", &name), &[], Lease::Release, at(0)).await;
        let next = scene.store.begin_turn(&ada(), &later("t", "next", 61 + polls, Opening::Resume)).await.unwrap();
        assert_eq!(ids(&next.history), scene.shown("t").await);
        scene.store.record(&turn("t", "next"), &[], Lease::Release, at(61)).await.unwrap();
    }
}
