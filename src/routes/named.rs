//! What a path names: the one parameter of a door's path.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::error::ApiError;
use super::spoken;
use crate::app::App;

/// The parameter, decoded. A path that is no text after that names nothing.
pub(super) struct Named(pub(super) String);

impl FromRequestParts<App> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let undecodable =
            |_| ApiError::spoken(StatusCode::NOT_FOUND, "no_such_route", spoken::say("door-path-no-text"));
        let Path(named) = Path::from_request_parts(parts, app).await.map_err(undecodable)?;
        Ok(Self(named))
    }
}
