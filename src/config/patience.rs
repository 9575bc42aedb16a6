//! How long the server waits for those who connect to it. No variable says so: a client that needs longer is none.

use std::time::Duration;

/// The head of a request must be there so soon after its first byte, and that of the first one so soon after the
/// connection.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// A body must be there so soon: who sends slower than that keeps a connection busy, and nothing else.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// A connection without a request is kept for so long: longer than the 60 to 75 s for which proxies do, or one of them
/// would send a request into a connection that is being closed.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(90);
/// The same for a proxy that the settings name: some keep theirs for ten minutes, and it is theirs that would be lost.
pub const PROXY_IDLE_TIME_MAX: Duration = Duration::from_secs(650);
/// A client that takes none of the bytes that wait for it, for so long, will not take them.
pub const UNREAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Whoever has a WebSocket is asked for a sign of life so often: proxies cut connections that are silent for 30 to 100 s.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// A WebSocket from which nothing comes for so long, no answer to a ping either, is closed.
pub const SILENCE_TIME_MAX: Duration = Duration::from_secs(60);

/// How long the server waits for those who connect to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request.
    pub head: Duration,
    /// For a body, but for an uploaded file.
    pub body: Duration,
    /// For the next request on a connection.
    pub idle: Duration,
    /// For the next request of a trusted proxy.
    pub idle_proxy: Duration,
    /// For bytes to be taken.
    pub unread: Duration,
    /// Between two pings on a WebSocket.
    pub ping: Duration,
    /// For anything to come from a WebSocket.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: HEAD_TIME_MAX,
            body: BODY_TIME_MAX,
            idle: IDLE_TIME_MAX,
            idle_proxy: PROXY_IDLE_TIME_MAX,
            unread: UNREAD_TIME_MAX,
            ping: PING_EVERY,
            silence: SILENCE_TIME_MAX,
        }
    }
}
