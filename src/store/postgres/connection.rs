//! The pool: how connections are made, lent, and given up.

use std::time::Duration;

use secrecy::SecretString;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPoolOptions, PgRow};
use sqlx::query::QueryAs;
use sqlx::{ConnectOptions, Connection, FromRow, PgPool, Postgres};
use tokio::time::{error::Elapsed, timeout};

use super::pooler;
use crate::store::failure::silent;
use crate::store::{OpenError, StoreError};

/// How long a call waits for a connection; a database that scaled to zero needs a few seconds to wake.
pub(super) const ACQUIRE_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a statement may take.
pub(super) const STATEMENT_WAIT_MAX: Duration = Duration::from_secs(15);
/// Connections idle for longer are closed: below the five minutes after which databases go to sleep.
const IDLE_MAX: Duration = Duration::from_secs(4 * 60);
/// Connections idle for longer are asked for a sign of life before they are lent; others save the round trip.
const IDLE_TRUSTED_MAX: Duration = Duration::from_secs(20);
/// How long that sign of life may take.
const PING_WAIT_MAX: Duration = Duration::from_secs(3);

/// How to connect.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where migrations go, when the database itself is reached through a pooler. Without one it is derived for Neon,
    /// and otherwise the same.
    pub direct_url: Option<SecretString>,
    /// Connections at most.
    pub connections_max: u32,
    /// How long migrations wait for somebody who has one of the tables, or for another instance that migrates.
    pub lock_wait: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { direct_url: None, connections_max: 10, lock_wait: Duration::from_secs(60) }
    }
}

/// The pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: PgPool,
    /// Whether statements stay where they were named; see `pooler`.
    keeps_statements: bool,
}

impl Pool {
    /// Closes the connections once what is under way is done.
    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

/// Connects once, so that a wrong address is told at once and with its reason: a pool would go on trying, and hide it.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let place = place(options);
    match timeout(ACQUIRE_WAIT_MAX, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(sqlx::Error::Database(told))) if told.code().is_some_and(|code| is_denial(&code)) => {
            Err(OpenError::Denied { place, why: told.message().to_owned() })
        }
        Ok(Err(sqlx::Error::Io(why))) => Err(OpenError::Unreachable { place, why: why.to_string() }),
        Ok(Err(why)) => Err(OpenError::Unreachable { place, why: why.to_string() }),
        Err(Elapsed { .. }) => Err(no_answer(place)),
    }
}

/// Host and port, or socket.
fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn no_answer(place: String) -> OpenError {
    OpenError::Unreachable { place, why: format!("no answer within {} s", ACQUIRE_WAIT_MAX.as_secs()) }
}

/// Wrong user, wrong password, no such database, no right to connect.
fn is_denial(code: &str) -> bool {
    code.starts_with("28") || matches!(code, "3D000" | "42501")
}

/// A pool of connections to a database that answers: nothing in it depends on the session, so it works through a pooler
/// in transaction mode.
pub(super) async fn pool(options: PgConnectOptions, connections_max: u32) -> Result<Pool, OpenError> {
    let mut connection = connect(&options).await?;
    let place = place(&options);
    let asked = timeout(ACQUIRE_WAIT_MAX, pooler::keeps_statements(&options, &mut connection)).await;
    let keeps_statements = match asked {
        Ok(Ok(keeps)) => keeps,
        Ok(Err(why)) => return Err(OpenError::Unreachable { place, why: why.to_string() }),
        Err(Elapsed { .. }) => return Err(no_answer(place)),
    };
    if !keeps_statements {
        tracing::warn!(
            "Between here and the database stands a pooler that keeps no named statements: each statement takes three \
             round trips. A newer one (PgBouncer 1.21 with max_prepared_statements) or a direct address takes one"
        );
    }
    // Nothing hangs on a polite end of a connection that only was asked.
    let _ = connection.close().await;
    Ok(Pool { connections: connections(options, connections_max), keeps_statements })
}

fn connections(options: PgConnectOptions, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max.max(1))
        .min_connections(0)
        .acquire_timeout(ACQUIRE_WAIT_MAX)
        .idle_timeout(IDLE_MAX)
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for < IDLE_TRUSTED_MAX {
                    return Ok(true);
                }
                Ok(matches!(timeout(PING_WAIT_MAX, connection.ping()).await, Ok(Ok(()))))
            })
        })
        .connect_lazy_with(options)
}

/// A connection on loan. Work on it that was not seen to its end costs the connection: a server that went silent would
/// otherwise keep its place in the pool until the network gives up, a quarter of an hour later.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    keeps_statements: bool,
    at_rest: bool,
}

impl Lent {
    pub(super) async fn from(pool: &Pool) -> Result<Self, StoreError> {
        let keeps_statements = pool.keeps_statements;
        Ok(Self { connection: pool.connections.acquire().await?, keeps_statements, at_rest: true })
    }

    /// Runs one statement, in time. The connection is fit for others only if there is an answer.
    async fn ask<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.at_rest = false;
        let (connection, keeps_statements) = (&mut *self.connection, self.keeps_statements);
        let asked = async {
            match keeps_statements {
                true => Ok(statement(connection).await?),
                false => whole(connection, false, async |transaction| Ok(statement(transaction).await?)).await,
            }
        };
        let answer = timeout(STATEMENT_WAIT_MAX, asked).await.map_err(|_| silent(STATEMENT_WAIT_MAX))?;
        self.at_rest = true;
        answer
    }

    /// Runs several statements as one transaction, in time; it is undone when one of them fails.
    pub(super) async fn carry_out<T>(
        &mut self,
        wait_max: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.at_rest = false;
        let done = timeout(wait_max, whole(&mut self.connection, self.keeps_statements, work)).await;
        let done = done.map_err(|_| silent(wait_max))?;
        self.at_rest = true;
        done
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.at_rest {
            self.connection.close_on_drop();
        }
    }
}

/// A transaction with all its statements. Where names of statements do not last longer than it, it takes them back.
async fn whole<T>(
    connection: &mut PgConnection,
    keeps_statements: bool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut transaction = connection.begin().await?;
    let done = work(&mut transaction).await;
    if !keeps_statements {
        transaction.clear_cached_statements().await?;
    }
    match done {
        Ok(done) => transaction.commit().await.map(|()| Ok(done))?,
        Err(error) => transaction.rollback().await.map(|()| Err(error))?,
    }
}

/// Runs a statement and gives its first row, if there is one.
pub(super) async fn first<O>(pool: &Pool, query: QueryAs<'_, Postgres, O, PgArguments>) -> Result<Option<O>, StoreError>
where
    O: Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
    Lent::from(pool).await?.ask(async |connection| query.fetch_optional(connection).await).await
}

/// Runs a statement and gives all its rows.
pub(super) async fn all<O>(pool: &Pool, query: QueryAs<'_, Postgres, O, PgArguments>) -> Result<Vec<O>, StoreError>
where
    O: Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
    Lent::from(pool).await?.ask(async |connection| query.fetch_all(connection).await).await
}

/// Runs several statements as one transaction, which is undone when `work` fails.
pub(super) async fn in_transaction<T>(
    pool: &Pool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    Lent::from(pool).await?.carry_out(STATEMENT_WAIT_MAX, work).await
}
