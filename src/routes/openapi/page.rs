//! `GET /docs`: the description as a page on which every door can be tried; nothing of it comes from elsewhere.

use std::io::Read;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

use super::ErrorBody;
use crate::app::App;
use crate::routes::doors::{Doors, Entry};
use crate::routes::error::ApiError;
use crate::routes::named::Named;
use crate::routes::{headers, spoken};

/// Its addresses are relative, so that it works behind a proxy that adds a prefix.
const PAGE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>The doors of chatkit-gateway</title>\
    <link rel=\"icon\" type=\"image/png\" href=\"docs/favicon-32x32.png\">\
    <link rel=\"stylesheet\" href=\"docs/swagger-ui.css\"></head><body><div id=\"doors\"></div>\
    <script src=\"docs/swagger-ui-bundle.js\"></script><script src=\"docs/start.js\"></script></body></html>";
/// What starts it, in a file of its own: nothing that stands in a page runs.
const START: &str = include_str!("start.js");
/// What of the interface is served, which is all that the page asks for.
const FILES: [&str; 3] = ["favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css"];
/// It changes with the program only.
const KEPT: &str = "public, max-age=300";

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Everybody, routes!(docs)).open(Entry::Everybody, routes!(docs_file))
}

/// This document as a page on which every door can be tried.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "description",
    responses((status = 200, body = String, content_type = "text/html", description = "The page."))
)]
async fn docs(State(app): State<App>) -> Response {
    headers::page(&app, PAGE.to_owned(), &[])
}

/// A file of that page.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    tag = "description",
    params(("file" = String, Path, description = "The file's name.", example = "swagger-ui.css")),
    responses(
        (status = 200, body = ref("#/components/schemas/Bytes"), content_type = "*/*", description = "The file."),
        (status = 404, body = ErrorBody, description = "The page has no such file."),
    )
)]
async fn docs_file(Named(file): Named, headers: HeaderMap) -> Result<Response, ApiError> {
    if file == "start.js" {
        return Ok(
            ([(header::CONTENT_TYPE, "text/javascript")], [(header::CACHE_CONTROL, KEPT)], START).into_response()
        );
    }
    let missing = || ApiError::spoken(StatusCode::NOT_FOUND, "no_such_file", spoken::say("door-no-file"));
    let name = FILES.iter().find(|name| **name == file).ok_or_else(missing)?;
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok().flatten().ok_or_else(missing)?;
    let about = [
        (header::CONTENT_TYPE, found.content_type),
        (header::CACHE_CONTROL, KEPT.to_owned()),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    // The program holds it packed.
    if takes_gzip(&headers) {
        return Ok((about, [(header::CONTENT_ENCODING, "gzip")], found.bytes.into_owned()).into_response());
    }
    let mut unpacked = Vec::new();
    let broken = |_| ApiError::spoken(StatusCode::INTERNAL_SERVER_ERROR, "internal", spoken::say("door-internal"));
    GzDecoder::new(&*found.bytes).read_to_end(&mut unpacked).map_err(broken)?;
    Ok((about, unpacked).into_response())
}

/// Whether a client unpacks what it gets; one that forbids it by a weight of zero does not.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|weight| matches!(weight.strip_prefix("q=").map(str::parse), Some(Ok(0.0))))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn who_does_not_unpack_is_not_sent_what_is_packed() {
        let check = |accepted: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))]))
        };
        assert!(check("gzip, deflate, br"));
        assert!(check("br;q=1.0, GZip;q=0.5"));
        assert!(!check("gzip;q=0"));
        assert!(!check("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
