//! What tests of embedders stand on: an endpoint at a fake provider, and answers in the shapes of the three wires.

use std::time::Duration;

use chatkit_gateway::embedding::models::Told;
use chatkit_gateway::embedding::remote::RemoteEmbedder;
use chatkit_gateway::embedding::{
    BatchLimits, Embedder, EmbeddingEndpoint, EmbeddingError, Limits, Patience, Role, Wire,
};
use chatkit_gateway::llm::http;
use serde_json::{Value, json};

use crate::support::fake_model::{FakeModel, PATIENCE, Recorded, Reply};

pub(super) const KEY: &str = "sk-secret-key";

/// An endpoint with vectors of two numbers, and room for three texts in a request.
pub(super) fn endpoint(fake: &FakeModel, wire: Wire) -> EmbeddingEndpoint {
    EmbeddingEndpoint {
        provider: "fake",
        wire,
        base_url: fake.base_url(),
        api_key: Some(format!("{KEY}\n").into()),
        model: "test-model".into(),
        dimensions: 2,
        asks_dimensions: false,
        told: if wire == Wire::OpenAi { Told::Nothing } else { Told::Parameter },
        tokens_max: 1000,
        batch: BatchLimits { texts: 3, tokens: 10_000 },
    }
}

/// Waits so short that nobody notices.
pub(super) fn limits() -> Limits {
    let patience = Patience { answer: PATIENCE, total: PATIENCE, tries: 3 };
    Limits {
        query: Patience { tries: 2, ..patience },
        documents: patience,
        first_wait: Duration::from_millis(1),
        answer_bytes_max: 100_000,
    }
}

pub(super) fn embedder(endpoint: EmbeddingEndpoint, limits: Limits) -> RemoteEmbedder {
    RemoteEmbedder::new(http::client(None).unwrap(), endpoint, limits).unwrap()
}

pub(super) fn openai(fake: &FakeModel) -> RemoteEmbedder {
    embedder(endpoint(fake, Wire::OpenAi), limits())
}

pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Asks for documents, and waits no longer than for anything else.
pub(super) async fn documents(embedder: &dyn Embedder, given: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingError> {
    let asked = texts(given);
    tokio::time::timeout(PATIENCE, embedder.embed(&asked, Role::Document)).await.expect("it comes to an end")
}

pub(super) async fn query(embedder: &dyn Embedder, given: &str) -> Result<Vec<Vec<f32>>, EmbeddingError> {
    let asked = texts(&[given]);
    tokio::time::timeout(PATIENCE, embedder.embed(&asked, Role::Query)).await.expect("it comes to an end")
}

/// A good answer of OpenAI's wire.
pub(super) fn vectors(vectors: &[[f64; 2]]) -> Reply {
    let entry = |(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector });
    let data: Vec<Value> = vectors.iter().enumerate().map(entry).collect();
    Reply::status(200, &json!({ "object": "list", "data": data, "model": "test-model" }).to_string())
}

/// The texts of a request on OpenAI's wire.
pub(super) fn input(request: &Recorded) -> Vec<String> {
    request.body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
