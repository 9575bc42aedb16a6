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
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::form::{self, Form};
use super::identity::Caller;
use super::openapi::ErrorBody;
use super::{body, disposition};
use crate::app::App;
use crate::attachments::{AttachmentError, Attachments, Description, Incoming, Link, Opened, Purpose};

/// A browser may show what it fetched again for so long without asking.
const CACHED: &str = "private, max-age=3600";
/// Nothing in a file of a reader runs, or loads anything.
const POLICY: &str = "default-src 'none'; sandbox";

pub(super) fn doors(chatkit_paths: &[String]) -> Doors {
    let signed = Doors::new()
        .open(Entry::Caller, routes!(find))
        .open(Entry::Link, routes!(put_bytes, post_form))
        .open(Entry::Link, routes!(preview))
        .open(Entry::Link, routes!(download));
    let path = |path| format!("{path}/upload");
    chatkit_paths.iter().map(path).fold(signed, |doors, path| doors.at(&path, Entry::Caller, routes!(direct)))
}

/// Shows the reader whose file it is the way to it: an address that is good for a while, for whoever has it.
#[utoipa::path(
    get,
    path = "/attachments/{id}",
    operation_id = "attachment",
    tag = "attachments",
    params(("id" = String, Path, description = "The attachment.")),
    responses(
        (
            status = 303,
            description = "The way to its bytes.",
            headers(("location" = String, description = "An address that is good for a while, for whoever has it."))
        ),
        (status = 400, body = ErrorBody, description = "This server takes no attachments."),
        (status = 403, body = ErrorBody, description = "The id is no text."),
        (status = 404, body = ErrorBody, description = "The caller has no such attachment, or its bytes have not come."),
    )
)]
async fn find(State(app): State<App>, Caller { who, .. }: Caller, id: Named) -> Result<Redirect, ApiError> {
    let Ok(Path(id)) = id else { return Err(AttachmentError::LinkWrong.into()) };
    let (attachments, id) = (attachments(&app)?, AttachmentId::from(id));
    attachments.find(&who.owner(), std::slice::from_ref(&id)).await?;
    Ok(Redirect::to(&attachments.download_url(&id)))
}

/// What proves that a link is one of this server.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Proof {
    /// Until when the link is good, in seconds since 1970; some links are good as long as the file.
    expires: Option<i64>,
    /// That this server made it.
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

/// The field of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece, and only described here")]
struct FileForm {
    /// The file, with its name and its type.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes the bytes of an attachment, as they are.
///
/// The address is the one of the descriptor that `attachments.create` answers with.
#[utoipa::path(
    put,
    path = "/attachments/{id}/upload",
    operation_id = "upload",
    tag = "attachments",
    params(("id" = String, Path, description = "The attachment."), Proof),
    request_body(content = ref("#/components/schemas/Bytes"), content_type = "application/octet-stream", description = "The bytes."),
    responses(
        (status = 200, body = ref("#/components/schemas/ChatKitAttachment"), description = "The attachment, complete."),
        (status = 403, body = ErrorBody, description = "The link is not one of this server, or has expired."),
        (status = 404, body = ErrorBody, description = "There is no such attachment any more."),
        (status = 409, body = ErrorBody, description = "Its bytes have come already."),
        (status = 415, body = ErrorBody, description = "The bytes are not of the type that was announced."),
        (status = 503, body = ErrorBody, description = "Attachments cannot be reached."),
    )
)]
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

/// Takes the bytes of an attachment, as the field `file` of a form.
#[utoipa::path(
    post,
    path = "/attachments/{id}/upload",
    operation_id = "upload_form",
    tag = "attachments",
    params(("id" = String, Path, description = "The attachment."), Proof),
    request_body(content = FileForm, content_type = "multipart/form-data", description = "The form."),
    responses(
        (status = 200, body = ref("#/components/schemas/ChatKitAttachment"), description = "The attachment, complete."),
        (status = 403, body = ErrorBody, description = "The link is not one of this server, or has expired."),
        (status = 404, body = ErrorBody, description = "There is no such attachment any more."),
        (status = 409, body = ErrorBody, description = "Its bytes have come already."),
        (status = 415, body = ErrorBody, description = "The bytes are not of the type that was announced."),
        (status = 503, body = ErrorBody, description = "Attachments cannot be reached."),
    )
)]
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

/// Takes a file that was not announced, as the field `file` of a form.
#[utoipa::path(
    post,
    path = "/chatkit/upload",
    operation_id = "upload_directly",
    tag = "attachments",
    request_body(content = FileForm, content_type = "multipart/form-data", description = "The form."),
    responses(
        (status = 200, body = ref("#/components/schemas/ChatKitAttachment"), description = "The attachment."),
        (status = 415, body = ErrorBody, description = "The file is not of a type that this server takes, or not of the one it says."),
    )
)]
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

/// A picture, to be shown in a conversation.
#[utoipa::path(
    get,
    path = "/attachments/{id}/preview",
    tag = "attachments",
    params(("id" = String, Path, description = "The attachment."), Proof),
    responses(
        (
            status = 200,
            body = ref("#/components/schemas/Bytes"),
            content_type = "*/*",
            description = "The picture, of the type that it is.",
            headers(("content-disposition" = String, description = "Whether to show it, and its name."))
        ),
        (status = 400, body = ErrorBody, description = "This server takes no attachments."),
        (status = 403, body = ErrorBody, description = "The link is not one of this server, or has expired."),
        (status = 404, body = ErrorBody, description = "There is no such attachment any more, or its bytes have not come."),
        (status = 503, body = ErrorBody, description = "Attachments cannot be reached."),
    )
)]
async fn preview(State(app): State<App>, id: Named, proof: Proven) -> Result<Response, ApiError> {
    let link = link(id, proof)?;
    Ok(answer(attachments(&app)?.open(Purpose::Preview, &link).await?))
}

/// A file.
#[utoipa::path(
    get,
    path = "/attachments/{id}/download",
    tag = "attachments",
    params(("id" = String, Path, description = "The attachment."), Proof),
    responses(
        (
            status = 200,
            body = ref("#/components/schemas/Bytes"),
            content_type = "*/*",
            description = "The file, of the type that it is.",
            headers(("content-disposition" = String, description = "Whether to show it, and its name."))
        ),
        (status = 400, body = ErrorBody, description = "This server takes no attachments."),
        (status = 403, body = ErrorBody, description = "The link is not one of this server, or has expired."),
        (status = 404, body = ErrorBody, description = "There is no such attachment any more, or its bytes have not come."),
        (status = 503, body = ErrorBody, description = "Attachments cannot be reached."),
    )
)]
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
