//! What was asked for before is not asked for again, and what is asked for at once is asked for once.

use std::sync::Arc;

use chatkit_gateway::embedding::cache::Cached;
use chatkit_gateway::embedding::models::Told;
use chatkit_gateway::embedding::{BatchLimits, Embedder, EmbeddingEndpoint, EmbeddingError, Wire};
use futures_util::future::join_all;

use super::scene::{documents, embedder, endpoint, input, limits, openai, query, vectors};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::number_server::NumberServer;

const BATCH: BatchLimits = BatchLimits { texts: 10, tokens: 1000 };

#[tokio::test]
async fn a_text_is_asked_for_once() {
    let server = NumberServer::start(usize::MAX).await;
    let cached = Cached::new(server.embedder(BATCH));
    let expected = |texts: &[&str]| texts.iter().map(|text| NumberServer::vector_of(text)).collect::<Vec<_>>();
    for asked in [&["1", "2", "1"][..], &["2", "3"], &["1"], &["3", "1", "2"]] {
        assert_eq!(documents(&cached, asked).await.unwrap(), expected(asked));
    }
    assert_eq!(server.inputs(), [vec!["1", "2"], vec!["3"]]);
}

#[tokio::test]
async fn what_is_looked_for_is_never_what_may_be_found() {
    let fake = FakeModel::start().await;
    fake.reply(vectors(&[[1.0, 0.0]])).reply(vectors(&[[0.0, 1.0]]));
    let told = Told::Prefix { query: "query: ", document: "passage: " };
    let cached = Cached::new(embedder(EmbeddingEndpoint { told, ..endpoint(&fake, Wire::OpenAi) }, limits()));
    for _ in 0..2 {
        assert_eq!(query(&cached, "robots").await.unwrap(), [vec![1.0, 0.0]]);
        assert_eq!(documents(&cached, &["robots"]).await.unwrap(), [vec![0.0, 1.0]]);
    }
    let requests: Vec<Vec<String>> = fake.requests().iter().map(input).collect();
    assert_eq!(requests, [["query: robots"], ["passage: robots"]]);
}

#[tokio::test]
async fn the_same_query_of_many_readers_at_once_is_asked_once() {
    let server = NumberServer::start(usize::MAX).await;
    let cached = Arc::new(Cached::new(server.embedder(BATCH)));
    let all = join_all((0..20).map(|_| query(&*cached, "7"))).await;
    for one in all {
        assert_eq!(one.unwrap(), [NumberServer::vector_of("7")]);
    }
    assert_eq!(server.inputs(), [vec!["7"]]);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(401, "")).reply(Reply::status(401, "")).reply(vectors(&[[1.0, 0.0]]));
    fake.reply(vectors(&[[1.0, 0.0], [0.0, 1.0]]));
    let cached = Cached::new(openai(&fake));
    assert!(matches!(query(&cached, "one").await, Err(EmbeddingError::Refused(_))));
    assert!(matches!(documents(&cached, &["one", "two"]).await, Err(EmbeddingError::Refused(_))));
    query(&cached, "one").await.unwrap();
    documents(&cached, &["one", "two"]).await.unwrap();
    assert_eq!(fake.requests().len(), 4);
}

#[tokio::test]
async fn a_reader_who_leaves_in_the_middle_leaves_nothing_stuck() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(200, "").silence()).reply(vectors(&[[1.0, 0.0]]));
    let cached = Cached::new(openai(&fake));
    tokio::select! {
        _ = query(&cached, "one") => panic!("there is no answer"),
        _ = fake.request() => {}
    }
    assert_eq!(query(&cached, "one").await.unwrap(), [vec![1.0, 0.0]]);
}

#[tokio::test]
async fn the_space_is_that_of_the_model() {
    let fake = FakeModel::start().await;
    let inner = openai(&fake);
    assert_eq!(Cached::new(openai(&fake)).space(), inner.space());
    assert_eq!(inner.space().to_string(), "`test-model` with 2 dimensions");
}
