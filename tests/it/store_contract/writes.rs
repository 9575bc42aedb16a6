//! Writes of a turn: what takes which place, and what stays.

use chatkit_gateway::store::{Lease, Opening, ThreadChange, Write};
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, at, hidden, item, question};

on_both_homes!(
    saving_an_item_again_keeps_its_place,
    an_item_in_progress_is_shown_and_takes_its_place_when_it_is_saved,
    checking_an_item_that_was_saved_keeps_its_place,
    what_is_in_progress_at_the_end_stays_for_good,
    an_item_deleted_and_saved_is_new,
    writes_to_one_item_count_in_their_order,
    an_item_may_become_hidden,
    deleting_what_is_not_there_is_nothing,
    changes_of_the_thread_come_together,
);

async fn running(scene: &Scene, items: &[&str]) {
    let items: Vec<_> = items.iter().map(|id| answer("t", id, "x")).collect();
    scene.thread("t", &items).await;
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
}

async fn go_on(scene: &Scene, writes: &[Write]) {
    scene.write("t", "turn", writes, Lease::Until(at(60))).await.unwrap();
}

fn save(id: &str) -> Write {
    Write::Save(answer("t", id, "saved"))
}

fn check(id: &str) -> Write {
    Write::Checkpoint(answer("t", id, "half"))
}

async fn saving_an_item_again_keeps_its_place(scene: Scene) {
    running(&scene, &["a", "b", "c"]).await;
    let task = item("t", "a", 5, "end_of_turn", json!({}));
    go_on(&scene, &[Write::Save(task.clone()), save("d"), save("b")]).await;
    assert_eq!(scene.shown("t").await, ["a", "b", "c", "d"]);
    assert_eq!(scene.item("t", "a").await, task, "even as another type");
    assert_eq!(scene.item("t", "b").await, answer("t", "b", "saved"));
}

async fn an_item_in_progress_is_shown_and_takes_its_place_when_it_is_saved(scene: Scene) {
    running(&scene, &["a"]).await;
    go_on(&scene, &[check("slow")]).await;
    go_on(&scene, &[save("quick")]).await;
    assert_eq!(scene.item("t", "slow").await, answer("t", "slow", "half"));
    go_on(&scene, &[check("slow")]).await;
    assert_eq!(scene.shown("t").await, ["a", "slow", "quick"]);
    go_on(&scene, &[save("slow")]).await;
    assert_eq!(scene.shown("t").await, ["a", "quick", "slow"]);
    go_on(&scene, &[save("last"), save("slow")]).await;
    assert_eq!(scene.shown("t").await, ["a", "quick", "slow", "last"]);
}

async fn checking_an_item_that_was_saved_keeps_its_place(scene: Scene) {
    running(&scene, &["a", "b"]).await;
    go_on(&scene, &[check("a")]).await;
    assert_eq!(scene.item("t", "a").await, answer("t", "a", "half"));
    go_on(&scene, &[save("a")]).await;
    assert_eq!(scene.shown("t").await, ["a", "b"]);
}

async fn what_is_in_progress_at_the_end_stays_for_good(scene: Scene) {
    running(&scene, &["a"]).await;
    go_on(&scene, &[check("early"), save("b")]).await;
    scene.write("t", "turn", &[check("late"), save("c")], Lease::Release).await.unwrap();
    assert_eq!(scene.shown("t").await, ["a", "early", "b", "late", "c"]);
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    go_on(&scene, &[save("late"), save("early")]).await;
    assert_eq!(scene.shown("t").await, ["a", "early", "b", "late", "c"]);
}

async fn an_item_deleted_and_saved_is_new(scene: Scene) {
    running(&scene, &["a", "b", "c"]).await;
    go_on(&scene, &[Write::Delete("a".into()), save("a")]).await;
    assert_eq!(scene.shown("t").await, ["b", "c", "a"]);
    go_on(&scene, &[Write::Delete("b".into()), check("b"), save("d")]).await;
    assert_eq!(scene.shown("t").await, ["c", "a", "b", "d"]);
    go_on(&scene, &[save("b")]).await;
    assert_eq!(scene.shown("t").await, ["c", "a", "d", "b"]);
}

async fn writes_to_one_item_count_in_their_order(scene: Scene) {
    running(&scene, &["a"]).await;
    go_on(&scene, &[check("x"), save("b"), save("x"), save("c"), check("x")]).await;
    assert_eq!(scene.shown("t").await, ["a", "b", "x", "c"]);
    assert_eq!(scene.item("t", "x").await, answer("t", "x", "half"));
    go_on(&scene, &[save("y"), Write::Delete("y".into()), Write::Delete("x".into())]).await;
    assert_eq!(scene.shown("t").await, ["a", "b", "c"]);
}

async fn an_item_may_become_hidden(scene: Scene) {
    running(&scene, &["a", "b"]).await;
    go_on(&scene, &[Write::Save(hidden("t", "a")), Write::Save(hidden("t", "c"))]).await;
    assert_eq!(scene.shown("t").await, ["b"]);
    go_on(&scene, &[save("c"), Write::Save(question("t", "a"))]).await;
    assert_eq!(scene.shown("t").await, ["a", "b", "c"]);
}

async fn deleting_what_is_not_there_is_nothing(scene: Scene) {
    running(&scene, &["a"]).await;
    go_on(&scene, &[Write::Delete("nothing".into()), Write::Delete("a\u{0}b".into())]).await;
    assert_eq!(scene.shown("t").await, ["a"]);
}

async fn changes_of_the_thread_come_together(scene: Scene) {
    running(&scene, &[]).await;
    let title = |title: &str| ThreadChange { title: Some(Some(title.to_owned())), ..Default::default() };
    let domains =
        ThreadChange { allowed_image_domains: Some(Some(vec!["a.example".to_owned()])), ..Default::default() };
    let both = [Write::Change(title("one")), Write::Change(domains), Write::Change(title("two"))];
    scene.write("t", "turn", &both, Lease::Release).await.unwrap();
    let thread = scene.store.thread(&ada(), &"t".into()).await.unwrap();
    assert_eq!(thread.title.as_deref(), Some("two"));
    assert_eq!(thread.allowed_image_domains, Some(vec!["a.example".to_owned()]));
}
