//! `POST /visitor`: an identity for readers without an account, so that they find their conversations again.
//!
//! Pages of this server, and listed ones that send cookies, need not ask: the answer to a list of threads brings it. That
//! is the request that is of no use without an identity, and it stores nothing, so that nothing is lost when two of them
//! run at once and the browser keeps the cookie of one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::cookies;
use super::csrf::{self, Cause};
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::{self, VISITOR_COOKIE, VISITOR_HEADER};
use super::openapi::ErrorBody;
use crate::app::App;
use crate::auth::Credentials;
use crate::auth::visitor::LIFETIME;
use crate::identity::Identity;

/// An identity for a reader without an account.
#[derive(Serialize, ToSchema)]
struct VisitorToken {
    /// Proves it; good for a year, and renewed by asking again.
    #[schema(example = "v1.visitor_5f0c.00")]
    token: String,
    /// The header to send it back in, where there are no cookies.
    #[schema(example = "x-chatkit-visitor")]
    header: String,
}

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Caller, routes!(visitor))
}

/// Gives a reader without an account an identity, so that they find their conversations again.
///
/// The same token is set as a cookie. Send it back in either.
///
/// Whoever is a visitor stays the same one, with a token that lasts longer. One whose token is not good any more gets a
/// new one: this is the remedy that they were told. So does one who has signed in and out again since.
#[utoipa::path(
    post,
    path = "/visitor",
    tag = "identity",
    responses(
        (
            status = 200,
            body = VisitorToken,
            description = "The identity.",
            headers(("set-cookie" = String, description = "The same token, as the cookie `chatkit_visitor`."))
        ),
        (status = 409, body = ErrorBody, description = "The caller has signed in, and so is no visitor."),
    )
)]
async fn visitor(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    if !app.anonymous {
        return Err(ApiError::sign_in_required());
    }
    let shown = identity::shown(&app, &headers)?;
    let without_visitor = Credentials { visitor: None, ..shown };
    if let Identity::User { .. } = app.auth.identify(&without_visitor).await? {
        let message = "you are signed in; a visitor is a reader who is not";
        return Err(ApiError::new(StatusCode::CONFLICT, "signed_in", message));
    }
    let visitors = app.auth.visitors();
    let token = match shown.visitor {
        Some(token) if !is_adopted(&app, token).await? => visitors.renewed(token).ok(),
        Some(_) | None => None,
    };
    let token = token.unwrap_or_else(|| visitors.token(&app.ids));
    let body = VisitorToken { token: token.expose_secret().to_owned(), header: VISITOR_HEADER.to_string() };
    Ok(([cookie(&app, &token)], Json(body)).into_response())
}

/// Whether the visitor has signed in since: what they write as the same one again would never become the user's.
async fn is_adopted(app: &App, token: &str) -> Result<bool, ApiError> {
    let Ok(visitor) = app.auth.visitors().identify(token) else { return Ok(false) };
    Ok(app.chat.is_adopted(&visitor).await?)
}

/// What the answer to a list of threads brings besides: an identity for a reader on a known page who has none, and a
/// longer one for a visitor whose token grows old, in the way the visitor brought it.
pub(super) fn in_passing(app: &App, who: &Identity, headers: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
    if app.everybody.is_some() {
        return None;
    }
    let visitors = app.auth.visitors();
    match who {
        Identity::User { .. } => None,
        Identity::Stranger => match csrf::cause(&app.browsers, headers) {
            Cause::Own | Cause::Listed => Some(cookie(app, &visitors.token(&app.ids))),
            Cause::Program | Cause::Other => None,
        },
        Identity::Visitor { .. } => {
            let renewed = visitors.renewed_if_old(identity::shown(app, headers).ok()?.visitor?)?;
            Some(match headers.contains_key(VISITOR_HEADER) {
                true => (VISITOR_HEADER, value(&renewed)),
                false => cookie(app, &renewed),
            })
        }
    }
}

fn cookie(app: &App, token: &SecretString) -> (HeaderName, HeaderValue) {
    (header::SET_COOKIE, cookies::set(app, VISITOR_COOKIE, token.expose_secret(), LIFETIME))
}

fn value(token: &SecretString) -> HeaderValue {
    let mut value =
        HeaderValue::from_str(token.expose_secret()).expect("a token is made of letters, digits, dots and underscores");
    value.set_sensitive(true);
    value
}
