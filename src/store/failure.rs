//! What can go wrong with a database, sorted by what somebody can do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::StoreError;

/// Why a home could not be opened or prepared. Each sentence is for the operator; none holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read.
    #[error("this is not the address of a Postgres database: {0}")]
    NotAnAddress(&'static str),
    /// The folder for the file cannot be made.
    #[error("the folder `{}` cannot be made: {why}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The file is there and is something else.
    #[error("the file `{}` is not an SQLite database", file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be opened.
    #[error("the file `{}` cannot be opened: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// Nobody answers at that address.
    #[error("the database at `{place}` cannot be reached: {why}")]
    Unreachable {
        /// Host and port, or socket.
        place: String,
        /// What the system says.
        why: String,
    },
    /// The database answered, and does not let us in.
    #[error("the database at `{place}` does not let us in: {why}")]
    Denied {
        /// Host and port, or socket.
        place: String,
        /// What the database says.
        why: String,
    },
    /// The tables could not be made or brought up to date; nothing was changed.
    #[error("the tables could not be prepared: {0}")]
    Migration(String),
}

/// What preparing the tables did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that ran now, in order, such as `1 conversations`.
    pub applied: Vec<String>,
    /// How many had run before.
    pub already: usize,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if passes(&error) { Self::Away(error) } else { Self::Refused(error) }
    }
}

/// The error of a statement that was not answered within `limit`.
pub(super) fn silent(limit: Duration) -> StoreError {
    let told = format!("no answer within {} s", limit.as_secs());
    StoreError::Away(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, told)))
}

/// Whether the same call may succeed later.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(told) => told.code().is_some_and(|code| code_passes(&code)),
        _ => false,
    }
}

/// Postgres speaks in five characters, SQLite in numbers whose lowest byte is the kind.
fn code_passes(code: &str) -> bool {
    const SQLITE_PASSES: [u32; 6] = [5, 6, 10, 13, 14, 15]; // busy, locked, I/O, disk full, cannot open, locking protocol
    // Connection trouble, deadlocks and the like, no resources, a server that stops or starts, a lock or an answer that
    // came too late.
    const POSTGRES_PASSES: [&str; 6] = ["08", "40", "53", "57P0", "55P03", "57014"];
    match code.len() {
        5 => POSTGRES_PASSES.iter().any(|start| code.starts_with(start)),
        _ => code.parse::<u32>().is_ok_and(|number| SQLITE_PASSES.contains(&(number & 0xff))),
    }
}
