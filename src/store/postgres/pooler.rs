//! What stands between us and the database, found out by asking: nothing, or a pooler that lends its connections for
//! one transaction at a time, with or without room for named statements.
//!
//! Through a pooler that knows nothing of named statements (PgBouncer before 1.21, or with `max_prepared_statements`
//! at 0) a name may stand for somebody else's statement. There every statement runs in a transaction of its own, which
//! stays on one connection of the server, and its name is taken back before the end.

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

/// Two connections are asked so often in turn on which connection of the server they are: one that others use at that
/// moment could be anywhere.
const ROUNDS: usize = 4;

/// What the driver's names of statements begin with.
const NAMES_OF_THE_DRIVER: &str = "sqlx_s_";

/// Whether a statement that was named stays under its name: always without a pooler, and with one that sees to it.
pub(super) async fn keeps_statements(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(!lends_by_transaction(one, other).await? || renames_statements(one).await?)
}

/// Whether two connections of ours turn out to be the same of the server's, or one of ours to be several.
async fn lends_by_transaction(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let (first, second) = (backend(one).await?, backend(other).await?);
    if first == second {
        return Ok(true);
    }
    for _ in 1..ROUNDS {
        if backend(one).await? != first || backend(other).await? != second {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The process of the server that answers. Asked without a named statement.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    use sqlx::Executor;
    connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()")).await?.try_get(0)
}

/// Whether the server knows a named statement by another name than we: then somebody in between keeps account of it.
async fn renames_statements(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let name: Option<String> = sqlx::query_scalar(
        "select name from pg_prepared_statements
          where statement like '%the statement that looks for itself%'
          order by prepare_time desc limit 1",
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.clear_cached_statements().await?;
    transaction.rollback().await?;
    Ok(name.is_some_and(|name| !name.starts_with(NAMES_OF_THE_DRIVER)))
}
