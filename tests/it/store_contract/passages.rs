//! Passages: documents are stored whole, in place of what was there.

use std::sync::Arc;

use chatkit_gateway::store::passages::{Document, DocumentState, Passage};
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::Scene;

on_both_homes!(
    a_document_is_read_back_as_it_was_stored,
    a_document_replaces_the_one_of_its_path,
    collections_are_apart,
    every_change_has_another_revision,
    documents_stored_at_once_are_all_there,
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
    scene.home.passages.passages(collection).await.unwrap().iter().map(|passage| passage.text.clone()).collect()
}

async fn a_document_is_read_back_as_it_was_stored(scene: Scene) {
    let store = &scene.home.passages;
    let texts: Vec<String> = (0..300).map(|number| format!("text {number}")).collect();
    let whole = document("b.md", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    store.put_document("book", &whole).await.unwrap();
    store.put_document("book", &document("a/Z.md", &["z"])).await.unwrap();
    store.put_document("book", &document("a/b.md", &[])).await.unwrap();
    let read = store.passages("book").await.unwrap();
    let expected: Vec<_> = [passage("a/Z.md", 0, "z")].into_iter().chain(whole.passages).map(Arc::new).collect();
    assert_eq!(read, expected);
    let state = |path: &str, fingerprint: &str, passages| DocumentState {
        path: path.to_owned(),
        fingerprint: fingerprint.to_owned(),
        passages,
    };
    let expected = [state("a/Z.md", "z", 1), state("a/b.md", "", 0), state("b.md", &whole.fingerprint, 300)];
    assert_eq!(store.documents("book").await.unwrap(), expected);
}

async fn a_document_replaces_the_one_of_its_path(scene: Scene) {
    let store = &scene.home.passages;
    store.put_document("book", &document("a.md", &["one", "two", "three"])).await.unwrap();
    store.put_document("book", &document("a.md", &["new"])).await.unwrap();
    assert_eq!(texts(&scene, "book").await, ["new"]);
    store.remove_document("book", "a.md").await.unwrap();
    assert!(texts(&scene, "book").await.is_empty() && store.documents("book").await.unwrap().is_empty());
}

async fn collections_are_apart(scene: Scene) {
    let store = &scene.home.passages;
    store.put_document("one", &document("a.md", &["in one"])).await.unwrap();
    store.put_document("two", &document("a.md", &["in two"])).await.unwrap();
    store.remove_document("one", "a.md").await.unwrap();
    assert_eq!(texts(&scene, "two").await, ["in two"]);
    assert!(texts(&scene, "one").await.is_empty() && texts(&scene, "three").await.is_empty());
}

async fn every_change_has_another_revision(scene: Scene) {
    let store = &scene.home.passages;
    assert_eq!(store.revision("book").await.unwrap(), 0);
    let mut seen = vec![0];
    for round in 0..3 {
        store.put_document("book", &document("a.md", &["x"])).await.unwrap();
        seen.push(store.revision("book").await.unwrap());
        store.remove_document("book", "a.md").await.unwrap();
        seen.push(store.revision("book").await.unwrap());
        store.remove_document("book", "a.md").await.unwrap();
        assert_eq!(store.revision("book").await.unwrap(), seen[2 * round + 2], "nothing changed");
    }
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

async fn documents_stored_at_once_are_all_there(scene: Scene) {
    let store = &scene.home.passages;
    join_all((0..40).map(|number| async move {
        let path = format!("{}.md", number % 10);
        if number % 4 == 3 {
            store.remove_document("book", "other.md").await.unwrap();
        }
        store.put_document("book", &document(&path, &["one", "two"])).await.unwrap();
        store.put_document("book", &document("other.md", &["other"])).await.unwrap();
    }))
    .await;
    let state = store.documents("book").await.unwrap();
    assert_eq!(state.iter().filter(|state| state.passages == 2).count(), 10);
}
