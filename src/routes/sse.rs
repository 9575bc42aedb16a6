//! Server-sent events: the frames of a turn as a body, with a heartbeat while it is silent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep};

use crate::chat::Listening;

/// Proxies cut connections that are silent for 30 to 100 s; a comment line keeps them open.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(12);
const HEARTBEAT: &[u8] = b": ping\n\n";

/// So many events that have come meanwhile leave in one write.
const EVENTS_AT_ONCE: usize = 64;

/// What answers say that are shown as they are written: nobody on the way keeps them, or waits for more of them; and
/// what is said in them beside the answer itself is in the reader's language.
pub(super) const UNCACHED: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, no-transform")),
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    (header::VARY, HeaderValue::from_static("accept-language")),
];

/// The answer that carries a turn's frames.
pub(super) fn answer(listening: Listening) -> Response {
    of_frames(listening)
}

/// The answer that carries these events, each given as its JSON.
pub(super) fn answer_of(events: impl Stream<Item = String> + Send + 'static) -> Response {
    let frames = events.ready_chunks(EVENTS_AT_ONCE).map(|events| {
        let frames: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        Ok::<_, Infallible>(Bytes::from(frames))
    });
    of_frames(Box::pin(frames))
}

fn of_frames<S, E>(frames: S) -> Response
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    let body = Body::from_stream(WithHeartbeat::new(frames, HEARTBEAT_EVERY));
    ([kind], UNCACHED, body).into_response()
}

struct WithHeartbeat<S> {
    frames: S,
    every: Duration,
    silent: Pin<Box<Sleep>>,
}

impl<S> WithHeartbeat<S> {
    fn new(frames: S, every: Duration) -> Self {
        Self { frames, every, silent: Box::pin(sleep(every)) }
    }

    fn begin_silence(&mut self) {
        let until = Instant::now() + self.every;
        self.silent.as_mut().reset(until);
    }
}

impl<S: Stream<Item = Result<Bytes, E>> + Unpin, E> Stream for WithHeartbeat<S> {
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.frames).poll_next(context) {
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
    use super::*;
    use crate::chat::outbox;
    use chatkit_protocol::ThreadEvent;

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
