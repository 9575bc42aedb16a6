//! What the doors say of themselves, as one document: OpenAPI 3.1, at `GET /openapi.json`.

mod complete;
mod dialect;
mod examples;
mod page;
mod wire;

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, RefOr, Schema, Server,
};
use utoipa_axum::routes;

use self::dialect::{RewriteEvent, SimpleRequest};
use super::doors::{Doors, Entry};
use super::simple;
use crate::app::App;

/// The subjects of the doors.
const TAGS: &[(&str, &str)] = &[
    ("chatkit", "The ChatKit protocol, and a simple dialect of it for `curl` and small front ends."),
    ("attachments", "Files of readers: their bytes, on the way in and out."),
    ("chat", "One question, one answer, on the same conversations."),
    ("identity", "Who a reader is: accounts of this server, and visitors without one."),
    ("profile", "What a reader says of themselves."),
    ("rewriting", "Pages, rewritten for a reader or into another language."),
    ("book", "The bundled book."),
    ("operation", "How the service is."),
    ("playground", "A page on which the server is tried out."),
    ("description", "What the doors say of themselves."),
];

const ABOUT: &str = "\
A ChatKit server that answers from a book.

Whoever asks is a **user**, who shows a token or the cookie of a session; a **visitor**, who shows what `POST /visitor` \
gave them; or a **stranger**, who shows nothing. What is shown and wrong is refused with 401. What is somebody else's is \
not found.

Every refusal has the body `ErrorBody`. Every answer names its request in the header `x-request-id`. A method that a path \
does not take is refused with 405, and the header `allow` names those it does.";

/// The document of these doors, in a server that is reached at this address, or at the one that the document comes from.
pub(super) fn document(doors: Doors, public_url: Option<&str>) -> Value {
    let (listed, paths, mut schemas) = doors.described();
    shape::<SimpleRequest>(&mut schemas);
    shape::<simple::Event>(&mut schemas);
    shape::<RewriteEvent>(&mut schemas);
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .description(Some(ABOUT))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(
            LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE"))).build(),
        ))
        .contact(Some(ContactBuilder::new().url(Some(env!("CARGO_PKG_REPOSITORY"))).build()))
        .build();
    let components = schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema));
    let tags = TAGS.iter().map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build());
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(public_url.unwrap_or("/"))]))
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build();
    let mut document = serde_json::to_value(document).expect("a description is made of texts");
    complete::complete(&mut document, &listed);
    document
}

/// Adds a shape with its parts, which no door names as its own.
fn shape<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// What every refusal looks like.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is written by hand, in `error.rs`, and described here")]
pub(super) struct ErrorBody {
    /// What went wrong, for programs.
    error: ErrorCode,
    /// What went wrong, in a sentence.
    message: String,
    /// The same sentence.
    detail: String,
    /// The name of the request, as in the header `x-request-id`.
    request_id: String,
}

/// What went wrong, for programs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(super) struct ErrorCode {
    /// A name in snake case.
    code: String,
    /// What went wrong, in a sentence.
    message: String,
    /// What else there is to know of it.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
}

/// The document as it is sent; made when it is first asked for.
#[derive(Clone, Default)]
struct Kept(Arc<OnceLock<Written>>);

/// A text, and what names this edition of it.
struct Written {
    text: Bytes,
    tag: HeaderValue,
}

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::Everybody, routes!(description)).layer(Extension(Kept::default())).and(page::doors())
}

/// This document.
///
/// Whoever has an edition of it is told in a few bytes that it is the newest.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "description",
    params(("if-none-match" = Option<String>, Header, description = "The `etag` of the edition that the caller has.")),
    responses(
        (
            status = 200,
            body = Value,
            description = "The document.",
            headers(("etag" = String, description = "Names this edition."))
        ),
        (status = 304, description = "The caller has this edition."),
    )
)]
async fn description(State(app): State<App>, Extension(Kept(kept)): Extension<Kept>, headers: HeaderMap) -> Response {
    let written = kept.get_or_init(|| {
        let document = super::description(&app.chatkit_paths, app.browsers.public_url.as_deref());
        let text = Bytes::from(document.to_string());
        let name = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..12]);
        let tag = HeaderValue::try_from(format!("\"{name}\"")).expect("base64 is printable ASCII");
        Written { text, tag }
    });
    let about: [(HeaderName, HeaderValue); 2] =
        [(header::ETAG, written.tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"))];
    if headers.get(header::IF_NONE_MATCH) == Some(&written.tag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (about, kind, written.text.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn one_name_is_one_shape_whichever_door_has_it() {
        let (_, _, schemas) = crate::routes::all(&["/chatkit".to_owned()]).described();
        let mut shapes = BTreeMap::new();
        for (name, schema) in schemas {
            let shape = serde_json::to_value(&schema).unwrap();
            assert!(!name.starts_with("ChatKit"), "{name} is taken by the protocol");
            assert_eq!(
                *shapes.entry(name.clone()).or_insert_with(|| shape.clone()),
                shape,
                "two shapes are called {name}"
            );
        }
    }
}
