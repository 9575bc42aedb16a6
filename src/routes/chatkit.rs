//! `POST /chatkit`: the ChatKit protocol over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chatkit_protocol::{Envelope, Request};
use utoipa_axum::routes;

use super::body;
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use super::openapi::ErrorBody;
use super::{simple, sse, visitor};
use crate::app::App;
use crate::chat::{ChatError, Reply, refusal};

/// Frames name themselves with a UUID; a longer name is none.
const FRAME_NAME_BYTES_MAX: usize = 128;

pub(super) fn doors(paths: &[String]) -> Doors {
    paths.iter().fold(Doors::new(), |doors, path| doors.at(path, Entry::Caller, routes!(handle)))
}

/// Speaks the ChatKit protocol, and a simpler dialect.
///
/// Which of them, and what is asked for, stands in the body; it is read as JSON whatever its content type says. Requests
/// that begin or continue an answer are answered by a stream of events, all others by one JSON value. A streaming request
/// of the protocol is never refused with a 5xx, since the widget would send its message again: the stream then holds an
/// `error` event. With `Accept: text/plain` the action `chat` is answered by the bare text, as it is written.
#[utoipa::path(
    post,
    path = "/chatkit",
    operation_id = "chatkit",
    tag = "chatkit",
    request_body(content = ref("#/components/schemas/ChatKitBody"), content_type = "application/json", description = "What is asked."),
    responses(
        (
            status = 200,
            description = "The answer.",
            content(
                (ref("#/components/schemas/ChatKitReply") = "application/json"),
                (ref("#/components/schemas/ChatKitOrSimpleEvent") = "text/event-stream"),
                (String = "text/plain")
            )
        ),
        (status = 404, body = ErrorBody, description = "The caller has no such thread, item or attachment."),
        (status = 409, body = ErrorBody, description = "The thread changed meanwhile, or does not wait for this."),
        (status = 415, body = ErrorBody, description = "This server does not take attachments of that type."),
        (status = 422, body = ErrorBody, description = "The recording was refused."),
        (status = 504, body = ErrorBody, description = "What does not stream took too long."),
    )
)]
async fn handle(
    State(app): State<App>,
    caller: Result<Caller, ApiError>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let caller = match caller {
        // Nobody has to send a body to hear that they are not let in.
        Err(refused) if !refused.may_pass() => return Err(refused),
        caller => caller,
    };
    let bytes_max = app.body_bytes_max.max(app.recording_bytes_max);
    let body = body::read(body, bytes_max, app.body_time_max).await?;
    if let Some(action) = simple::read(&body) {
        let (caller, action) = (caller?, action?);
        return match body.len() > app.body_bytes_max {
            true => Err(ApiError::body_too_large(app.body_bytes_max)),
            false => simple::answer(&app, &caller, &headers, action).await,
        };
    }
    let asked = read(&app, &body)?;
    let in_passing = match (&caller, &asked.request) {
        (Ok(caller), Request::ThreadsList(_)) => visitor::in_passing(&app, &caller.who, &headers),
        _ => None,
    };
    match carry_out(&app, caller, frame(&headers), asked).await? {
        Reply::Single(value) => Ok((in_passing.map(|header| [header]), Json(value)).into_response()),
        Reply::Stream(listening) => Ok(sse::answer(listening)),
    }
}

/// Does what is asked, for every door that takes requests of the protocol; `frame` is the page's frame that asks.
///
/// What is refused, and is not the request's own mistake, is told in the stream of a request that has one.
pub(super) async fn carry_out(
    app: &App,
    caller: Result<Caller, ApiError>,
    frame: Option<&str>,
    asked: Envelope,
) -> Result<Reply, ApiError> {
    let (streams, is_retry) = (asked.request.streams(), matches!(asked.request, Request::ThreadsRetryAfterItem(_)));
    let caller = match caller {
        // The widget would send its message again and again to a server that cannot find out who it is.
        Err(refused) if streams && refused.may_pass() => {
            return Ok(Reply::Stream(refusal(refused.message(), is_retry)));
        }
        caller => caller?,
    };
    let (who, chat) = (&caller.who, caller.desk(app));
    let reply = match frame {
        Some(frame) => chat.handle_once(who, frame, asked).await,
        None => chat.handle(who, asked).await,
    };
    match reply {
        // The widget has a sentence of its own for a status, and shows ours. Its button to retry asks for another answer
        // to the message before, which is right only if that was asked for.
        Err(ChatError::Reached(reached)) if streams => {
            Ok(Reply::Stream(refusal(&reached.told(caller.language), is_retry)))
        }
        reply => Ok(reply?),
    }
}

/// What is asked. Only a recording may be larger than other bodies.
pub(super) fn read(app: &App, body: &[u8]) -> Result<Envelope, ApiError> {
    let asked = Envelope::parse(body).map_err(ChatError::from);
    let is_recording = matches!(&asked, Ok(Envelope { request: Request::InputTranscribe(_), .. }));
    match body.len() > app.body_bytes_max && !is_recording {
        true => Err(ApiError::body_too_large(app.body_bytes_max)),
        false => Ok(asked?),
    }
}

/// The frame of the page that the widget runs in, by the name it gives itself.
fn frame(headers: &HeaderMap) -> Option<&str> {
    let name = headers.get("chatkit-frame-instance-id")?.to_str().ok()?;
    (!name.is_empty() && name.len() <= FRAME_NAME_BYTES_MAX).then_some(name)
}
