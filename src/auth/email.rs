//! E-mail addresses, as far as their form goes.

use unicode_normalization::UnicodeNormalization;

use crate::store::accounts::EmailAddress;

/// The longest e-mail address there is, and its longest mailbox, in bytes.
const EMAIL_BYTES_MAX: usize = 254;
const MAILBOX_BYTES_MAX: usize = 64;

/// The address in a text, without the space around it; none if it has not the form of one.
pub fn read(text: &str) -> Option<EmailAddress> {
    let written: String = text.trim().nfc().collect();
    is_email(&written).then(|| EmailAddress { key: written.to_ascii_lowercase(), written })
}

/// Whether it has the form of an address; whether there is such a mailbox, only a letter would tell.
fn is_email(text: &str) -> bool {
    let is_plain = |text: &str| !text.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    let Some((mailbox, host)) = text.split_once('@') else { return false };
    let labels = host.split('.').collect::<Vec<_>>();
    text.len() <= EMAIL_BYTES_MAX
        && (1..=MAILBOX_BYTES_MAX).contains(&mailbox.len())
        && is_plain(text)
        && !host.contains('@')
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_mailbox_and_a_host_and_no_space() {
        for good in ["ada@example.org", "a.b+c@mail.example.co.uk", "zoë@exämple.org", "'o''b'@x.y"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}.org", "b".repeat(250));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@host",
            "a@b@c.d",
            "a a@b.c",
            "a@b..c",
            "a@.c",
            "a\0@b.c",
            "a@b.c\n",
            &long,
            &longer,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
