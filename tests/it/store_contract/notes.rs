//! What is known of items beside their content, and what turns cost.

use std::collections::HashMap;

use chatkit_gateway::store::{ItemNote, Lease, Opening, Spent, StoreError, Tokens, Write};
use chatkit_protocol::ItemId;
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, at, grace, turn};

on_both_homes!(
    a_note_is_kept_with_its_item_and_is_no_part_of_it,
    a_later_note_is_laid_over_an_earlier_one,
    a_note_goes_with_its_item,
    a_note_may_come_before_and_after_its_item_in_one_write,
    notes_of_others_are_not_found,
    any_note_can_be_kept,
    what_turns_cost_is_summed_by_owner_and_time,
    a_turn_counts_once_however_often_it_is_written,
    what_a_turn_cost_outlives_its_thread,
    a_lost_turn_counts_and_notes_nothing,
);

fn note(model: &str) -> ItemNote {
    let tokens = Some(Tokens { input: 900, output: 41 });
    ItemNote { model: Some(model.to_owned()), tokens, grounding: Some(json!({"grounded": true, "of": [1, 2]})) }
}

fn noted(id: &str, note: ItemNote) -> Write {
    Write::Note(id.into(), note)
}

fn save(id: &str) -> Write {
    Write::Save(answer("t", id, "saved"))
}

fn spent(turn_id: &str, input: u64, output: u64) -> Write {
    Write::Spend(Spent { turn_id: turn_id.to_owned(), payer: ada(), tokens: Tokens { input, output } })
}

async fn running(scene: &Scene) {
    scene.thread("t", &[answer("t", "a", "x")]).await;
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
}

async fn go_on(scene: &Scene, writes: &[Write]) {
    scene.write("t", "turn", writes, Lease::Until(at(60))).await.unwrap();
}

async fn notes(scene: &Scene, ids: &[&str]) -> HashMap<ItemId, ItemNote> {
    let ids: Vec<ItemId> = ids.iter().copied().map(ItemId::from).collect();
    scene.store.item_notes(&ada(), &"t".into(), &ids).await.unwrap()
}

async fn note_of(scene: &Scene, id: &str) -> Option<ItemNote> {
    notes(scene, &[id]).await.remove(id)
}

async fn a_note_is_kept_with_its_item_and_is_no_part_of_it(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[save("b"), noted("b", note("m")), save("c")]).await;
    assert_eq!(scene.item("t", "b").await, answer("t", "b", "saved"));
    assert_eq!(notes(&scene, &["a", "b", "c", "d"]).await, HashMap::from([("b".into(), note("m"))]));
    assert_eq!(notes(&scene, &["a"]).await, HashMap::new());
    assert_eq!(notes(&scene, &[]).await, HashMap::new());
    let counted = scene.home.look("select cast(n_tokens as text) from chat_thread_items where id = 'b'").await;
    assert_eq!(counted, ["41"], "for reports");
}

async fn a_later_note_is_laid_over_an_earlier_one(scene: Scene) {
    running(&scene).await;
    let model = |model: &str| ItemNote { model: Some(model.to_owned()), ..ItemNote::default() };
    go_on(&scene, &[Write::Checkpoint(answer("t", "b", "half")), noted("b", model("early"))]).await;
    assert_eq!(note_of(&scene, "b").await, Some(model("early")));
    go_on(&scene, &[save("b"), noted("b", ItemNote { model: None, ..note("") })]).await;
    assert_eq!(note_of(&scene, "b").await, Some(note("early")));
    scene.write("t", "turn", &[noted("b", model("late"))], Lease::Release).await.unwrap();
    assert_eq!(note_of(&scene, "b").await, Some(note("late")), "also when the item was done before");
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    go_on(&scene, &[save("b")]).await;
    assert_eq!(note_of(&scene, "b").await, Some(note("late")), "saving it again takes nothing away");
}

async fn a_note_goes_with_its_item(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[save("b"), noted("b", note("m"))]).await;
    go_on(&scene, &[Write::Delete("b".into()), save("b")]).await;
    assert_eq!(note_of(&scene, "b").await, None);
    go_on(&scene, &[noted("b", note("m")), Write::Delete("b".into()), noted("nobody", note("m"))]).await;
    assert_eq!(notes(&scene, &["b", "nobody"]).await, HashMap::new());
}

async fn a_note_may_come_before_and_after_its_item_in_one_write(scene: Scene) {
    running(&scene).await;
    let early = ItemNote { grounding: None, ..note("m") };
    let late = ItemNote { grounding: Some(json!("all of it")), ..ItemNote::default() };
    scene.write("t", "turn", &[noted("b", early), save("b"), noted("b", late)], Lease::Release).await.unwrap();
    assert_eq!(note_of(&scene, "b").await, Some(ItemNote { grounding: Some(json!("all of it")), ..note("m") }));
    assert_eq!(scene.shown("t").await, ["a", "b"]);
}

async fn notes_of_others_are_not_found(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[noted("a", note("m"))]).await;
    let ids = ["a".into()];
    assert!(matches!(scene.store.item_notes(&grace(), &"t".into(), &ids).await, Err(StoreError::NoThread)));
    assert!(matches!(scene.store.item_notes(&ada(), &"other".into(), &ids).await, Err(StoreError::NoThread)));
    assert_eq!(note_of(&scene, "a").await, Some(note("m")));
}

async fn any_note_can_be_kept(scene: Scene) {
    running(&scene).await;
    let many = Some(Tokens { input: u64::MAX, output: u64::MAX });
    let odd = json!({"a\u{0}b": ["\u{0}", null, 1.5, {"ہاں": "🤖"}]});
    let strange = ItemNote { model: Some("m\u{0}".to_owned()), tokens: many, grounding: Some(odd) };
    go_on(&scene, &[save("b"), noted("b", strange), noted("a\u{0}", note("m"))]).await;
    let kept = note_of(&scene, "b").await.unwrap();
    assert_eq!(kept.model.as_deref(), Some("m"));
    assert_eq!(kept.tokens, Some(Tokens { input: i32::MAX as u64, output: i32::MAX as u64 }));
    assert_eq!(kept.grounding, Some(json!({"ab": ["", null, 1.5, {"ہاں": "🤖"}]})));
}

async fn what_turns_cost_is_summed_by_owner_and_time(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[spent("one", 10, 1), spent("two", 20, 2)]).await;
    scene.store.record(&turn("t", "turn"), &[spent("late", 5, 5)], Lease::Until(at(60)), at(50)).await.unwrap();
    let sum = async |since| scene.store.spent_since(&ada(), at(since)).await.unwrap();
    assert_eq!(sum(0).await, Tokens { input: 35, output: 8 });
    assert_eq!(sum(50).await, Tokens { input: 5, output: 5 });
    assert_eq!(sum(51).await, Tokens::default());
    assert_eq!(scene.store.spent_since(&grace(), at(0)).await.unwrap(), Tokens::default());
}

async fn a_turn_counts_once_however_often_it_is_written(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[spent("one", 10, 1)]).await;
    go_on(&scene, &[spent("one", 10, 1)]).await;
    go_on(&scene, &[spent("one", 12, 1), spent("one", 30, 3)]).await;
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 30, output: 3 });
    scene.store.keep(&ada(), &"t".into(), &[spent("two", 1, 1)], at(9)).await.unwrap();
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 31, output: 4 });
}

async fn what_a_turn_cost_outlives_its_thread(scene: Scene) {
    running(&scene).await;
    go_on(&scene, &[spent("one", 10, 1)]).await;
    scene.store.delete_thread(&ada(), &"t".into()).await.unwrap();
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 10, output: 1 });
}

async fn a_lost_turn_counts_and_notes_nothing(scene: Scene) {
    running(&scene).await;
    let writes = [noted("a", note("m")), spent("one", 10, 1)];
    let lost = scene.write("t", "nobody", &writes, Lease::Until(at(60))).await;
    assert!(matches!(lost, Err(StoreError::TurnLost)));
    assert_eq!(note_of(&scene, "a").await, None);
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens::default());
}
