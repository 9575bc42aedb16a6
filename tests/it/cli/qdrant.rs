//! The program with Qdrant away, refusing, and there.

use super::program::Home;
use crate::support::client::{Reader, streamed_text};
use crate::support::qdrant::FakeQdrant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_qdrant_and_answers_without_the_book() {
    let home = Home::new();
    let server = home.serve(&[("QDRANT_URL", "http://127.0.0.1:1")]);
    let reader = Reader::new(&server.url, None);
    let health = reader.get("/health").await;
    assert_eq!(
        (health.body["status"].as_str(), health.body["vector_store"].as_str()),
        (Some("degraded"), Some("disconnected"))
    );
    assert!(!streamed_text(&reader.create("What is a quaternion?").await).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_ends_the_program_with_the_variable_and_without_the_key() {
    let qdrant = FakeQdrant::start_with(Some("right-key")).await;
    let url = qdrant.url();
    let home = Home::new();
    let serve = ["serve", "--port", "0"];
    let told =
        home.run_with(&[("QDRANT_URL", &url), ("QDRANT_API_KEY", "wr0ng-key")], &serve).badly(&["QDRANT_API_KEY"]);
    assert!(!told.contains("wr0ng-key"), "{told}");
    home.run_with(&[("QDRANT_URL", &url)], &serve).badly(&["asks for a key", "QDRANT_API_KEY"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_is_ingested_into_qdrant_and_found_there() {
    let qdrant = FakeQdrant::start_with(Some("right-key")).await;
    let url = qdrant.url();
    let variables = [("QDRANT_URL", url.as_str()), ("QDRANT_API_KEY", "right-key")];
    let home = Home::new();
    home.write("docs/castors.md", "# Wheels\n\n## Castors\n\nA castor wheel swivels freely.\n");
    home.run_with(&variables, &["ingest", "docs"]).well();
    let found = home.run_with(&variables, &["search", "What does a castor wheel do?"]).well();
    assert!(found.contains("Castors"), "{found}");
    assert!(qdrant.engine().collections.contains_key("knowledge_base--1"));
}
