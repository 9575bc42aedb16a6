//! `GET /book/…`: the pages of the bundled book, so that its citations open somewhere.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::{headers, spoken};
use crate::app::App;
use crate::book;

pub(super) fn doors() -> Doors {
    Doors::new().get("/book", Entry::Everybody, contents).get("/book/", Entry::Everybody, contents).get(
        "/book/{*page}",
        Entry::Everybody,
        page,
    )
}

async fn contents(State(app): State<App>) -> Response {
    headers::page(&app, book::contents(), &[book::STYLE])
}

async fn page(State(app): State<App>, Path(page): Path<String>) -> Result<Response, ApiError> {
    let missing = || ApiError::spoken(StatusCode::NOT_FOUND, "no_such_page", spoken::say("door-no-page"));
    let html = book::page(&page).ok_or_else(missing)?;
    Ok(headers::page(&app, html, &[book::STYLE]))
}
