//! One connection: HTTP/1.1 or HTTP/2 as the client begins it, within limits of size, number and time.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode, Version, header};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::pulse::{self, Pulse, Waits, Watched};
use crate::config::UNREAD_TIME_MAX;
use crate::routes::Held;

/// The head of a request, all its headers together, on HTTP/1.1. There may be 100 headers, which is hyper's own limit.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The same on HTTP/2, unpacked.
const HTTP2_HEAD_BYTES_MAX: u32 = 64 * 1024;
/// Requests of one HTTP/2 connection that are answered at once.
const HTTP2_REQUESTS_MAX: u32 = 128;
/// Requests of one HTTP/2 connection that were taken back before anybody looked at them; who does so more often does
/// nothing else.
const HTTP2_TAKEN_BACK_MAX: usize = 20;
/// Requests of one HTTP/2 connection that broke the protocol.
const HTTP2_BROKEN_MAX: usize = 128;
/// Bytes of one answer that wait in an HTTP/2 connection for a client that is slow at reading.
const HTTP2_UNSENT_BYTES_MAX: usize = 64 * 1024;
/// An HTTP/2 connection on which nothing happens is asked for a sign of life so often.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);
/// And must give it so soon.
const HTTP2_PING_TIME_MAX: Duration = Duration::from_secs(20);
/// On a silent connection the system looks after so long whether the peer is still there.
const PROBE_AFTER: Duration = Duration::from_secs(60);
/// And again so often.
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// What every connection speaks.
pub(super) struct Speech {
    builder: Builder<TokioExecutor>,
    router: TowerToHyperService<Router>,
}

impl Speech {
    pub(super) fn new(router: Router) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(HTTP2_PING_EVERY)
            .keep_alive_timeout(HTTP2_PING_TIME_MAX)
            .max_concurrent_streams(HTTP2_REQUESTS_MAX)
            .max_header_list_size(HTTP2_HEAD_BYTES_MAX)
            .max_pending_accept_reset_streams(HTTP2_TAKEN_BACK_MAX)
            .max_local_error_reset_streams(HTTP2_BROKEN_MAX)
            .max_send_buf_size(HTTP2_UNSENT_BYTES_MAX);
        Self { builder, router: TowerToHyperService::new(router) }
    }

    /// Answers one client until it goes, is too slow, or `closing` says that the request it has is the last.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        waits: Waits,
        closing: watch::Receiver<bool>,
    ) {
        prepare(&stream);
        let pulse = Arc::new(Pulse::default());
        let socket = TokioIo::new(Watched::new(stream, pulse.clone(), waits));
        let left = CancellationToken::new();
        self.speak(socket, peer, &pulse, Held::until_gone(&left), closing).await;
        // Somebody may have asked for the connection itself, and have it still.
        left.cancelled().await;
    }

    async fn speak(
        &self,
        socket: TokioIo<Watched<TcpStream>>,
        peer: SocketAddr,
        pulse: &Arc<Pulse>,
        held: Held,
        closing: watch::Receiver<bool>,
    ) {
        let answer = service_fn(|request| self.answer(request, peer, pulse, &held));
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(socket, answer));
        let mut told = closing.clone();
        let mut end = pin!(told.wait_for(|closing| *closing));
        let (mut is_asked, mut is_told) = (false, false);
        let served = poll_fn(|context| {
            // A task keeps its waker, so asking once is enough; asking for every chunk would take a lock for each.
            if !is_told && (!is_asked || closing.has_changed().unwrap_or(true)) {
                is_asked = true;
                pulse.is_watched_by(context.waker());
                if end.as_mut().poll(context).is_ready() {
                    is_told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
            connection.as_mut().poll(context)
        });
        if let Err(error) = served.await {
            tracing::trace!(%error, "A connection broke");
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        pulse: &Arc<Pulse>,
        held: &Held,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
        let open = pulse.begin(request.version() == Version::HTTP_2);
        request.extensions_mut().insert(ConnectInfo(peer));
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(held.clone());
        }
        let answering = self.router.call(request);
        async move {
            let answer = answering.await?;
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                // What follows is no request, and is not timed like one.
                open.hand_over();
            }
            Ok(answer.map(|body| Answer { body, _open: open }))
        }
    }
}

/// The body of an answer. The request is open until its last byte has left.
struct Answer {
    body: Body,
    _open: pulse::Request,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Small frames leave at once, and a peer that has vanished without a word is noticed.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY));
    // What was sent and is not acknowledged keeps the system from looking, and by itself it would wait for a quarter of
    // an hour.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNREAD_TIME_MAX));
}
