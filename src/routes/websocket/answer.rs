//! The answer to one request, frame by frame.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use async_stream::stream;
use axum::http::StatusCode;
use chatkit_protocol::sse::Decoder;
use chatkit_protocol::{Envelope, Response};
use futures_util::{FutureExt, Stream, StreamExt};
use serde_json::Value;

use super::frame::Tag;
use super::guest::Guest;
use crate::app::App;
use crate::chat::{Listening, OUTBOX_BYTES_MAX, Reply};
use crate::routes::error::ApiError;
use crate::routes::simple::{self, Action, Told};
use crate::routes::{chatkit, spoken};

/// The frames of an answer.
pub(super) type Frames = Pin<Box<dyn Stream<Item = Frame> + Send>>;

/// What an answer sends.
pub(super) enum Frame {
    /// Something to be read.
    Text(String),
    /// The end of a client that was too slow at reading: more waited for it than may.
    LetGo,
}

/// What is asked.
pub(super) enum Asked {
    /// In the words of the protocol.
    ChatKit(Envelope),
    /// In those of the simple dialect.
    Simple(Action),
}

/// How it is answered.
enum Answer {
    Response(Box<Response>),
    Value(Value),
    Listening(Listening),
    Events(Pin<Box<dyn Stream<Item = String> + Send>>),
}

/// Reads a request.
pub(super) fn read(app: &App, frame: &str) -> Result<Asked, ApiError> {
    match simple::read(frame.as_bytes()) {
        Some(_) if frame.len() > app.body_bytes_max => Err(ApiError::body_too_large(app.body_bytes_max)),
        Some(action) => Ok(Asked::Simple(action?)),
        None => Ok(Asked::ChatKit(chatkit::read(app, frame.as_bytes())?)),
    }
}

/// What says that a request was refused, and that there is no more to its answer.
pub(super) fn refused(tag: &Tag, error: &ApiError) -> Vec<String> {
    let frames = [Some(tag.event(error.event().to_string())), tag.end()];
    frames.into_iter().flatten().collect()
}

/// Does what is asked, and tells what comes of it.
pub(super) fn answer(app: App, guest: Arc<Guest>, tag: Tag, asked: Asked) -> Frames {
    Box::pin(stream! {
        let asking = async {
            // A defect of ours must not take the connection with it. The hook that prints panics has logged it already.
            let answer = AssertUnwindSafe(carry_out(&app, &guest, asked)).catch_unwind().await;
            answer.unwrap_or_else(|_| Err(defect())).map_err(|error| error.event())
        };
        match Box::pin(guest.asking(&app, asking)).await {
            Err(event) => yield Frame::Text(tag.event(event.to_string())),
            Ok(Answer::Response(response)) => yield Frame::Text(tag.value(&response)),
            Ok(Answer::Value(value)) => yield Frame::Text(tag.value(&value)),
            Ok(Answer::Events(mut events)) => {
                while let Some(event) = events.next().await {
                    yield Frame::Text(tag.event(event));
                }
            }
            Ok(Answer::Listening(mut listening)) => {
                let mut decoder = Decoder::new(OUTBOX_BYTES_MAX);
                while let Some(heard) = listening.next().await {
                    if !heard.is_ok_and(|bytes| decoder.push(&bytes).is_ok()) {
                        yield Frame::LetGo;
                        return;
                    }
                    while let Some(event) = decoder.next_payload() {
                        yield Frame::Text(tag.event(event));
                    }
                }
            }
        }
        if let Some(end) = tag.end() {
            yield Frame::Text(end);
        }
    })
}

async fn carry_out(app: &App, guest: &Guest, asked: Asked) -> Result<Answer, ApiError> {
    let caller = guest.caller(app).await;
    match asked {
        Asked::ChatKit(asked) => match chatkit::carry_out(app, caller, None, asked).await? {
            Reply::Single(response) => Ok(Answer::Response(response)),
            Reply::Stream(listening) => Ok(Answer::Listening(listening)),
        },
        Asked::Simple(action) => match simple::carry_out(app, &caller?, action).await? {
            Told::Value(value) => Ok(Answer::Value(value)),
            Told::Stream(events) => Ok(Answer::Events(events)),
        },
    }
}

fn defect() -> ApiError {
    ApiError::spoken(StatusCode::INTERNAL_SERVER_ERROR, "internal", spoken::say("door-internal"))
}
