//! Server-sent events: the frames of a turn as a body, with a heartbeat while it is silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

use crate::chat::{LetGo, Listening};

/// Proxies cut connections that are silent for 30 to 100 s; a comment line keeps them open.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(12);
const HEARTBEAT: &[u8] = b": ping\n\n";

/// The answer that carries a turn's frames.
pub(super) fn answer(listening: Listening) -> Response {
    let body = Body::from_stream(WithHeartbeat { listening, silent: Box::pin(sleep(HEARTBEAT_EVERY)) });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}

struct WithHeartbeat {
    listening: Listening,
    silent: Pin<Box<Sleep>>,
}

impl Stream for WithHeartbeat {
    type Item = Result<Bytes, LetGo>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.listening).poll_next(context) {
            self.silent.as_mut().reset(Instant::now() + HEARTBEAT_EVERY);
            return Poll::Ready(piece);
        }
        match self.silent.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.silent.as_mut().reset(Instant::now() + HEARTBEAT_EVERY);
                // The timer must be polled once more, or nobody would be woken when it runs out again.
                context.waker().wake_by_ref();
                Poll::Ready(Some(Ok(Bytes::from_static(HEARTBEAT))))
            }
        }
    }
}
