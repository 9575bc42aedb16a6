//! Searches: the right passage first, nothing when the book has nothing, and meaning where words do not help.

use std::sync::atomic::Ordering;

use chatkit_gateway::knowledge::Search;

use super::on_every_home;
use super::scene::{Home, PARAPHRASE, ask, best, book, found, toy};

on_every_home!(
    the_right_passage_is_first,
    what_the_book_does_not_cover_is_not_found,
    a_follow_up_is_understood_by_what_was_asked_before,
    the_limit_holds_and_scores_fall,
    with_vectors_a_paraphrase_is_found_that_shares_no_word,
    with_vectors_what_is_far_from_the_book_is_refused,
    an_embedding_model_that_is_away_leaves_the_words,
    a_strict_search_finds_what_is_there_and_nothing_else,
    nothing_is_found_in_an_empty_book,
);

async fn the_right_passage_is_first(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    for (question, heading) in [
        ("What is a hinge joint?", "Hinges"),
        ("Why does the heading of a gyroscope drift?", "Gyroscopes"),
        ("How many volts does a cell have?", "Cells"),
        ("JointState publisher in C++", "Publishing angles in C++"),
        ("What does Gazebo simulate?", "Gazebo"),
    ] {
        assert_eq!(best(&*knowledge, question).await, heading, "{question}");
    }
}

async fn what_the_book_does_not_cover_is_not_found(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    for question in [
        "How long do I bake sourdough bread?",
        "Who won the football championship?",
        "What does Kubernetes schedule on Tuesdays?",
        "",
        "???",
    ] {
        assert!(found(&*knowledge, question).await.is_empty(), "{question}");
    }
}

async fn a_follow_up_is_understood_by_what_was_asked_before(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    let earlier = ["How does a node publish joint angles in C++?".to_owned()];
    let asked = Search { query: "and in Python?", earlier: &earlier, limit: 3, strict: false };
    let passages = ask(&*knowledge, &asked).await;
    assert_eq!(passages[0].passage.heading, "Publishing angles in Python");
}

async fn the_limit_holds_and_scores_fall(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    for limit in 0..5 {
        let asked = Search { query: "joint", earlier: &[], limit, strict: false };
        let passages = ask(&*knowledge, &asked).await;
        assert!(passages.len() <= limit && (limit == 0 || !passages.is_empty()));
        assert!(passages.iter().all(|found| (0.0..=1.0).contains(&found.score)));
        assert!(passages.is_sorted_by(|one, other| one.score >= other.score));
    }
}

async fn with_vectors_a_paraphrase_is_found_that_shares_no_word(home: Home) {
    let words_alone = home.open(None).await;
    words_alone.put(book()).await.unwrap();
    assert!(found(&*words_alone, PARAPHRASE).await.is_empty());
    for document in book() {
        words_alone.remove(&document.path).await.unwrap();
    }
    let knowledge = home.open(toy("toy")).await;
    knowledge.put(book()).await.unwrap();
    assert!(found(&*knowledge, PARAPHRASE).await.is_empty(), "how near is near enough is not known yet");
    knowledge.settle().await.unwrap();
    let described = knowledge.describe().await.unwrap();
    assert_eq!((described.retrieval, described.space.map(|space| space.model)), ("hybrid", Some("toy".to_owned())));
    assert_eq!(best(&*knowledge, PARAPHRASE).await, "Gyroscopes");
    assert_eq!(best(&*knowledge, "What is a hinge joint?").await, "Hinges");
}

async fn with_vectors_what_is_far_from_the_book_is_refused(home: Home) {
    let knowledge = home.open(toy("toy")).await;
    knowledge.put(book()).await.unwrap();
    knowledge.settle().await.unwrap();
    for query in ["Which flour is best for bread?", "Can a lawyer sue the court?", "Which pill helps against fever?"] {
        assert!(found(&*knowledge, query).await.is_empty(), "{query}");
        let strict = Search { query, earlier: &[], limit: 3, strict: true };
        assert!(ask(&*knowledge, &strict).await.is_empty(), "{query}");
    }
}

async fn an_embedding_model_that_is_away_leaves_the_words(home: Home) {
    let model = toy("toy");
    let knowledge = home.open(model.clone()).await;
    knowledge.put(book()).await.unwrap();
    model.unwrap().away.store(true, Ordering::SeqCst);
    assert_eq!(best(&*knowledge, "What is a hinge joint?").await, "Hinges");
}

async fn a_strict_search_finds_what_is_there_and_nothing_else(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    let strict = |query| Search { query, earlier: &[], limit: 3, strict: true };
    let passages = ask(&*knowledge, &strict("What is a hinge joint?")).await;
    assert_eq!(passages[0].passage.heading, "Hinges");
    assert!(ask(&*knowledge, &strict("Which flour is best for bread?")).await.is_empty());
}

async fn nothing_is_found_in_an_empty_book(home: Home) {
    let knowledge = home.open(None).await;
    assert!(found(&*knowledge, "What is a hinge joint?").await.is_empty());
    knowledge.settle().await.unwrap();
}
