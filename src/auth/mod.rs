//! Who may claim to be whom: what a caller shows becomes an [`Identity`], or is refused.
//!
//! What is shown decides, in this order: a token in `Authorization`, the cookie of a session, the token of a visitor.
//! Nothing shown is a stranger. What is shown and wrong is refused, and the next in order is not looked at.

pub mod adoption;
pub mod visitor;

use self::adoption::Adoptions;
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
    /// The visitor's token is wrong.
    #[error("the visitor token is not one of this server; ask for a new one with `POST /visitor`")]
    Visitor,
}

/// Finds out who somebody is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator {
    visitors: Visitors,
    adoptions: Option<Adoptions>,
}

impl Authenticator {
    /// Believes these visitors.
    pub fn new(visitors: Visitors) -> Self {
        Self { visitors, adoptions: None }
    }

    /// Readers without an account.
    pub fn visitors(&self) -> &Visitors {
        &self.visitors
    }

    /// Who shows this.
    ///
    /// # Errors
    /// What is shown is wrong, or whether it is right cannot be found out now.
    #[expect(clippy::unused_async, reason = "the tokens of issuers and sessions are looked up")]
    pub async fn identify(&self, shown: &Credentials<'_>) -> Result<Identity, AuthError> {
        if shown.bearer.is_some() {
            return Err(AuthError::NoTokens);
        }
        match shown.visitor {
            Some(token) => self.visitors.identify(token).map_err(|_| AuthError::Visitor),
            None => Ok(Identity::Stranger),
        }
    }
}
