//! A name for each request: in its answer, in its errors, in the log.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::identity::Ids;

/// The header of the answer.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The name of the request that is being answered; empty outside of one.
pub(super) fn current() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Names something that is asked on a connection that asks more than once, and opens its span.
pub(super) async fn scope<T>(ids: &Ids, path: &str, asking: impl Future<Output = T>) -> T {
    let id = ids.mint("req");
    let span = tracing::info_span!("request", request.id = %id, http.path = path);
    REQUEST_ID.scope(id, asking.instrument(span)).await
}

/// Names the request, opens its span, and says what became of it.
pub(super) async fn name(State(ids): State<Ids>, request: Request, next: Next) -> Response {
    let id = ids.mint("req");
    let span = tracing::info_span!("request", request.id = %id, http.method = %request.method(), http.path = request.uri().path());
    let header = HeaderValue::from_str(&id).ok();
    let answer = async {
        let started = std::time::Instant::now();
        let mut response = next.run(request).await;
        if let Some(header) = header {
            response.headers_mut().insert(HEADER, header);
        }
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        let status = response.status().as_u16();
        match response.status().is_server_error() {
            true => tracing::warn!(http.status = status, duration_ms, "Answered with a failure"),
            false => tracing::debug!(http.status = status, duration_ms, "Answered"),
        }
        response
    };
    REQUEST_ID.scope(id, answer.instrument(span)).await
}
