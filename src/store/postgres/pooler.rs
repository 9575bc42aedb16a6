//! What stands between us and the database, found out by asking: nothing, or a pooler that lends its connections for
//! one transaction at a time, with or without room for named statements.
//!
//! Through a pooler that knows nothing of named statements (PgBouncer before 1.21, or with `max_prepared_statements`
//! at 0) a name may stand for somebody else's statement. There every statement runs in a transaction of its own, which
//! stays on one connection of the server, and its name is taken back before the end.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

/// A setting that a server takes along from the beginning of a session, and shows to whoever is in that session. A
/// pooler, whose sessions are its own, refuses it or drops it.
const PROBE: (&str, &str) = ("chatkit.probe", "direct");

/// What the driver's names of statements begin with.
const NAMES_OF_THE_DRIVER: &str = "sqlx_s_";

/// Whether a statement that was named stays under its name: for sure without a pooler, and with one that renames it.
pub(super) async fn keeps_statements(
    options: &PgConnectOptions,
    connection: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    Ok(is_direct(options).await? || renames_statements(connection).await?)
}

/// Whether the session that we open is the server's. Asking two connections which of the server's they are would not
/// do: they can be two by chance.
async fn is_direct(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut probing = match options.clone().options([PROBE]).connect().await {
        Ok(connection) => connection,
        Err(sqlx::Error::Database(refusal)) if !refusal.code().is_some_and(|code| is_scarcity(&code)) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let mut transaction = probing.begin().await?;
    let told: Option<String> =
        sqlx::query_scalar("select current_setting($1, true)").bind(PROBE.0).fetch_one(&mut *transaction).await?;
    transaction.clear_cached_statements().await?;
    transaction.rollback().await?;
    // Nothing hangs on a polite end.
    let _ = probing.close().await;
    Ok(told.as_deref() == Some(PROBE.1))
}

/// No connection to be had, or a server that is only just starting: neither is about the setting.
fn is_scarcity(code: &str) -> bool {
    code.starts_with("53") || code.starts_with("57")
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
