//! What is written down of sign-ins: keyed hashes, so that who reads the log finds repetitions and not people.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::hex;
use crate::identity::ClientAddress;

/// Keep hashes of one kind apart from those of another, and from whatever else is made of the same secret.
const ADDRESS_PURPOSE: &[u8] = b"chatkit-gateway: where somebody signed in";
const EMAIL_PURPOSE: &[u8] = b"chatkit-gateway: by which address somebody signed in";

/// Hashes that nobody can make without the secret.
#[derive(Clone, Debug)]
pub(super) struct Pseudonyms(SecretString);

impl Pseudonyms {
    /// With this secret.
    pub(super) fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// Of where a request came from.
    pub(super) fn address(&self, address: ClientAddress) -> String {
        self.of(ADDRESS_PURPOSE, address.ip().to_string().as_bytes())
    }

    /// Of an e-mail address, by what addresses are compared by.
    pub(super) fn email(&self, key: &str) -> String {
        self.of(EMAIL_PURPOSE, key.as_bytes())
    }

    fn of(&self, purpose: &[u8], what: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("a keyed hash takes keys of any length");
        mac.update(purpose);
        mac.update(b"\0");
        mac.update(what);
        hex(&mac.finalize().into_bytes()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_by_what_they_are_of_by_kind_and_by_secret() {
        let pseudonyms = Pseudonyms::new(SecretString::from("a secret"));
        let others = Pseudonyms::new(SecretString::from("another secret"));
        let address = |text: &str| ClientAddress::new(text.parse().unwrap());
        assert_eq!(pseudonyms.address(address("192.0.2.1")), pseudonyms.address(address("::ffff:192.0.2.1")));
        assert_ne!(pseudonyms.address(address("192.0.2.1")), pseudonyms.address(address("192.0.2.2")));
        assert_ne!(pseudonyms.address(address("192.0.2.1")), others.address(address("192.0.2.1")));
        assert_ne!(pseudonyms.address(address("192.0.2.1")), pseudonyms.email("192.0.2.1"));
    }
}
