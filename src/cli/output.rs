//! Standard output: what is written there, and what it means when nobody reads it.

use std::fmt::Display;
use std::io::{self, Write};

/// A result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the result cannot be written to standard output")]
pub(super) struct Unwritten(#[source] io::Error);

impl Unwritten {
    /// Whether the reader has seen enough and hung up, as `head` does. That is no failure.
    pub(super) fn is_enough(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes a piece of a result, at once.
pub(super) fn write(text: impl Display) -> Result<(), Unwritten> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(Unwritten)
}

/// Writes a line of a result.
pub(super) fn line(text: impl Display) -> Result<(), Unwritten> {
    write(format_args!("{text}\n"))
}
