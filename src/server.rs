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
    let attachments = app.attachments.clone();
    let (stopping, drained) = (CancellationToken::new(), CancellationToken::new());
    // Small frames must leave at once; the system would wait for more to come.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, routes::router(app)).with_graceful_shutdown(drained.clone().cancelled_owned());
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
    let mut served = std::pin::pin!(async { server.await.context("the server failed") });
    let mut stopped = std::pin::pin!(async { tokio::join!(signal, shutdown, sweeping) });
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
    next_signal().await;
    #[expect(clippy::disallowed_methods, reason = "it outlives every turn, and must not be waited for")]
    tokio::spawn(async {
        next_signal().await;
        tracing::warn!("Stopping at once at the second signal");
        std::process::exit(1);
    });
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("a handler for SIGTERM can be installed");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
