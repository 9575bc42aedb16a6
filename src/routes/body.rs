//! Bodies of requests, within limits of size and of time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use futures_util::{Stream, StreamExt};

use super::error::ApiError;
use super::spoken;

/// What is left of a body that was refused is read so far: a client that is still sending would not see the answer.
const DRAINED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// And for so long.
const DRAINED_TIME_MAX: Duration = Duration::from_secs(10);

/// The whole body, which must be there so soon.
pub(super) async fn read(body: Body, bytes_max: usize, time_max: Duration) -> Result<Bytes, ApiError> {
    tokio::time::timeout(time_max, collect(body, bytes_max)).await.map_err(|_| late(time_max))?
}

/// The body did not come in time.
pub(super) fn late(time_max: Duration) -> ApiError {
    let message = spoken::say_with("door-body-too-slow", &[("time", format!("{time_max:?}").into())]);
    ApiError::spoken(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}

/// How many bytes the client says there are.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads what is left of a body that was refused, within limits.
pub(super) async fn drain<E>(pieces: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let reading = async {
        let mut bytes = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            bytes += piece.len();
            if bytes > DRAINED_BYTES_MAX {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINED_TIME_MAX, reading).await;
}

async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let broken = |_| ApiError::spoken(StatusCode::BAD_REQUEST, "body_broken", spoken::say("door-body-broken"));
        let piece = piece.map_err(broken)?;
        if whole.len() + piece.len() > bytes_max {
            return Err(ApiError::body_too_large(bytes_max));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}
