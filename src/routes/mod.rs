//! The doors: HTTP in, HTTP out. Nothing is decided here that another door would have to decide again.

mod attachments;
mod body;
mod book;
mod chatkit;
mod cors;
mod disposition;
mod error;
mod form;
mod health;
mod identity;
mod plain_chat;
mod request_id;
mod simple;
mod sse;
mod stop;
mod visitor;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;

pub use error::ApiError;
pub use identity::{VISITOR_COOKIE, VISITOR_HEADER};
pub use sse::HEARTBEAT_EVERY;

/// Every door of the house.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(chatkit::router(&app.chatkit_paths))
        .merge(stop::router(&app.chatkit_paths))
        .merge(attachments::router(&app.chatkit_paths))
        .merge(plain_chat::router())
        .merge(visitor::router())
        .merge(health::router())
        .merge(book::router())
        .fallback(no_such_door)
        .method_not_allowed_fallback(wrong_method)
        .layer(cors::layer(&app.cors_origins))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.ids.clone(), request_id::name))
        .with_state(app)
}

async fn no_such_door(uri: Uri) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_route", format!("there is nothing at `{}`", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("`{}` does not take {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// A defect of ours must not take the connection with it. The hook that prints panics has logged it already.
fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    use axum::response::IntoResponse;
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong on our side").into_response()
}
