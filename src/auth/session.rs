//! Tokens of sessions: made, read, and known in the store by their hash alone.
//!
//! A token is a JWT signed with HS256, for whoever wants to look inside; but that it is well signed only says that it
//! was once given out. Whether its session is live, the store says.

use std::time::Duration;

use chatkit_protocol::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hex;
use crate::identity::Ids;

/// A token longer than this is not looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 1024;
/// What `iss` is in tokens of this server.
const ISSUER: &str = "chatkit-gateway";
/// Keeps keys of tokens apart from whatever else is made of the same secret.
const KEY_PURPOSE: &[u8] = b"chatkit-gateway: tokens of sessions, HS256";

/// The token was not given out by this server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOurs;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// A token that was just made.
pub(super) struct Minted {
    pub(super) token: SecretString,
    pub(super) token_hash: String,
    pub(super) expires_at: Timestamp,
}

/// What a token says that was given out here; whether its session is live, the store knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) account_id: String,
    pub(super) token_hash: String,
}

/// Makes tokens and reads them.
pub(super) struct Tokens {
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    validation: Validation,
}

impl Tokens {
    /// Signs with the first of these secrets and believes all of them.
    pub(super) fn new(secrets: &[SecretString]) -> Self {
        let keys: Vec<_> = secrets.iter().map(key).collect();
        let mut validation = Validation::new(Algorithm::HS256);
        // The time is told by the clock of the house, and by the store.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub"]);
        Self {
            signing: EncodingKey::from_secret(keys.first().expect("somebody has to sign").expose_secret()),
            verifying: keys.iter().map(|key| DecodingKey::from_secret(key.expose_secret())).collect(),
            validation,
        }
    }

    /// A token for an account.
    pub(super) fn mint(&self, account_id: &str, now: Timestamp, lifetime: Duration, ids: &Ids) -> Minted {
        let expires_at = Timestamp::new(now.utc() + lifetime);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: account_id.to_owned(),
            iat: now.utc().timestamp(),
            exp: expires_at.utc().timestamp(),
            jti: ids.mint("ses"),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        let token = token.expect("claims are text and numbers, and the key is one of HS256");
        Minted { token_hash: hash(&token), token: SecretString::from(token), expires_at }
    }

    /// What a token says that was given out here.
    pub(super) fn read(&self, token: &str) -> Result<Told, NotOurs> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(NotOurs);
        }
        let decoded = |key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok();
        let told = self.verifying.iter().find_map(decoded).ok_or(NotOurs)?;
        Ok(Told { account_id: told.claims.sub, token_hash: hash(token) })
    }
}

impl std::fmt::Debug for Tokens {
    /// The keys are secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// Whether a token says of itself that it is one of a session: no issuer's has this algorithm.
pub(super) fn is_of_a_session(token: &str) -> bool {
    token.len() <= TOKEN_BYTES_MAX
        && jsonwebtoken::decode_header(token).is_ok_and(|header| header.alg == Algorithm::HS256)
}

fn key(secret: &SecretString) -> secrecy::SecretSlice<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("a keyed hash takes keys of any length");
    mac.update(KEY_PURPOSE);
    mac.finalize().into_bytes().to_vec().into()
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn tokens(secrets: &[&str]) -> Tokens {
        Tokens::new(&secrets.iter().map(|secret| SecretString::from(*secret)).collect::<Vec<_>>())
    }

    fn mint(tokens: &Tokens) -> Minted {
        let now = Timestamp::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        tokens.mint("usr_1", now, DAY, &Ids::random())
    }

    #[test]
    fn a_token_is_read_by_who_made_it_and_by_nobody_else() {
        let here = tokens(&["a secret"]);
        let minted = mint(&here);
        let token = minted.token.expose_secret();
        let told = Told { account_id: "usr_1".to_owned(), token_hash: minted.token_hash.clone() };
        assert_eq!(here.read(token), Ok(told));
        assert_eq!(tokens(&["another secret"]).read(token), Err(NotOurs));
        assert_ne!(mint(&here).token.expose_secret(), token, "two tokens of one moment differ");
        assert!(is_of_a_session(token));
    }

    #[test]
    fn a_secret_that_no_longer_signs_still_verifies_until_it_is_taken_away() {
        let old = mint(&tokens(&["an old secret"]));
        let both = tokens(&["a new secret", "an old secret"]);
        assert!(both.read(old.token.expose_secret()).is_ok());
        assert!(tokens(&["a new secret"]).read(mint(&both).token.expose_secret()).is_ok());
        assert_eq!(tokens(&["a new secret"]).read(old.token.expose_secret()), Err(NotOurs));
    }

    #[test]
    fn a_token_signed_with_the_secret_itself_as_another_program_would_is_not_ours() {
        let claims = Claims { iss: ISSUER.into(), sub: "usr_1".into(), iat: 0, exp: i64::MAX, jti: "x".into() };
        let key = EncodingKey::from_secret(b"a secret");
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
        assert_eq!(tokens(&["a secret"]).read(&token), Err(NotOurs));
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_not_ours() {
        let here = tokens(&["a secret"]);
        let token = mint(&here).token.expose_secret().to_owned();
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last letters of a part may hold bits that mean nothing; then it is still another token to the store.
            assert!(here.read(&forged).is_err() || hash(&forged) != hash(&token), "a change at {at} went unnoticed");
        }
        for odd in ["", ".", "..", "a.b.c", &token[..token.len() - 1], &format!("{token}."), &"a".repeat(5_000)] {
            assert_eq!(here.read(odd), Err(NotOurs), "{odd}");
            assert!(!is_of_a_session(odd) || odd == &token[..token.len() - 1] || odd.starts_with(&token), "{odd}");
        }
    }
}
