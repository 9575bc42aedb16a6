//! Passages: documents are stored whole, in place of what was there.

use std::sync::Arc;

use chatkit_gateway::store::StoreError;
use chatkit_gateway::store::passages::{Collection, Document, DocumentState, Passage};
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::Scene;

on_both_homes!(
    a_document_is_read_back_as_it_was_stored,
    a_document_replaces_the_one_of_its_path,
    collections_are_apart,
    every_change_has_another_revision,
    documents_stored_at_once_are_all_there,
    vectors_are_read_back_beside_their_passages,
    a_batch_is_stored_as_a_whole_or_not_at_all,
    a_record_is_kept_with_its_collection,
    a_name_can_stand_for_another_collection,
    nothing_is_written_into_a_collection_that_was_replaced,
    rows_of_the_tables_before_there_were_vectors_stay_readable,
);

fn passage(path: &str, position: u32, text: &str) -> Passage {
    Passage {
        id: format!("{path}#{position}"),
        path: path.to_owned(),
        title: "Robots".to_owned(),
        heading: "Sensors \u{0} 🤖".to_owned(),
        heading_path: vec!["Parts".to_owned(), "Sensors".to_owned()],
        url: format!("/docs/{path}#sensors"),
        module: None,
        week: (position > 0).then_some(position),
        position,
        text: text.to_owned(),
    }
}

fn document(path: &str, texts: &[&str]) -> Document {
    let passages = (0..).zip(texts).map(|(position, text)| passage(path, position, text)).collect();
    Document { path: path.to_owned(), fingerprint: texts.concat(), passages }
}

async fn texts(scene: &Scene, collection: &str) -> Vec<String> {
    let shelf = scene.home.passages.passages(collection).await.unwrap();
    shelf.passages.iter().map(|passage| passage.text.clone()).collect()
}

/// Stores a document without vectors, in a collection that is made if need be.
async fn put(scene: &Scene, collection: &str, document: &Document) {
    scene.home.passages.begin_collection(collection).await.unwrap();
    scene.home.passages.put_documents(collection, std::slice::from_ref(document), &[]).await.unwrap();
}

async fn revision(scene: &Scene, collection: &str) -> i64 {
    scene.home.passages.collection(collection).await.unwrap().revision
}

async fn a_document_is_read_back_as_it_was_stored(scene: Scene) {
    let store = &scene.home.passages;
    let texts: Vec<String> = (0..300).map(|number| format!("text {number}")).collect();
    let whole = document("b.md", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    put(&scene, "book", &whole).await;
    put(&scene, "book", &document("a/Z.md", &["z"])).await;
    put(&scene, "book", &document("a/b.md", &[])).await;
    let read = store.passages("book").await.unwrap().passages;
    let expected: Vec<_> = [passage("a/Z.md", 0, "z")].into_iter().chain(whole.passages).map(Arc::new).collect();
    assert_eq!(read, expected);
    let state = |path: &str, fingerprint: &str, passages| DocumentState {
        path: path.to_owned(),
        fingerprint: fingerprint.to_owned(),
        passages,
    };
    let expected = [state("a/Z.md", "z", 1), state("a/b.md", "", 0), state("b.md", &whole.fingerprint, 300)];
    assert_eq!(store.documents("book").await.unwrap(), expected);
    let stored = store.document("book", "b.md").await.unwrap().unwrap();
    assert_eq!((stored.document.passages.len(), &*stored.document.fingerprint), (300, &*whole.fingerprint));
    assert_eq!(store.document("book", "a/b.md").await.unwrap().unwrap().document, document("a/b.md", &[]));
    assert_eq!(store.document("book", "none.md").await.unwrap(), None);
}

async fn a_document_replaces_the_one_of_its_path(scene: Scene) {
    let store = &scene.home.passages;
    put(&scene, "book", &document("a.md", &["one", "two", "three"])).await;
    put(&scene, "book", &document("a.md", &["new"])).await;
    assert_eq!(texts(&scene, "book").await, ["new"]);
    store.remove_document("book", "a.md").await.unwrap();
    assert!(texts(&scene, "book").await.is_empty() && store.documents("book").await.unwrap().is_empty());
}

async fn collections_are_apart(scene: Scene) {
    let store = &scene.home.passages;
    put(&scene, "one", &document("a.md", &["in one"])).await;
    put(&scene, "two", &document("a.md", &["in two"])).await;
    store.remove_document("one", "a.md").await.unwrap();
    assert_eq!(texts(&scene, "two").await, ["in two"]);
    assert!(texts(&scene, "one").await.is_empty() && texts(&scene, "three").await.is_empty());
}

async fn every_change_has_another_revision(scene: Scene) {
    let store = &scene.home.passages;
    assert_eq!(revision(&scene, "book").await, 0);
    let mut seen = vec![0];
    for round in 0..3 {
        put(&scene, "book", &document("a.md", &["x"])).await;
        seen.push(revision(&scene, "book").await);
        store.remove_document("book", "a.md").await.unwrap();
        seen.push(revision(&scene, "book").await);
        store.remove_document("book", "a.md").await.unwrap();
        assert_eq!(revision(&scene, "book").await, seen[2 * round + 2], "nothing changed");
    }
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

async fn documents_stored_at_once_are_all_there(scene: Scene) {
    let (store, scene) = (&scene.home.passages, &scene);
    join_all((0..40).map(|number| async move {
        let path = format!("{}.md", number % 10);
        if number % 4 == 3 {
            store.remove_document("book", "other.md").await.unwrap();
        }
        put(scene, "book", &document(&path, &["one", "two"])).await;
        put(scene, "book", &document("other.md", &["other"])).await;
    }))
    .await;
    let state = scene.home.passages.documents("book").await.unwrap();
    assert_eq!(state.iter().filter(|state| state.passages == 2).count(), 10);
}

async fn vectors_are_read_back_beside_their_passages(scene: Scene) {
    let store = &scene.home.passages;
    let vectors = [vec![0.5, -0.25, f32::MIN_POSITIVE], vec![1.0, 0.0, -0.0], vec![0.0, 0.125, 1e9]];
    put(&scene, "book", &document("0.md", &["without"])).await;
    let with = [document("b.md", &["two", "three"]), document("a.md", &["one"])];
    store.put_documents("book", &with, &vectors).await.unwrap();
    let shelf = store.passages("book").await.unwrap();
    assert_eq!(shelf.dimensions, 3);
    assert_eq!(
        shelf.passages.iter().map(|passage| &*passage.text).collect::<Vec<_>>(),
        ["without", "one", "two", "three"]
    );
    let rows: Vec<&[f32]> = shelf.vectors.chunks(3).collect();
    assert_eq!(rows, [&[0.0; 3], &*vectors[2], &*vectors[0], &*vectors[1]]);
    assert_eq!(store.document("book", "b.md").await.unwrap().unwrap().vectors, vectors[..2]);
    assert_eq!(store.document("book", "0.md").await.unwrap().unwrap().vectors, [vec![0.0_f32; 0]]);

    put(&scene, "book", &document("b.md", &["again"])).await;
    assert_eq!(store.document("book", "b.md").await.unwrap().unwrap().vectors, [vec![0.0_f32; 0]]);
}

async fn a_batch_is_stored_as_a_whole_or_not_at_all(scene: Scene) {
    let store = &scene.home.passages;
    store.begin_collection("book").await.unwrap();
    let before = revision(&scene, "book").await;
    let batch = [document("a.md", &["old"]), document("b.md", &["b"]), document("a.md", &["new", "newer"])];
    store.put_documents("book", &batch, &[]).await.unwrap();
    assert_eq!(texts(&scene, "book").await, ["new", "newer", "b"], "of two with one path the last one counts");
    assert_ne!(revision(&scene, "book").await, before);
    let state = store.documents("book").await.unwrap();
    assert!(matches!(store.put_documents("none", &batch, &[]).await, Err(StoreError::NoCollection)));
    assert_eq!(store.documents("book").await.unwrap(), state);
    assert!(store.documents("none").await.unwrap().is_empty());
}

async fn a_record_is_kept_with_its_collection(scene: Scene) {
    let store = &scene.home.passages;
    assert!(matches!(store.keep_record("book", "{}").await, Err(StoreError::NoCollection)));
    put(&scene, "book", &document("a.md", &["a"])).await;
    let before = store.collection("book").await.unwrap();
    assert_eq!((&*before.name, &before.record), ("book", &None));
    store.keep_record("book", r#"{"space":"🤖"}"#).await.unwrap();
    store.begin_collection("book").await.unwrap();
    let record = Some(r#"{"space":"🤖"}"#.to_owned());
    assert_eq!(store.collection("book").await.unwrap(), Collection { record, ..before }, "the passages are the same");
    put(&scene, "book", &document("a.md", &["b"])).await;
    assert!(store.collection("book").await.unwrap().record.is_some());
}

async fn a_name_can_stand_for_another_collection(scene: Scene) {
    let store = &scene.home.passages;
    put(&scene, "book", &document("a.md", &["old"])).await;
    put(&scene, "book--2", &document("a.md", &["new"])).await;
    assert!(matches!(store.switch_alias("book", "book--3").await, Err(StoreError::NoCollection)));
    assert_eq!(store.collection("book").await.unwrap().name, "book");
    for _ in 0..2 {
        store.switch_alias("book", "book--2").await.unwrap();
        assert_eq!(store.collection("book").await.unwrap(), store.collection("book--2").await.unwrap());
        assert_eq!(store.collection("book").await.unwrap().name, "book--2");
    }
    assert_eq!(texts(&scene, "book--2").await, ["new"]);
    assert!(texts(&scene, "book").await.is_empty(), "the rows of the old one are gone");
    put(&scene, "book--3", &document("a.md", &["newest"])).await;
    store.switch_alias("book", "book--3").await.unwrap();
    assert!(texts(&scene, "book--2").await.is_empty());
    assert_eq!(store.collection("other").await.unwrap().name, "other");
    store.remove_collection("book--3").await.unwrap();
    assert_eq!(
        store.collection("book").await.unwrap(),
        Collection { name: "book--3".into(), revision: 0, record: None, is_empty: true }
    );
}

async fn nothing_is_written_into_a_collection_that_was_replaced(scene: Scene) {
    let store = &scene.home.passages;
    put(&scene, "book", &document("a.md", &["old"])).await;
    put(&scene, "book--2", &document("a.md", &["new"])).await;
    store.switch_alias("book", "book--2").await.unwrap();
    let late = store.put_documents("book", &[document("b.md", &["late"])], &[]).await;
    assert!(matches!(late, Err(StoreError::NoCollection)), "{late:?}");
    assert!(store.documents("book").await.unwrap().is_empty());
}

async fn rows_of_the_tables_before_there_were_vectors_stay_readable(scene: Scene) {
    put(&scene, "book", &document("a.md", &["as it was"])).await;
    for undo in [
        "drop table knowledge_aliases",
        "alter table knowledge_passages drop column vector",
        "alter table knowledge_collections drop column record",
        "delete from _sqlx_migrations where version = 4",
    ] {
        scene.home.alter(undo).await;
    }
    scene.home.migrate_again().await;
    let shelf = scene.home.passages.passages("book").await.unwrap();
    assert_eq!((shelf.passages.len(), shelf.vectors.len(), &*shelf.passages[0].text), (1, 0, "as it was"));
    put(&scene, "book", &document("b.md", &["new"])).await;
    assert_eq!(texts(&scene, "book").await, ["as it was", "new"]);
}
