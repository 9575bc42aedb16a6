//! Listening, serving, and stopping without losing anything.

mod accept;
mod connection;
mod places;
mod pulse;
mod stop;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::HttpSettings;
use crate::routes;

pub use stop::signalled;

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
    let (limits, quota, rewrites) = (app.limits.clone(), app.quota.clone(), app.rewrites.clone());
    let (stopping, drained) = (CancellationToken::new(), CancellationToken::new());
    let serving =
        accept::serve(listener, routes::router(app), &limits, settings.patience, drained.clone().cancelled_owned());
    let signal = async {
        stop.await;
        stopping.cancel();
    };
    let shutdown = async {
        stopping.cancelled().await;
        tracing::info!(turns = turns.count(), "Stopping: no new turns, running ones may finish");
        let grace = settings.shutdown_grace;
        tokio::join!(turns.shut_down(grace), rewrites.shut_down(grace));
        drained.cancel();
    };
    let sweeping = async {
        if let Some(attachments) = attachments {
            attachments.sweep_now_and_then(stopping.clone()).await;
        }
    };
    let forgetting = quota.sweep_now_and_then(stopping.clone());
    let sweeping_rewrites = rewrites.clone().sweep_now_and_then(stopping.clone());
    let sweeping_accounts = async {
        if let Some(accounts) = accounts {
            accounts.sweep_now_and_then(stopping.clone()).await;
        }
    };
    tokio::join!(serving, signal, shutdown, sweeping, forgetting, sweeping_rewrites, sweeping_accounts);
    Ok(())
}
