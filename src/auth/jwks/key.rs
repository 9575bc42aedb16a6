//! One published key: what it is good for, or why it is good for nothing here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// RSA with fewer bits can be broken.
const RSA_BITS_MIN: usize = 2048;
/// The arithmetic takes no more.
const RSA_BITS_MAX: usize = 4096;
/// What an issuer calls a key is told in the log up to so many characters.
const TOLD_CHARS_MAX: usize = 80;

/// A key that signatures can be checked with, by one algorithm and no other.
pub(in crate::auth) struct Key {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    material: DecodingKey,
}

/// A published key that is left out, as the log tells it: by its name and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    kid: String,
    kty: String,
    why: &'static str,
}

/// A key as it is published (RFC 7517, 7518, 8037).
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    meant_for: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
}

/// The algorithm that goes by this name, among those that issuers' keys may have.
pub(in crate::auth) fn algorithm_named(name: &str) -> Option<Algorithm> {
    match name {
        // RFC 9864 gives the one curve a name of its own.
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        _ => None,
    }
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// It is not for checking signatures, not of a kind that is known, too weak, or no key at all.
    pub(super) fn read(published: Value) -> Result<Self, Unfit> {
        let told = |member: &str| published.get(member).and_then(Value::as_str).unwrap_or("none").to_owned();
        let (kid, kty) = (told("kid"), told("kty"));
        Published::deserialize(published)
            .map_err(|_| "one of its members is not what it should be")
            .and_then(Self::fitting)
            .map_err(|why| Unfit { kid, kty, why })
    }

    fn fitting(published: Published) -> Result<Self, &'static str> {
        if published.meant_for.as_ref().is_some_and(|meant_for| meant_for != "sig") {
            return Err("its `use` is not `sig`");
        }
        if published.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify")) {
            return Err("its `key_ops` is without `verify`");
        }
        if published.d.is_some() {
            return Err("it is published with its private half, so that anybody can sign with it");
        }
        let (algorithm, material) = match published.kty.as_str() {
            "OKP" => edwards(&published)?,
            "EC" => elliptic(&published)?,
            "RSA" => rsa(&published)?,
            _ => return Err("its `kty` is none of `OKP`, `EC` and `RSA`"),
        };
        // Making a verifier of it shows whether it is a point of its curve.
        crypto::verify("", b"", &material, algorithm).map_err(|_| "it is no key of its kind")?;
        Ok(Self { kid: published.kid, algorithm, material })
    }

    /// Whether `signature`, in base64url, is this key's for `message`.
    pub(in crate::auth) fn has_signed(&self, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.material, self.algorithm).unwrap_or(false)
    }
}

/// What `alg` says, where it may say so for this kind of key; the kind's usual one where it says nothing.
fn algorithm(published: &Published, usual: Algorithm, others: &[Algorithm]) -> Result<Algorithm, &'static str> {
    let Some(name) = &published.alg else { return Ok(usual) };
    let named = algorithm_named(name).filter(|named| *named == usual || others.contains(named));
    named.ok_or("its `alg` is not known, or not of its kind")
}

fn edwards(published: &Published) -> Result<(Algorithm, DecodingKey), &'static str> {
    if published.crv.as_deref() != Some("Ed25519") {
        return Err("its `crv` is not `Ed25519`");
    }
    let algorithm = algorithm(published, Algorithm::EdDSA, &[])?;
    let x = bytes(published.x.as_ref(), "its `x` is not base64url")?;
    // A shorter one would be read past its end.
    if x.len() != 32 {
        return Err("its `x` has not 32 bytes");
    }
    Ok((algorithm, DecodingKey::from_ed_der(&x)))
}

fn elliptic(published: &Published) -> Result<(Algorithm, DecodingKey), &'static str> {
    let (usual, bytes_count) = match published.crv.as_deref() {
        Some("P-256") => (Algorithm::ES256, 32),
        Some("P-384") => (Algorithm::ES384, 48),
        _ => return Err("its `crv` is neither `P-256` nor `P-384`"),
    };
    let algorithm = algorithm(published, usual, &[])?;
    let x = bytes(published.x.as_ref(), "its `x` is not base64url")?;
    let y = bytes(published.y.as_ref(), "its `y` is not base64url")?;
    if x.len() != bytes_count || y.len() != bytes_count {
        return Err("its `x` and `y` have not the length of its curve");
    }
    Ok((algorithm, DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat())))
}

fn rsa(published: &Published) -> Result<(Algorithm, DecodingKey), &'static str> {
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    let algorithm = algorithm(published, RS256, &[RS384, RS512, PS256, PS384, PS512])?;
    let n = bytes(published.n.as_ref(), "its `n` is not base64url")?;
    let e = bytes(published.e.as_ref(), "its `e` is not base64url")?;
    let bits = bits(&n);
    if bits < RSA_BITS_MIN {
        return Err("it has fewer than 2048 bits");
    }
    if bits > RSA_BITS_MAX {
        return Err("it has more than 4096 bits");
    }
    // With an exponent of one everything is its own signature.
    if !is_exponent(&e) {
        return Err("its `e` is even, one or too large");
    }
    Ok((algorithm, DecodingKey::from_rsa_raw_components(&n, &e)))
}

fn is_exponent(number: &[u8]) -> bool {
    let is_odd = number.last().is_some_and(|last| !last.is_multiple_of(2));
    is_odd && (2..=32).contains(&bits(number))
}

/// How many bits a number has, leading zeros aside.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let Some(first) = number.get(zeros) else { return 0 };
    (number.len() - zeros) * 8 - first.leading_zeros() as usize
}

fn bytes(member: Option<&String>, problem: &'static str) -> Result<Vec<u8>, &'static str> {
    member.and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()).ok_or(problem)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {:?})", self.kid, self.algorithm)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |text: &str| text.chars().take(TOLD_CHARS_MAX).collect::<String>();
        write!(f, "{} (`kid` {:?}, `kty` {:?})", self.why, told(&self.kid), told(&self.kty))
    }
}
