//! Logs: what is written, in which form.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogSettings, Mistake, Mistakes};

/// Begins to log to standard error, so that standard output stays for results.
///
/// # Errors
/// The filter cannot be understood.
pub fn start(settings: &LogSettings) -> Result<(), Mistakes> {
    let filter = filter(settings).map_err(|mistake| Mistakes(vec![mistake]))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for a terminal; in a file or a collector they would be noise.
    let log = if std::io::stderr().is_terminal() { log } else { log.with_ansi(false) };
    // A second start in one process, as tests do, leaves the first in place.
    let _ = match settings.json {
        true => log.json().flatten_event(true).try_init(),
        false => log.with_target(false).try_init(),
    };
    Ok(())
}

/// What is written.
///
/// # Errors
/// The filter cannot be understood.
pub fn filter(settings: &LogSettings) -> Result<EnvFilter, Mistake> {
    // The level of a library we call is its own affair unless somebody asks for it.
    let text = match settings.filter.as_str() {
        level @ ("trace" | "debug" | "info" | "warn" | "error" | "off") => {
            format!("{level},sqlx=warn,hyper=warn,h2=warn,reqwest=warn,rustls=warn")
        }
        filter => filter.to_owned(),
    };
    EnvFilter::try_new(text).map_err(|_| {
        let remedy = "must be `error`, `warn`, `info`, `debug`, or a filter such as `info,chatkit_gateway=debug`";
        Mistake { variable: "LOG_LEVEL".to_owned(), remedy: remedy.to_owned() }
    })
}
