//! Bytes of attachments: `PUT` and `POST` to the address of a descriptor, `POST …/upload` without one, and `GET` of what
//! a link allows.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use chatkit_protocol::{Attachment, AttachmentId};
use serde::Deserialize;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::form::{self, Form};
use super::identity::Caller;
use super::{body, disposition};
use crate::app::App;
use crate::attachments::{AttachmentError, Attachments, Description, Incoming, Link, Opened, Purpose};

/// A browser may show what it fetched again for so long without asking.
const CACHED: &str = "private, max-age=3600";
/// Nothing in a file of a reader runs, or loads anything.
const POLICY: &str = "default-src 'none'; sandbox";

pub(super) fn doors(chatkit_paths: &[String]) -> Doors {
    let signed = Doors::new()
        .get("/attachments/{id}", Entry::Caller, find)
        .put("/attachments/{id}/upload", Entry::Link, put_bytes)
        .post("/attachments/{id}/upload", Entry::Link, post_form)
        .get("/attachments/{id}/preview", Entry::Link, preview)
        .get("/attachments/{id}/download", Entry::Link, download);
    chatkit_paths.iter().fold(signed, |doors, path| doors.post(&format!("{path}/upload"), Entry::Caller, direct))
}

/// Shows the reader whose file it is the way to it: an address that is good for a while, for whoever has it.
async fn find(State(app): State<App>, Caller { who, .. }: Caller, id: Named) -> Result<Redirect, ApiError> {
    let Ok(Path(id)) = id else { return Err(AttachmentError::LinkWrong.into()) };
    let (attachments, id) = (attachments(&app)?, AttachmentId::from(id));
    attachments.find(&who.owner(), std::slice::from_ref(&id)).await?;
    Ok(Redirect::to(&attachments.download_url(&id)))
}

/// What proves that a link is one of this server.
#[derive(Deserialize)]
struct Proof {
    expires: Option<i64>,
    signature: String,
}

type Named = Result<Path<String>, PathRejection>;
type Proven = Result<Query<Proof>, QueryRejection>;

fn link(id: Named, proof: Proven) -> Result<Link, ApiError> {
    match (id, proof) {
        (Ok(Path(id)), Ok(Query(Proof { expires, signature }))) => Ok(Link { id: id.into(), expires, signature }),
        _ => Err(AttachmentError::LinkWrong.into()),
    }
}

fn attachments(app: &App) -> Result<&Attachments, ApiError> {
    app.attachments.as_ref().ok_or_else(ApiError::no_attachments)
}

/// Takes the bytes as they are.
async fn put_bytes(
    State(app): State<App>,
    id: Named,
    proof: Proven,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Attachment>, ApiError> {
    let link = link(id, proof)?;
    let mut pieces = body.into_data_stream();
    let incoming = Incoming { announced_bytes: body::announced(&headers), pieces: &mut pieces };
    let taken = attachments(&app)?.upload(&link, incoming).await;
    if taken.is_err() {
        body::drain(&mut pieces).await;
    }
    Ok(Json(taken?))
}

/// Takes the field `file` of a form.
async fn post_form(
    State(app): State<App>,
    id: Named,
    proof: Proven,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Attachment>, ApiError> {
    let link = link(id, proof)?;
    let attachments = attachments(&app)?;
    let mut form = Form::of(&headers, body)?;
    let taken = async {
        let mut file = form.file(app.body_time_max).await?;
        let incoming = Incoming { announced_bytes: form::announced(&headers), pieces: &mut file };
        Ok(attachments.upload(&link, incoming).await?)
    };
    let taken: Result<Attachment, ApiError> = taken.await;
    form.drain().await;
    Ok(Json(taken?))
}

/// Takes the field `file` of a form from somebody who announced nothing.
async fn direct(
    State(app): State<App>,
    Caller { who, .. }: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Attachment>, ApiError> {
    let attachments = attachments(&app)?;
    let mut form = Form::of(&headers, body)?;
    let taken = async {
        let mut file = form.file(app.body_time_max).await?;
        let told = Description { name: file.name(), mime_type: file.mime_type() };
        let incoming = Incoming { announced_bytes: form::announced(&headers), pieces: &mut file };
        Ok(attachments.take(&who.owner(), &told, incoming).await?)
    };
    let taken: Result<Attachment, ApiError> = taken.await;
    form.drain().await;
    Ok(Json(taken?))
}

async fn preview(State(app): State<App>, id: Named, proof: Proven) -> Result<Response, ApiError> {
    let link = link(id, proof)?;
    Ok(answer(attachments(&app)?.open(Purpose::Preview, &link).await?))
}

async fn download(State(app): State<App>, id: Named, proof: Proven) -> Result<Response, ApiError> {
    let link = link(id, proof)?;
    Ok(answer(attachments(&app)?.open(Purpose::Download, &link).await?))
}

/// The file, so that a browser shows it only if it is a picture, and takes it for nothing but what it is.
fn answer(file: Opened) -> Response {
    let Opened { mime_type, name, size_bytes, is_picture, pieces } = file;
    let charset = if mime_type.starts_with("text/") { "; charset=utf-8" } else { "" };
    let kind = HeaderValue::from_str(&format!("{mime_type}{charset}"));
    let headers = [
        (header::CONTENT_TYPE, kind.unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))),
        (header::CONTENT_LENGTH, HeaderValue::from(size_bytes)),
        (header::CONTENT_DISPOSITION, disposition::header(is_picture, &name)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static(CACHED)),
        // The page that shows it is on another site.
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}
