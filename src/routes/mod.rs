//! The doors: HTTP in, HTTP out. Nothing is decided here that another door would have to decide again.

mod accept;
mod accounts;
mod address;
mod adoption;
mod attachments;
mod body;
mod book;
mod chatkit;
mod cookies;
mod cors;
mod csrf;
mod disposition;
mod doors;
mod error;
mod form;
mod headers;
mod health;
mod identity;
mod limits;
mod members;
mod metrics;
mod named;
mod openapi;
mod personalize;
mod plain_chat;
mod playground;
mod profile;
mod request_id;
mod rewriting;
mod simple;
mod spoken;
mod sse;
mod stop;
mod translate;
mod visitor;
mod websocket;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use tower_http::catch_panic::CatchPanicLayer;

use self::doors::Doors;
use crate::app::App;

pub use doors::{Door, Entry};
pub use error::ApiError;
pub use identity::{SESSION_COOKIE, VISITOR_COOKIE, VISITOR_HEADER};
pub use sse::HEARTBEAT_EVERY;
pub use websocket::Held;

/// Every door of the house.
pub fn router(app: App) -> Router {
    all(&app.chatkit_paths)
        .router()
        .fallback(no_such_door)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), adoption::told))
        .layer(middleware::from_fn_with_state(app.clone(), csrf::guard))
        .layer(middleware::from_fn_with_state(limits::Gate::new(&app.limits, app.metrics.clone()), limits::pass))
        .layer(CatchPanicLayer::custom(panicked))
        // Around everything that may refuse: a page can only read a refusal that says so.
        .layer(cors::layer(&app.browsers.origins))
        .layer(middleware::map_response_with_state(app.clone(), headers::complete))
        .layer(middleware::from_fn_with_state(app.clone(), spoken::listen))
        .layer(middleware::from_fn_with_state(app.ids.clone(), request_id::name))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .with_state(app)
}

/// The list of all doors, in a house that serves the ChatKit protocol there.
pub fn list(chatkit_paths: &[String]) -> Vec<Door> {
    all(chatkit_paths).listed()
}

/// What all doors say of themselves, in OpenAPI 3.1, in a house that is reached at that address, or at the one that the
/// description comes from.
pub fn description(chatkit_paths: &[String], public_url: Option<&str>) -> serde_json::Value {
    openapi::document(all(chatkit_paths), public_url)
}

fn all(chatkit_paths: &[String]) -> Doors {
    chatkit::doors(chatkit_paths)
        .and(stop::doors(chatkit_paths))
        .and(attachments::doors(chatkit_paths))
        .and(plain_chat::doors())
        .and(websocket::doors())
        .and(personalize::doors())
        .and(translate::doors())
        .and(visitor::doors())
        .and(accounts::doors())
        .and(profile::doors())
        .and(health::doors())
        .and(metrics::doors())
        .and(book::doors())
        .and(playground::doors())
        .and(openapi::doors())
}

async fn no_such_door(uri: Uri) -> ApiError {
    let message = spoken::say_with("door-no-route", &[("path", uri.path().into())]);
    ApiError::spoken(StatusCode::NOT_FOUND, "no_such_route", message)
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("`{}` does not take {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// A defect of ours must not take the connection with it. The hook that prints panics has logged it already.
fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    use axum::response::IntoResponse;
    ApiError::spoken(StatusCode::INTERNAL_SERVER_ERROR, "internal", spoken::say("door-internal")).into_response()
}
