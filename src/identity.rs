//! Who is asking, and how new things are named.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

/// Whose row it is: the value of every `owner` column.
///
/// Two owners are the same exactly when their texts are; a prefix keeps users, visitors and strangers apart.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerId(Arc<str>);

impl OwnerId {
    /// The owner that stands for a user of the first issuer of tokens: the `user_id` of earlier back ends.
    pub fn user(subject: &str) -> Self {
        Self(format!("user:{subject}").into())
    }

    /// The owner that stands for a user of another issuer, who may have the same subject as one of the first. An
    /// issuer's name holds no space, so no two of them make the same text.
    pub fn user_elsewhere(issuer: &str, subject: &str) -> Self {
        Self(format!("elsewhere:{issuer} {subject}").into())
    }

    /// The owner that stands for an account of this server.
    pub fn account(id: &str) -> Self {
        Self(format!("account:{id}").into())
    }

    /// The owner that stands for an anonymous visitor who kept a credential.
    pub fn visitor(key: &str) -> Self {
        Self(format!("visitor:{key}").into())
    }

    /// The owner of whatever was made without any credential.
    pub fn stranger() -> Self {
        Self("stranger".into())
    }

    /// What stands for strangers from one address where somebody has to pay for their answers; it owns nothing. `name` is
    /// that of [`AddressNames`].
    pub fn address(name: &str) -> Self {
        Self(format!("address:{name}").into())
    }

    /// The owner of a stored row.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether it stands for an anonymous visitor who kept a credential.
    pub fn is_visitor(&self) -> bool {
        self.0.starts_with("visitor:")
    }

    /// The name of a user where they are a user: the subject of a token, or the id of an account of this server. Two
    /// owners may have the same.
    pub fn name(&self) -> &str {
        let (kind, name) = self.0.split_once(':').unwrap_or(("", &self.0));
        match kind {
            "elsewhere" => name.split_once(' ').map_or(name, |(_, subject)| subject),
            _ => name,
        }
    }

    /// The id of the account of this server that it stands for, if it does.
    pub fn account_id(&self) -> Option<&str> {
        self.0.strip_prefix("account:")
    }

    /// The text kept in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OwnerId {
    /// Shows the kind of owner and nothing that names a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.0.split(':').next().unwrap_or_default();
        write!(f, "OwnerId({kind})")
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A person with an account here or with a token of an issuer we trust.
    User {
        /// Whose rows are theirs.
        id: OwnerId,
    },
    /// Nobody we know by name, but the same one as last time.
    Visitor {
        /// Whose rows are theirs.
        id: OwnerId,
    },
    /// No credential at all: may open a thread whose unguessable id they know, and has no list.
    Stranger,
}

impl Identity {
    /// The owner under which this caller reads and writes.
    pub fn owner(&self) -> OwnerId {
        match self {
            Self::User { id } | Self::Visitor { id } => id.clone(),
            Self::Stranger => OwnerId::stranger(),
        }
    }
}

/// Where a request comes from, as far as limits tell callers apart: an IPv4 address, or the network of an IPv6 one,
/// since whoever has one of those has 2⁶⁴.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

/// What of an IPv6 address names a network.
const NETWORK: u128 = !0 << 64;

impl ClientAddress {
    /// The address, as IPv4 where it is that in the clothes of IPv6.
    pub fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
            address => address,
        })
    }

    /// The address, or the first one of the network.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl fmt::Debug for ClientAddress {
    /// Shows nothing: an address is a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAddress(_)")
    }
}

/// Gives addresses names that say nothing about them to anybody without the key, and are the same on every instance that
/// has the same one.
#[derive(Clone)]
pub struct AddressNames(Hmac<Sha256>);

impl AddressNames {
    /// Names of addresses under this key.
    pub fn new(key: &SecretString) -> Self {
        let mut mac = Hmac::new_from_slice(key.expose_secret().as_bytes()).expect("a key of HMAC may have any length");
        mac.update(b"address\0");
        Self(mac)
    }

    /// The name of an address: 32 hexadecimal digits.
    pub fn name(&self, address: ClientAddress) -> String {
        let mut mac = self.0.clone();
        mac.update(address.0.to_string().as_bytes());
        mac.finalize().into_bytes()[..16].iter().fold(String::with_capacity(32), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        })
    }
}

impl fmt::Debug for AddressNames {
    /// Shows nothing: it holds a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressNames(_)")
    }
}

/// Mints identifiers: random ones, or counted ones for tests.
#[derive(Clone, Debug)]
pub struct Ids(Mint);

#[derive(Clone, Debug)]
enum Mint {
    Random,
    Counting(Arc<AtomicU64>),
}

impl Ids {
    /// Identifiers of 122 random bits.
    pub fn random() -> Self {
        Self(Mint::Random)
    }

    /// `msg_1`, `msg_2`, …: the same in every run.
    pub fn counting() -> Self {
        Self(Mint::Counting(Arc::default()))
    }

    /// A new identifier such as `msg_5f0c…`; nobody can guess it.
    pub fn mint(&self, prefix: &str) -> String {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that mints identifiers")]
            Mint::Random => format!("{prefix}_{}", Uuid::new_v4().simple()),
            Mint::Counting(count) => format!("{prefix}_{}", count.fetch_add(1, Ordering::SeqCst) + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_in_a_log_names_nobody() {
        assert_eq!(format!("{:?}", OwnerId::user("ada@example.org")), "OwnerId(user)");
    }

    #[test]
    fn a_user_is_called_what_they_are_called_where_they_come_from() {
        assert_eq!(OwnerId::user("auth0|ada: the first").name(), "auth0|ada: the first");
        assert_eq!(OwnerId::user_elsewhere("https://issuer.example.org", "ada the first").name(), "ada the first");
        assert_eq!(OwnerId::account("usr_1").name(), "usr_1");
        assert_eq!(OwnerId::account("usr_1").account_id(), Some("usr_1"));
        assert_eq!(OwnerId::user("account:usr_1").account_id(), None);
    }

    #[test]
    fn an_address_of_ipv6_stands_for_its_network_and_one_of_ipv4_for_itself() {
        let address = |text: &str| ClientAddress::new(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.2"), address("192.0.2.1"));
        assert_eq!(format!("{:?}", address("192.0.2.2")), "ClientAddress(_)");
    }

    #[test]
    fn the_name_of_an_address_depends_on_the_key_and_shows_neither() {
        let names = |key: &str| AddressNames::new(&SecretString::from(key));
        let address = |text: &str| ClientAddress::new(text.parse().unwrap());
        let name = names("key").name(address("192.0.2.1"));
        assert_eq!((name.len(), &name), (32, &names("key").name(address("192.0.2.1"))));
        assert_ne!(name, names("key").name(address("192.0.2.2")));
        assert_ne!(name, names("another").name(address("192.0.2.1")));
        assert_eq!(format!("{:?}", names("key")), "AddressNames(_)");
    }

    #[test]
    fn random_identifiers_have_a_prefix_and_at_least_96_random_bits() {
        let id = Ids::random().mint("thr");
        assert!(id.starts_with("thr_") && id.len() == 4 + 32, "{id}");
        assert_ne!(id, Ids::random().mint("thr"));
    }
}
