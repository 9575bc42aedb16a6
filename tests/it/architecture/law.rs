//! The law of the house as tables, and who breaks it.

use std::collections::BTreeSet;

use super::names::{Named, Source, named, test_modules};

/// Leans on whatever it likes.
pub(super) const EVERYTHING: &[&str] = &["*"];

/// The modules of `src/` from the ground up, and what each may lean on: rows above its own, and nothing else.
pub(super) const FLOORS: &[(&str, &[&str])] = &[
    ("language", &[]),
    ("config", &["language"]),
    ("clock", &[]),
    ("metrics", &["clock"]),
    ("identity", &[]),
    ("telemetry", &["config"]),
    ("pdf", &[]),
    ("store", &["identity", "config", "clock"]),
    ("llm", &["metrics", "language", "identity", "config"]),
    ("embedding", &["llm", "identity", "config"]),
    ("conformance", &["llm"]),
    ("knowledge", &["embedding", "llm", "store", "pdf", "config"]),
    ("book", &["knowledge", "config"]),
    ("auth", &["llm", "store", "identity", "clock", "config"]),
    ("quota", &["store", "metrics", "language", "identity", "clock", "config"]),
    ("attachments", &["store", "identity", "clock", "config"]),
    ("profile", &["store", "language", "identity", "clock"]),
    ("chat", &["store", "attachments", "quota", "metrics", "language", "identity", "clock", "config"]),
    ("rewrite", &["profile", "quota", "llm", "store", "language", "identity", "clock", "config"]),
    (
        "agent",
        &["chat", "attachments", "profile", "llm", "knowledge", "pdf", "language", "identity", "clock", "config"],
    ),
    (
        "app",
        &[
            "agent",
            "rewrite",
            "chat",
            "profile",
            "attachments",
            "auth",
            "quota",
            "book",
            "knowledge",
            "embedding",
            "llm",
            "store",
            "metrics",
            "language",
            "identity",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    (
        "routes",
        &[
            "app",
            "attachments",
            "book",
            "knowledge",
            "chat",
            "profile",
            "rewrite",
            "auth",
            "quota",
            "metrics",
            "language",
            "identity",
            "config",
            "telemetry",
        ],
    ),
    ("server", EVERYTHING),
    ("host", EVERYTHING),
    ("cli", EVERYTHING),
    ("main", EVERYTHING),
];

/// What stays at home: a crate, or a part of the standard library or of the house, and the modules that may name it.
pub(super) const HOMES: &[(&str, &[&str])] = &[
    ("anyhow", &["app", "server", "host", "cli"]),
    ("arc_swap", &["auth", "knowledge"]),
    ("argon2", &["auth"]),
    ("axum", &["routes", "server"]),
    ("bcrypt", &["auth"]),
    ("base64", &["auth", "chat", "conformance", "llm", "routes"]),
    (
        "chatkit_protocol",
        &[
            "clock",
            "identity",
            "store",
            "llm",
            "auth",
            "quota",
            "profile",
            "attachments",
            "chat",
            "rewrite",
            "agent",
            "app",
            "routes",
            "cli",
        ],
    ),
    ("clap", &["cli"]),
    ("dotenvy", &["config"]),
    ("encoding_rs", &["knowledge::ingest"]),
    ("fluent_bundle", &["language"]),
    ("fluent_langneg", &["language"]),
    ("flate2", &["pdf", "knowledge::ingest", "routes"]),
    ("fastrand", &["llm", "embedding", "knowledge"]),
    ("hmac", &["auth", "attachments", "identity"]),
    ("html5ever", &["knowledge::ingest"]),
    ("hyper", &["server", "routes::websocket"]),
    ("hyper_util", &["server", "routes::websocket"]),
    ("indicatif", &["cli"]),
    ("infer", &["attachments"]),
    ("ipnet", &["config", "routes"]),
    ("jsonwebtoken", &["auth"]),
    ("memchr", &["llm", "pdf", "knowledge::ingest"]),
    ("moka", &["auth", "embedding", "profile", "routes"]),
    ("multer", &["routes"]),
    ("object_store", &["attachments"]),
    ("prometheus_client", &["metrics"]),
    ("pulldown_cmark", &["knowledge", "book", "rewrite"]),
    ("qdrant_client", &["knowledge::qdrant"]),
    ("quick_xml", &["knowledge"]),
    (
        "reqwest",
        &[
            "llm",
            "embedding",
            "knowledge::ingest",
            "conformance",
            "attachments::bucket",
            "attachments::open",
            "auth::jwks",
            "auth::jwt",
        ],
    ),
    ("rust_embed", &["book", "conformance", "language"]),
    ("rust_stemmers", &["knowledge", "llm"]),
    ("rustls", &["llm"]),
    ("serde_saphyr", &["knowledge"]),
    ("sha2", &["attachments", "auth", "chat", "embedding", "identity", "knowledge", "rewrite", "routes", "store"]),
    ("socket2", &["server"]),
    ("sqlx", &["store"]),
    ("tokio_tungstenite", &["routes::websocket"]),
    ("tower", &["routes"]),
    ("tower_http", &["routes"]),
    ("tracing_subscriber", &["telemetry"]),
    ("unic_langid", &["language", "profile"]),
    ("unicode_normalization", &["auth", "knowledge", "pdf"]),
    ("unicode_properties", &["knowledge"]),
    ("unicode_segmentation", &["agent", "knowledge"]),
    ("utoipa", &["routes", "profile"]),
    ("utoipa_axum", &["routes"]),
    ("utoipa_swagger_ui", &["routes"]),
    ("uuid", &["identity", "knowledge", "routes"]),
    // The outside world is handed in.
    ("std::env", &["config"]),
    ("std::process", &["server", "cli", "main"]),
    ("std::thread", &[]),
    // Only the wiring knows which implementation is in use.
    ("crate::store::postgres", &["store", "app"]),
    ("crate::store::sqlite", &["store", "app"]),
    ("crate::llm::openai", &["llm", "app"]),
    ("crate::llm::extractive", &["llm", "app"]),
    ("crate::knowledge::embedded", &["knowledge", "app"]),
    ("crate::knowledge::qdrant", &["knowledge", "app"]),
];

/// Crates that are at home on every floor.
pub(super) const EVERYWHERE: &[&str] = &[
    "async_stream",
    "async_trait",
    "bytes",
    "chrono",
    "futures_util",
    "secrecy",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio_stream",
    "tokio_util",
    "tracing",
];

/// Every breach of the law, as a sentence that names the file, the floors and the words.
pub(super) fn breaches(sources: &[Source]) -> BTreeSet<String> {
    let for_tests = test_modules(sources);
    let mut breaches = BTreeSet::new();
    for source in sources {
        let module = source.module();
        if (1..=module.len()).any(|length| for_tests.contains(&module[..length])) {
            continue;
        }
        // The library's root only says which floors there are.
        let Some(floor) = module.first() else { continue };
        let Some((_, below)) = FLOORS.iter().find(|(name, _)| name == floor) else {
            breaches.insert(format!("{}: {floor} has no row in the table of floors", source.path));
            continue;
        };
        for Named { path, written } in named(source) {
            if leans_wrongly(floor, below, &path) {
                breaches.insert(format!("{}: {floor} may not lean on {} ({written})", source.path, path[1]));
            }
            if let Some(away) = away_from_home(&module, &path) {
                breaches.insert(format!("{}: {floor} may not name {away} ({written})", source.path));
            }
        }
    }
    breaches
}

fn leans_wrongly(floor: &str, below: &[&str], path: &[String]) -> bool {
    let [root, on, ..] = path else { return false };
    root == "crate" && on != floor && below != EVERYTHING && !below.contains(&on.as_str())
}

/// What a module names although it stays elsewhere.
fn away_from_home(module: &[String], path: &[String]) -> Option<&'static str> {
    let begins = |whole: &[String], with: &str| {
        let mut parts = whole.iter();
        with.split("::").all(|part| parts.next().is_some_and(|own| own == part))
    };
    let (name, homes) = HOMES.iter().find(|(name, _)| begins(path, name))?;
    (!homes.iter().any(|home| begins(module, home))).then_some(*name)
}
