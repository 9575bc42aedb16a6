//! Documents go in and come out whole, each in place of what was under its path.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use chatkit_gateway::knowledge::{Document, DocumentState};
use futures_util::FutureExt;

use super::on_every_home;
use super::scene::{Home, best, book, document, found};

on_every_home!(
    a_document_comes_back_as_it_was_put,
    a_document_takes_the_place_of_the_one_under_its_path,
    a_removed_document_is_not_found_any_more,
    documents_are_listed_by_path,
    a_large_document_goes_in_whole,
    a_put_that_is_broken_off_leaves_no_half_document,
    what_is_put_through_one_instance_is_found_through_another,
);

async fn a_document_comes_back_as_it_was_put(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    for document in book() {
        assert_eq!(knowledge.document(&document.path).await.unwrap(), Some(document));
    }
    assert_eq!(knowledge.document("nowhere.md").await.unwrap(), None);
}

async fn a_document_takes_the_place_of_the_one_under_its_path(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    assert_eq!(best(&*knowledge, "What is a fuse for?").await, "Fuses");
    let newer = document("power.md", "Power", &[("Solar panels", "A solar panel charges the battery by day.")]);
    knowledge.put(vec![newer.clone()]).await.unwrap();
    assert_eq!(knowledge.document("power.md").await.unwrap(), Some(newer));
    assert_eq!(best(&*knowledge, "What does a solar panel do?").await, "Solar panels");
    let old = found(&*knowledge, "What is a fuse for?").await;
    assert!(old.iter().all(|found| found.passage.heading != "Fuses"), "{old:?}");
}

async fn a_removed_document_is_not_found_any_more(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    knowledge.remove("simulation.md").await.unwrap();
    knowledge.remove("nowhere.md").await.unwrap();
    assert_eq!(knowledge.document("simulation.md").await.unwrap(), None);
    assert!(found(&*knowledge, "Which files describe the worlds of Gazebo?").await.is_empty());
    assert_eq!(knowledge.documents().await.unwrap().len(), book().len() - 1);
}

async fn documents_are_listed_by_path(home: Home) {
    let knowledge = home.open(None).await;
    assert!(knowledge.documents().await.unwrap().is_empty());
    knowledge.put(book()).await.unwrap();
    knowledge.put(vec![document("empty.md", "Empty", &[])]).await.unwrap();
    let mut expected: Vec<DocumentState> = book().iter().map(state).collect();
    expected.push(DocumentState { path: "empty.md".to_owned(), fingerprint: String::new(), passages: 0 });
    expected.sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!(knowledge.documents().await.unwrap(), expected);
    let described = knowledge.describe().await.unwrap();
    assert_eq!((described.documents, described.passages), (5, 9));
    assert_eq!(described.retrieval, "lexical");
}

fn state(document: &Document) -> DocumentState {
    let passages = u32::try_from(document.passages.len()).unwrap();
    DocumentState { path: document.path.clone(), fingerprint: document.fingerprint.clone(), passages }
}

/// A document of many passages, none like another.
fn large(edition: &str, passages: usize) -> Document {
    let texts: Vec<(String, String)> = (0..passages)
        .map(|number| (format!("Part {number}"), format!("Component {edition}{number} belongs to assembly x{number}.")))
        .collect();
    let sections: Vec<(&str, &str)> = texts.iter().map(|(heading, text)| (heading.as_str(), text.as_str())).collect();
    document("large.md", "Parts", &sections)
}

async fn a_large_document_goes_in_whole(home: Home) {
    let knowledge = home.open(None).await;
    knowledge.put(book()).await.unwrap();
    let (first, second) = (large("a", 700), large("b", 300));
    knowledge.put(vec![first.clone()]).await.unwrap();
    assert_eq!(knowledge.document("large.md").await.unwrap(), Some(first));
    assert_eq!(best(&*knowledge, "Where does component a612 belong?").await, "Part 612");
    knowledge.put(vec![second.clone()]).await.unwrap();
    assert_eq!(knowledge.document("large.md").await.unwrap(), Some(second));
    assert_eq!(knowledge.describe().await.unwrap().passages, 300 + 9);
}

async fn a_put_that_is_broken_off_leaves_no_half_document(home: Home) {
    let knowledge = home.open(None).await;
    let (old, new) = (large("a", 150), large("b", 300));
    knowledge.put(vec![old.clone()]).await.unwrap();
    for polls in 1..8 {
        let writer = home.open(None).await;
        abandoned_after(polls, writer.put(vec![new.clone()])).await;
        let read = knowledge.document("large.md").await.unwrap();
        assert!(read.is_none() || read == Some(old.clone()) || read == Some(new.clone()), "half of it after {polls}");
        knowledge.put(vec![old.clone()]).await.unwrap();
        assert_eq!(knowledge.document("large.md").await.unwrap(), Some(old.clone()));
    }
}

/// Runs something until it has waited so often, and drops it then.
async fn abandoned_after(polls: usize, work: impl Future) {
    let mut work = Box::pin(work);
    for _ in 0..polls {
        let poll = std::future::poll_fn(|context: &mut Context<'_>| Poll::Ready(work.poll_unpin(context))).await;
        if poll.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let _ = work.poll_unpin(&mut Context::from_waker(Waker::noop()));
}

async fn what_is_put_through_one_instance_is_found_through_another(home: Home) {
    let (one, other) = (home.open(None).await, home.open(None).await);
    one.put(book()).await.unwrap();
    assert_eq!(best(&*other, "What is a fuse for?").await, "Fuses");
    assert_eq!(other.documents().await.unwrap().len(), book().len());
}
