//! `GET /book/…`: the pages of the bundled book, so that its citations open somewhere.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::doors::{Doors, Entry};
use super::error::ApiError;
use crate::app::App;
use crate::book;

/// Nothing on these pages runs or loads anything from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'self'";

pub(super) fn doors() -> Doors {
    Doors::new().get("/book", Entry::Everybody, contents).get("/book/", Entry::Everybody, contents).get(
        "/book/{*page}",
        Entry::Everybody,
        page,
    )
}

async fn contents(State(_): State<App>) -> Response {
    found(book::contents())
}

async fn page(State(_): State<App>, Path(page): Path<String>) -> Result<Response, ApiError> {
    let missing = || ApiError::new(StatusCode::NOT_FOUND, "no_such_page", "the bundled book has no such page");
    book::page(&page).map(found).ok_or_else(missing)
}

fn found(html: String) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, Html(html)).into_response()
}
