//! Who has a socket: what they showed when they opened it. Whether it is good is found out anew for each request, so that
//! a session that ended, or a token that ran out, is refused from then on.

use axum::extract::{FromRequestParts, Query, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use super::Held;
use crate::app::App;
use crate::identity::ClientAddress;
use crate::language::Language;
use crate::routes::error::ApiError;
use crate::routes::identity::{Caller, VISITOR_HEADER};
use crate::routes::limits::Gate;
use crate::routes::{request_id, spoken};

/// Whoever opened a socket.
pub(super) struct Guest {
    pub(super) headers: HeaderMap,
    /// Where it was opened; without what stands behind the path, which holds tokens.
    pub(super) path: String,
    /// What they are told is told in it, unless more is known of them.
    pub(super) language: Language,
    address: Option<ClientAddress>,
    /// Counts requests; none where the server does not listen itself.
    gate: Option<Gate>,
    _held: Option<Held>,
}

/// What a page that can send no headers shows in the address.
#[derive(Deserialize)]
struct InAddress {
    access_token: Option<String>,
    visitor_token: Option<String>,
}

impl Guest {
    /// What a request shows, be it in its headers or in its address.
    pub(super) fn of(request: Request) -> Result<Self, ApiError> {
        let (mut parts, _) = request.into_parts();
        let shown = Query::<InAddress>::try_from_uri(&parts.uri).map_err(|_| {
            let message = "what stands behind the path must be `access_token` or `visitor_token`, each once";
            ApiError::new(StatusCode::BAD_REQUEST, "invalid_request", message)
        })?;
        let InAddress { access_token, visitor_token } = shown.0;
        if let Some(token) = access_token {
            show(&mut parts.headers, AUTHORIZATION, &format!("Bearer {token}"))?;
        }
        if let Some(token) = visitor_token {
            show(&mut parts.headers, VISITOR_HEADER, &token)?;
        }
        Ok(Self {
            path: parts.uri.path().to_owned(),
            language: spoken::current(),
            address: parts.extensions.remove(),
            gate: parts.extensions.remove(),
            _held: parts.extensions.remove(),
            headers: parts.headers,
        })
    }

    /// Who they are at this moment.
    pub(super) async fn caller(&self, app: &App) -> Result<Caller, ApiError> {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.headers = self.headers.clone();
        if let Some(address) = self.address {
            parts.extensions.insert(address);
        }
        Caller::from_request_parts(&mut parts, app).await
    }

    /// Carries out something that is asked, under a name of its own and in their language.
    pub(super) async fn asking<T>(&self, app: &App, asking: impl Future<Output = T>) -> T {
        request_id::scope(&app.ids, &self.path, spoken::within(self.language, asking)).await
    }

    /// Counts one more request, or says why it may not be.
    pub(super) fn count(&self) -> Result<(), ApiError> {
        self.gate.as_ref().map_or(Ok(()), |gate| gate.count(self.address))
    }
}

/// Puts a token where it would stand if the page could send headers.
fn show(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), ApiError> {
    if headers.contains_key(&name) {
        return Err(ApiError::unauthorized("a token stands in the address and in a header; send it once"));
    }
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| ApiError::unauthorized("the token in the address holds what no token holds"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
