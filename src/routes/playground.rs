//! `GET /`: a page on which the server is tried out, in the language of the browser.
//!
//! It speaks the ChatKit protocol as a widget would, and needs nothing that is not in the program.

use axum::extract::State;
use axum::http::header::{ACCEPT_LANGUAGE, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::named::Named;
use super::openapi::ErrorBody;
use super::{headers, spoken};
use crate::app::App;
use crate::book;
use crate::language::Language;

/// The page; what stands in two braces is put in.
const PAGE: &str = include_str!("../../web/index.html");
/// Its files, with what they are.
const FILES: [(&str, &str, &str); 3] = [
    ("page.css", "text/css; charset=utf-8", include_str!("../../web/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("../../web/page.js")),
    ("markdown.js", "text/javascript; charset=utf-8", include_str!("../../web/markdown.js")),
];

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Everybody, routes!(playground)).open(Entry::Everybody, routes!(playground_file))
}

/// A page on which the server is tried out.
#[utoipa::path(
    get,
    path = "/",
    tag = "playground",
    responses((
        status = 200,
        body = String,
        content_type = "text/html",
        description = "The page, in the language of the browser.",
    ))
)]
async fn playground(State(app): State<App>) -> Response {
    // The page says where things are from where it is itself, which may be below the path of a proxy.
    let chatkit = app.chatkit_paths.first().map_or("chatkit", |path| path.trim_start_matches('/'));
    let mut response = headers::page(&app, page(spoken::current(), chatkit), &[]);
    response.headers_mut().append(VARY, HeaderValue::from(ACCEPT_LANGUAGE));
    response
}

/// A style sheet or a script of that page.
#[utoipa::path(
    get,
    path = "/playground/{file}",
    tag = "playground",
    params(("file" = String, Path, description = "The file's name.", example = "page.css")),
    responses(
        (status = 200, body = ref("#/components/schemas/Bytes"), content_type = "*/*", description = "The file."),
        (status = 404, body = ErrorBody, description = "The page has no such file."),
    )
)]
async fn playground_file(Named(file): Named) -> Result<Response, ApiError> {
    let missing = || ApiError::spoken(StatusCode::NOT_FOUND, "no_such_file", spoken::say("door-no-file"));
    let (_, kind, text) = FILES.iter().find(|(name, ..)| *name == file).ok_or_else(missing)?;
    Ok(headers::file(kind, text))
}

/// The page with its sentences in a language, for a server that speaks the protocol at that path.
fn page(language: Language, chatkit: &str) -> String {
    let mut pieces = PAGE.split("{{");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        let value = match name {
            "language" => language.tag().to_owned(),
            "chatkit" => chatkit.to_owned(),
            "readme" => format!("{}#readme", env!("CARGO_PKG_REPOSITORY")),
            sentence => language.say(sentence),
        };
        page.push_str(&book::escaped(&value));
        page.push_str(rest);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_of_the_page_is_in_the_catalogue() {
        for language in Language::all() {
            let page = page(language, "chatkit");
            assert!(!page.contains("playground-") && !page.contains("{{"), "{page}");
            assert!(page.contains(&format!("<html lang=\"{}\"", language.tag())), "{page}");
        }
    }
}
