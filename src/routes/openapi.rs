//! What the doors say of themselves, as one document: OpenAPI 3.1.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

use super::doors::Doors;

/// The document of these doors.
pub(super) fn document(doors: Doors) -> OpenApi {
    let (paths, schemas) = doors.described();
    let info = InfoBuilder::new().title("chatkit-gateway").version(env!("CARGO_PKG_VERSION")).build();
    let components = schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
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
