//! A visitor who turns out to be a user is told so: a browser forgets the visitor's cookie, a page the token it keeps.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::cookies;
use super::identity::{VISITOR_COOKIE, VISITOR_HEADER, shown};
use crate::app::App;
use crate::identity::Identity;

/// The header of an answer that tells a page that nothing is left of the visitor whose token it keeps.
pub(super) const ADOPTED: HeaderName = HeaderName::from_static("x-chatkit-visitor-adopted");

/// Whether whoever sent the request has taken along what they wrote as a visitor.
#[derive(Clone, Debug, Default)]
pub(super) struct Adopted(Arc<AtomicBool>);

impl Adopted {
    /// Has the answer to a request say so.
    pub(super) fn tell(extensions: &Extensions) {
        if let Some(Self(adopted)) = extensions.get() {
            adopted.store(true, Ordering::Relaxed);
        }
    }
}

/// The visitor that somebody was until now, for doors at which they become a user.
pub(super) struct Newcomer {
    visitor: Option<Identity>,
    extensions: Extensions,
}

impl FromRequestParts<App> for Newcomer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let token = shown(app, &parts.headers).ok().and_then(|shown| shown.visitor);
        let visitor = token.and_then(|token| app.auth.visitors().identify(token).ok());
        Ok(Self { visitor, extensions: parts.extensions.clone() })
    }
}

impl Newcomer {
    /// Takes along what they wrote, now that they have signed in.
    pub(super) async fn becomes(&self, app: &App, user: &Identity) {
        if let Some(visitor) = &self.visitor
            && app.auth.adopt(visitor, user).await
        {
            Adopted::tell(&self.extensions);
        }
    }
}

/// Lets answers tell of adoptions.
pub(super) async fn told(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // A header goes before a cookie, whose visitor may be another one.
    let shows_header = request.headers().contains_key(VISITOR_HEADER);
    if !shows_header && !has_cookie(request.headers()) {
        return next.run(request).await;
    }
    let adopted = Adopted::default();
    request.extensions_mut().insert(adopted.clone());
    let mut response = next.run(request).await;
    if adopted.0.load(Ordering::Relaxed) {
        let headers = response.headers_mut();
        headers.insert(ADOPTED, HeaderValue::from_static("true"));
        if !shows_header {
            headers.append(header::SET_COOKIE, cookies::clear(&app, VISITOR_COOKIE));
        }
    }
    response
}

/// Whether there may be such a cookie: finding out for sure is for whoever reads it.
fn has_cookie(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    values.into_iter().any(|value| value.contains(VISITOR_COOKIE))
}
