//! Accounts of this server: signing up, in and out, and what a session is good for.
//!
//! Whether a session is live is asked of the store each time, so that one that ended on another instance has ended here.

mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatkit_protocol::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

use super::AuthError;
use super::audit::Pseudonyms;
use super::password::{Busy, Passwords, Verdict};
use super::session::{Minted, Tokens, Told};
use crate::clock::Clock;
use crate::config::AccountSettings;
use crate::identity::{ClientAddress, Identity, Ids, OwnerId};
use crate::store::accounts::{AuditEntry, NewAccount, NewSession, Refreshed};
use crate::store::counts::Claim;
use crate::store::{AccountStore, CountStore, StoreError};

pub use crate::store::accounts::{Account, Background, EmailAddress};

/// An account has so many live sessions; the oldest one ends when another is opened.
const SESSIONS_TOGETHER_MAX: u32 = 20;
/// A refusal is not told sooner than this after it was asked for: hashes of several kinds take their time, and how long
/// it took must not say which kind there was, or that there was none.
const REFUSAL_AFTER: Duration = Duration::from_millis(500);
/// A session that was refreshed may be refreshed again for so long without being taken for stolen: two tabs of one
/// browser may do so at once.
const REFRESH_AGAIN: Duration = Duration::from_secs(60);
/// How often an account's sessions are refreshed within a minute, all of them together.
const REFRESHES_PER_MINUTE_MAX: u64 = 20;
/// Attempts are counted for so long from the first one on.
const ATTEMPTS_WINDOW: Duration = Duration::from_secs(60);

/// What accounts stand on.
pub struct Surroundings {
    /// Where they are kept.
    pub store: Arc<dyn AccountStore>,
    /// Where attempts are counted, for all instances together.
    pub counts: Arc<dyn CountStore>,
    /// Attempts to sign up or in from one address in a minute; any number when it is none.
    pub attempts_per_minute: Option<u64>,
    /// The time.
    pub clock: Clock,
    /// Names.
    pub ids: Ids,
}

/// Where a request comes from, and what it is called.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The address, if it is known.
    pub address: Option<ClientAddress>,
    /// The name of the request.
    pub request_id: String,
}

/// Somebody who wants an account.
pub struct SignUp {
    /// Their address.
    pub email: EmailAddress,
    /// Their password, whose length was looked at.
    pub password: SecretString,
    /// Their name.
    pub full_name: String,
    /// What they tell of themselves.
    pub background: Background,
}

/// Somebody who says that they have an account.
pub struct SignIn {
    /// Their address.
    pub email: EmailAddress,
    /// Their password.
    pub password: SecretString,
    /// Whether the session is to last.
    pub remember: bool,
}

/// A session that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// Whose it is.
    pub account: Account,
    /// Proves it.
    pub token: SecretString,
    /// It is good until then.
    pub expires_at: Timestamp,
    /// For so long from now on.
    pub lifetime: Duration,
}

impl Opened {
    /// Who has it.
    pub fn who(&self) -> Identity {
        Identity::User { id: OwnerId::account(&self.account.id) }
    }
}

/// Why somebody is not signed up, in or out.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The address has an account.
    #[error("this e-mail address has an account; sign in instead")]
    EmailTaken,
    /// There is no such pair of address and password.
    #[error("e-mail address or password is wrong")]
    WrongPair,
    /// There were too many attempts from there, or for this account.
    #[error("there were too many attempts; try again in {again_after_s} s")]
    TooManyAttempts {
        /// When the next one is heard, in seconds from now.
        again_after_s: u32,
    },
    /// Too many people sign in at once.
    #[error("too many people are signing in; try again in a few seconds")]
    Busy,
    /// What they show is not a live session.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The accounts cannot be reached.
    #[error("the accounts cannot be reached")]
    Store(#[from] StoreError),
}

impl From<Busy> for AccountError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// The desk for accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Desk>);

struct Desk {
    store: Arc<dyn AccountStore>,
    counts: Arc<dyn CountStore>,
    attempts_per_minute: Option<u64>,
    passwords: Passwords,
    tokens: Tokens,
    pseudonyms: Pseudonyms,
    lifetime: Duration,
    remembered: Duration,
    clock: Clock,
    ids: Ids,
    /// Whether something was written since the last sweep.
    busy: AtomicBool,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts in a store.
    pub fn new(surroundings: Surroundings, settings: &AccountSettings) -> Self {
        let Surroundings { store, counts, attempts_per_minute, clock, ids } = surroundings;
        Self(Arc::new(Desk {
            store,
            counts,
            attempts_per_minute,
            passwords: Passwords::default(),
            tokens: Tokens::new(&settings.secrets),
            pseudonyms: Pseudonyms::new(settings.secrets[0].clone()),
            lifetime: settings.lifetime,
            remembered: settings.remembered,
            clock,
            ids,
            busy: AtomicBool::new(false),
        }))
    }

    /// Makes an account and opens a session.
    ///
    /// # Errors
    /// [`AccountError::EmailTaken`], or what keeps anybody from signing in.
    pub async fn sign_up(&self, wish: SignUp, visit: &Visit) -> Result<Opened, AccountError> {
        self.attempt(visit).await?;
        let password_hash = self.0.passwords.hash(&wish.password).await?;
        let (now, entry) = self.begin(visit, Some(&wish.email));
        let SignUp { email, full_name, background, .. } = wish;
        let account = NewAccount { id: self.0.ids.mint("usr"), email, password_hash, full_name, background, now };
        let minted = self.0.tokens.mint(&account.id, now, self.0.lifetime, &self.0.ids);
        if !self.0.store.sign_up(&account, &session(&minted, now), &entry).await? {
            return Err(AccountError::EmailTaken);
        }
        let NewAccount { id, email, full_name, background, now, .. } = account;
        let account = Account { id, email: email.written, full_name: Some(full_name), background, created_at: now };
        Ok(opened(account, minted, self.0.lifetime))
    }

    /// Opens a session for who knows the password.
    ///
    /// # Errors
    /// [`AccountError::WrongPair`], told alike and as late whether or not there is such an account; or what keeps
    /// anybody from signing in.
    pub async fn sign_in(&self, wish: SignIn, visit: &Visit) -> Result<Opened, AccountError> {
        self.attempt(visit).await?;
        let asked = Instant::now();
        let lock = self.0.store.lock(&wish.email).await?;
        let kept = lock.as_ref().and_then(|lock| lock.password_hash.as_ref());
        let verdict = self.0.passwords.verify(&wish.password, kept).await?;
        let (now, entry) = self.begin(visit, Some(&wish.email));
        if let (Some(lock), Verdict::Right { rehashed }) = (&lock, verdict) {
            let lifetime = if wish.remember { self.0.remembered } else { self.0.lifetime };
            let minted = self.0.tokens.mint(&lock.account_id, now, lifetime, &self.0.ids);
            let session = session(&minted, now);
            if self.0.store.sign_in(&lock.account_id, rehashed.as_ref(), &session, &entry).await?
                && let Some(account) = self.0.store.account(&lock.account_id).await?
            {
                return Ok(opened(account, minted, lifetime));
            }
        }
        let account_id = lock.as_ref().map(|lock| lock.account_id.as_str());
        self.0.store.sign_in_failed(account_id, &entry).await?;
        tokio::time::sleep_until(asked + REFUSAL_AFTER).await;
        Err(AccountError::WrongPair)
    }

    /// Ends a session and opens another in its place, which lasts as long as the old one did.
    ///
    /// # Errors
    /// The session is over, or not one of this server; or what keeps anybody from signing in.
    pub async fn refresh(&self, token: &str, visit: &Visit) -> Result<Opened, AccountError> {
        let Told { account_id, token_hash } = self.read(token)?;
        self.count(format!("refresh:{account_id}"), REFRESHES_PER_MINUTE_MAX).await?;
        let (now, entry) = self.begin(visit, None);
        let kept = self.0.store.session(&token_hash, now).await?;
        let lifetime = kept.as_ref().map_or(self.0.lifetime, |kept| {
            (kept.expires_at.utc() - kept.created_at.utc()).to_std().unwrap_or(self.0.lifetime)
        });
        let minted = self.0.tokens.mint(&account_id, now, lifetime, &self.0.ids);
        let stolen_before = Timestamp::new(now.utc() - REFRESH_AGAIN);
        match self.0.store.refresh(&token_hash, &session(&minted, now), stolen_before, &entry).await? {
            Refreshed::Now => {}
            Refreshed::Over => return Err(AuthError::SessionOver.into()),
            Refreshed::Stolen => {
                tracing::warn!("A session that was refreshed long ago was shown again; all that came of it were ended");
                return Err(AuthError::SessionOver.into());
            }
        }
        let account = self.0.store.account(&account_id).await?.ok_or(AuthError::SessionOver)?;
        Ok(opened(account, minted, lifetime))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The token is not one of this server, or the accounts cannot be reached.
    pub async fn sign_out(&self, token: &str, visit: &Visit) -> Result<(), AccountError> {
        let Told { token_hash, .. } = self.read(token)?;
        let (_, entry) = self.begin(visit, None);
        Ok(self.0.store.sign_out(&token_hash, &entry).await?)
    }

    /// Whose live session this is.
    ///
    /// # Errors
    /// The session is over, or not one of this server, or the accounts cannot be reached.
    pub async fn account(&self, token: &str) -> Result<Account, AuthError> {
        let account_id = self.live(token).await?;
        self.0.store.account(&account_id).await?.ok_or(AuthError::SessionOver)
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// As for [`Accounts::account`].
    pub async fn identify(&self, token: &str) -> Result<Identity, AuthError> {
        Ok(Identity::User { id: OwnerId::account(&self.live(token).await?) })
    }

    /// Passwords that were hashed since the start: how much work sign-ins were.
    pub fn hashes_computed(&self) -> u64 {
        self.0.passwords.computed()
    }

    /// Counts an attempt to sign up or in by where it comes from; all whose address is not known together.
    async fn attempt(&self, visit: &Visit) -> Result<(), AccountError> {
        let Some(allowed) = self.0.attempts_per_minute else { return Ok(()) };
        let from = visit.address.map_or_else(|| "unknown".to_owned(), |address| self.0.pseudonyms.address(address));
        self.count(format!("attempt:{from}"), allowed).await
    }

    async fn count(&self, key: String, allowed: u64) -> Result<(), AccountError> {
        let now = self.0.clock.now();
        let claim = Claim { key, allowed, units: 1, resets_at: Timestamp::new(now.utc() + ATTEMPTS_WINDOW) };
        match self.0.counts.claim(&[claim], now).await {
            Ok(()) => Ok(()),
            Err(StoreError::Exceeded(exceeded)) => {
                let wait_s = (exceeded.resets_at.utc() - now.utc()).as_seconds_f64().ceil().max(1.0);
                Err(AccountError::TooManyAttempts { again_after_s: wait_s as u32 })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn live(&self, token: &str) -> Result<String, AuthError> {
        let Told { token_hash, .. } = self.read(token)?;
        let kept = self.0.store.session(&token_hash, self.0.clock.now()).await?;
        Ok(kept.ok_or(AuthError::SessionOver)?.account_id)
    }

    fn read(&self, token: &str) -> Result<Told, AuthError> {
        self.0.tokens.read(token).map_err(|_| AuthError::NoSession)
    }

    /// The time it is, and what is written down of what happens now.
    fn begin(&self, visit: &Visit, email: Option<&EmailAddress>) -> (Timestamp, AuditEntry) {
        self.0.busy.store(true, Ordering::Relaxed);
        let now = self.0.clock.now();
        let entry = AuditEntry {
            now,
            address_hash: visit.address.map(|address| self.0.pseudonyms.address(address)),
            email_hash: email.map(|email| self.0.pseudonyms.email(&email.key)),
            request_id: visit.request_id.clone(),
        };
        (now, entry)
    }
}

fn session(minted: &Minted, now: Timestamp) -> NewSession {
    NewSession {
        token_hash: minted.token_hash.clone(),
        created_at: now,
        expires_at: minted.expires_at,
        together_max: SESSIONS_TOGETHER_MAX,
    }
}

fn opened(account: Account, minted: Minted, lifetime: Duration) -> Opened {
    Opened { account, token: minted.token, expires_at: minted.expires_at, lifetime }
}
