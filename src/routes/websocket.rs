//! `GET /ws`: a WebSocket, on which the protocol and the simple dialect are spoken, many requests at once.
//!
//! How a connection becomes one is in `handshake.rs`, how it goes on in `session.rs`.

mod answer;
mod farewell;
mod frame;
mod guest;
mod handshake;
mod session;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use tokio_util::sync::{CancellationToken, DropGuard};
use utoipa_axum::routes;

use self::guest::Guest;
use self::handshake::Handshake;
use self::session::Session;
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::openapi::ErrorBody;
use super::{csrf, spoken};
use crate::app::App;

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Caller, routes!(open_socket)).at("/ws/chat", Entry::Caller, routes!(open_socket))
}

/// A connection that somebody keeps who asked for the connection itself: as long as there is one of these, it counts
/// among the open ones, and a server that stops waits for it.
#[derive(Clone, Debug)]
pub struct Held {
    _until_gone: Arc<DropGuard>,
}

impl Held {
    /// Cancels the token when the last clone has gone.
    pub fn until_gone(token: &CancellationToken) -> Self {
        Self { _until_gone: Arc::new(token.clone().drop_guard()) }
    }
}

/// Opens a WebSocket.
///
/// Each text frame that is sent there is a request of the ChatKit protocol, or of the simple dialect; each that comes back
/// is one event of an answer, as server-sent events would bring it, or an answer that is one value, or an error. A request
/// with an `id` has it in all frames of its answer, which then ends with a frame of type `end`.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "chatkit",
    params(
        ("access_token" = Option<String>, Query, description = "What would stand in `Authorization: Bearer`, which no page can send here."),
        ("visitor_token" = Option<String>, Query, description = "What would stand in `X-ChatKit-Visitor`."),
    ),
    responses(
        (status = 101, description = "The connection is a WebSocket from now on."),
        (status = 400, body = ErrorBody, description = "The key of the handshake is missing, or a token stands there twice."),
        (status = 403, body = ErrorBody, description = "A page of a site that is not listed in `CORS_ORIGINS` asks."),
        (status = 405, body = ErrorBody, description = "A WebSocket begins on HTTP/1.1, not on HTTP/2."),
        (status = 426, body = ErrorBody, description = "This is no handshake of a WebSocket of version 13."),
    )
)]
async fn open_socket(State(app): State<App>, mut request: Request) -> Result<Response, ApiError> {
    let handshake = Handshake::of(&mut request)?;
    let mut guest = Guest::of(request)?;
    check_page(&app, &mut guest.headers)?;
    guest.caller(&app).await?;
    let limits = session::limits(&app);
    let language = spoken::of(&app, &guest.headers);
    Ok(handshake.accept(limits, move |socket| spoken::within(language, Session::new(app, guest, socket).run())))
}

/// No CORS keeps pages of other sites from a WebSocket, so they are refused; `*` lets them in, but without the cookies
/// that their browser adds.
fn check_page(app: &App, headers: &mut HeaderMap) -> Result<(), ApiError> {
    match csrf::known_page(&app.browsers, headers) {
        Err(_) if app.browsers.origins.iter().any(|origin| origin == "*") => {
            headers.remove(header::COOKIE);
            Ok(())
        }
        checked => checked,
    }
}
