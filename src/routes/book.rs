//! `GET /book/…`: the pages of the bundled book, so that its citations open somewhere.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::named::Named;
use super::openapi::ErrorBody;
use super::{headers, spoken};
use crate::app::App;
use crate::book;

pub(super) fn doors() -> Doors {
    Doors::new()
        .open(Entry::Everybody, routes!(contents))
        .at("/book/", Entry::Everybody, routes!(contents))
        .open(Entry::Everybody, routes!(page))
}

/// The list of pages of the bundled book.
#[utoipa::path(
    get,
    path = "/book",
    operation_id = "book",
    tag = "book",
    responses((status = 200, body = String, content_type = "text/html", description = "The list, as a page."))
)]
async fn contents(State(app): State<App>) -> Response {
    headers::page(&app, book::contents(), &[book::STYLE])
}

/// A page of the bundled book.
///
/// Each heading has the anchor that citations point at.
#[utoipa::path(
    get,
    path = "/book/{*page}",
    operation_id = "book_page",
    tag = "book",
    params(("page" = String, Path, description = "The page's path, which may hold slashes.", example = "module-1-foundations/what-is-physical-ai")),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 404, body = ErrorBody, description = "The book has no such page."),
    )
)]
async fn page(State(app): State<App>, Named(page): Named) -> Result<Response, ApiError> {
    let missing = || ApiError::spoken(StatusCode::NOT_FOUND, "no_such_page", spoken::say("door-no-page"));
    let html = book::page(&page).ok_or_else(missing)?;
    Ok(headers::page(&app, html, &[book::STYLE]))
}
