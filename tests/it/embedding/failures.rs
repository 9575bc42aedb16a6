//! Providers that are busy, poor, broken, silent, or talk nonsense.

use std::time::Duration;

use chatkit_gateway::embedding::{BatchLimits, Embedder, EmbeddingError, Limits, Patience, Role, Wire};
use tokio::time::Instant;

use super::scene::{KEY, documents, embedder, endpoint, input, limits, openai, query, texts, vectors};
use crate::support::fake_model::{FakeModel, PATIENCE, Reply};
use crate::support::number_server::NumberServer;

/// A minute's quota of Google's is used up, for an instant.
const BUSY: &str = r#"[{"error":{"code":429,"message":"Quota exceeded for requests per minute","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"0.05s"}]}}]"#;

/// What comes of one reply, and how often it was asked.
async fn failure(reply: Reply) -> (EmbeddingError, usize) {
    let fake = FakeModel::start().await;
    fake.always(reply);
    let error = documents(&openai(&fake), &["one"]).await.unwrap_err();
    (error, fake.requests().len())
}

/// A refusal is told in these words, after one request.
async fn refused(reply: Reply, expected: &str) {
    let (error, requests) = failure(reply).await;
    assert!(matches!(error, EmbeddingError::Refused(_)), "{error:?}");
    assert_eq!((error.to_string().as_str(), requests), (expected, 1));
}

async fn garbled(reply: Reply, expected: &str) {
    let (error, requests) = failure(reply).await;
    let EmbeddingError::Garbled(said) = error else { panic!("{error:?}") };
    assert_eq!((said.as_str(), requests), (expected, 1));
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_when_it_says() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(429, BUSY)).reply(vectors(&[[1.0, 0.0]]));
    let begun = Instant::now();
    assert_eq!(documents(&openai(&fake), &["one"]).await.unwrap(), [vec![1.0, 0.0]]);
    assert!(begun.elapsed() >= Duration::from_millis(50), "{:?}", begun.elapsed());
    let requests = fake.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(input(&requests[0]), input(&requests[1]));
}

#[tokio::test]
async fn while_a_provider_wants_to_be_left_alone_nobody_asks() {
    let fake = FakeModel::start().await;
    let busy = r#"{"error":{"message":"slow down"}}"#;
    fake.reply(Reply::status(429, busy).header("retry-after", "3600"));
    fake.always(vectors(&[[1.0, 0.0]]));
    let asking = openai(&fake);
    for _ in 0..3 {
        let EmbeddingError::Busy { retry_after: Some(wait) } = documents(&asking, &["one"]).await.unwrap_err() else {
            panic!("it is busy");
        };
        assert!(wait > Duration::from_secs(3000), "{wait:?}");
    }
    assert!(matches!(query(&asking, "one").await, Err(EmbeddingError::Busy { .. })));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn where_there_is_little_to_be_had_each_gets_its_share_in_turn() {
    let server = NumberServer::rationed(usize::MAX, Duration::from_millis(40)).await;
    let one_each = BatchLimits { texts: 1, tokens: 100 };
    // Two tries are enough for nobody who is overtaken.
    let patience = Patience { tries: 2, ..limits().documents };
    let asking = server.embedder_with(one_each, Limits { documents: patience, ..limits() });
    let numbers: Vec<String> = (1..=6).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (one, other) = tokio::join!(documents(&asking, &numbers), documents(&asking, &numbers));
    let expected: Vec<Vec<f32>> = numbers.iter().map(|number| NumberServer::vector_of(number)).collect();
    assert_eq!((one.unwrap(), other.unwrap()), (expected.clone(), expected));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_a_few_times() {
    for reply in [Reply::status(503, ""), Reply::status(500, "oops"), Reply::events([]).cut()] {
        let fake = FakeModel::start().await;
        fake.reply(reply.clone()).reply(reply.clone()).reply(vectors(&[[1.0, 0.0]]));
        documents(&openai(&fake), &["one"]).await.unwrap();
        assert_eq!(fake.requests().len(), 3);

        let (error, requests) = failure(reply).await;
        assert!(matches!(error, EmbeddingError::Away(_)), "{error:?}");
        assert_eq!(requests, 3);
    }
}

#[tokio::test]
async fn a_query_is_given_up_sooner_since_a_reader_waits() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(500, ""));
    assert!(matches!(query(&openai(&fake), "one").await, Err(EmbeddingError::Away(_))));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn what_will_stay_is_not_tried_again() {
    let key = "the embedding model refused: fake does not accept the key; check EMBEDDING_API_KEY, or set \
               EMBEDDING_PROVIDER=none to find by words alone";
    refused(Reply::status(401, ""), key).await;
    refused(Reply::status(400, r#"{"error":{"message":"API key not valid. Please pass one."}}"#), key).await;
    let quota = r#"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#;
    let (error, requests) = failure(Reply::status(429, quota)).await;
    assert!(error.to_string().contains("there is no quota for it"), "{error}");
    assert_eq!(requests, 1);
    let day = r#"{"error":{"code":429,"message":"x","details":[{"violations":[{"quotaId":"EmbedContentRequestsPerDayPerProject"}]},{"retryDelay":"7s"}]}}"#;
    let (error, requests) = failure(Reply::status(429, day)).await;
    assert!(error.to_string().contains("the quota of the day is used up"), "{error}");
    assert_eq!(requests, 1);
    refused(
        Reply::status(404, r#"{"error":{"message":"models/test-model is not found"}}"#),
        "the embedding model refused: models/test-model is not found; check EMBEDDING_MODEL",
    )
    .await;
    refused(
        Reply::status(200, r#"{"error":{"message":"no such model","code":404}}"#),
        "the embedding model refused: no such model; check EMBEDDING_MODEL",
    )
    .await;
}

#[tokio::test]
async fn nonsense_is_no_vector() {
    let body = |json: &str| Reply::status(200, json);
    garbled(body("<html>Welcome</html>"), "it holds no list of vectors").await;
    garbled(body(r#"{"data":[{"embedding":[1,NaN]}]}"#), "it holds no list of vectors").await;
    garbled(body(r#"{"data":[{"embedding":"AACAPw=="}]}"#), "it holds no list of vectors").await;
    garbled(body(r#"{"data":[{"embedding":[1,1e39]}]}"#), "it holds no list of vectors").await;
    garbled(body(r#"{"data":[{"embedding":[0,0]}]}"#), "a vector of nothing but zeros").await;
    garbled(body(r#"{"data":[]}"#), "0 vectors for 1 texts").await;
    let long = "vectors of 3 numbers instead of 2; check EMBEDDING_DIMENSIONS";
    garbled(body(r#"{"data":[{"embedding":[1,2,3]}]}"#), long).await;
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let huge = format!(r#"{{"data":[{{"embedding":[{}1]}}]}}"#, "1,".repeat(100_000));
    garbled(Reply::status(200, &huge), "a body of more than 100000 bytes").await;
}

#[tokio::test]
async fn a_silent_provider_is_not_waited_for_without_end() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(200, "").silence());
    let patience = Patience { answer: Duration::from_millis(50), total: PATIENCE, tries: 2 };
    let hasty = embedder(endpoint(&fake, Wire::OpenAi), Limits { documents: patience, ..limits() });
    let error = documents(&hasty, &["one"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the embedding model cannot be used at the moment: there was no answer within 0.05 s"
    );
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn patience_has_an_end_whatever_the_tries() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(429, BUSY));
    let patience = Patience { answer: PATIENCE, total: Duration::from_millis(200), tries: 1000 };
    let hasty = embedder(endpoint(&fake, Wire::OpenAi), Limits { documents: patience, ..limits() });
    assert!(matches!(documents(&hasty, &["one"]).await, Err(EmbeddingError::Busy { .. })));
    assert!(fake.requests().len() <= 5, "{}", fake.requests().len());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_away() {
    let fake = FakeModel::start().await;
    let gone = openai(&fake);
    drop(fake);
    let error = documents(&gone, &["one"]).await.unwrap_err();
    assert!(error.to_string().contains("it cannot be reached ("), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_since_the_key_would_go_along() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(307, "").header("location", "/elsewhere"));
    assert!(matches!(documents(&openai(&fake), &["one"]).await, Err(EmbeddingError::Refused(_))));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_key_is_never_told() {
    for wire in [Wire::OpenAi, Wire::Gemini, Wire::Cohere] {
        for status in [400, 401, 404, 429, 500] {
            let fake = FakeModel::start().await;
            fake.always(Reply::status(status, &format!(r#"{{"error":{{"message":"the key {KEY} is bad"}}}}"#)));
            let asking = embedder(endpoint(&fake, wire), limits());
            let error = asking.embed(&texts(&["one"]), Role::Document).await.unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", endpoint(&fake, wire)).contains(KEY), "{error:?}");
            assert!(!fake.requests()[0].path.contains(KEY));
        }
    }
}

#[tokio::test]
async fn when_one_request_fails_for_good_the_others_are_given_up() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(401, ""));
    fake.always(Reply::status(200, "").silence());
    let many: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(documents(&openai(&fake), &many).await, Err(EmbeddingError::Refused(_))));
}
