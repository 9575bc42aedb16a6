//! Visitors: readers without an account who can prove that they are the same as last time.
//!
//! A visitor's token is `v2.<second it was made>.<name>.<signature>`. The server keeps nothing: whoever holds the token
//! is the visitor, and nobody can make one without the server's secret. Earlier tokens, `v1.<name>.<signature>`, have no
//! end of their own and stand for the same visitor as a later one with their name.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::identity::{Identity, Ids, OwnerId};

/// A token is good for so long after it was made. Browsers keep no cookie longer than 400 days.
pub const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// A token that is older than this is worth a new one: whoever comes now and then never comes to its end.
const RENEWED_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A token longer than this is not looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 256;
const VERSION: &str = "v2";
const EARLIER_VERSION: &str = "v1";

/// The token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// This server did not give it out, or somebody changed it, or the secret that signed it is no longer believed.
    #[error("the visitor token is not one of this server; ask for a new one with `POST /visitor`")]
    NotOurs,
    /// It is older than [`LIFETIME`].
    #[error("the visitor token has expired; ask for a new one with `POST /visitor`")]
    Expired,
}

/// Gives out visitor tokens and checks them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Visitors {
    secrets: Arc<[SecretString]>,
    clock: Clock,
}

/// What a good token says.
struct Said<'a> {
    name: &'a str,
    /// Whether a new token would be better: this one has no end, comes to it, or was signed by a secret that may go.
    is_old: bool,
}

impl Visitors {
    /// Signs with the first of these secrets and believes all of them; all instances of a server need the same ones.
    ///
    /// # Panics
    /// There is none.
    pub fn new(secrets: impl Into<Arc<[SecretString]>>, clock: Clock) -> Self {
        let secrets = secrets.into();
        assert!(!secrets.is_empty(), "somebody has to sign");
        Self { secrets, clock }
    }

    /// A token for somebody new.
    pub fn token(&self, ids: &Ids) -> SecretString {
        self.signed(&ids.mint("visitor"))
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// The token was not given out by this server, was changed, or has expired.
    pub fn identify(&self, token: &str) -> Result<Identity, InvalidToken> {
        let Said { name, .. } = self.read(token)?;
        // The store keeps a hash: who reads the database cannot act as its visitors.
        let key = Sha256::digest(format!("{EARLIER_VERSION}.{name}"));
        Ok(Identity::Visitor { id: OwnerId::visitor(&hex(&key)) })
    }

    /// A token for the same visitor that is good for the whole [`LIFETIME`] again.
    ///
    /// # Errors
    /// As for [`Visitors::identify`].
    pub fn renewed(&self, token: &str) -> Result<SecretString, InvalidToken> {
        Ok(self.signed(self.read(token)?.name))
    }

    /// The same if this token is old enough to be worth it; `None` also when it is not good.
    pub fn renewed_if_old(&self, token: &str) -> Option<SecretString> {
        self.read(token).ok().filter(|said| said.is_old).map(|said| self.signed(said.name))
    }

    fn signed(&self, name: &str) -> SecretString {
        let body = format!("{VERSION}.{}.{name}", self.now());
        let signature = hex(&sign(&self.secrets[0], &body).finalize().into_bytes());
        SecretString::from(format!("{body}.{signature}"))
    }

    fn read<'a>(&self, token: &'a str) -> Result<Said<'a>, InvalidToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(InvalidToken::NotOurs);
        }
        let (body, signature) = token.rsplit_once('.').ok_or(InvalidToken::NotOurs)?;
        let signature = unhex(signature).ok_or(InvalidToken::NotOurs)?;
        // The comparison inside takes the same time wherever the signatures differ.
        let signs = |secret: &SecretString| sign(secret, body).verify_slice(&signature).is_ok();
        let signer = self.secrets.iter().position(signs).ok_or(InvalidToken::NotOurs)?;
        match body.split('.').collect::<Vec<_>>()[..] {
            [EARLIER_VERSION, name] => Ok(Said { name, is_old: true }),
            [VERSION, made_at, name] => {
                let made_at: i64 = made_at.parse().map_err(|_| InvalidToken::NotOurs)?;
                let age = Duration::from_secs(u64::try_from(self.now().saturating_sub(made_at)).unwrap_or_default());
                match age < LIFETIME {
                    true => Ok(Said { name, is_old: signer > 0 || age >= RENEWED_AFTER }),
                    false => Err(InvalidToken::Expired),
                }
            }
            _ => Err(InvalidToken::NotOurs),
        }
    }

    /// The second it is, since 1970.
    fn now(&self) -> i64 {
        self.clock.now().utc().timestamp()
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

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn clock() -> Clock {
        Clock::fixed(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    fn believing(secrets: &[&str], clock: &Clock) -> Visitors {
        let secrets: Vec<SecretString> = secrets.iter().copied().map(SecretString::from).collect();
        Visitors::new(secrets, clock.clone())
    }

    fn visitors(secret: &str) -> Visitors {
        believing(&[secret], &clock())
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
        let both = believing(&["a new secret", "an old secret"], &clock());
        assert_eq!(both.identify(old.expose_secret()), visitors("an old secret").identify(old.expose_secret()));
        let new = both.token(&Ids::random());
        assert!(visitors("a new secret").identify(new.expose_secret()).is_ok());
        assert!(visitors("an old secret").identify(new.expose_secret()).is_err());
        let renewed = both.renewed_if_old(old.expose_secret()).expect("its secret may go");
        assert_eq!(
            visitors("a new secret").identify(renewed.expose_secret()),
            both.identify(old.expose_secret()),
            "the visitor is the same"
        );
    }

    #[test]
    fn a_token_ends_after_its_lifetime_unless_it_was_renewed_for_the_same_visitor() {
        let clock = clock();
        let visitors = believing(&["a secret"], &clock);
        let token = visitors.token(&Ids::random());
        let token = token.expose_secret();
        let who = visitors.identify(token).unwrap();
        assert!(visitors.renewed_if_old(token).is_none(), "it is new");
        clock.advance(7 * DAY);
        let renewed = visitors.renewed_if_old(token).expect("it is a week old");
        clock.advance(LIFETIME - 7 * DAY);
        assert_eq!(visitors.identify(token), Err(InvalidToken::Expired));
        assert_eq!(visitors.renewed(token).err(), Some(InvalidToken::Expired));
        assert!(visitors.renewed_if_old(token).is_none());
        assert_eq!(visitors.identify(renewed.expose_secret()), Ok(who));
    }

    #[test]
    fn a_token_of_the_first_version_is_good_and_its_successor_is_the_same_visitor() {
        // As the first version of this program made it, with this secret.
        let name = "visitor_0123456789abcdef0123456789abcdef";
        let body = format!("v1.{name}");
        let signature = hex(&sign(&SecretString::from("a secret"), &body).finalize().into_bytes());
        let here = visitors("a secret");
        let who = here.identify(&format!("{body}.{signature}")).unwrap();
        let id = OwnerId::visitor(&hex(&Sha256::digest(body.as_bytes())));
        assert_eq!(who, Identity::Visitor { id });
        let renewed = here.renewed_if_old(&format!("{body}.{signature}")).unwrap();
        assert!(renewed.expose_secret().starts_with("v2."));
        assert_eq!(here.identify(renewed.expose_secret()), Ok(who));
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
        assert_eq!(visitors("another secret").identify(&token), Err(InvalidToken::NotOurs));
        for odd in ["", "v1", "v1.", "v1..", "v1.x.é", "v1.x.zz", "v2.", "v2.1.x.00", &"v1.a.".repeat(100)] {
            assert_eq!(here.identify(odd), Err(InvalidToken::NotOurs), "{odd}");
        }
    }
}
