//! Brings the tables up to date, on whichever database, inside a transaction that somebody else began.

use std::collections::HashMap;

use sqlx::migrate::{Migrate, MigrateError, Migrator};

use super::failure::Migrated;

/// Where the migrations that ran are written down.
const TABLE: &str = "_sqlx_migrations";

/// Runs what has not run yet; `is_first` when nothing ever did, so that a role that may only read and write rows can
/// find out that there is nothing to do.
///
/// The caller holds the lock: the migrator's own belongs to a session, which a pooler does not keep. Migrations of a
/// newer version than this one are left alone, so that an older version starts on a database that a newer one has seen.
pub(super) async fn run<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
    is_first: bool,
) -> Result<Migrated, MigrateError> {
    if is_first {
        connection.ensure_migrations_table(TABLE).await?;
    }
    let known = connection.list_applied_migrations(TABLE).await?;
    let known: HashMap<_, _> = known.into_iter().map(|known| (known.version, known.checksum)).collect();
    let mut migrated = Migrated { applied: Vec::new(), already: known.len() };
    for migration in migrator.iter() {
        match known.get(&migration.version) {
            Some(checksum) if *checksum != migration.checksum => {
                return Err(MigrateError::VersionMismatch(migration.version));
            }
            Some(_) => {}
            None => {
                connection.apply(TABLE, migration).await?;
                migrated.applied.push(format!("{} {}", migration.version, migration.description));
            }
        }
    }
    Ok(migrated)
}
