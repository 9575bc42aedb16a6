//! An answer as bare text, as it is written: a terminal chat with `curl -N`.

use std::convert::Infallible;
use std::pin::pin;

use async_stream::stream;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::Event;
use crate::routes::sse;

/// Says in which thread the answer is written, since its text does not.
pub(in crate::routes) const THREAD_HEADER: HeaderName = HeaderName::from_static("x-chatkit-thread");
/// What the line begins with that says why there is no more text.
const FAILED: &str = "[error] ";

/// The text of these events. Nothing else is sent: not even a sign of life while a model is silent.
pub(super) async fn answer(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let mut events = Box::pin(events);
    // It is there at once: a thread is named, or refused, before its turn begins.
    let first = events.next().await;
    let thread = match &first {
        Some(Event::Thread { thread_id }) => HeaderValue::from_str(thread_id).ok(),
        _ => None,
    };
    let body = Body::from_stream(text(futures_util::stream::iter(first).chain(events)));
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let mut response = ([kind], sse::UNCACHED, body).into_response();
    response.headers_mut().extend(thread.map(|thread| (THREAD_HEADER, thread)));
    response
}

fn text(events: impl Stream<Item = Event> + Send) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream! {
        let mut events = pin!(events);
        let mut ends_a_line = true;
        while let Some(event) = events.next().await {
            let piece = match event {
                Event::Content { delta } => delta,
                Event::Error { message, .. } => {
                    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
                    format!("{}{FAILED}{line}", if ends_a_line { "" } else { "\n" })
                }
                // The prompt of a terminal belongs on a line of its own.
                Event::Done { .. } if !ends_a_line => "\n".to_owned(),
                Event::Thread { .. } | Event::Sources { .. } | Event::Done { .. } => continue,
            };
            ends_a_line = piece.ends_with('\n');
            yield Ok(Bytes::from(piece));
        }
    }
}
