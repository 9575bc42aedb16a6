//! Accounts, sessions, and the log of both.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::PostgresStore;
use super::connection::{first, in_transaction};
use crate::store::accounts::{
    Account, AccountRow, AccountStore, AuditEntry, AuditEvent, EmailAddress, KeptSession, Lock, NewAccount, NewSession,
    Refreshed, SessionRow, SweptAccounts,
};
use crate::store::{StoreError, rows};

#[async_trait]
impl AccountStore for PostgresStore {
    async fn sign_up(
        &self,
        account: &NewAccount,
        session: &NewSession,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        in_transaction(&self.pool, async |writing| {
            let is_free = insert(writing, account).await?;
            if is_free {
                open(writing, &account.id, &session.token_hash, session).await?;
                note(writing, Some(&account.id), AuditEvent::SignUp, entry).await?;
            } else {
                note(writing, None, AuditEvent::SignUpRefused, entry).await?;
            }
            Ok(is_free)
        })
        .await
    }

    async fn lock(&self, email: &EmailAddress) -> Result<Option<Lock>, StoreError> {
        let query = sqlx::query_as(
            "select id, password_hash from users
              where (email = $1 or email_key = $2) and not disabled
              order by email = $1 desc limit 1",
        );
        let found: Option<(String, Option<String>)> =
            first(&self.pool, query.bind(&email.written).bind(&email.key)).await?;
        Ok(found.map(|(account_id, hash)| Lock { account_id, password_hash: hash.map(SecretString::from) }))
    }

    async fn sign_in(
        &self,
        account_id: &str,
        rehashed: Option<&SecretString>,
        session: &NewSession,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        in_transaction(&self.pool, async |writing| {
            let there = sqlx::query(
                "update users set password_hash = coalesce($2, password_hash),
                        updated_at = case when $2 is null then updated_at else $3 end
                  where id = $1 and not disabled",
            )
            .bind(account_id)
            .bind(rehashed.map(SecretString::expose_secret))
            .bind(entry.now.utc())
            .execute(&mut *writing)
            .await?;
            if there.rows_affected() == 0 {
                return Ok(false);
            }
            open(writing, account_id, &session.token_hash, session).await?;
            note(writing, Some(account_id), AuditEvent::SignIn, entry).await?;
            Ok(true)
        })
        .await
    }

    async fn sign_in_failed(&self, account_id: Option<&str>, entry: &AuditEntry) -> Result<(), StoreError> {
        in_transaction(&self.pool, async |writing| note(writing, account_id, AuditEvent::SignInFailed, entry).await)
            .await
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<KeptSession>, StoreError> {
        let query = sqlx::query_as(
            "select session.user_id, session.created_at, session.expires_at
               from auth_sessions session join users on users.id = session.user_id
              where session.token_hash = $1 and session.family is not null
                and session.revoked_at is null and session.expires_at > $2 and not users.disabled",
        );
        let row: Option<SessionRow> = first(&self.pool, query.bind(token_hash).bind(now.utc())).await?;
        Ok(row.map(SessionRow::kept))
    }

    async fn refresh(
        &self,
        token_hash: &str,
        session: &NewSession,
        stolen_before: Timestamp,
        entry: &AuditEntry,
    ) -> Result<Refreshed, StoreError> {
        in_transaction(&self.pool, async |writing| {
            // Whoever comes second waits for the row, and sees what the first made of it. The row of the account comes
            // first, as it does wherever a session is opened.
            sqlx::query(
                "select from users
                  where id = (select user_id from auth_sessions where token_hash = $1 and family is not null)
                    for no key update",
            )
            .bind(token_hash)
            .execute(&mut *writing)
            .await?;
            let found: Option<(String, String, bool, bool)> = sqlx::query_as(
                "select session.user_id, session.family,
                        session.revoked_at is null and session.expires_at > $2 and not users.disabled,
                        coalesce(session.replaced_at < $3, false)
                   from auth_sessions session join users on users.id = session.user_id
                  where session.token_hash = $1 and session.family is not null",
            )
            .bind(token_hash)
            .bind(entry.now.utc())
            .bind(stolen_before.utc())
            .fetch_optional(&mut *writing)
            .await?;
            let refreshed = match &found {
                Some((account_id, family, true, _)) => {
                    sqlx::query("update auth_sessions set revoked_at = $2, replaced_at = $2 where token_hash = $1")
                        .bind(token_hash)
                        .bind(entry.now.utc())
                        .execute(&mut *writing)
                        .await?;
                    open(writing, account_id, family, session).await?;
                    Refreshed::Now
                }
                Some((_, family, false, true)) => {
                    sqlx::query("update auth_sessions set revoked_at = $2 where family = $1 and revoked_at is null")
                        .bind(family)
                        .bind(entry.now.utc())
                        .execute(&mut *writing)
                        .await?;
                    Refreshed::Stolen
                }
                Some((_, _, false, false)) | None => Refreshed::Over,
            };
            let event = if refreshed == Refreshed::Now { AuditEvent::Refresh } else { AuditEvent::RefreshRefused };
            note(writing, found.as_ref().map(|(account_id, ..)| account_id.as_str()), event, entry).await?;
            Ok(refreshed)
        })
        .await
    }

    async fn sign_out(&self, token_hash: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        in_transaction(&self.pool, async |writing| {
            let ended: Option<(String,)> = sqlx::query_as(
                "update auth_sessions set revoked_at = $2
                  where token_hash = $1 and family is not null and revoked_at is null
              returning user_id",
            )
            .bind(token_hash)
            .bind(entry.now.utc())
            .fetch_optional(&mut *writing)
            .await?;
            match ended {
                Some((account_id,)) => note(writing, Some(&account_id), AuditEvent::SignOut, entry).await,
                None => Ok(()),
            }
        })
        .await
    }

    async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        let query = sqlx::query_as(
            "select users.id, users.email, users.full_name, users.created_at, software.experience_level,
                    software.programming_languages::text, software.frameworks::text,
                    hardware.available_hardware::text, hardware.robotics_hardware::text
               from users
               left join user_software_background software on software.user_id = users.id
               left join user_hardware_background hardware on hardware.user_id = users.id
              where users.id = $1 and not users.disabled
              limit 1",
        );
        let row: Option<AccountRow> = first(&self.pool, query.bind(id)).await?;
        Ok(row.map(AccountRow::account))
    }

    async fn sweep_accounts(
        &self,
        over_before: Timestamp,
        noted_before: Timestamp,
        limit: u32,
    ) -> Result<SweptAccounts, StoreError> {
        let query = sqlx::query_as(
            "with sessions as (
                delete from auth_sessions where token_hash in (
                    select token_hash from auth_sessions
                     where family is not null and (expires_at < $1 or revoked_at < $1)
                     limit $3 for update skip locked
                )
                returning token_hash
             ), entries as (
                delete from audit_logs where ctid in (
                    select ctid from audit_logs
                     where request_id is not null and created_at < $2
                     limit $3 for update skip locked
                )
                returning request_id
             )
             select (select count(*) from sessions), (select count(*) from entries)",
        )
        .bind(over_before.utc())
        .bind(noted_before.utc())
        .bind(i64::from(limit));
        let (sessions, entries): (i64, i64) = first(&self.pool, query).await?.unwrap_or_default();
        let count = |rows| u64::try_from(rows).unwrap_or(0);
        Ok(SweptAccounts { sessions: count(sessions), entries: count(entries) })
    }
}

/// Whether the address was free.
async fn insert(connection: &mut PgConnection, account: &NewAccount) -> Result<bool, StoreError> {
    // Of two at once the second waits for the first, and then does nothing.
    let made = sqlx::query(
        "insert into users (id, email, email_key, password_hash, full_name, created_at, updated_at)
         select $1, $2, $3, $4, $5, $6, $6
          where not exists (select from users where email = $2 or email_key = $3)
             on conflict do nothing",
    )
    .bind(&account.id)
    .bind(&account.email.written)
    .bind(&account.email.key)
    .bind(account.password_hash.expose_secret())
    .bind(&account.full_name)
    .bind(account.now.utc())
    .execute(&mut *connection)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    let told = &account.background;
    sqlx::query(
        "insert into user_software_background (user_id, experience_level, programming_languages, frameworks)
         values ($1, $2, $3::jsonb, $4::jsonb)",
    )
    .bind(&account.id)
    .bind(&told.experience_level)
    .bind(rows::json(&told.programming_languages)?)
    .bind(rows::json(&told.frameworks)?)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into user_hardware_background (user_id, available_hardware, robotics_hardware)
         values ($1, $2::jsonb, $3::jsonb)",
    )
    .bind(&account.id)
    .bind(rows::json(&told.available_hardware)?)
    .bind(rows::json(&told.robotics_hardware)?)
    .execute(&mut *connection)
    .await?;
    Ok(true)
}

/// Opens a session, and ends the oldest ones of which there are too many.
async fn open(
    connection: &mut PgConnection,
    account_id: &str,
    family: &str,
    session: &NewSession,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into auth_sessions (token_hash, user_id, family, created_at, expires_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(&session.token_hash)
    .bind(account_id)
    .bind(family)
    .bind(session.created_at.utc())
    .bind(session.expires_at.utc())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "update auth_sessions set revoked_at = $2
          where token_hash in (
                select token_hash from auth_sessions
                 where user_id = $1 and family is not null and revoked_at is null and expires_at > $2
                 order by token_hash = $4 desc, created_at desc, token_hash offset $3
          )",
    )
    .bind(account_id)
    .bind(session.created_at.utc())
    .bind(i64::from(session.together_max))
    .bind(&session.token_hash)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn note(
    connection: &mut PgConnection,
    account_id: Option<&str>,
    event: AuditEvent,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into audit_logs (user_id, event_type, created_at, address_hash, email_hash, request_id)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(account_id)
    .bind(event.name())
    .bind(entry.now.utc())
    .bind(&entry.address_hash)
    .bind(&entry.email_hash)
    .bind(&entry.request_id)
    .execute(&mut *connection)
    .await?;
    Ok(())
}
