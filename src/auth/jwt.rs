//! Tokens of issuers: what a JSON Web Token must be for its subject to be believed.
//!
//! Whom a token is from, `iss` says; which key checks it, that issuer's published set; by which algorithm, that key.
//! Nothing that a token brings along to be checked with is looked at.

mod claims;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use self::claims::Claims;
use super::AuthError;
use super::jwks::{KeySource, NoKey, algorithm_named};
use crate::clock::Clock;
use crate::config::IssuerSettings;
use crate::identity::{Identity, OwnerId};

/// A longer token is not looked at: servers on the way take no longer headers.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// So many tokens are remembered as good, by their hash.
const REMEMBERED_MAX: u64 = 10_000;
/// And each for so long at most.
const REMEMBERED_TIME_MAX: Duration = Duration::from_secs(60);

/// What is wrong with a token. Each sentence names the member and never repeats what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its size.
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// Its shape.
    #[error("the token is not a JSON Web Token of header, claims and signature")]
    Malformed,
    /// It wants something understood that nobody here understands.
    #[error("the token has `crit` in its header, and this server knows no extensions")]
    Critical,
    /// `alg` is not the algorithm of the key, or none at all.
    #[error("the token's `alg` is not the algorithm of its issuer's key")]
    Algorithm,
    /// `kid` names no key.
    #[error("the token's `kid` names no key of its issuer")]
    UnknownKey,
    /// There is no `kid`, and no telling which key is meant.
    #[error("the token has no `kid`, and its issuer does not have exactly one key for its `alg`")]
    NoKid,
    /// The signature is not that key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing, wrong, or of another time.
    #[error("the token's `{0}` {1}")]
    Claim(&'static str, &'static str),
}

/// Everybody whose tokens are believed. Cheap to clone.
#[derive(Clone)]
pub struct Issuers(Arc<Believed>);

struct Believed {
    issuers: Vec<Issuer>,
    /// Tokens that were found good, by their SHA-256.
    remembered: Cache<[u8; 32], Remembered>,
    clock: Clock,
}

struct Issuer {
    names: Vec<String>,
    audiences: Vec<String>,
    keys: KeySource,
}

/// A token that was found good.
#[derive(Clone)]
struct Remembered {
    owner: OwnerId,
    /// Whose keys it was checked with, by position, and their edition: a key that is withdrawn takes its tokens along.
    issuer: usize,
    edition: u64,
    /// Until when it may be taken for good, in seconds since 1970.
    until: i64,
}

/// The parts of a token, with nothing verified.
struct Token<'a> {
    signed: &'a str,
    signature: &'a str,
    header: Header,
    claims: Claims,
}

/// What is looked at of a header. Keys and addresses of keys (`jwk`, `jku`, `x5c`, `x5u`) are not.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Issuers {
    /// Believes these issuers, and fetches their keys with this client when the first token comes.
    pub fn new(settings: &[IssuerSettings], client: &reqwest::Client, clock: &Clock) -> Self {
        let issuer = |set: &IssuerSettings| Issuer {
            names: set.names.clone(),
            audiences: set.audiences.clone(),
            keys: KeySource::new(
                set.names.first().map_or("", String::as_str),
                &set.jwks_url,
                client.clone(),
                clock.clone(),
            ),
        };
        Self(Arc::new(Believed {
            issuers: settings.iter().map(issuer).collect(),
            remembered: Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(REMEMBERED_TIME_MAX).build(),
            clock: clock.clone(),
        }))
    }

    /// Whose token this is.
    ///
    /// A token that was good a moment ago costs a hash and a look-up. One whose issuer's key is known costs the check
    /// of its signature, and only one whose key is not known may wait for the issuer.
    ///
    /// # Errors
    /// The token is not to be believed, or whether it is cannot be found out now.
    pub async fn identify(&self, token: &str) -> Result<Identity, AuthError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong.into());
        }
        let now = self.0.clock.now().utc().timestamp();
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = self.0.remembered.get(&hash)
            && now < known.until
            && self.0.issuers[known.issuer].keys.are_still(known.edition)
        {
            return Ok(Identity::User { id: known.owner });
        }
        let checked = self.check(token, now).await?;
        let owner = checked.owner.clone();
        self.0.remembered.insert(hash, checked);
        Ok(Identity::User { id: owner })
    }

    async fn check(&self, token: &str, now: i64) -> Result<Remembered, AuthError> {
        let Token { signed, signature, header, claims } = Token::parse(token)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical.into());
        }
        let name = claims.issuer()?;
        let (issuer, place) =
            self.named(name).ok_or(TokenError::Claim("iss", "is not an issuer that this server knows"))?;
        let Issuer { names, audiences, keys } = &self.0.issuers[issuer];
        let algorithm = algorithm_named(&header.alg).ok_or(TokenError::Algorithm)?;
        let (key, edition) = keys.find(header.kid.as_deref(), algorithm).await.map_err(|missing| match missing {
            NoKey::Unknown if header.kid.is_none() => TokenError::NoKid.into(),
            NoKey::Unknown => TokenError::UnknownKey.into(),
            NoKey::OtherAlgorithm => TokenError::Algorithm.into(),
            NoKey::Unavailable { retry_after } => AuthError::KeysUnavailable { retry_after },
        })?;
        if !key.has_signed(signed, signature) {
            return Err(TokenError::Signature.into());
        }
        let expires = claims.time(now)?;
        claims.audience(audiences)?;
        let subject = claims.subject()?;
        let owner = match (issuer, place) {
            (0, 0) => OwnerId::user(subject),
            _ => OwnerId::user_elsewhere(&names[place], subject),
        };
        let until = expires.min(now.saturating_add(REMEMBERED_TIME_MAX.as_secs().cast_signed()));
        Ok(Remembered { owner, issuer, edition, until })
    }

    /// The place of an issuer in the list, and of this name among its names.
    fn named(&self, name: &str) -> Option<(usize, usize)> {
        let mut issuers = self.0.issuers.iter().enumerate();
        issuers.find_map(|(at, issuer)| Some((at, issuer.names.iter().position(|known| known == name)?)))
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.issuers.iter().map(|issuer| &issuer.names)).finish()
    }
}

impl<'a> Token<'a> {
    fn parse(token: &'a str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        Ok(Self { signed, signature, header: json(header)?, claims: json(claims)? })
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}
