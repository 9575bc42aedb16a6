//! Logs: what is written, in which form, and what is never written.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{LogSettings, Mistake, Mistakes};

/// Libraries that handle what others wrote or sent: requests, statements, addresses, pages. Below `warn` they may write
/// any of that down, so there they are not heard, whatever filter somebody asks for.
///
/// A test holds this list against the crates that can log at all.
pub const UNHEARD: &[&str] = &[
    "globset",
    "h2",
    "html5ever",
    "hyper",
    "hyper_util",
    "iana_time_zone",
    "jni",
    "markup5ever",
    "object_store",
    "qdrant_client",
    "reqwest",
    "rustls",
    "rustls_platform_verifier",
    "sqlx",
    "sqlx_core",
    "sqlx_mysql",
    "sqlx_postgres",
    "sqlx_sqlite",
    "tokio_tungstenite",
    "tonic",
    "tower",
    "tower_http",
    "tungstenite",
    "zopfli",
];

/// Begins to log to standard error, so that standard output stays for results; panics are told without their payload.
///
/// # Errors
/// The filter cannot be understood.
pub fn start(settings: &LogSettings) -> Result<(), Mistakes> {
    let filter = filter(settings).map_err(|mistake| Mistakes(vec![mistake]))?;
    let discreet = filter_fn(|about| *about.level() <= Level::WARN || !is_unheard(about.target()));
    // Colours are for a terminal; in a file or a collector they would be noise.
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match settings.json {
        true => lines.json().flatten_event(true).boxed(),
        false => lines.with_target(false).boxed(),
    };
    // A second start in one process, as tests do, leaves the first in place.
    let _ = tracing_subscriber::registry().with(lines).with(discreet).with(filter).try_init();
    tell_panics_without_payload();
    Ok(())
}

/// What is written.
///
/// # Errors
/// The filter cannot be understood.
pub fn filter(settings: &LogSettings) -> Result<EnvFilter, Mistake> {
    EnvFilter::try_new(&settings.filter).map_err(|_| {
        let remedy = "must be `error`, `warn`, `info`, `debug`, or a filter such as `info,chatkit_gateway=debug`";
        Mistake { variable: "LOG_LEVEL".to_owned(), remedy: remedy.to_owned() }
    })
}

fn is_unheard(target: &str) -> bool {
    UNHEARD.contains(&target.split("::").next().unwrap_or_default())
}

/// From now on a panic of this process is one line, or with `RUST_BACKTRACE` one line and a backtrace: where it happened,
/// and its message if that stands so in the code. A message that was put together may hold what a reader wrote, or a key.
pub fn tell_panics_without_payload() {
    std::panic::set_hook(Box::new(|panic| {
        let (place, message) = (place(panic), message(panic));
        let backtrace = Backtrace::capture();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(panic.place = place, panic.message = message, "The program panicked");
        } else {
            let _ = writeln!(std::io::stderr(), "The program panicked at {place}: {message}");
        }
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(std::io::stderr(), "{backtrace}");
        }
    }));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

fn message(panic: &PanicHookInfo<'_>) -> &'static str {
    const NOT_SHOWN: &str = "(the message is not shown: it may hold what somebody wrote)";
    panic.payload().downcast_ref::<&'static str>().copied().unwrap_or(NOT_SHOWN)
}
