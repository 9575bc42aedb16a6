//! The client behind every outgoing HTTP request: one constructor, so that none goes out without limits.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{NoProxy, Proxy, redirect};

/// A host that does not accept a connection for so long is away.
pub const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// A connection nobody used for so long is closed.
const IDLE_CONNECTION_AGE_MAX: Duration = Duration::from_secs(90);

/// Idle connections kept to one host; more are closed after use.
const IDLE_CONNECTIONS_MAX: usize = 128;

/// How often a quiet connection is checked, so that a vanished peer is noticed.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("chatkit-gateway/", env!("CARGO_PKG_VERSION"));

const NEVER_PROXIED: &str = "localhost,127.0.0.0/8,::1";

/// A client with a pool of its own; clones share the pool.
///
/// It has no total time limit, since answers stream for minutes: whoever asks limits its own waits.
/// It follows no redirect, since the key would go along. `proxy` is the URL of the proxy for everything but loopback.
///
/// Fails when the proxy's URL makes no sense and where the system has no CA certificates.
pub fn client(proxy: Option<&str>) -> Result<reqwest::Client, reqwest::Error> {
    match proxy {
        Some(url) => builder().proxy(Proxy::all(url)?.no_proxy(NoProxy::from_string(NEVER_PROXIED))).build(),
        None => builder().no_proxy().build(),
    }
}

/// A client for looking at a server rather than using it: each request has a connection of its own and is sent once,
/// and an answer is what came, not what it unpacks to.
///
/// Fails where the system has no CA certificates.
pub fn inspecting_client() -> Result<reqwest::Client, reqwest::Error> {
    builder().no_proxy().pool_max_idle_per_host(0).no_gzip().retry(reqwest::retry::never()).build()
}

/// A client for addresses that somebody else wrote down: what a host's name stands for is up to `names`, which may
/// refuse it. It has no proxy, since a proxy would look the names up itself; and addresses that are numbers are not
/// shown to `names`, so they have to be judged before.
///
/// Fails where the system has no CA certificates.
pub fn guarded_client(names: Arc<dyn Resolve>) -> Result<reqwest::Client, reqwest::Error> {
    builder().no_proxy().dns_resolver(names).build()
}

#[expect(clippy::disallowed_methods, reason = "the one place that builds clients")]
fn builder() -> reqwest::ClientBuilder {
    install_crypto();
    reqwest::Client::builder()
        .connect_timeout(CONNECT_WAIT_MAX)
        .pool_idle_timeout(IDLE_CONNECTION_AGE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tcp_nodelay(true)
        .tcp_keepalive(PROBE_INTERVAL)
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .http2_keep_alive_timeout(CONNECT_WAIT_MAX)
        .redirect(redirect::Policy::none())
        .user_agent(USER_AGENT)
}

/// TLS needs one provider per process; whoever comes first installs it.
fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only where an embedding program has installed its own, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
