//! Listening, serving, and stopping without losing anything.

use std::future::Future;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::HttpSettings;
use crate::routes;

/// Takes the address of the settings.
///
/// # Errors
/// Somebody else has it, or this machine does not.
pub async fn listen(settings: &HttpSettings) -> Result<TcpListener> {
    let address = SocketAddr::new(settings.host, settings.port);
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; set PORT (and HOST) to a free one"))
}

/// Serves until `stop` resolves; then new turns are refused, running ones finish within the grace, and all is kept.
///
/// # Errors
/// The listener failed.
pub async fn run(
    listener: TcpListener,
    app: App,
    settings: &HttpSettings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let turns = app.chat.turns().clone();
    turns.sweep_in_background();
    let (attachments, accounts) = (app.attachments.clone(), app.auth.accounts().cloned());
    let quota = app.quota.clone();
    let (stopping, drained) = (CancellationToken::new(), CancellationToken::new());
    // Small frames must leave at once; the system would wait for more to come.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, routes::router(app).into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(drained.clone().cancelled_owned());
    let signal = async {
        stop.await;
        stopping.cancel();
    };
    let shutdown = async {
        stopping.cancelled().await;
        tracing::info!(turns = turns.count(), "Stopping: no new turns, running ones may finish");
        turns.shut_down(settings.shutdown_grace).await;
        drained.cancel();
    };
    let sweeping = async {
        if let Some(attachments) = attachments {
            attachments.sweep_now_and_then(stopping.clone()).await;
        }
    };
    let forgetting = quota.sweep_now_and_then(stopping.clone());
    let sweeping_accounts = async {
        if let Some(accounts) = accounts {
            accounts.sweep_now_and_then(stopping.clone()).await;
        }
    };
    let mut served = std::pin::pin!(async { server.await.context("the server failed") });
    let mut stopped = std::pin::pin!(async { tokio::join!(signal, shutdown, sweeping, forgetting, sweeping_accounts) });
    tokio::select! {
        result = &mut served => return result,
        _ = &mut stopped => {}
    }
    // Connections that are idle, or whose last bytes nobody fetches, are not waited for.
    match tokio::time::timeout(CONNECTIONS_WAIT_MAX, served).await {
        Ok(result) => result,
        Err(_) => Ok(()),
    }
}

/// After all turns have ended, open connections get so long to fetch their last bytes.
const CONNECTIONS_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(2);

/// Resolves at the first signal to stop; a second one ends the process with what the last checkpoints hold.
pub async fn signalled() {
    let mut signals = Signals::new();
    signals.next().await;
    #[expect(clippy::disallowed_methods, reason = "it outlives every turn, and must not be waited for")]
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("Stopping at once at the second signal");
        std::process::exit(1);
    });
}

/// The signals to stop. One that comes while nobody waits for it is kept for who waits next: a second signal may follow
/// the first at once.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let handler = |kind| signal(kind).expect("a handler for a signal to stop can be installed");
        Self { interrupt: handler(SignalKind::interrupt()), terminate: handler(SignalKind::terminate()) }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signal to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
