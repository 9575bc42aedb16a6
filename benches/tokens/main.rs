//! Measures what looking at a token costs, against the work that cannot be left out, in the same run; see `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a measurement is read on the terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatkit_gateway::auth::jwt::Issuers;
use chatkit_gateway::clock::Clock;
use chatkit_gateway::config::IssuerSettings;
use chatkit_gateway::llm::http;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Tokens of as many users.
const TOKENS: usize = 2_000;
/// How often everything is measured, in turn; the medians count.
const ROUNDS: usize = 7;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let key = signing_key();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let name = format!("http://{}", listener.local_addr()?);
    let mut public = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA)?)?;
    public["kid"] = json!("bench");
    let keys = json!({"keys": [public]}).to_string();
    let router = Router::new().fallback(move || std::future::ready(keys.clone()));
    #[expect(clippy::disallowed_methods, reason = "the issuer of this measurement")]
    tokio::spawn(async move { axum::serve(listener, router).await });

    let clock = Clock::system();
    let now = clock.now().utc().timestamp();
    let tokens = (0..TOKENS).map(|number| token(&key, &name, &format!("user {number}"), now));
    let tokens = tokens.collect::<Result<Vec<_>>>()?;
    let believed = [IssuerSettings { jwks_url: name.clone(), names: vec![name.clone()], audiences: vec![name] }];
    let client = http::client(None).context("a client")?;
    let material = DecodingKey::from_jwk(&serde_json::from_value(public)?)?;

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        // Somebody new each time, who has seen none of the tokens and fetched the keys for another one.
        let issuers = Issuers::new(&believed, &client, &clock);
        issuers.identify(&tokens[0]).await.context("the token is good")?;
        let first = each(&tokens[1..], async |token| issuers.identify(token).await.is_ok()).await;
        let again = each(&tokens[1..], async |token| issuers.identify(token).await.is_ok()).await;
        let signature = each(&tokens[1..], async |token| is_signed(token, &material)).await;
        let parsed = each(&tokens[1..], async |token| parse(token).is_some()).await;
        let hashed = each(&tokens[1..], async |token| Sha256::digest(token)[0] < u8::MAX).await;
        rounds.push([first, again, signature, parsed, hashed]);
    }
    let median = |figure: usize| {
        let mut times: Vec<Duration> = rounds.iter().map(|round| round[figure]).collect();
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64() * 1e6
    };
    let [first, again, signature, parsed, hashed] = [0, 1, 2, 3, 4].map(median);
    println!("| a look at a token of {} bytes | µs | of the signature alone |", tokens[1].len());
    println!("| --- | --- | --- |");
    for (what, micros) in [
        ("seen for the first time, its key known", first),
        ("seen a moment ago", again),
        ("its signature alone (Ed25519)", signature),
        ("reading its parts alone", parsed),
        ("its SHA-256 alone", hashed),
    ] {
        println!("| {what} | {micros:.2} | {:.3} |", micros / signature);
    }
    println!("{}", json!({"first": first, "again": again, "signature": signature, "parsed": parsed, "hashed": hashed}));
    Ok(())
}

/// What one call takes, over all tokens.
async fn each(tokens: &[String], look: impl AsyncFn(&str) -> bool) -> Duration {
    let began = Instant::now();
    let mut fine = 0;
    for token in tokens {
        fine += usize::from(black_box(look(black_box(token)).await));
    }
    let passed = began.elapsed();
    assert!(fine > tokens.len() * 9 / 10, "only {fine} tokens were good");
    passed / u32::try_from(tokens.len()).expect("there are few tokens")
}

fn is_signed(token: &str, key: &DecodingKey) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    crypto::verify(signature, signed.as_bytes(), key, Algorithm::EdDSA).unwrap_or(false)
}

fn parse(token: &str) -> Option<(Value, Value)> {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (header, claims) = (parts.next()??, parts.next()??);
    Some((serde_json::from_slice(&header).ok()?, serde_json::from_slice(&claims).ok()?))
}

fn token(key: &EncodingKey, issuer: &str, subject: &str, now: i64) -> Result<String> {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iat": now, "name": "Ada Lovelace", "email": "ada@example.org", "emailVerified": true, "id": subject,
        "createdAt": "2026-01-01T00:00:00.000Z", "sub": subject, "exp": now + 900, "iss": issuer, "aud": issuer,
    });
    let message = format!("{}.{}", part(json!({"alg": "EdDSA", "kid": "bench"})), part(claims));
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::EdDSA)?;
    Ok(format!("{message}.{signature}"))
}

/// A key in PKCS #8.
fn signing_key() -> EncodingKey {
    const HEAD: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    EncodingKey::from_ed_der(&[HEAD, &[7; 32]].concat())
}
