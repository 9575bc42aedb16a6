//! Headers become an [`Identity`]: no credential is a stranger, a wrong one is refused.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use super::address;
use super::adoption::Adopted;
use super::error::ApiError;
use crate::app::App;
use crate::auth::Credentials;
use crate::identity::{ClientAddress, Identity};

/// The header in which a page on another origin brings its visitor's token.
pub const VISITOR_HEADER: HeaderName = HeaderName::from_static("x-chatkit-visitor");
/// The cookie in which a browser brings it.
pub const VISITOR_COOKIE: &str = "chatkit_visitor";
/// The cookie in which a browser brings the token of a session.
pub const SESSION_COOKIE: &str = "session";

/// Who sent the request, and from where.
pub(super) struct Caller {
    pub(super) who: Identity,
    /// Not known where a server was built without listening itself.
    #[expect(dead_code, reason = "limits are counted by it")]
    pub(super) address: Option<ClientAddress>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let address = address::of(parts);
        if let Some(everybody) = &app.everybody {
            return Ok(Self { who: everybody.clone(), address });
        }
        let shown = shown(&parts.headers)?;
        let who = app.auth.identify(&shown).await?;
        if app.auth.adopt_shown(&shown, &who).await {
            Adopted::tell(&parts.extensions);
        }
        Ok(Self { who, address })
    }
}

/// What a caller shows. What is shown twice is refused: who looks at the first and who at the last would see two people.
pub(super) fn shown(headers: &HeaderMap) -> Result<Credentials<'_>, ApiError> {
    let visitor = match once(headers, &VISITOR_HEADER)? {
        Some(token) => Some(token),
        None => cookie(headers, VISITOR_COOKIE),
    };
    Ok(Credentials { bearer: bearer(headers)?, session: cookie(headers, SESSION_COOKIE), visitor })
}

/// The token of `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = once(headers, &AUTHORIZATION)? else { return Ok(None) };
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Some(token.trim())),
        None => Err(ApiError::unauthorized("`Authorization` must be `Bearer` and a token; leave it out for none")),
    }
}

/// The one value of a header; text that is not ASCII is a value that fits nothing.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.to_str().unwrap_or_default())),
        (Some(_), Some(_)) => Err(ApiError::unauthorized(&format!("`{name}` came more than once; send it once"))),
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
