//! Who may claim to be whom: what a caller shows becomes an [`Identity`], or is refused.
//!
//! What is shown decides, in this order: a token in `Authorization`, the cookie of a session, the token of a visitor.
//! Nothing shown is a stranger. What is shown and wrong is refused, and the next in order is not looked at.

pub mod jwks;
pub mod jwt;
pub mod visitor;

use std::time::Duration;

use self::jwt::{Issuers, TokenError};
use self::visitor::Visitors;
use crate::identity::Identity;

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
    /// The visitor's token is wrong.
    #[error("the visitor token is not one of this server; ask for a new one with `POST /visitor`")]
    Visitor,
}

/// Finds out who somebody is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator {
    visitors: Visitors,
    issuers: Option<Issuers>,
}

impl Authenticator {
    /// Believes these visitors, and no tokens.
    pub fn new(visitors: Visitors) -> Self {
        Self { visitors, issuers: None }
    }

    /// The same, which also believes the tokens of these issuers.
    #[must_use]
    pub fn believing(self, issuers: Issuers) -> Self {
        Self { issuers: Some(issuers), ..self }
    }

    /// Readers without an account.
    pub fn visitors(&self) -> &Visitors {
        &self.visitors
    }

    /// Who shows this.
    ///
    /// # Errors
    /// What is shown is wrong, or whether it is right cannot be found out now.
    pub async fn identify(&self, shown: &Credentials<'_>) -> Result<Identity, AuthError> {
        if let Some(token) = shown.bearer {
            let issuers = self.issuers.as_ref().ok_or(AuthError::NoTokens)?;
            return issuers.identify(token).await;
        }
        match shown.visitor {
            Some(token) => self.visitors.identify(token).map_err(|_| AuthError::Visitor),
            None => Ok(Identity::Stranger),
        }
    }
}
