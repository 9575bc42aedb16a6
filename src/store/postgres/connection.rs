//! The pool: how connections are made, lent, and given up.

use std::time::Duration;

use secrecy::SecretString;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPoolOptions, PgRow};
use sqlx::query::QueryAs;
use sqlx::{ConnectOptions, Connection, FromRow, PgPool, Postgres};
use tokio::time::{error::Elapsed, timeout};

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

/// Connects once, so that a wrong address is told at once and with its reason: a pool would go on trying, and hide it.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    match timeout(ACQUIRE_WAIT_MAX, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(sqlx::Error::Database(told))) if told.code().is_some_and(|code| is_denial(&code)) => {
            Err(OpenError::Denied { place, why: told.message().to_owned() })
        }
        Ok(Err(sqlx::Error::Io(why))) => Err(OpenError::Unreachable { place, why: why.to_string() }),
        Ok(Err(why)) => Err(OpenError::Unreachable { place, why: why.to_string() }),
        Err(Elapsed { .. }) => {
            let why = format!("no answer within {} s", ACQUIRE_WAIT_MAX.as_secs());
            Err(OpenError::Unreachable { place, why })
        }
    }
}

/// Wrong user, wrong password, no such database, no right to connect.
fn is_denial(code: &str) -> bool {
    code.starts_with("28") || matches!(code, "3D000" | "42501")
}

/// The pool: nothing in it depends on the session, so it works through a pooler in transaction mode.
pub(super) fn pool(options: PgConnectOptions, connections_max: u32) -> PgPool {
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
    at_rest: bool,
}

impl Lent {
    pub(super) async fn from(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await?, at_rest: true })
    }

    /// The connection, for work that [`Lent::done`] ends.
    pub(super) fn begin(&mut self) -> &mut PgConnection {
        self.at_rest = false;
        &mut self.connection
    }

    /// Says that the database has answered.
    pub(super) fn done(&mut self) {
        self.at_rest = true;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.at_rest {
            self.connection.close_on_drop();
        }
    }
}

/// Runs a statement and gives its first row, if there is one.
pub(super) async fn first<O>(
    pool: &PgPool,
    query: QueryAs<'_, Postgres, O, PgArguments>,
) -> Result<Option<O>, StoreError>
where
    O: Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
    let mut lent = Lent::from(pool).await?;
    let answer = timeout(STATEMENT_WAIT_MAX, query.fetch_optional(lent.begin())).await;
    let answer = answer.map_err(|_| silent(STATEMENT_WAIT_MAX))?;
    lent.done();
    Ok(answer?)
}

/// Runs several statements as one transaction, which is undone when `work` fails.
pub(super) async fn in_transaction<T>(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut lent = Lent::from(pool).await?;
    let connection = lent.begin();
    let whole = async {
        let mut transaction = connection.begin().await?;
        match work(&mut transaction).await {
            Ok(done) => transaction.commit().await.map(|()| Ok(done)),
            Err(error) => transaction.rollback().await.map(|()| Err(error)),
        }
    };
    let answer = timeout(STATEMENT_WAIT_MAX, whole).await.map_err(|_| silent(STATEMENT_WAIT_MAX))?;
    lent.done();
    answer?
}

/// Runs a statement and gives all its rows.
pub(super) async fn all<O>(pool: &PgPool, query: QueryAs<'_, Postgres, O, PgArguments>) -> Result<Vec<O>, StoreError>
where
    O: Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
    let mut lent = Lent::from(pool).await?;
    let answer = timeout(STATEMENT_WAIT_MAX, query.fetch_all(lent.begin())).await;
    let answer = answer.map_err(|_| silent(STATEMENT_WAIT_MAX))?;
    lent.done();
    Ok(answer?)
}
