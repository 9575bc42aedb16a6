//! Bodies of requests, within limits of size and of time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use bytes::BytesMut;
use futures_util::StreamExt;

use super::error::ApiError;

/// A body must be there so soon: who sends slower than that keeps a connection busy, and nothing else.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The whole body.
pub(super) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let late = || {
        let message = format!("the body did not arrive within {} s", BODY_TIME_MAX.as_secs());
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
    };
    tokio::time::timeout(BODY_TIME_MAX, collect(body, bytes_max)).await.map_err(|_| late())?
}

async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let broken = |_| ApiError::new(StatusCode::BAD_REQUEST, "body_broken", "the body broke off before its end");
        let piece = piece.map_err(broken)?;
        if whole.len() + piece.len() > bytes_max {
            return Err(ApiError::body_too_large(bytes_max));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}
