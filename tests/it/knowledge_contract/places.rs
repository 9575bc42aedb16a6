//! Spaces of vectors, and one collection taking the place of another while readers search.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chatkit_gateway::knowledge::{KnowledgeBase, KnowledgeError};

use super::on_every_home;
use super::scene::{Home, best, book, document, toy};

on_every_home!(
    vectors_of_another_model_are_refused_with_a_remedy,
    an_empty_collection_takes_the_space_of_the_settings,
    vectors_without_a_model_are_searched_by_words_and_not_written,
    a_collection_beside_takes_the_place_without_a_moment_without_answers,
    a_collection_beside_is_continued_where_it_was_left,
    who_has_the_place_cannot_take_it,
);

async fn vectors_of_another_model_are_refused_with_a_remedy(home: Home) {
    let knowledge = home.open(toy("toy-1")).await;
    knowledge.put(book()).await.unwrap();
    let refused = home.unprepared(toy("toy-2")).prepare().await.unwrap_err();
    assert!(matches!(refused, KnowledgeError::OtherSpace { .. }), "{refused}");
    let told = refused.to_string();
    assert!(["toy-1", "toy-2", "--reembed"].iter().all(|part| told.contains(part)), "{told}");
    assert!(!refused.may_pass());
}

async fn an_empty_collection_takes_the_space_of_the_settings(home: Home) {
    home.open(toy("toy-1")).await;
    let knowledge = home.open(toy("toy-2")).await;
    knowledge.put(book()).await.unwrap();
    assert_eq!(knowledge.describe().await.unwrap().space.unwrap().model, "toy-2");
}

async fn vectors_without_a_model_are_searched_by_words_and_not_written(home: Home) {
    home.open(toy("toy")).await.put(book()).await.unwrap();
    let without = home.open(None).await;
    assert_eq!(best(&*without, "What is a hinge joint?").await, "Hinges");
    assert_eq!(without.describe().await.unwrap().retrieval, "lexical");
    let refused = without.put(vec![document("new.md", "New", &[("New", "Something new.")])]).await.unwrap_err();
    assert!(matches!(refused, KnowledgeError::OtherSpace { configured: None, .. }), "{refused}");
    assert_eq!(without.documents().await.unwrap().len(), book().len());
}

/// Moves all documents into the collection beside, as `ingest --reembed` does.
async fn moved(from: &dyn KnowledgeBase, to: &dyn KnowledgeBase) {
    let there: Vec<String> = to.documents().await.unwrap().into_iter().map(|state| state.path).collect();
    for state in from.documents().await.unwrap() {
        if !there.contains(&state.path) {
            to.put(vec![from.document(&state.path).await.unwrap().unwrap()]).await.unwrap();
        }
    }
    to.settle().await.unwrap();
}

async fn a_collection_beside_takes_the_place_without_a_moment_without_answers(home: Home) {
    let serving = home.open(toy("toy-1")).await;
    serving.put(book()).await.unwrap();
    let (over, searches) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let reader = {
        let (serving, over, searches) = (Arc::clone(&serving), Arc::clone(&over), Arc::clone(&searches));
        #[expect(clippy::disallowed_methods, reason = "a reader beside the test; it is waited for")]
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                assert_eq!(best(&*serving, "What is a hinge joint?").await, "Hinges");
                searches.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    for model in ["toy-2", "toy-3"] {
        let before = searches.load(Ordering::SeqCst);
        let moving = home.unprepared(toy(model));
        let beside = moving.beside().await.unwrap();
        moved(&*moving, &*beside).await;
        beside.take_place().await.unwrap();
        let settled = home.open(toy(model)).await;
        assert_eq!(settled.describe().await.unwrap().space.unwrap().model, model);
        assert_eq!(settled.documents().await.unwrap().len(), book().len());
        crate::support::house::until("a search went on", async || searches.load(Ordering::SeqCst) > before).await;
    }
    over.store(true, Ordering::SeqCst);
    reader.await.unwrap();
}

async fn a_collection_beside_is_continued_where_it_was_left(home: Home) {
    let serving = home.open(toy("toy-1")).await;
    serving.put(book()).await.unwrap();
    let moving = home.unprepared(toy("toy-2"));
    let begun = moving.beside().await.unwrap();
    begun.put(book().into_iter().take(2).collect()).await.unwrap();
    let again = home.unprepared(toy("toy-2")).beside().await.unwrap();
    assert_eq!(again.documents().await.unwrap().len(), 2);
    assert_eq!(serving.documents().await.unwrap().len(), book().len());
    let other = home.unprepared(toy("toy-3")).beside().await.unwrap();
    assert!(other.documents().await.unwrap().is_empty(), "vectors of another model are no beginning");
    assert_eq!(best(&*serving, "What is a hinge joint?").await, "Hinges");
}

async fn who_has_the_place_cannot_take_it(home: Home) {
    let knowledge = home.open(None).await;
    assert!(matches!(knowledge.take_place().await, Err(KnowledgeError::Unusable(_))));
}
