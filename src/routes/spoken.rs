//! The language that a request is answered in: what its reader is known to speak, else what the browser asks for, else
//! the site's own.

use std::cell::Cell;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::middleware::Next;
use axum::response::Response;
use tokio::task::futures::TaskLocalFuture;

use crate::app::App;
use crate::language::{Language, Value};

tokio::task_local! {
    static SPOKEN: Cell<Language>;
}

/// Lets all that answers a request know what its sender asks to be spoken to in.
pub(super) async fn listen(State(app): State<App>, request: Request, next: Next) -> Response {
    within(of(&app, request.headers()), next.run(request)).await
}

/// What a browser asks to be spoken to in, or the site's own.
pub(super) fn of(app: &App, headers: &HeaderMap) -> Language {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked.and_then(Language::asked_for).unwrap_or(app.default_language)
}

/// Does what answers a request, such as one message of a socket, in its language.
pub(super) fn within<F: Future>(language: Language, answering: F) -> TaskLocalFuture<Cell<Language>, F> {
    SPOKEN.scope(Cell::new(language), answering)
}

/// What the request is answered in; English outside of one.
pub(super) fn current() -> Language {
    SPOKEN.try_with(Cell::get).unwrap_or_default()
}

/// The request is answered in this from now on: its sender is somebody of whom more is known.
pub(super) fn change(language: Language) {
    let _ = SPOKEN.try_with(|spoken| spoken.set(language));
}

/// A sentence of the catalogue, in the language of the request.
pub(super) fn say(name: &'static str) -> String {
    current().say(name)
}

/// The same, with values for its places.
pub(super) fn say_with(name: &'static str, values: &[(&'static str, Value<'_>)]) -> String {
    current().say_with(name, values)
}
