//! Connections as clients of all kinds make them, byte by byte.

mod http2;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::accept;
use crate::config::{LimitSettings, Patience};

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(20);
/// A wait that a test wants to see end.
const SHORT: Duration = Duration::from_millis(60);

/// A server that ends with the test.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinSet<()>,
}

/// A connection that writes what it is told.
struct Client(TcpStream);

fn patience() -> Patience {
    let (head, body, idle, idle_proxy, unread) = (SOON * 2, SOON * 2, SOON * 2, SOON * 2, SOON * 2);
    Patience { head, body, idle, idle_proxy, unread, ..Patience::default() }
}

fn doors() -> Router {
    let peer = get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string());
    Router::new().route("/", get("well")).route("/peer", peer)
}

async fn serve(router: Router, limits: LimitSettings, patience: Patience) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let (stopped, mut running) = (stop.clone().cancelled_owned(), JoinSet::new());
    running.spawn(async move { accept::serve(listener, router, &limits, patience, stopped).await });
    Server { address, stop, running }
}

impl Server {
    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Asks it to stop, and waits until it has.
    async fn stop(mut self) {
        self.stop.cancel();
        timeout(SOON, self.running.join_next()).await.expect("it stops").unwrap().unwrap();
    }
}

impl Client {
    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn ask(&mut self, path: &str) -> String {
        self.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        self.answer().await
    }

    /// The head of an answer, and what of its body came with it.
    async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = timeout(SOON, self.0.read_buf(&mut answer)).await.expect("an answer comes").unwrap();
            assert!(count > 0, "the connection ended after {:?}", String::from_utf8_lossy(&answer));
        }
        String::from_utf8(answer).unwrap()
    }

    /// Waits until the server has closed the connection; what it sent before.
    async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A connection that is reset is closed, too.
        let _ = timeout(SOON, self.0.read_to_end(&mut rest)).await.expect("the server closes the connection");
        rest
    }
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = serve(doors(), LimitSettings::default(), Patience { head: SHORT, ..patience() }).await;
    assert_eq!(server.connect().await.closed().await, b"");
}

#[tokio::test]
async fn a_head_that_does_not_end_in_time_is_given_up_however_it_dribbles() {
    let server = serve(doors(), LimitSettings::default(), Patience { head: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    assert!(client.ask("/").await.starts_with("HTTP/1.1 200"), "the first one was in time");
    let (mut read, mut write) = client.0.into_split();
    let dribble = async {
        let mut bytes = b"GET / HTTP/1.1\r\nx: ".iter().copied().chain(std::iter::repeat(b'x'));
        let mut beat = tokio::time::interval(SHORT / 20);
        while write.write_all(&[bytes.next().unwrap()]).await.is_ok() {
            beat.tick().await;
        }
    };
    let mut rest = Vec::new();
    let closed = async { read.read_to_end(&mut rest).await };
    timeout(SOON, async { tokio::join!(dribble, closed) }).await.expect("it is given up").1.ok();
    assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_may_be_silent_between_requests_for_longer_than_a_head_may_take() {
    let server = serve(doors(), LimitSettings::default(), Patience { head: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.ask("/").await;
    // When this one is closed, the time for a head has gone by.
    server.connect().await.closed().await;
    assert!(client.ask("/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_without_a_further_request_is_closed_in_the_end() {
    let server = serve(doors(), LimitSettings::default(), Patience { idle: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.ask("/").await;
    client.closed().await;
}

#[tokio::test]
async fn a_trusted_proxy_keeps_its_idle_connections_for_longer() {
    let limits = LimitSettings { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..LimitSettings::default() };
    let server = serve(doors(), limits, Patience { head: SHORT, idle: SHORT, ..patience() }).await;
    let mut proxy = server.connect().await;
    proxy.ask("/").await;
    server.connect().await.closed().await;
    assert!(proxy.ask("/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_answer_may_take_longer_than_any_silence() {
    let (send, receive) = oneshot::channel::<()>();
    let receive = std::sync::Arc::new(tokio::sync::Mutex::new(Some(receive)));
    let slow = get(move || async move {
        let receive = receive.lock().await.take().unwrap();
        receive.await.unwrap();
        "at last"
    });
    let router = doors().route("/slow", slow);
    let server = serve(router, LimitSettings::default(), Patience { head: SHORT, idle: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.connect().await.closed().await;
    send.send(()).unwrap();
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));
}

/// Says when it is dropped.
struct Gone(mpsc::UnboundedSender<()>);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// An answer without an end, and what hears when it is given up.
fn endless() -> (Router, mpsc::UnboundedReceiver<()>) {
    let (told, gone) = mpsc::unbounded_channel();
    let answer = move || {
        let gone = Gone(told.clone());
        async move {
            let pieces = futures_util::stream::repeat_with(move || {
                let _ = &gone;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 64 * 1024]))
            });
            Body::from_stream(pieces)
        }
    };
    (doors().route("/endless", get(answer)), gone)
}

#[tokio::test]
async fn a_client_that_never_reads_is_given_up() {
    let (router, mut gone) = endless();
    let server = serve(router, LimitSettings::default(), Patience { unread: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    timeout(SOON, gone.recv()).await.expect("the answer is given up").unwrap();
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_given_up() {
    let (router, mut gone) = endless();
    let unread = SHORT * 10;
    let server = serve(router, LimitSettings::default(), Patience { unread, ..patience() }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut client = Client(socket.connect(server.address).await.unwrap());
    client.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (started, mut piece) = (Instant::now(), vec![0; 4 * 1024]);
    while started.elapsed() < unread * 2 {
        timeout(SOON, client.0.read_exact(&mut piece)).await.unwrap().expect("it goes on");
    }
    assert!(gone.try_recv().is_err());
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_until_others_end() {
    let limits = LimitSettings { connections: Some(2), ..LimitSettings::default() };
    let server = serve(doors(), limits, patience()).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.ask("/").await;
    second.ask("/").await;
    let refused = server.connect().await.closed().await;
    assert!(refused.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&refused));
    drop(first);
    let accepted = async {
        loop {
            let mut client = server.connect().await;
            client.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ok();
            if client.closed().await.starts_with(b"HTTP/1.1 200") {
                return;
            }
        }
    };
    timeout(SOON, accepted).await.expect("a place is free");
}

#[tokio::test]
async fn one_address_leaves_places_for_others_and_a_proxy_counts_as_no_address() {
    let own = LimitSettings { connections_per_address: Some(1), ..LimitSettings::default() };
    let server = serve(doors(), own.clone(), patience()).await;
    let mut first = server.connect().await;
    first.ask("/").await;
    let refused = server.connect().await.closed().await;
    assert!(refused.starts_with(b"HTTP/1.1 429 "), "{}", String::from_utf8_lossy(&refused));
    let elsewhere = TcpSocket::new_v4().unwrap();
    elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Client(elsewhere.connect(server.address).await.unwrap());
    assert!(other.ask("/peer").await.contains("127.0.0.2"));

    let proxied = LimitSettings { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..own };
    let server = serve(doors(), proxied, patience()).await;
    let mut clients = [server.connect().await, server.connect().await, server.connect().await];
    for client in &mut clients {
        assert!(client.ask("/").await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = serve(doors(), LimitSettings::default(), patience()).await;
    for headers in [format!("x: {}\r\n", "y".repeat(80 * 1024)), "x: y\r\n".repeat(101)] {
        let (mut read, mut write) = server.connect().await.0.into_split();
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let mut answer = Vec::new();
        // The server does not read all of it, and may be gone before all of it is written.
        let (_, _) = tokio::join!(write.write_all(head.as_bytes()), timeout(SOON, read.read_to_end(&mut answer)));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn what_a_connection_is_handed_over_for_is_not_timed_like_requests() {
    let upgrade = get(async |mut request: axum::extract::Request| {
        let upgraded = hyper::upgrade::on(&mut request);
        #[expect(clippy::disallowed_methods, reason = "it ends with its connection")]
        tokio::spawn(async move {
            let mut connection = TokioIo::new(upgraded.await.unwrap());
            let mut byte = [0];
            while connection.read_exact(&mut byte).await.is_ok() {
                connection.write_all(&byte).await.unwrap();
            }
        });
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        answer.headers_mut().insert(header::UPGRADE, "echo".parse().unwrap());
        answer.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
        answer
    });
    let router = doors().route("/echo", upgrade);
    let server = serve(router, LimitSettings::default(), Patience { head: SHORT, idle: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.write(b"GET /echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n").await;
    assert!(client.answer().await.starts_with("HTTP/1.1 101"));
    // Two of them one after the other: both waits have gone by.
    server.connect().await.closed().await;
    server.connect().await.closed().await;
    client.write(b"!").await;
    let mut echo = [0];
    timeout(SOON, client.0.read_exact(&mut echo)).await.expect("it answers").unwrap();
    assert_eq!(echo, *b"!");
}

#[tokio::test]
async fn at_the_end_answers_are_finished_and_idle_connections_closed() {
    let (pieces, held) = mpsc::unbounded_channel::<&'static str>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(Some(held)));
    let answer = get(move || {
        let held = held.lock().unwrap().take().unwrap();
        async { Body::from_stream(tokio_stream::wrappers::UnboundedReceiverStream::new(held).map(Ok::<_, Infallible>)) }
    });
    let server = serve(doors().route("/held", answer), LimitSettings::default(), patience()).await;
    let (mut idle, mut busy, address) = (server.connect().await, server.connect().await, server.address);
    idle.ask("/").await;
    pieces.send("first").unwrap();
    busy.ask("/held").await;
    let finishing = async {
        idle.closed().await;
        pieces.send("last").unwrap();
        drop(pieces);
        assert!(String::from_utf8_lossy(&busy.closed().await).ends_with("last\r\n0\r\n\r\n"));
    };
    tokio::join!(server.stop(), finishing);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn at_the_end_nobody_waits_for_who_does_not_read() {
    let (router, mut gone) = endless();
    let server = serve(router, LimitSettings::default(), patience()).await;
    let mut client = server.connect().await;
    client.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.answer().await;
    server.stop().await;
    timeout(SOON, gone.recv()).await.expect("the answer is given up").unwrap();
}
