//! `POST /visitor`: an identity for readers without an account, so that they find their conversations again.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::json;

use super::cookies;
use super::doors::{Doors, Entry};
use super::identity::{VISITOR_COOKIE, VISITOR_HEADER};
use crate::app::App;

/// A browser keeps the cookie for a year.
const COOKIE_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) fn doors() -> Doors {
    Doors::new().post("/visitor", Entry::Everybody, new_visitor)
}

/// Answers `{"token", "header"}` and sets the same token as a cookie. Send it back in either.
async fn new_visitor(State(app): State<App>) -> Response {
    let token = app.auth.visitors().token(&app.ids);
    let token = token.expose_secret();
    let headers = [
        (header::SET_COOKIE, cookies::set(&app, VISITOR_COOKIE, token, COOKIE_LIFETIME)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Json(json!({"token": token, "header": VISITOR_HEADER.as_str()}))).into_response()
}
