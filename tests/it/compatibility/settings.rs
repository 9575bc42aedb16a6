//! The variables of the four, as their owners have them set.

use chatkit_gateway::app::Providers;
use chatkit_gateway::config::{DatabaseSettings, Reader, Settings, Variables};
use secrecy::ExposeSecret;

fn read(pairs: &[(&str, &str)]) -> Settings {
    let mut variables = Variables::of([("DATA_DIR", "/nowhere")]);
    for (name, value) in pairs {
        variables.set(name, *value);
    }
    let mut reader = Reader::new(&variables);
    let read = (Settings::read(&mut reader), Providers::read(&mut reader));
    reader.finish(read).unwrap_or_else(|mistakes| panic!("{mistakes}")).0
}

#[test]
fn the_variables_of_earlier_back_ends_mean_what_they_meant() {
    let settings = read(&[
        ("DATABASE_URL", "postgresql+asyncpg://user:word@ep-cool-name-pooler.eu.neon.tech/db?sslmode=require"),
        ("HOST", "0.0.0.0"),
        ("PORT", "7860"),
        ("FRONTEND_URL", "https://book.example.org"),
        ("GEMINI_API_KEY", "a"),
        ("GEMINI_MODEL_NAME", "gemini-2.0-flash"),
        ("QDRANT_ENDPOINT", "https://name.cloud.qdrant.io"),
        ("QDRANT_API_KEY", "b"),
        ("QDRANT_COLLECTION", "physical_ai_book"),
        ("JWKS_URL", "https://site.example.org/api/auth/jwks"),
        ("JWT_ISSUER", "https://site.example.org"),
        ("JWT_AUDIENCE", "https://site.example.org"),
        ("SESSION_SECRET", "a secret of at least thirty-two characters"),
        ("SESSION_EXPIRATION_HOURS", "24"),
    ]);
    assert!(matches!(settings.database, DatabaseSettings::Postgres { .. }));
    assert_eq!((settings.http.host.to_string().as_str(), settings.http.port), ("0.0.0.0", 7860));
    assert_eq!(settings.http.cors_origins, ["https://book.example.org"]);
    assert_eq!(settings.knowledge.collection, "physical_ai_book");
    assert_eq!(settings.access.issuers.len(), 1);
    assert!(settings.access.accounts.is_some());
    let neon = read(&[("NEON_CONNECTION_STRING", "postgres://user:word@host/db")]);
    let DatabaseSettings::Postgres { url, .. } = neon.database else { panic!("a Postgres database") };
    assert_eq!(url.expose_secret(), "postgres://user:word@host/db");
    for (key, model) in [("OPENAI_API_KEY", "OPENAI_MODEL"), ("COHERE_API_KEY", "COHERE_MODEL")] {
        read(&[(key, "a"), (model, "some-model")]);
    }
}
