//! What programs of the operator show: a token that stands in the settings.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Whether somebody shows the very token, found out in a time that says nothing of where the two differ.
pub fn shows(shown: &str, token: &SecretString) -> bool {
    let expected = keyed(token.expose_secret()).finalize().into_bytes();
    keyed(shown).verify_slice(&expected).is_ok()
}

fn keyed(token: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(token.as_bytes()).expect("a key of any length will do")
}
