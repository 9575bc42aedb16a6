//! Taking connections, as many as there are places for.

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Speech;
use super::places::{Full, Places};
use super::pulse::Waits;
use crate::config::{LimitSettings, Patience};
use crate::identity::ClientAddress;

/// At the end, open connections get so long to fetch their last bytes.
const CONNECTIONS_WAIT_MAX: Duration = Duration::from_secs(2);
/// When the system has no room for another connection, it gets so long to find some.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(200);
/// What happens again and again is said once in so long.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Told to whom there is no place for, if it costs no waiting.
const HOUSE_FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// Told to whom has as many connections as one address may have.
const ADDRESS_FULL: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Answers whoever connects until `stop` resolves; then each connection ends after the request it has.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &LimitSettings,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let speech = Arc::new(Speech::new(router));
    let places = Places::new(limits.connections, limits.connections_per_address);
    let (closing, told) = watch::channel(false);
    let (mut open, mut stop) = (JoinSet::new(), pin!(stop));
    let (mut no_room, mut house_full, mut address_full) = (Rarely::default(), Rarely::default(), Rarely::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_clients(&error) => continue,
            Err(error) => {
                if let Some(times) = no_room.now() {
                    tracing::error!(%error, times, "The system gives no more connections; raise the limit of open files");
                }
                sleep(NO_ROOM_PAUSE).await;
                continue;
            }
        };
        let is_proxy = limits.trusts(peer.ip());
        let place = match places.take((!is_proxy).then(|| ClientAddress::new(peer.ip()))) {
            Ok(place) => place,
            Err(Full::House) => {
                turn_away(stream, HOUSE_FULL);
                if let Some(times) = house_full.now() {
                    tracing::warn!(times, "All connections are taken, and others are refused; see CONNECTIONS_MAX");
                }
                continue;
            }
            Err(Full::Address) => {
                turn_away(stream, ADDRESS_FULL);
                if let Some(times) = address_full.now() {
                    tracing::warn!(
                        times,
                        "An address has all the connections it may have, and further ones are refused; if it is a proxy, \
                         name it in TRUSTED_PROXIES, else see CONNECTIONS_PER_ADDRESS_MAX"
                    );
                }
                continue;
            }
        };
        let idle = if is_proxy { patience.idle_proxy } else { patience.idle };
        let waits = Waits { head: patience.head, idle, unread: patience.unread };
        let (speech, told) = (speech.clone(), told.clone());
        open.spawn(async move {
            speech.serve(stream, peer, waits, told).await;
            drop(place);
        });
    }
    drop(listener);
    closing.send_replace(true);
    // Connections whose last bytes nobody fetches are not waited for.
    let _ = timeout(CONNECTIONS_WAIT_MAX, async { while open.join_next().await.is_some() {} }).await;
}

/// Whether the client was gone before it was let in, which is nothing to wait for.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused)
}

/// Says why, without waiting for anything, and closes.
fn turn_away(stream: TcpStream, answer: &[u8]) {
    let Ok(mut stream) = stream.into_std() else { return };
    // A request that is there already and is not read would have the system throw the answer away.
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write(answer);
    let _ = stream.shutdown(std::net::Shutdown::Write);
}

/// Keeps a line that could be written for every connection from filling the log.
#[derive(Debug, Default)]
struct Rarely {
    said: Option<Instant>,
    times: u64,
}

impl Rarely {
    /// How often it happened since it was last said, if it may be said now.
    fn now(&mut self) -> Option<u64> {
        self.times += 1;
        if self.said.is_some_and(|said| said.elapsed() < SAID_EVERY) {
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.times))
    }
}
