//! How a connection becomes a WebSocket (RFC 6455, section 4.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::Instrument;

use crate::routes::error::ApiError;

/// The one version there is.
const VERSION: &str = "13";
/// Sixteen bytes in base64.
const KEY_BYTES: usize = 24;

/// A connection that is a WebSocket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A request that may be answered by becoming one.
pub(super) struct Handshake {
    upgrade: OnUpgrade,
    /// What tells the client that it was understood.
    accept: HeaderValue,
}

impl Handshake {
    /// Whether a request is a handshake.
    pub(super) fn of(request: &mut Request) -> Result<Self, ApiError> {
        if request.version() > Version::HTTP_11 {
            let message = "a WebSocket begins on HTTP/1.1 here; connect without HTTP/2";
            return Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "websocket_needs_http_1_1", message)
                .with_header(header::ALLOW, HeaderValue::from_static("GET")));
        }
        let headers = request.headers();
        let asks = lists(headers, &header::CONNECTION, "upgrade") && lists(headers, &header::UPGRADE, "websocket");
        if request.method() != Method::GET || !asks {
            return Err(upgrade_required("this is the door of a WebSocket; connect with a client for those"));
        }
        if !lists(headers, &header::SEC_WEBSOCKET_VERSION, VERSION) {
            return Err(upgrade_required("a WebSocket has `Sec-WebSocket-Version: 13` here"));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if key.len() != KEY_BYTES {
            let message = "`Sec-WebSocket-Key` must be sixteen random bytes in base64";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_request", message));
        }
        let accept = HeaderValue::try_from(derive_accept_key(key)).expect("base64 can stand in a header");
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let upgrade = upgrade.ok_or_else(|| upgrade_required("this connection cannot become a WebSocket"))?;
        Ok(Self { upgrade, accept })
    }

    /// The answer after which the connection is a WebSocket, and `talk` has it.
    pub(super) fn accept<F>(self, limits: WebSocketConfig, talk: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let Self { upgrade, accept } = self;
        let talking = async move {
            match upgrade.await {
                Ok(upgraded) => {
                    let connection = TokioIo::new(upgraded);
                    talk(WebSocketStream::from_raw_socket(connection, Role::Server, Some(limits)).await).await;
                }
                Err(error) => tracing::debug!(%error, "A connection did not become a WebSocket"),
            }
        };
        #[expect(clippy::disallowed_methods, reason = "it is no turn; a server that stops waits for what it holds")]
        tokio::spawn(talking.in_current_span());
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}

fn upgrade_required(message: &str) -> ApiError {
    ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
        .with_header(header::CONNECTION, HeaderValue::from_static("upgrade"))
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION))
}

/// Whether a header that lists words lists this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}
