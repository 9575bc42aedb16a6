//! One request for the keys of an issuer, with limits.

use std::time::Duration;

use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::Value;

/// A fetch is over after so long, its body included.
const FETCH_TIME_MAX: Duration = Duration::from_secs(5);
/// A larger document is not read: one key takes about a kilobyte, with its certificates a few.
const KEYS_BYTES_MAX: usize = 256 * 1024;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("JWKS_URL cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("JWKS_URL did not answer within {FETCH_TIME_MAX:?}")]
    TooSlow,
    #[error("JWKS_URL leads somewhere else (status {0}), and redirects are not followed; name the place itself")]
    Redirected(u16),
    #[error("JWKS_URL answered with status {0}")]
    Status(u16),
    #[error("what JWKS_URL answered is larger than {KEYS_BYTES_MAX} bytes")]
    TooLarge,
    #[error("what JWKS_URL answered is no set of keys: an object with a list `keys`")]
    NotKeys,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// What is published as keys, not looked at yet.
pub(super) async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<Value>, FetchError> {
    tokio::time::timeout(FETCH_TIME_MAX, fetch_whole(client, url)).await.map_err(|_| FetchError::TooSlow)?
}

async fn fetch_whole(client: &reqwest::Client, url: &str) -> Result<Vec<Value>, FetchError> {
    // The address may hold a secret of the operator's, and the log must not.
    let unreachable = |error: reqwest::Error| FetchError::Unreachable(error.without_url());
    let accepted = "application/jwk-set+json, application/json";
    let mut response = client.get(url).header(ACCEPT, accepted).send().await.map_err(unreachable)?;
    match response.status() {
        status if status.is_redirection() => return Err(FetchError::Redirected(status.as_u16())),
        status if status.as_u16() != 200 => return Err(FetchError::Status(status.as_u16())),
        _ => {}
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > KEYS_BYTES_MAX {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let document: Document = serde_json::from_slice(&body).map_err(|_| FetchError::NotKeys)?;
    Ok(document.keys)
}
