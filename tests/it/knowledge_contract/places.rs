//! Spaces of vectors, and one collection taking the place of another while readers search.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chatkit_gateway::knowledge::ingest::{self, Options};
use chatkit_gateway::knowledge::{KnowledgeBase, KnowledgeError};

use super::on_every_home;
use super::scene::{Home, PARAPHRASE, best, book, document, toy};
use crate::support::toy_embedder::ToyEmbedder;

on_every_home!(
    vectors_of_another_model_are_refused_with_a_remedy,
    an_empty_collection_takes_the_space_of_the_settings,
    vectors_without_a_model_are_searched_by_words_and_not_written,
    a_collection_beside_takes_the_place_without_a_moment_without_answers,
    a_collection_beside_is_continued_where_it_was_left,
    reembedding_gives_vectors_to_a_book_without_any,
    a_reembedding_that_was_broken_off_goes_on_where_it_stopped,
    who_still_has_the_old_model_searches_by_words_and_writes_nothing,
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

/// Nothing that is away is waited for.
fn at_once() -> Options {
    Options { patience: Some(Duration::ZERO), ..Options::default() }
}

async fn reembedding_gives_vectors_to_a_book_without_any(home: Home) {
    home.open(None).await.put(book()).await.unwrap();
    let knowledge = home.open(toy("toy")).await;
    assert_eq!(knowledge.describe().await.unwrap().retrieval, "lexical");
    knowledge.put(vec![document("new.md", "New", &[("Skins", "A skin feels pressure.")])]).await.unwrap();
    assert_eq!(best(&*knowledge, "What does a skin feel?").await, "Skins");
    assert_eq!(best(&*knowledge, PARAPHRASE).await, "");

    let copied = ingest::reembed(&*knowledge, &at_once(), &()).await.unwrap();
    assert_eq!((copied.added, copied.passages), (book().len() + 1, 10));
    let knowledge = home.open(toy("toy")).await;
    let described = knowledge.describe().await.unwrap();
    assert_eq!((described.retrieval, described.documents, described.passages), ("hybrid", 5, 10));
    assert_eq!(best(&*knowledge, PARAPHRASE).await, "Gyroscopes");
    for document in book() {
        assert_eq!(knowledge.document(&document.path).await.unwrap(), Some(document));
    }

    // And without a model they go again.
    let words = home.open(None).await;
    ingest::reembed(&*words, &at_once(), &()).await.unwrap();
    let words = home.open(None).await;
    assert_eq!(words.describe().await.unwrap().space, None);
    words.put(book()).await.unwrap();
}

async fn a_reembedding_that_was_broken_off_goes_on_where_it_stopped(home: Home) {
    let serving = home.open(toy("toy-1")).await;
    serving.put(book()).await.unwrap();
    serving.settle().await.unwrap();
    let model = toy("toy-2").unwrap();
    let moving = home.unprepared(Some(Arc::clone(&model)));
    let begun = moving.beside().await.unwrap();
    begun.put(book().into_iter().take(1).collect()).await.unwrap();
    begun.put(vec![document("gone.md", "Gone", &[("Gone", "This page is gone since.")])]).await.unwrap();
    model.texts_left.store(1, Ordering::SeqCst);
    assert!(ingest::reembed(&*moving, &at_once(), &()).await.is_err());
    assert_eq!(best(&*serving, PARAPHRASE).await, "Gyroscopes", "the old vectors are searched until then");

    model.texts_left.store(usize::MAX, Ordering::SeqCst);
    let again = home.unprepared(Some(model));
    let copied = ingest::reembed(&*again, &at_once(), &()).await.unwrap();
    assert_eq!((copied.unchanged, copied.removed), (1, 1));
    let settled = home.open(toy("toy-2")).await;
    assert_eq!(settled.describe().await.unwrap().space.unwrap().model, "toy-2");
    assert_eq!(settled.documents().await.unwrap().len(), book().len());
    assert_eq!(best(&*settled, PARAPHRASE).await, "Gyroscopes");
}

async fn who_still_has_the_old_model_searches_by_words_and_writes_nothing(home: Home) {
    let serving = home.open(toy("toy")).await;
    serving.put(book()).await.unwrap();
    serving.settle().await.unwrap();
    assert_eq!(best(&*serving, PARAPHRASE).await, "Gyroscopes");
    let turned = Some(Arc::new(ToyEmbedder::turned("turned")));
    ingest::reembed(&*home.unprepared(turned.clone()), &at_once(), &()).await.unwrap();
    crate::support::house::until("vectors of another model do not count", async || {
        let heading = best(&*serving, PARAPHRASE).await;
        assert!(
            matches!(&*heading, "" | "Gyroscopes"),
            "the vector of the one model, compared with the other's: {heading}"
        );
        heading.is_empty()
    })
    .await;
    assert_eq!(best(&*serving, "What is a hinge joint?").await, "Hinges");
    let refused = serving.put(vec![document("new.md", "New", &[("New", "Something new.")])]).await.unwrap_err();
    assert!(matches!(refused, KnowledgeError::OtherSpace { .. }), "{refused}");
    assert_eq!(best(&*home.open(turned).await, PARAPHRASE).await, "Gyroscopes");
}

async fn who_has_the_place_cannot_take_it(home: Home) {
    let knowledge = home.open(None).await;
    assert!(matches!(knowledge.take_place().await, Err(KnowledgeError::Unusable(_))));
}
