//! Being told to stop, once or twice.

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
