//! Accounts, sessions, and the log of both.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, stamp};
use crate::store::accounts::{
    Account, AccountRow, AccountStore, AuditEntry, AuditEvent, EmailAddress, KeptSession, Lock, NewAccount, NewSession,
    Refreshed, SessionRow, SweptAccounts,
};
use crate::store::{StoreError, rows};

#[async_trait]
impl AccountStore for SqliteStore {
    async fn sign_up(
        &self,
        account: &NewAccount,
        session: &NewSession,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut writing = self.write().await?;
        let is_free = insert(&mut writing, account).await?;
        if is_free {
            open(&mut writing, &account.id, &session.token_hash, session).await?;
            note(&mut writing, Some(&account.id), AuditEvent::SignUp, entry).await?;
        } else {
            note(&mut writing, None, AuditEvent::SignUpRefused, entry).await?;
        }
        writing.commit().await?;
        Ok(is_free)
    }

    async fn lock(&self, email: &EmailAddress) -> Result<Option<Lock>, StoreError> {
        let found: Option<(String, Option<String>)> = sqlx::query_as(
            "select id, password_hash from users
              where (email = $1 or email_key = $2) and not disabled
              order by email = $1 desc limit 1",
        )
        .bind(&email.written)
        .bind(&email.key)
        .fetch_optional(&mut *self.readers.acquire().await?)
        .await?;
        Ok(found.map(|(account_id, hash)| Lock { account_id, password_hash: hash.map(SecretString::from) }))
    }

    async fn sign_in(
        &self,
        account_id: &str,
        rehashed: Option<&SecretString>,
        session: &NewSession,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut writing = self.write().await?;
        let there = sqlx::query(
            "update users set password_hash = coalesce($2, password_hash),
                    updated_at = case when $2 is null then updated_at else $3 end
              where id = $1 and not disabled",
        )
        .bind(account_id)
        .bind(rehashed.map(SecretString::expose_secret))
        .bind(stamp(entry.now))
        .execute(&mut *writing)
        .await?;
        if there.rows_affected() == 0 {
            return Ok(false);
        }
        open(&mut writing, account_id, &session.token_hash, session).await?;
        note(&mut writing, Some(account_id), AuditEvent::SignIn, entry).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn sign_in_failed(&self, account_id: Option<&str>, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        note(&mut writing, account_id, AuditEvent::SignInFailed, entry).await?;
        Ok(writing.commit().await?)
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<KeptSession>, StoreError> {
        let row: Option<SessionRow> = sqlx::query_as(
            "select auth_sessions.user_id, auth_sessions.created_at, auth_sessions.expires_at
               from auth_sessions join users on users.id = auth_sessions.user_id
              where token_hash = $1 and revoked_at is null and expires_at > $2 and not users.disabled",
        )
        .bind(token_hash)
        .bind(stamp(now))
        .fetch_optional(&mut *self.readers.acquire().await?)
        .await?;
        Ok(row.map(SessionRow::kept))
    }

    async fn refresh(
        &self,
        token_hash: &str,
        session: &NewSession,
        stolen_before: Timestamp,
        entry: &AuditEntry,
    ) -> Result<Refreshed, StoreError> {
        let mut writing = self.write().await?;
        let found: Option<(String, String, bool, bool)> = sqlx::query_as(
            "select user_id, family,
                    revoked_at is null and expires_at > $2 and not users.disabled,
                    coalesce(replaced_at < $3, 0)
               from auth_sessions join users on users.id = auth_sessions.user_id
              where token_hash = $1 and family is not null",
        )
        .bind(token_hash)
        .bind(stamp(entry.now))
        .bind(stamp(stolen_before))
        .fetch_optional(&mut *writing)
        .await?;
        let refreshed = match &found {
            Some((account_id, family, true, _)) => {
                sqlx::query("update auth_sessions set revoked_at = $2, replaced_at = $2 where token_hash = $1")
                    .bind(token_hash)
                    .bind(stamp(entry.now))
                    .execute(&mut *writing)
                    .await?;
                open(&mut writing, account_id, family, session).await?;
                Refreshed::Now
            }
            Some((_, family, false, true)) => {
                sqlx::query("update auth_sessions set revoked_at = $2 where family = $1 and revoked_at is null")
                    .bind(family)
                    .bind(stamp(entry.now))
                    .execute(&mut *writing)
                    .await?;
                Refreshed::Stolen
            }
            Some((_, _, false, false)) | None => Refreshed::Over,
        };
        let event = if refreshed == Refreshed::Now { AuditEvent::Refresh } else { AuditEvent::RefreshRefused };
        note(&mut writing, found.as_ref().map(|(account_id, ..)| account_id.as_str()), event, entry).await?;
        writing.commit().await?;
        Ok(refreshed)
    }

    async fn sign_out(&self, token_hash: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let ended: Option<(String,)> = sqlx::query_as(
            "update auth_sessions set revoked_at = $2 where token_hash = $1 and revoked_at is null returning user_id",
        )
        .bind(token_hash)
        .bind(stamp(entry.now))
        .fetch_optional(&mut *writing)
        .await?;
        if let Some((account_id,)) = ended {
            note(&mut writing, Some(&account_id), AuditEvent::SignOut, entry).await?;
        }
        Ok(writing.commit().await?)
    }

    async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = sqlx::query_as(
            "select users.id, users.email, users.full_name, users.created_at, software.experience_level,
                    software.programming_languages, software.frameworks,
                    hardware.available_hardware, hardware.robotics_hardware
               from users
               left join user_software_background software on software.user_id = users.id
               left join user_hardware_background hardware on hardware.user_id = users.id
              where users.id = $1 and not users.disabled",
        )
        .bind(id)
        .fetch_optional(&mut *self.readers.acquire().await?)
        .await?;
        Ok(row.map(AccountRow::account))
    }

    async fn sweep_accounts(
        &self,
        over_before: Timestamp,
        noted_before: Timestamp,
        limit: u32,
    ) -> Result<SweptAccounts, StoreError> {
        let mut writing = self.write().await?;
        let sessions = sqlx::query(
            "delete from auth_sessions where token_hash in (
                select token_hash from auth_sessions where expires_at < $1 or revoked_at < $1 limit $2
            )",
        )
        .bind(stamp(over_before))
        .bind(limit)
        .execute(&mut *writing)
        .await?;
        let entries = sqlx::query(
            "delete from audit_logs where id in (select id from audit_logs where created_at < $1 limit $2)",
        )
        .bind(stamp(noted_before))
        .bind(limit)
        .execute(&mut *writing)
        .await?;
        writing.commit().await?;
        Ok(SweptAccounts { sessions: sessions.rows_affected(), entries: entries.rows_affected() })
    }
}

/// Whether the address was free.
async fn insert(connection: &mut SqliteConnection, account: &NewAccount) -> Result<bool, StoreError> {
    let made = sqlx::query(
        "insert into users (id, email, email_key, password_hash, full_name, created_at, updated_at)
         select $1, $2, $3, $4, $5, $6, $6
          where not exists (select 1 from users where email = $2 or email_key = $3)",
    )
    .bind(&account.id)
    .bind(&account.email.written)
    .bind(&account.email.key)
    .bind(account.password_hash.expose_secret())
    .bind(&account.full_name)
    .bind(stamp(account.now))
    .execute(&mut *connection)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    let told = &account.background;
    sqlx::query(
        "insert into user_software_background (user_id, experience_level, programming_languages, frameworks)
         values ($1, $2, $3, $4)",
    )
    .bind(&account.id)
    .bind(&told.experience_level)
    .bind(rows::json(&told.programming_languages)?)
    .bind(rows::json(&told.frameworks)?)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into user_hardware_background (user_id, available_hardware, robotics_hardware) values ($1, $2, $3)",
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
    connection: &mut SqliteConnection,
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
    .bind(stamp(session.created_at))
    .bind(stamp(session.expires_at))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "update auth_sessions set revoked_at = $2
          where token_hash in (
                select token_hash from auth_sessions
                 where user_id = $1 and revoked_at is null and expires_at > $2
                 order by token_hash = $4 desc, created_at desc, token_hash limit -1 offset $3
          )",
    )
    .bind(account_id)
    .bind(stamp(session.created_at))
    .bind(session.together_max)
    .bind(&session.token_hash)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn note(
    connection: &mut SqliteConnection,
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
    .bind(stamp(entry.now))
    .bind(&entry.address_hash)
    .bind(&entry.email_hash)
    .bind(&entry.request_id)
    .execute(&mut *connection)
    .await?;
    Ok(())
}
