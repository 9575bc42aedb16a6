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
    let body = Body::from_stream(WithHeartbeat::new(listening, HEARTBEAT_EVERY));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, no-transform")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        (header::VARY, HeaderValue::from_name(header::ACCEPT_LANGUAGE)),
    ];
    (headers, body).into_response()
}

struct WithHeartbeat {
    listening: Listening,
    every: Duration,
    silent: Pin<Box<Sleep>>,
}

impl WithHeartbeat {
    fn new(listening: Listening, every: Duration) -> Self {
        Self { listening, every, silent: Box::pin(sleep(every)) }
    }

    fn begin_silence(&mut self) {
        let until = Instant::now() + self.every;
        self.silent.as_mut().reset(until);
    }
}

impl Stream for WithHeartbeat {
    type Item = Result<Bytes, LetGo>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.listening).poll_next(context) {
            self.begin_silence();
            return Poll::Ready(piece);
        }
        match self.silent.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.begin_silence();
                // The timer must be polled once more, or nobody would be woken when it runs out again.
                context.waker().wake_by_ref();
                Poll::Ready(Some(Ok(Bytes::from_static(HEARTBEAT))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chatkit_protocol::ThreadEvent;
    use futures_util::StreamExt;

    use super::*;
    use crate::chat::outbox;

    #[tokio::test]
    async fn a_silent_turn_is_kept_open_by_comments_and_goes_on_after_them() {
        let (mut outbox, listening) = outbox();
        let mut body = WithHeartbeat::new(listening, Duration::from_millis(5));
        for _ in 0..3 {
            assert_eq!(body.next().await.unwrap().unwrap(), HEARTBEAT);
        }
        outbox.put(&ThreadEvent::stream_error(true));
        outbox.finish();
        // A comment may have come due in between.
        let next = body.by_ref().filter(|piece| {
            let frame = piece.as_ref().is_ok_and(|piece| piece != HEARTBEAT);
            std::future::ready(frame)
        });
        let frames: Vec<_> = next.collect().await;
        assert_eq!(frames.len(), 1);
        assert!(frames[0].as_ref().unwrap().starts_with(b"data: "));
    }
}
