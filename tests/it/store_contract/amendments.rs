//! What changes a thread beside the answers of a turn: amendments, refusals, writes of nobody's turn.

use chatkit_gateway::store::{Lease, Newest, Opening, StoreError, ThreadChange, Write};
use chatkit_protocol::{ThreadId, ThreadItem, ThreadStatus};
use futures_util::future::join_all;
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, at, begin, grace, hidden, ids, item, question};

on_both_homes!(
    an_amendment_replaces_items_where_they_are_and_deletes_others,
    an_amendment_of_what_was_changed_meanwhile_changes_nothing,
    of_many_who_amend_the_same_item_one_does,
    an_amendment_is_looked_at_before_the_turn_that_runs,
    a_turn_that_wants_an_active_thread_does_not_get_another,
    the_newest_items_come_oldest_first_hidden_ones_too,
    what_is_kept_outside_of_turns_keeps_its_place_and_disturbs_no_turn,
    nobody_keeps_anything_in_a_thread_that_is_not_theirs,
);

fn call(id: &str, status: &str) -> ThreadItem {
    let members = json!({"status": status, "call_id": id, "name": "ask", "arguments": {}});
    item("t", id, 0, "client_tool_call", members)
}

fn locked() -> ThreadChange {
    ThreadChange { status: Some(ThreadStatus::Locked { reason: None }), ..ThreadChange::default() }
}

async fn an_amendment_replaces_items_where_they_are_and_deletes_others(scene: Scene) {
    let items = [question("t", "q"), call("one", "pending"), call("two", "pending"), hidden("t", "h")];
    scene.thread("t", &items).await;
    let opening = Opening::Amend {
        read: vec![call("one", "pending"), call("two", "pending")],
        writes: vec![Write::Save(call("two", "completed")), Write::Delete("one".into())],
    };
    let begun = scene.begin("t", "turn", opening).await.unwrap();
    assert_eq!(begun.history, [question("t", "q"), call("two", "completed"), hidden("t", "h")]);
    assert_eq!(scene.item("t", "two").await, call("two", "completed"));
    assert_eq!(scene.shown("t").await, ["q", "two"]);
    scene.write("t", "turn", &[], Lease::Release).await.unwrap();
}

async fn an_amendment_of_what_was_changed_meanwhile_changes_nothing(scene: Scene) {
    scene.thread("t", &[call("one", "completed"), call("two", "pending")]).await;
    let amend = |read: Vec<ThreadItem>| Opening::Amend { read, writes: vec![Write::Delete("two".into())] };
    for read in [vec![call("one", "pending")], vec![call("two", "pending"), call("gone", "pending")]] {
        assert!(matches!(scene.begin("t", "turn", amend(read)).await, Err(StoreError::Changed)));
    }
    assert_eq!(scene.shown("t").await, ["one", "two"]);
    scene.begin("t", "free", Opening::Resume).await.unwrap();
}

async fn of_many_who_amend_the_same_item_one_does(scene: Scene) {
    scene.thread("t", &[call("one", "pending")]).await;
    let wishes = (0..40).map(|number| {
        let opening = Opening::Amend {
            read: vec![call("one", "pending")],
            writes: vec![Write::Save(item(
                "t",
                "one",
                0,
                "client_tool_call",
                json!({"status": "completed", "call_id": "one", "name": "ask", "arguments": {}, "output": number}),
            ))],
        };
        let scene = &scene;
        async move { scene.begin("t", &format!("turn {number}"), opening).await }
    });
    let results = join_all(wishes).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let others = results.iter().filter_map(|result| result.as_ref().err());
    for error in others {
        assert!(matches!(error, StoreError::Changed), "{error:?}");
    }
}

async fn an_amendment_is_looked_at_before_the_turn_that_runs(scene: Scene) {
    scene.thread("t", &[call("one", "completed"), call("two", "pending")]).await;
    scene.begin("t", "running", Opening::Resume).await.unwrap();
    let amend = |read: ThreadItem| Opening::Amend { writes: vec![Write::Delete(read.id.clone())], read: vec![read] };
    let stale = scene.begin("t", "other", amend(call("one", "pending"))).await;
    assert!(matches!(stale, Err(StoreError::Changed)), "{stale:?}");
    let fresh = scene.begin("t", "other", amend(call("two", "pending"))).await;
    assert!(matches!(fresh, Err(StoreError::Busy)), "{fresh:?}");
    assert_eq!(scene.shown("t").await, ["one", "two"], "whoever is told to wait has changed nothing");
}

async fn a_turn_that_wants_an_active_thread_does_not_get_another(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.store.change_thread(&ada(), &"t".into(), &locked(), at(1)).await.unwrap();
    let mut wish = begin("t", "turn", Opening::Question(question("t", "q")));
    wish.only_active = true;
    let refused = scene.store.begin_turn(&ada(), &wish).await;
    assert!(matches!(refused, Err(StoreError::NotActive(ThreadStatus::Locked { reason: None }))), "{refused:?}");
    assert_eq!(scene.shown("t").await, Vec::<String>::new());
    let other = scene.store.begin_turn(&grace(), &wish).await;
    assert!(matches!(other, Err(StoreError::NoThread)), "{other:?}");
    wish.only_active = false;
    scene.store.begin_turn(&ada(), &wish).await.unwrap();
}

async fn the_newest_items_come_oldest_first_hidden_ones_too(scene: Scene) {
    let items =
        [question("t", "q"), call("c1", "pending"), hidden("t", "h"), call("c2", "pending"), answer("t", "a", "A")];
    scene.thread("t", &items).await;
    let newest = async |kind, limit| {
        let (thread, found) = scene.store.newest_items(&ada(), &"t".into(), &Newest { kind, limit }).await.unwrap();
        assert_eq!(thread.id.as_str(), "t");
        ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(newest(None, 100).await, ["q", "c1", "h", "c2", "a"]);
    assert_eq!(newest(None, 3).await, ["h", "c2", "a"]);
    assert_eq!(newest(Some("client_tool_call"), 100).await, ["c1", "c2"]);
    assert_eq!(newest(Some("client_tool_call"), 1).await, ["c2"]);
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    let unfinished = [Write::Checkpoint(answer("t", "b", "so far"))];
    scene.write("t", "turn", &unfinished, Lease::Until(at(60))).await.unwrap();
    assert_eq!(newest(None, 2).await, ["c2", "a"], "what is in progress is left out");
}

async fn what_is_kept_outside_of_turns_keeps_its_place_and_disturbs_no_turn(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "old")]).await;
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    scene.write("t", "turn", &[Write::Checkpoint(answer("t", "b", "B"))], Lease::Until(at(60))).await.unwrap();
    let title = ThreadChange { title: Some(Some("Mine".to_owned())), ..ThreadChange::default() };
    let writes = [Write::Save(answer("t", "a", "new")), Write::Save(answer("t", "c", "C")), Write::Change(title)];
    scene.store.keep(&ada(), &"t".into(), &writes, at(2)).await.unwrap();
    assert_eq!(scene.item("t", "a").await, answer("t", "a", "new"));
    let thread = scene.store.thread(&ada(), &"t".into()).await.unwrap();
    assert_eq!(thread.title.as_deref(), Some("Mine"));
    assert_eq!(scene.shown("t").await, ["q", "a", "b", "c"]);
    scene.write("t", "turn", &[Write::Save(answer("t", "b", "B."))], Lease::Release).await.unwrap();
    assert_eq!(scene.shown("t").await, ["q", "a", "c", "b"], "the turn's own item takes its place when it is done");
}

async fn nobody_keeps_anything_in_a_thread_that_is_not_theirs(scene: Scene) {
    scene.thread("t", &[question("t", "q")]).await;
    let writes = [Write::Save(answer("t", "a", "A")), Write::Delete("q".into()), Write::Change(locked())];
    for (who, thread) in [(grace(), "t"), (ada(), "nowhere")] {
        let kept = scene.store.keep(&who, &ThreadId::new(thread), &writes, at(1)).await;
        assert!(matches!(kept, Err(StoreError::NoThread)), "{kept:?}");
        let read = scene.store.newest_items(&who, &ThreadId::new(thread), &Newest { kind: None, limit: 9 }).await;
        assert!(matches!(read, Err(StoreError::NoThread)));
    }
    assert_eq!(scene.shown("t").await, ["q"]);
    assert_eq!(scene.store.thread(&ada(), &"t".into()).await.unwrap().status, ThreadStatus::Active);
}
