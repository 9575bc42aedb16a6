//! Attachments: whose they are, how much room they take, and that no bytes are lost sight of.

use std::sync::Arc;

use chatkit_gateway::store::StoreError;
use chatkit_gateway::store::attachments::{AttachmentStore, Kept, Room, StoredObject};
use chatkit_protocol::{
    Attachment, AttachmentId, AttachmentKind, StoredAttachment, ThreadId, UploadDescriptor, UploadMethod,
};
use futures_util::future::join_all;
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, at, grace};

on_both_homes!(
    an_attachment_is_read_back_as_it_was_announced_but_for_the_address_of_its_bytes,
    attachments_come_in_the_order_they_are_asked_for_or_the_first_missing_is_named,
    somebody_elses_attachment_is_neither_found_nor_deleted,
    bytes_are_kept_once,
    of_many_uploads_at_once_one_is_kept,
    bytes_that_were_due_to_go_are_not_kept,
    an_owner_has_room_for_so_many_and_so_much,
    what_a_message_names_takes_no_room_and_may_come_late,
    a_deleted_attachment_is_gone_at_once_and_its_bytes_after_the_sweep,
    attachments_of_a_deleted_thread_go,
    what_was_announced_and_never_used_goes_after_a_while,
    a_sweep_takes_so_many_at_once_and_two_sweeps_do_not_meet,
    leftovers_come_when_they_are_due_and_are_forgotten,
);

/// Room enough for all but the tests of it.
fn room() -> Room {
    Room { count_max: 100, bytes_max: 1_000, announced_after: at(-100) }
}

fn attachment(id: &str) -> StoredAttachment {
    let descriptor = UploadDescriptor {
        url: "https://example.org/secret".to_owned(),
        method: UploadMethod::Put,
        headers: Default::default(),
    };
    let metadata = json!({"b": 1, "a": null});
    StoredAttachment {
        attachment: Attachment {
            id: id.into(),
            name: "größe 😀.png".to_owned(),
            mime_type: "image/png".to_owned(),
            upload_descriptor: Some(descriptor),
            thread_id: None,
            kind: AttachmentKind::Image { preview_url: "https://example.org/preview".to_owned() },
        },
        metadata: metadata.as_object().unwrap().clone(),
    }
}

fn object(key: &str, size_bytes: u64) -> StoredObject {
    StoredObject { key: key.to_owned(), size_bytes }
}

fn ids(names: &[&str]) -> Vec<AttachmentId> {
    names.iter().map(|name| AttachmentId::from(*name)).collect()
}

fn store(scene: &Scene) -> Arc<dyn AttachmentStore> {
    scene.home.attachments.clone()
}

/// Announces an attachment of Ada's.
async fn announce(scene: &Scene, id: &str) {
    assert!(store(scene).announce(&ada(), &attachment(id), &room(), at(0)).await.unwrap());
}

/// Uploads to an announced attachment.
async fn upload(scene: &Scene, id: &str, key: &str, bytes: u64) -> Result<Kept, StoreError> {
    store(scene).expect_bytes(key, at(3_600)).await.unwrap();
    store(scene).keep_bytes(&id.into(), &object(key, bytes), &room()).await
}

#[track_caller]
fn missing<T: std::fmt::Debug>(result: &Result<T, StoreError>, id: &str) {
    assert!(matches!(result, Err(StoreError::NoAttachment(missing)) if missing.as_str() == id), "{result:?}");
}

async fn an_attachment_is_read_back_as_it_was_announced_but_for_the_address_of_its_bytes(scene: Scene) {
    announce(&scene, "a").await;
    let kept = store(&scene).attachment(&"a".into()).await.unwrap();
    let mut expected = attachment("a");
    expected.attachment.upload_descriptor = None;
    assert_eq!((&kept.stored, &kept.object), (&expected, &None));
    assert_eq!(serde_json::to_string(&kept.stored.metadata).unwrap(), r#"{"b":1,"a":null}"#);
    assert_eq!(scene.home.look("select document from chat_attachments where document like '%secret%'").await, [""; 0]);
    assert_eq!(upload(&scene, "a", "k", 12).await.unwrap(), Kept::Now);
    let kept = store(&scene).attachments(&ada(), &ids(&["a"])).await.unwrap();
    assert_eq!((&kept[0].stored, &kept[0].object), (&expected, &Some(object("k", 12))));
    let whole = attachment("whole");
    store(&scene).expect_bytes("w", at(60)).await.unwrap();
    let told = store(&scene).keep_whole(&ada(), &whole, &object("w", 5), &room(), at(0)).await.unwrap();
    assert_eq!(told, Kept::Now);
    let kept = store(&scene).attachment(&"whole".into()).await.unwrap();
    assert_eq!(kept.object, Some(object("w", 5)));
    assert!(store(&scene).leftovers(at(9_999), 10).await.unwrap().is_empty());
}

async fn attachments_come_in_the_order_they_are_asked_for_or_the_first_missing_is_named(scene: Scene) {
    for id in ["a", "b", "c"] {
        announce(&scene, id).await;
    }
    let found = store(&scene).attachments(&ada(), &ids(&["c", "a", "c"])).await.unwrap();
    let found: Vec<_> = found.iter().map(|kept| kept.stored.attachment.id.as_str()).collect();
    assert_eq!(found, ["c", "a", "c"]);
    assert!(store(&scene).attachments(&ada(), &[]).await.unwrap().is_empty());
    missing(&store(&scene).attachments(&ada(), &ids(&["a", "x", "y"])).await, "x");
    missing(&store(&scene).attachments(&ada(), &ids(&["a\0"])).await, "a\0");
    missing(&store(&scene).attachment(&"x\0".into()).await, "x\0");
}

async fn somebody_elses_attachment_is_neither_found_nor_deleted(scene: Scene) {
    announce(&scene, "a").await;
    missing(&store(&scene).attachments(&grace(), &ids(&["a"])).await, "a");
    store(&scene).delete_attachment(&grace(), &"a".into()).await.unwrap();
    store(&scene).delete_attachment(&ada(), &"unknown\0".into()).await.unwrap();
    assert_eq!(store(&scene).attachments(&ada(), &ids(&["a"])).await.unwrap().len(), 1);
}

async fn bytes_are_kept_once(scene: Scene) {
    announce(&scene, "a").await;
    assert_eq!(upload(&scene, "a", "first", 10).await.unwrap(), Kept::Now);
    assert_eq!(upload(&scene, "a", "second", 20).await.unwrap(), Kept::Before);
    assert_eq!(store(&scene).attachment(&"a".into()).await.unwrap().object, Some(object("first", 10)));
    assert_eq!(store(&scene).leftovers(at(9_999), 10).await.unwrap(), ["second"], "the loser's bytes are known of");
    missing(&upload(&scene, "unknown", "third", 1).await, "unknown");
}

async fn of_many_uploads_at_once_one_is_kept(scene: Scene) {
    announce(&scene, "a").await;
    let keys: Vec<String> = (0..8).map(|number| format!("k{number}")).collect();
    let told = join_all(keys.iter().map(|key| upload(&scene, "a", key, 10))).await;
    let won: Vec<_> = keys.iter().zip(told).filter(|(_, told)| *told.as_ref().unwrap() == Kept::Now).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(store(&scene).attachment(&"a".into()).await.unwrap().object, Some(object(won[0].0, 10)));
    assert_eq!(store(&scene).leftovers(at(9_999), 10).await.unwrap().len(), 7);
}

async fn bytes_that_were_due_to_go_are_not_kept(scene: Scene) {
    announce(&scene, "a").await;
    let late = store(&scene).keep_bytes(&"a".into(), &object("swept", 10), &room()).await.unwrap();
    assert_eq!(late, Kept::TooLate);
    let late = store(&scene).keep_whole(&ada(), &attachment("b"), &object("swept", 10), &room(), at(0)).await.unwrap();
    assert_eq!(late, Kept::TooLate);
    assert_eq!(store(&scene).attachment(&"a".into()).await.unwrap().object, None);
    missing(&store(&scene).attachment(&"b".into()).await, "b");
}

async fn an_owner_has_room_for_so_many_and_so_much(scene: Scene) {
    let room = Room { count_max: 2, bytes_max: 100, announced_after: at(0) };
    let store = store(&scene);
    assert!(store.announce(&ada(), &attachment("old"), &room, at(-1)).await.unwrap());
    assert!(store.announce(&ada(), &attachment("a"), &room, at(0)).await.unwrap(), "the old one takes no room");
    assert!(store.announce(&ada(), &attachment("b"), &room, at(0)).await.unwrap());
    assert!(!store.announce(&ada(), &attachment("c"), &room, at(0)).await.unwrap());
    assert!(store.announce(&grace(), &attachment("hers"), &room, at(0)).await.unwrap());
    for key in ["k1", "k2", "k3", "k4"] {
        store.expect_bytes(key, at(60)).await.unwrap();
    }
    assert_eq!(store.keep_bytes(&"a".into(), &object("k1", 60), &room).await.unwrap(), Kept::Now);
    assert_eq!(store.keep_bytes(&"b".into(), &object("k2", 41), &room).await.unwrap(), Kept::NoRoom);
    assert_eq!(store.keep_bytes(&"b".into(), &object("k3", 40), &room).await.unwrap(), Kept::Now);
    assert_eq!(store.keep_bytes(&"hers".into(), &object("k4", 100), &room).await.unwrap(), Kept::Now);
    let whole = store.keep_whole(&ada(), &attachment("d"), &object("k2", 0), &room, at(0)).await.unwrap();
    assert_eq!(whole, Kept::NoRoom);
    store.delete_attachment(&ada(), &"a".into()).await.unwrap();
    let whole = store.keep_whole(&ada(), &attachment("d"), &object("k2", 61), &room, at(0)).await.unwrap();
    assert_eq!(whole, Kept::NoRoom);
    let whole = store.keep_whole(&ada(), &attachment("d"), &object("k2", 60), &room, at(0)).await.unwrap();
    assert_eq!(whole, Kept::Now);
}

/// Names Ada's attachment in her thread `t`, as a message does.
async fn claim(scene: &Scene) {
    scene.thread("t", &[]).await;
    scene.home.alter("update chat_attachments set thread_id = 't', used = true where id = 'a'").await;
}

async fn what_a_message_names_takes_no_room_and_may_come_late(scene: Scene) {
    let room = Room { count_max: 1, bytes_max: 10, announced_after: at(0) };
    announce(&scene, "a").await;
    claim(&scene).await;
    assert!(store(&scene).announce(&ada(), &attachment("b"), &room, at(0)).await.unwrap());
    store(&scene).expect_bytes("k", at(60)).await.unwrap();
    let kept = store(&scene).keep_bytes(&"a".into(), &object("k", 1_000), &room).await.unwrap();
    assert_eq!(kept, Kept::Now);
}

async fn a_deleted_attachment_is_gone_at_once_and_its_bytes_after_the_sweep(scene: Scene) {
    for id in ["a", "b"] {
        announce(&scene, id).await;
        upload(&scene, id, id, 10).await.unwrap();
    }
    store(&scene).delete_attachment(&ada(), &"a".into()).await.unwrap();
    missing(&store(&scene).attachment(&"a".into()).await, "a");
    missing(&store(&scene).attachments(&ada(), &ids(&["a"])).await, "a");
    missing(&upload(&scene, "a", "later", 10).await, "a");
    store(&scene).forget_leftovers(&["later".to_owned()]).await.unwrap();
    assert_eq!(store(&scene).let_go(at(1), at(-9), 10).await.unwrap(), 1);
    assert_eq!(store(&scene).leftovers(at(1), 10).await.unwrap(), ["a"]);
    assert_eq!(store(&scene).let_go(at(1), at(-9), 10).await.unwrap(), 0);
    assert_eq!(scene.home.look("select id from chat_attachments").await, ["b"]);
}

async fn attachments_of_a_deleted_thread_go(scene: Scene) {
    announce(&scene, "a").await;
    upload(&scene, "a", "k", 10).await.unwrap();
    claim(&scene).await;
    assert_eq!(store(&scene).let_go(at(1), at(1), 10).await.unwrap(), 0, "its thread is there");
    scene.store.delete_thread(&ada(), &ThreadId::new("t")).await.unwrap();
    missing(&store(&scene).attachment(&"a".into()).await, "a");
    missing(&store(&scene).attachments(&ada(), &ids(&["a"])).await, "a");
    missing(&upload(&scene, "a", "later", 10).await, "a");
    assert_eq!(store(&scene).let_go(at(1), at(-9), 10).await.unwrap(), 1);
    assert_eq!(store(&scene).leftovers(at(1), 10).await.unwrap(), ["k"]);
}

async fn what_was_announced_and_never_used_goes_after_a_while(scene: Scene) {
    announce(&scene, "a").await;
    announce(&scene, "b").await;
    upload(&scene, "b", "k", 10).await.unwrap();
    assert_eq!(store(&scene).let_go(at(1), at(0), 10).await.unwrap(), 0);
    assert_eq!(store(&scene).let_go(at(1), at(1), 10).await.unwrap(), 2);
    assert_eq!(store(&scene).leftovers(at(1), 10).await.unwrap(), ["k"]);
}

async fn a_sweep_takes_so_many_at_once_and_two_sweeps_do_not_meet(scene: Scene) {
    for number in 0..20 {
        announce(&scene, &format!("a{number}")).await;
    }
    assert_eq!(store(&scene).let_go(at(1), at(1), 5).await.unwrap(), 5);
    let went = join_all((0..4).map(|_| async { store(&scene).let_go(at(1), at(1), 5).await.unwrap() })).await;
    let left = scene.home.look("select id from chat_attachments").await.len() as u64;
    assert_eq!(went.iter().sum::<u64>() + left, 15);
}

async fn leftovers_come_when_they_are_due_and_are_forgotten(scene: Scene) {
    let store = store(&scene);
    for (key, due) in [("late", 30), ("early", 10), ("never", 99)] {
        store.expect_bytes(key, at(due)).await.unwrap();
    }
    assert!(store.leftovers(at(9), 10).await.unwrap().is_empty());
    assert_eq!(store.leftovers(at(40), 10).await.unwrap(), ["early", "late"]);
    assert_eq!(store.leftovers(at(40), 1).await.unwrap(), ["early"]);
    store.forget_leftovers(&["early".to_owned(), "unknown".to_owned()]).await.unwrap();
    assert_eq!(store.leftovers(at(40), 10).await.unwrap(), ["late"]);
}
