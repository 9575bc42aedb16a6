//! Links that prove a right: nobody can make one, or change one, without the server's secret.

use std::fmt;

use chatkit_protocol::{AttachmentId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::AttachmentError;

/// Keeps these signatures apart from all others that are made with the same secret.
const LABEL: &[u8] = b"chatkit-gateway attachments 1";
/// Digits of a signature: 128 bits, in hexadecimal.
const SIGNATURE_DIGITS: usize = 32;

/// What a link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To send the bytes.
    Upload,
    /// To see the picture.
    Preview,
    /// To fetch the file.
    Download,
}

impl Purpose {
    /// The last part of the link's path.
    pub fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Preview => "preview",
            Self::Download => "download",
        }
    }
}

/// A link as somebody brings it.
#[derive(Clone)]
pub struct Link {
    /// The attachment it names.
    pub id: AttachmentId,
    /// The second, since 1970, after which it is worth nothing; none for links that last.
    pub expires: Option<i64>,
    /// What proves that this server made it.
    pub signature: String,
}

impl fmt::Debug for Link {
    /// Shows no signature: with it, the link could be followed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("id", &self.id).field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Makes links and checks them.
pub(super) struct Links {
    /// The first signs, all verify.
    keys: Vec<SecretString>,
    base: String,
}

impl Links {
    /// Links below `base`, which has no slash at its end.
    pub(super) fn new(secrets: &[SecretString], base: &str) -> Self {
        assert!(!secrets.is_empty(), "somebody has to sign");
        Self { keys: secrets.iter().map(key).collect(), base: base.to_owned() }
    }

    /// The address of a link.
    pub(super) fn url(&self, purpose: Purpose, id: &AttachmentId, expires: Option<Timestamp>) -> String {
        let expires = expires.map(|time| time.utc().timestamp());
        let signature = number(&sign(&self.keys[0], purpose, id, expires).finalize().into_bytes());
        let until = expires.map(|second| format!("expires={second}&")).unwrap_or_default();
        format!("{}/attachments/{id}/{}?{until}signature={signature:032x}", self.base, purpose.word())
    }

    /// Whether a link allows this now.
    pub(super) fn check(&self, purpose: Purpose, link: &Link, now: Timestamp) -> Result<(), AttachmentError> {
        let digits = link.signature.len() == SIGNATURE_DIGITS && link.signature.bytes().all(|b| b.is_ascii_hexdigit());
        let signature = digits.then(|| u128::from_str_radix(&link.signature, 16).ok()).flatten();
        let signature = signature.ok_or(AttachmentError::LinkWrong)?.to_be_bytes();
        // The comparison inside takes the same time wherever the signatures differ.
        let signs = |key| sign(key, purpose, &link.id, link.expires).verify_truncated_left(&signature).is_ok();
        if !self.keys.iter().any(signs) {
            return Err(AttachmentError::LinkWrong);
        }
        match link.expires {
            Some(second) if second <= now.utc().timestamp() => Err(AttachmentError::LinkExpired),
            _ => Ok(()),
        }
    }
}

/// The key that is made of a secret.
fn key(secret: &SecretString) -> SecretString {
    let mut mac = keyed(secret.expose_secret().as_bytes());
    mac.update(LABEL);
    SecretString::from(format!("{:032x}", number(&mac.finalize().into_bytes())))
}

fn sign(key: &SecretString, purpose: Purpose, id: &AttachmentId, expires: Option<i64>) -> Hmac<Sha256> {
    let mut mac = keyed(key.expose_secret().as_bytes());
    let until = expires.map(|second| second.to_string()).unwrap_or_default();
    mac.update(format!("{}\n{until}\n{id}", purpose.word()).as_bytes());
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a keyed hash takes keys of any length")
}

/// The first half of a hash.
fn number(hash: &[u8]) -> u128 {
    let first = hash.first_chunk().expect("a hash has 32 bytes");
    u128::from_be_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(chrono::DateTime::from_timestamp(second, 0).unwrap())
    }

    fn believing(secrets: &[&str]) -> Links {
        let secrets: Vec<SecretString> = secrets.iter().copied().map(SecretString::from).collect();
        Links::new(&secrets, "https://example.org")
    }

    fn links(secret: &str) -> Links {
        believing(&[secret])
    }

    /// Reads a link as a server reads it.
    fn parse(url: &str) -> Link {
        let (path, query) = url.split_once('?').unwrap();
        let id = path.split('/').nth(4).unwrap().into();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        Link {
            id,
            expires: value("expires").map(|second| second.parse().unwrap()),
            signature: value("signature").unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn a_link_allows_what_it_was_made_for_until_it_expires() {
        let links = links("secret");
        let link = parse(&links.url(Purpose::Upload, &"atc_1".into(), Some(at(100))));
        links.check(Purpose::Upload, &link, at(99)).unwrap();
        assert!(matches!(links.check(Purpose::Upload, &link, at(100)), Err(AttachmentError::LinkExpired)));
        for other in [Purpose::Preview, Purpose::Download] {
            assert!(matches!(links.check(other, &link, at(0)), Err(AttachmentError::LinkWrong)));
        }
        let lasting = parse(&links.url(Purpose::Preview, &"atc_1".into(), None));
        links.check(Purpose::Preview, &lasting, at(250_000_000_000)).unwrap();
    }

    #[test]
    fn a_link_of_a_secret_that_no_longer_signs_is_good_until_the_secret_is_taken_away() {
        let old = parse(&links("old").url(Purpose::Preview, &"atc_1".into(), None));
        let both = believing(&["new", "old"]);
        both.check(Purpose::Preview, &old, at(0)).unwrap();
        assert!(matches!(links("new").check(Purpose::Preview, &old, at(0)), Err(AttachmentError::LinkWrong)));
        let new = parse(&both.url(Purpose::Preview, &"atc_1".into(), None));
        links("new").check(Purpose::Preview, &new, at(0)).unwrap();
        assert!(matches!(links("old").check(Purpose::Preview, &new, at(0)), Err(AttachmentError::LinkWrong)));
    }

    #[test]
    fn a_link_that_was_changed_or_made_elsewhere_is_wrong() {
        let here = links("secret");
        let link = parse(&here.url(Purpose::Upload, &"atc_1".into(), Some(at(100))));
        let mut wrong = vec![
            Link { id: "atc_2".into(), ..link.clone() },
            Link { expires: Some(101), ..link.clone() },
            Link { expires: None, ..link.clone() },
            parse(&links("other").url(Purpose::Upload, &"atc_1".into(), Some(at(100)))),
        ];
        for odd in ["", "0", &"+".repeat(32), &"é".repeat(16), &link.signature[1..], &format!("{}0", link.signature)] {
            wrong.push(Link { signature: odd.to_owned(), ..link.clone() });
        }
        for position in 0..SIGNATURE_DIGITS {
            let mut digits = link.signature.clone().into_bytes();
            digits[position] = if digits[position] == b'0' { b'1' } else { b'0' };
            wrong.push(Link { signature: String::from_utf8(digits).unwrap(), ..link.clone() });
        }
        for link in wrong {
            assert!(matches!(here.check(Purpose::Upload, &link, at(0)), Err(AttachmentError::LinkWrong)), "{link:?}");
        }
    }
}
