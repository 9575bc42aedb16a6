//! A visitor who turns out to be a user is told so: a browser forgets the visitor's cookie, a page the token it keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::cookies;
use super::identity::{VISITOR_COOKIE, VISITOR_HEADER};
use crate::app::App;

/// What the header says in an answer, once nothing of the visitor is left.
const ADOPTED: HeaderValue = HeaderValue::from_static("adopted");

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
        headers.insert(VISITOR_HEADER, ADOPTED);
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
