//! Who may claim to be whom: what a caller shows becomes an [`Identity`], or is refused.
//!
//! What is shown decides, in this order: a token in `Authorization`, the cookie of a session, the token of a visitor.
//! Nothing shown is a stranger. What is shown and wrong is refused, and the next in order is not looked at.

pub mod accounts;
pub mod adoption;
mod audit;
pub mod email;
pub mod jwks;
pub mod jwt;
pub mod operator;
pub mod password;
mod session;
pub mod visitor;

use std::time::Duration;

use self::accounts::Accounts;
use self::adoption::Adoptions;
use self::jwt::{Issuers, TokenError};
use self::visitor::{InvalidToken, Visitors};
use crate::identity::Identity;
use crate::store::StoreError;

/// What a caller shows.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The cookie of a session.
    pub session: Option<&'a str>,
    /// The token of a visitor.
    pub visitor: Option<&'a str>,
}

/// Why a caller is not let in as whom they claim to be.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// This server believes no tokens.
    #[error("this server accepts no tokens; leave out the `Authorization` header")]
    NoTokens,
    /// The token is not one that this server believes.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The token may be good, but the keys of its issuer are not there to check it with.
    #[error("the keys of the token's issuer cannot be had at the moment; try again in a few seconds")]
    KeysUnavailable {
        /// How long nothing is tried.
        retry_after: Duration,
    },
    /// The token of a session is wrong.
    #[error("this is not the token of a session on this server; sign in for one")]
    NoSession,
    /// A session expired, or was ended.
    #[error("the session has ended; sign in again")]
    SessionOver,
    /// Whether it is right cannot be found out now.
    #[error("the accounts cannot be reached")]
    Store(#[from] StoreError),
    /// The visitor's token is wrong.
    #[error(transparent)]
    Visitor(#[from] InvalidToken),
}

/// Finds out who somebody is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator {
    visitors: Visitors,
    issuers: Option<Issuers>,
    accounts: Option<Accounts>,
    adoptions: Option<Adoptions>,
}

impl Authenticator {
    /// Believes these visitors, and no tokens.
    pub fn new(visitors: Visitors) -> Self {
        Self { visitors, issuers: None, accounts: None, adoptions: None }
    }

    /// The same, which also believes the tokens of these issuers.
    #[must_use]
    pub fn believing(self, issuers: Issuers) -> Self {
        Self { issuers: Some(issuers), ..self }
    }

    /// The same with accounts, if there are any.
    #[must_use]
    pub fn with_accounts(self, accounts: Option<Accounts>) -> Self {
        Self { accounts, ..self }
    }

    /// Readers without an account.
    pub fn visitors(&self) -> &Visitors {
        &self.visitors
    }

    /// Readers with an account of this server; none where accounts are off.
    pub fn accounts(&self) -> Option<&Accounts> {
        self.accounts.as_ref()
    }

    /// The token of a session among what is shown: where there are accounts, and nothing else is shown before it.
    pub fn session<'a>(&self, shown: &Credentials<'a>) -> Option<&'a str> {
        self.accounts()?;
        match shown.bearer {
            Some(token) => session::is_of_a_session(token).then_some(token),
            None => shown.session,
        }
    }

    /// Who shows this.
    ///
    /// # Errors
    /// What is shown is wrong, or whether it is right cannot be found out now.
    pub async fn identify(&self, shown: &Credentials<'_>) -> Result<Identity, AuthError> {
        if let (Some(accounts), Some(token)) = (self.accounts(), self.session(shown)) {
            return accounts.identify(token).await;
        }
        match (shown.bearer, &self.issuers) {
            (Some(token), Some(issuers)) => return issuers.identify(token).await,
            (Some(_), None) if self.accounts.is_some() => return Err(AuthError::NoSession),
            (Some(_), None) => return Err(AuthError::NoTokens),
            (None, _) => {}
        }
        match shown.visitor {
            Some(token) => Ok(self.visitors.identify(token)?),
            None => Ok(Identity::Stranger),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
