//! Visitors: readers without an account who can prove that they are the same as last time.
//!
//! A visitor's token is `v1.<random>.<signature>`. The server keeps nothing: whoever holds the token is the visitor, and
//! nobody can make one without the server's secret.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::identity::{Identity, Ids, OwnerId};

/// A token longer than this is not looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 256;
const VERSION: &str = "v1";

/// The token is not one that this server gave out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the visitor token is not valid")]
pub struct InvalidToken;

/// Gives out visitor tokens and checks them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Visitors {
    secrets: std::sync::Arc<[SecretString]>,
}

impl Visitors {
    /// Signs with the first of these secrets and believes all of them; all instances of a server need the same ones.
    ///
    /// # Panics
    /// There is none.
    pub fn new(secrets: impl Into<std::sync::Arc<[SecretString]>>) -> Self {
        let secrets = secrets.into();
        assert!(!secrets.is_empty(), "somebody has to sign");
        Self { secrets }
    }

    /// A token for somebody new.
    pub fn token(&self, ids: &Ids) -> SecretString {
        let body = format!("{VERSION}.{}", ids.mint("visitor"));
        let signature = hex(&sign(&self.secrets[0], &body).finalize().into_bytes());
        SecretString::from(format!("{body}.{signature}"))
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// The token was not given out by this server, or was changed.
    pub fn identify(&self, token: &str) -> Result<Identity, InvalidToken> {
        if token.len() > TOKEN_BYTES_MAX || !token.starts_with(VERSION) {
            return Err(InvalidToken);
        }
        let (body, signature) = token.rsplit_once('.').ok_or(InvalidToken)?;
        let signature = unhex(signature).ok_or(InvalidToken)?;
        // The comparison inside takes the same time wherever the signatures differ.
        let is_signed = self.secrets.iter().any(|secret| sign(secret, body).verify_slice(&signature).is_ok());
        if !is_signed {
            return Err(InvalidToken);
        }
        // The store keeps a hash: who reads the database cannot act as its visitors.
        let id = OwnerId::visitor(&hex(&Sha256::digest(body.as_bytes())));
        Ok(Identity::Visitor { id })
    }
}

fn sign(secret: &SecretString, body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("a keyed hash takes keys of any length");
    mac.update(body.as_bytes());
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(secret: &str) -> Visitors {
        Visitors::new([SecretString::from(secret)])
    }

    #[test]
    fn the_same_token_is_the_same_visitor_and_another_is_another() {
        let visitors = visitors("a secret");
        let (one, two) = (visitors.token(&Ids::random()), visitors.token(&Ids::random()));
        let who = |token: &SecretString| visitors.identify(token.expose_secret()).unwrap();
        assert_eq!(who(&one), who(&one));
        assert_ne!(who(&one), who(&two));
    }

    #[test]
    fn a_secret_that_no_longer_signs_still_verifies_until_it_is_taken_away() {
        let old = visitors("an old secret").token(&Ids::random());
        let both = Visitors::new([SecretString::from("a new secret"), SecretString::from("an old secret")]);
        assert_eq!(both.identify(old.expose_secret()), visitors("an old secret").identify(old.expose_secret()));
        let new = both.token(&Ids::random());
        assert!(visitors("a new secret").identify(new.expose_secret()).is_ok());
        assert!(visitors("an old secret").identify(new.expose_secret()).is_err());
    }

    #[test]
    fn a_token_that_was_changed_or_signed_elsewhere_is_nobody() {
        let here = visitors("a secret");
        let token = here.token(&Ids::random()).expose_secret().to_owned();
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert!(here.identify(&String::from_utf8(forged).unwrap()).is_err(), "a change at {at} went unnoticed");
        }
        assert!(visitors("another secret").identify(&token).is_err());
        for odd in ["", "v1", "v1.", "v1..", "v1.x.é", "v1.x.zz", &"v1.a.".repeat(100)] {
            assert!(here.identify(odd).is_err(), "{odd}");
        }
    }
}
