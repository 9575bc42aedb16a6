//! Headers become an [`Identity`]: no credential is a stranger, a wrong one is refused.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use super::error::ApiError;
use crate::app::App;
use crate::identity::Identity;

/// The header in which a page on another origin brings its visitor's token.
pub const VISITOR_HEADER: HeaderName = HeaderName::from_static("x-chatkit-visitor");
/// The cookie in which a browser brings it.
pub const VISITOR_COOKIE: &str = "chatkit_visitor";

/// Who sent the request.
pub(super) struct Caller(pub(super) Identity);

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        if let Some(everybody) = &app.everybody {
            return Ok(Self(everybody.clone()));
        }
        if parts.headers.contains_key(AUTHORIZATION) {
            return Err(ApiError::unauthorized("this server accepts no tokens; leave out the `Authorization` header"));
        }
        let token = match parts.headers.get(VISITOR_HEADER) {
            Some(value) => Some(value.to_str().unwrap_or_default()),
            None => cookie(&parts.headers, VISITOR_COOKIE),
        };
        let Some(token) = token else { return Ok(Self(Identity::Stranger)) };
        let refused = || ApiError::unauthorized("the visitor token is not one of this server; ask for a new one");
        app.visitors.identify(token).map(Self).map_err(|_| refused())
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
