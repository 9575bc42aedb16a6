//! What is asked, to the letter, and in how many requests; what becomes of the answers.

use chatkit_gateway::embedding::models::{GOOGLE_PREFIXES, Told};
use chatkit_gateway::embedding::{BatchLimits, Embedder, EmbeddingEndpoint, Role, Wire};
use proptest::prelude::*;
use serde_json::json;

use super::scene::{KEY, documents, embedder, endpoint, input, limits, openai, query, vectors};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::number_server::NumberServer;

#[tokio::test]
async fn openai_is_asked_for_nothing_that_was_not_chosen() {
    let fake = FakeModel::start().await;
    fake.always(vectors(&[[3.0, 4.0], [0.0, -2.0]]));
    let got = documents(&openai(&fake), &["one", "two"]).await.unwrap();
    assert_eq!(got, [vec![0.6, 0.8], vec![0.0, -1.0]]);
    let request = fake.request().await;
    assert_eq!(request.path, "/v1/embeddings");
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.bytes, r#"{"model":"test-model","input":["one","two"]}"#);

    let chosen = EmbeddingEndpoint { asks_dimensions: true, ..endpoint(&fake, Wire::OpenAi) };
    documents(&embedder(chosen, limits()), &["one", "two"]).await.unwrap();
    assert_eq!(fake.request().await.bytes, r#"{"model":"test-model","input":["one","two"],"dimensions":2}"#);
}

#[tokio::test]
async fn gemini_is_told_the_task_and_gets_the_key_in_a_header() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(200, r#"{"embeddings":[{"values":[3,4]}]}"#));
    let asking = EmbeddingEndpoint { asks_dimensions: true, ..endpoint(&fake, Wire::Gemini) };
    let asking = embedder(asking, limits());
    assert_eq!(query(&asking, "what?").await.unwrap(), [vec![0.6, 0.8]]);
    let request = fake.request().await;
    assert_eq!(request.path, "/v1/models/test-model:batchEmbedContents");
    assert_eq!(request.headers["x-goog-api-key"], KEY);
    assert!(!request.headers.contains_key("authorization"));
    let expected = |task: &str, text: &str| {
        format!(
            r#"{{"requests":[{{"model":"models/test-model","content":{{"parts":[{{"text":"{text}"}}]}},"taskType":"{task}","outputDimensionality":2}}]}}"#
        )
    };
    assert_eq!(request.bytes, expected("RETRIEVAL_QUERY", "what?"));
    documents(&asking, &["that"]).await.unwrap();
    assert_eq!(fake.request().await.bytes, expected("RETRIEVAL_DOCUMENT", "that"));
}

#[tokio::test]
async fn a_model_that_is_told_the_task_in_words_gets_no_parameter() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(200, r#"{"embeddings":[{"values":[3,4]}]}"#));
    let asking = embedder(EmbeddingEndpoint { told: GOOGLE_PREFIXES, ..endpoint(&fake, Wire::Gemini) }, limits());
    query(&asking, "what?").await.unwrap();
    documents(&asking, &["that"]).await.unwrap();
    for said in ["task: search result | query: what?", "title: none | text: that"] {
        let content = json!({ "parts": [{ "text": said }] });
        let expected = json!({ "requests": [{ "model": "models/test-model", "content": content }] });
        assert_eq!(fake.request().await.body, expected);
    }
}

#[tokio::test]
async fn cohere_is_told_the_input_type() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(200, r#"{"id":"x","embeddings":{"float":[[3,4]]},"meta":{"billed_units":{}}}"#));
    let asking = embedder(endpoint(&fake, Wire::Cohere), limits());
    assert_eq!(query(&asking, "what?").await.unwrap(), [vec![0.6, 0.8]]);
    let request = fake.request().await;
    assert_eq!(request.path, "/v2/embed");
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(
        request.bytes,
        r#"{"model":"test-model","texts":["what?"],"input_type":"search_query","embedding_types":["float"]}"#
    );
    let chosen = EmbeddingEndpoint { asks_dimensions: true, ..endpoint(&fake, Wire::Cohere) };
    documents(&embedder(chosen, limits()), &["that"]).await.unwrap();
    assert_eq!(
        fake.request().await.bytes,
        r#"{"model":"test-model","texts":["that"],"input_type":"search_document","embedding_types":["float"],"output_dimension":2}"#
    );
}

#[tokio::test]
async fn vectors_come_back_in_the_order_of_the_texts() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(200, r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}"#));
    assert_eq!(documents(&openai(&fake), &["one", "two"]).await.unwrap(), [vec![1.0, 0.0], vec![0.0, 1.0]]);
}

#[tokio::test]
async fn many_texts_are_asked_for_in_several_requests() {
    let server = NumberServer::start(usize::MAX).await;
    let asked = ["1", "2", "3", "4", "5", "6", "7"];
    let got = documents(&server.embedder(BatchLimits { texts: 3, tokens: 100 }), &asked).await.unwrap();
    assert_eq!(got, asked.map(NumberServer::vector_of));
    let mut requests = server.inputs();
    requests.sort();
    assert_eq!(requests, [vec!["1", "2", "3"], vec!["4", "5", "6"], vec!["7"]]);
}

#[tokio::test]
async fn no_texts_are_no_request() {
    let fake = FakeModel::start().await;
    assert!(documents(&openai(&fake), &[]).await.unwrap().is_empty());
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_until_it_passes() {
    let server = NumberServer::start(2).await;
    let asked = ["1", "2", "3", "4", "5", "6", "7"];
    let got = documents(&server.embedder(BatchLimits { texts: 100, tokens: 1000 }), &asked).await.unwrap();
    assert_eq!(got, asked.map(NumberServer::vector_of));
}

#[tokio::test]
async fn a_text_that_is_too_long_even_alone_is_cut_until_it_passes() {
    let fake = FakeModel::start().await;
    let refusal = json!({ "error": { "message": "the input length exceeds the context length" } }).to_string();
    fake.reply(Reply::status(400, &refusal)).reply(vectors(&[[1.0, 0.0]]));
    let long = "a robot, ".repeat(300);
    documents(&openai(&fake), &[&long]).await.unwrap();
    let requests = fake.requests();
    assert_eq!(input(&requests[1]), [&long[..long.len() / 2]]);
}

#[tokio::test]
async fn a_text_that_cannot_be_cut_short_enough_is_refused() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(400, r#"{"error":{"message":"input too long"}}"#));
    let error = documents(&openai(&fake), &[&"robot ".repeat(300)]).await.unwrap_err();
    assert_eq!(error.to_string(), "the embedding model refused: input too long");
}

#[tokio::test]
async fn a_text_longer_than_the_model_takes_is_cut_before_it_is_sent() {
    let fake = FakeModel::start().await;
    fake.always(vectors(&[[1.0, 0.0]]));
    let short = EmbeddingEndpoint { tokens_max: 2, told: Told::Nothing, ..endpoint(&fake, Wire::OpenAi) };
    documents(&embedder(short, limits()), &["روبوٹس"]).await.unwrap();
    assert_eq!(input(&fake.request().await), ["روب"]);
}

#[tokio::test]
async fn a_server_that_knows_no_dimensions_is_asked_without_and_not_bothered_again() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(400, r#"{"error":{"message":"does not support matryoshka representation"}}"#));
    fake.always(vectors(&[[1.0, 0.0]]));
    let chosen = EmbeddingEndpoint { asks_dimensions: true, ..endpoint(&fake, Wire::OpenAi) };
    let asking = embedder(chosen, limits());
    for _ in 0..2 {
        documents(&asking, &["one"]).await.unwrap();
    }
    let with: Vec<bool> = fake.requests().iter().map(|request| request.body["dimensions"].is_number()).collect();
    assert_eq!(with, [true, false, false]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_limits_every_text_gets_its_own_vector(
        numbers in proptest::collection::vec(1_u32..5000, 0..40),
        texts in 1_usize..12,
        tokens in 1_usize..12,
        taken in 1_usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = NumberServer::start(taken).await;
            let asked: Vec<String> = numbers.iter().map(u32::to_string).collect();
            let got = server.embedder(BatchLimits { texts, tokens }).embed(&asked, Role::Document).await.unwrap();
            let expected: Vec<Vec<f32>> = asked.iter().map(|text| NumberServer::vector_of(text)).collect();
            assert_eq!(got, expected);
        });
    }
}
