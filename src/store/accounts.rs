//! Rows of accounts: who has one, the sessions they opened, and a log of who signed in when.
//!
//! - **An e-mail address belongs to one account**, whatever its capitals; of two sign-ups at once one wins.
//! - **A session is live** until it expires, is closed or refreshed, or its account is disabled or gone; on every
//!   instance from the same moment on.
//! - **A refresh happens once**: the old session ends as the new one begins. One that is refreshed again later is taken
//!   for stolen, and every session that came of the same sign-in ends.
//! - **What happens is written down with it**, in the same transaction. Neither tokens nor passwords nor addresses are
//!   stored, only hashes of them; e-mail addresses in the accounts alone.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

use super::StoreError;

/// An e-mail address, which was looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    /// As its owner writes it.
    pub written: String,
    /// What addresses are compared by.
    pub key: String,
}

/// What somebody told of themselves at sign-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Background {
    /// How far they are.
    pub experience_level: Option<String>,
    /// Languages they program in.
    pub programming_languages: Vec<String>,
    /// Frameworks they know.
    pub frameworks: Vec<String>,
    /// Computers they have.
    pub available_hardware: Vec<String>,
    /// Robots they have.
    pub robotics_hardware: Vec<String>,
}

/// An account, without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Names it.
    pub id: String,
    /// As it was written at sign-up.
    pub email: String,
    /// The name of its owner.
    pub full_name: Option<String>,
    /// What its owner told of themselves.
    pub background: Background,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account that is to be made.
pub struct NewAccount {
    /// Names it.
    pub id: String,
    /// Its address.
    pub email: EmailAddress,
    /// What the password is checked against.
    pub password_hash: SecretString,
    /// The name of its owner.
    pub full_name: String,
    /// What its owner told of themselves.
    pub background: Background,
    /// The time it is.
    pub now: Timestamp,
}

/// What a sign-in is checked against.
#[derive(Debug)]
pub struct Lock {
    /// Whose account.
    pub account_id: String,
    /// What the password is checked against; accounts that came from elsewhere may have none.
    pub password_hash: Option<SecretString>,
}

/// A session that is to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of its token, in hex.
    pub token_hash: String,
    /// The time it is.
    pub created_at: Timestamp,
    /// It is good until then.
    pub expires_at: Timestamp,
    /// An account may have so many live sessions; the oldest ones beyond end.
    pub together_max: u32,
}

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSession {
    /// Whose it is.
    pub account_id: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// It is good until then.
    pub expires_at: Timestamp,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    /// An account was made.
    SignUp,
    /// An address was taken.
    SignUpRefused,
    /// A session was opened.
    SignIn,
    /// There was no such pair of address and password.
    SignInFailed,
    /// A session was refreshed into another.
    Refresh,
    /// A session that is over was to be refreshed.
    RefreshRefused,
    /// A session was closed.
    SignOut,
}

impl AuditEvent {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUp => "signup",
            Self::SignUpRefused => "signup_refused",
            Self::SignIn => "signin",
            Self::SignInFailed => "signin_failed",
            Self::Refresh => "refresh",
            Self::RefreshRefused => "refresh_refused",
            Self::SignOut => "signout",
        }
    }
}

/// A row of the log. Whose account it is, is known where it is written.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The time it is.
    pub now: Timestamp,
    /// A keyed hash of where the request came from, if that is known.
    pub address_hash: Option<String>,
    /// A keyed hash of the e-mail address, if there was one.
    pub email_hash: Option<String>,
    /// The name of the request.
    pub request_id: String,
}

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The new session has begun, the old one has ended.
    Now,
    /// The old one was over.
    Over,
    /// The old one had been refreshed long ago: whoever shows it now has it from somewhere. All that came of it ended.
    Stolen,
}

/// What a sweep took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweptAccounts {
    /// Sessions that are over.
    pub sessions: u64,
    /// Rows of the log.
    pub entries: u64,
}

/// Accounts, sessions, and the log of both.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Makes an account and opens its first session. Whether the address was free; if not, only that is written down.
    async fn sign_up(&self, account: &NewAccount, session: &NewSession, entry: &AuditEntry)
    -> Result<bool, StoreError>;

    /// What a sign-in with this address is checked against; none where there is no such account, or a disabled one.
    async fn lock(&self, email: &EmailAddress) -> Result<Option<Lock>, StoreError>;

    /// Opens a session, and keeps the password's new hash if there is one. Whether the account was still there.
    async fn sign_in(
        &self,
        account_id: &str,
        rehashed: Option<&SecretString>,
        session: &NewSession,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Writes down a sign-in that failed.
    async fn sign_in_failed(&self, account_id: Option<&str>, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The live session with this hash.
    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<KeptSession>, StoreError>;

    /// Ends a session and opens another in its place. A session that is refreshed again is taken for stolen unless it
    /// was replaced after `stolen_before`.
    async fn refresh(
        &self,
        token_hash: &str,
        session: &NewSession,
        stolen_before: Timestamp,
        entry: &AuditEntry,
    ) -> Result<Refreshed, StoreError>;

    /// Ends a session; nothing happens when it is over.
    async fn sign_out(&self, token_hash: &str, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The account, unless it is disabled.
    async fn account(&self, id: &str) -> Result<Option<Account>, StoreError>;

    /// Takes away sessions that were over before `over_before` and rows of the log from before `noted_before`, at most
    /// `limit` of each. What an earlier back end left is left alone.
    async fn sweep_accounts(
        &self,
        over_before: Timestamp,
        noted_before: Timestamp,
        limit: u32,
    ) -> Result<SweptAccounts, StoreError>;
}

impl std::fmt::Debug for EmailAddress {
    /// Shows nothing: an address is a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailAddress(_)")
    }
}

impl std::fmt::Debug for Account {
    /// Shows which account, and nothing of the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session as it is selected.
#[derive(sqlx::FromRow)]
pub(super) struct SessionRow {
    user_id: String,
    created_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
}

impl SessionRow {
    /// The session of a row.
    pub(super) fn kept(self) -> KeptSession {
        let expires_at = Timestamp::new(self.expires_at);
        KeptSession {
            account_id: self.user_id,
            created_at: self.created_at.map_or(expires_at, Timestamp::new),
            expires_at,
        }
    }
}

/// An account as it is selected.
#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    id: String,
    email: Option<String>,
    full_name: Option<String>,
    created_at: Option<DateTime<Utc>>,
    experience_level: Option<String>,
    /// JSON, as the three below.
    programming_languages: Option<String>,
    frameworks: Option<String>,
    available_hardware: Option<String>,
    robotics_hardware: Option<String>,
}

impl AccountRow {
    /// The account of a row. What an earlier back end left out is empty, or long ago.
    pub(super) fn account(self) -> Account {
        Account {
            id: self.id,
            email: self.email.unwrap_or_default(),
            full_name: self.full_name,
            background: Background {
                experience_level: self.experience_level,
                programming_languages: words(self.programming_languages.as_deref()),
                frameworks: words(self.frameworks.as_deref()),
                available_hardware: words(self.available_hardware.as_deref()),
                robotics_hardware: words(self.robotics_hardware.as_deref()),
            },
            created_at: Timestamp::new(self.created_at.unwrap_or_default()),
        }
    }
}

/// The words of a list; what an earlier back end put among them is taken as it is.
fn words(listed: Option<&str>) -> Vec<String> {
    let listed: Vec<Value> = listed.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let word = |value: Value| match value {
        Value::String(word) => word,
        other => other.to_string(),
    };
    listed.into_iter().map(word).collect()
}
