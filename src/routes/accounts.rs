//! `/auth/…`: accounts of this server. Signing up and in opens a session, which a browser keeps as a cookie and any
//! other program as a token.

mod bodies;
mod members;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use utoipa_axum::routes;

use self::bodies::{SignInBody, SignUpBody, User, Welcome};
use super::adoption::Newcomer;
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::{SESSION_COOKIE, SignedIn, shown};
use super::members::Members;
use super::openapi::ErrorBody;
use super::{address, cookies, request_id};
use crate::app::App;
use crate::auth::AuthError;
use crate::auth::accounts::{AccountError, Accounts, Opened, Visit};

/// The largest body of a sign-up or a sign-in.
const ACCOUNT_BODY_BYTES_MAX: usize = 64 * 1024;

pub(super) fn doors() -> Doors {
    Doors::new()
        .open(Entry::Everybody, routes!(sign_up))
        .open(Entry::Everybody, routes!(sign_in))
        .open(Entry::User, routes!(sign_out))
        .open(Entry::User, routes!(refresh))
        .open(Entry::User, routes!(me))
}

/// The desk for accounts, and where the request comes from.
struct Desk {
    accounts: Accounts,
    visit: Visit,
}

impl FromRequestParts<App> for Desk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let accounts = app.auth.accounts().cloned().ok_or_else(ApiError::accounts_off)?;
        Ok(Self { accounts, visit: Visit { address: address::of(parts), request_id: request_id::current() } })
    }
}

/// A session that a caller shows, whether or not it is live.
struct Shown {
    token: String,
    /// Whether a browser added it by itself.
    is_cookie: bool,
}

impl FromRequestParts<App> for Shown {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if let Some(token) = app.auth.session(&shown(app, &parts.headers)?) {
            return Ok(Self { token: token.to_owned(), is_cookie: !parts.headers.contains_key(header::AUTHORIZATION) });
        }
        SignedIn::from_request_parts(parts, app).await?;
        Err(ApiError::no_account())
    }
}

/// Makes an account, and opens a session of it.
///
/// What a visitor wrote who signs up is the user's from then on.
#[utoipa::path(
    post,
    path = "/auth/signup",
    tag = "identity",
    request_body(content = SignUpBody, description = "Who they are; all but the first three may be left out."),
    responses(
        (
            status = 201,
            body = Welcome,
            description = "The account, and its session.",
            headers(("set-cookie" = String, description = "The token of the session, as the cookie `session`."))
        ),
        (status = 403, body = ErrorBody, description = "The page of a site that is not in `CORS_ORIGINS` asked."),
        (status = 404, body = ErrorBody, description = "This server has no accounts."),
        (status = 409, body = ErrorBody, description = "The address has an account."),
        (status = 503, body = ErrorBody, description = "Accounts cannot be reached, or too many passwords are being checked."),
    )
)]
async fn sign_up(State(app): State<App>, desk: Desk, newcomer: Newcomer, body: Body) -> Result<Response, ApiError> {
    let wish = members::sign_up(read(&app, body).await?)?;
    let opened = desk.accounts.sign_up(wish, &desk.visit).await?;
    newcomer.becomes(&app, &opened.who()).await;
    Ok((StatusCode::CREATED, welcome(&app, &opened)).into_response())
}

/// Opens a session.
///
/// What a visitor wrote who signs in is the user's from then on. A wrong address and a wrong password are answered
/// alike, and as fast.
#[utoipa::path(
    post,
    path = "/auth/signin",
    tag = "identity",
    request_body(content = SignInBody, description = "Who they are."),
    responses(
        (
            status = 200,
            body = Welcome,
            description = "The account, and its session.",
            headers(("set-cookie" = String, description = "The token of the session, as the cookie `session`."))
        ),
        (
            status = 401,
            body = ErrorBody,
            description = "Address and password are not those of an account.",
            headers(("www-authenticate" = String, description = "How to show who one is."))
        ),
        (status = 403, body = ErrorBody, description = "The page of a site that is not in `CORS_ORIGINS` asked."),
        (status = 404, body = ErrorBody, description = "This server has no accounts."),
        (status = 503, body = ErrorBody, description = "Accounts cannot be reached, or too many passwords are being checked."),
    )
)]
async fn sign_in(State(app): State<App>, desk: Desk, newcomer: Newcomer, body: Body) -> Result<Response, ApiError> {
    let wish = members::sign_in(read(&app, body).await?)?;
    let opened = desk.accounts.sign_in(wish, &desk.visit).await?;
    newcomer.becomes(&app, &opened.who()).await;
    Ok(welcome(&app, &opened))
}

/// Opens a session in the place of the one that is shown.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    tag = "identity",
    responses(
        (
            status = 200,
            body = Welcome,
            description = "The account, and its new session; the token of the old one is good no more.",
            headers(("set-cookie" = String, description = "The token of the session, as the cookie `session`."))
        ),
        (status = 404, body = ErrorBody, description = "This server has no accounts, or the token is of another system."),
    )
)]
async fn refresh(State(app): State<App>, desk: Desk, shown: Shown) -> Result<Response, ApiError> {
    match desk.accounts.refresh(&shown.token, &desk.visit).await {
        Ok(opened) => Ok(welcome(&app, &opened)),
        Err(error) => Err(forgetting(&app, &shown, error)),
    }
}

/// Ends the session that is shown, everywhere.
#[utoipa::path(
    post,
    path = "/auth/signout",
    tag = "identity",
    responses(
        (
            status = 204,
            description = "It is over.",
            headers(("set-cookie" = String, description = "Has a browser forget the cookie `session`."))
        ),
        (status = 404, body = ErrorBody, description = "This server has no accounts, or the token is of another system."),
    )
)]
async fn sign_out(State(app): State<App>, desk: Desk, shown: Shown) -> Result<Response, ApiError> {
    match desk.accounts.sign_out(&shown.token, &desk.visit).await {
        Ok(()) => {
            Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookies::clear(&app, SESSION_COOKIE))]).into_response())
        }
        Err(error) => Err(forgetting(&app, &shown, error)),
    }
}

/// Who has the session that is shown, with all that they told of themselves.
#[utoipa::path(
    get,
    path = "/auth/me",
    tag = "identity",
    responses(
        (status = 200, body = User, description = "Who has it."),
        (status = 404, body = ErrorBody, description = "This server has no accounts, or the token is of another system."),
    )
)]
async fn me(State(app): State<App>, desk: Desk, shown: Shown) -> Result<Response, ApiError> {
    match desk.accounts.account(&shown.token).await {
        Ok(account) => Ok(([no_store()], Json(User::from(&account))).into_response()),
        Err(error) => Err(forgetting(&app, &shown, error)),
    }
}

async fn read(app: &App, body: Body) -> Result<Members, ApiError> {
    Members::read(app, body, app.body_bytes_max.min(ACCOUNT_BODY_BYTES_MAX)).await
}

/// The error, and a browser that kept what is wrong forgets it.
fn forgetting(app: &App, shown: &Shown, error: impl Into<AccountError>) -> ApiError {
    let error = error.into();
    let is_over = shown.is_cookie && matches!(error, AccountError::Auth(AuthError::NoSession | AuthError::SessionOver));
    let answer = ApiError::from(error);
    if is_over { answer.with_header(header::SET_COOKIE, cookies::clear(app, SESSION_COOKIE)) } else { answer }
}

fn welcome(app: &App, opened: &Opened) -> Response {
    let token = opened.token.expose_secret();
    let cookie = cookies::set(app, SESSION_COOKIE, token, opened.lifetime);
    ([(header::SET_COOKIE, cookie)], [no_store()], Json(Welcome::from(opened))).into_response()
}

fn no_store() -> (header::HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
