//! Where requests for pages may go: which addresses, and which hosts behind their names.
//!
//! A sitemap is written by somebody else, and so are redirects and name servers. Each of them could point into the
//! network this program runs in; so an address is judged before it is asked, and a name when it is connected to.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What may be asked for on behalf of one site.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The host and port the site was given with, where that is a port of its own.
    given: Option<(String, u16)>,
    allow_private: bool,
}

/// Why an address is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no address of the web.
    #[error("only http and https addresses are fetched, not `{0}:`")]
    Scheme(String),
    /// It carries a name or a password.
    #[error("an address with a user's name or password in it is not fetched")]
    Credentials,
    /// It names a port that nobody mentioned.
    #[error("port {0} is neither 80, 443 nor the port the site was given with")]
    Port(u16),
    /// It names no host.
    #[error("there is no host in the address")]
    Host,
    /// It belongs to a network of one's own.
    #[error("{0} is in a private network or on this machine; give --allow-private if that is meant")]
    Private(IpAddr),
    /// Nothing to read is ever there: link-local and with it the clouds' metadata, multicast, reserved ranges.
    #[error("{0} is no address that pages are read from")]
    Never(IpAddr),
}

/// How far away an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// On the internet.
    Public,
    /// On this machine or in a network of one's own.
    Private,
    /// Neither.
    Never,
}

impl Guard {
    /// For the site at `site`, whose port is allowed even if it is an unusual one. `allow_private` lets it be on this
    /// machine or in a private network; the metadata of clouds stays out of reach all the same.
    pub fn new(site: &Url, allow_private: bool) -> Self {
        let given = site.port().zip(site.host_str()).map(|(port, host)| (host.to_owned(), port));
        Self { given, allow_private }
    }

    /// Whether an address may be asked, as far as can be told without looking its name up.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Refused::Host)?;
        match url.port() {
            None | Some(80 | 443) => {}
            Some(port) if self.given.as_ref().is_some_and(|given| given.0 == host && given.1 == port) => {}
            Some(port) => return Err(Refused::Port(port)),
        }
        // Whatever the spelling, the parser of addresses has made the usual one of it.
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) => self.check_address(address),
            Err(_) => Ok(()),
        }
    }

    /// Looks names up with `names`, and refuses those that stand for an address that may not be asked. The connection
    /// is made to the very addresses that were judged, so a name that changes its mind in between gains nothing.
    pub fn names(&self, names: Arc<dyn Resolve>) -> Arc<dyn Resolve> {
        Arc::new(GuardedNames { names, guard: self.clone() })
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Private if self.allow_private => Ok(()),
            Reach::Private => Err(Refused::Private(address)),
            Reach::Never => Err(Refused::Never(address)),
        }
    }
}

/// The refusal that an error of a request goes back to.
pub fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        cause = error.source();
    }
    None
}

/// Names as the system knows them.
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

struct GuardedNames {
    names: Arc<dyn Resolve>,
    guard: Guard,
}

impl fmt::Debug for GuardedNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedNames").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, guard) = (self.names.resolve(name), self.guard.clone());
        Box::pin(async move {
            let found: Vec<_> = found.await?.collect();
            // One address that may not be asked condemns the name: an honest site has none.
            found.iter().try_for_each(|address| guard.check_address(address.ip()))?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// Where clouds answer outside the ranges that are refused anyway: a host of Azure's platform, and Alibaba's metadata.
const METADATA_V4: &[Ipv4Addr] = &[Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];

/// The metadata of Amazon's machines, which lies among private addresses.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn reach_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Never;
    }
    match address.octets() {
        [10, ..] | [127, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Reach::Private,
        // This network, link-local, protocols and documentation, the relays of 6to4, measurements, multicast, reserved.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address == METADATA_V6 {
        return Reach::Never;
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // An address of the old kind in another spelling, and one that a translator of the network made of it.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => reach_v4(v4(high, low)),
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocols, among them Teredo, which hides an address of the old kind; documentation; 6to4, which does so too.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn guard(site: &str) -> Guard {
        Guard::new(&url(site), false)
    }

    #[test]
    fn no_spelling_of_an_inner_address_gets_through() {
        let guard = guard("https://book.example.org");
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "①②⑦.0.0.1",
            "127%2e0.0.1",
            "0",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "0xc0.0xa8.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "0251.0376.0251.0376",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::a00:1]",
            "[2002:7f00:1::]",
            "[2002:a00:1::1]",
            "[2001:0:7f00:1::]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[100::1]",
            "[5f00::1]",
            "[3fff::1]",
        ] {
            let refused = guard.check(&url(&format!("http://{host}/a")));
            assert!(matches!(refused, Err(Refused::Private(_) | Refused::Never(_))), "{host}: {refused:?}");
        }
    }

    #[test]
    fn addresses_of_the_internet_and_names_get_through() {
        let guard = guard("https://book.example.org");
        for host in [
            "book.example.org",
            "93.184.215.14",
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2001:4860::8888]",
        ] {
            assert_eq!(guard.check(&url(&format!("https://{host}/a"))), Ok(()), "{host}");
        }
    }

    #[test]
    fn only_the_web_without_credentials_and_on_its_ports_is_asked() {
        let guard = guard("https://book.example.org:8443/x");
        for (address, refused) in [
            ("file:///etc/passwd", Refused::Scheme("file".into())),
            ("gopher://book.example.org/", Refused::Scheme("gopher".into())),
            ("data:text/html,x", Refused::Scheme("data".into())),
            ("https://user@book.example.org/", Refused::Credentials),
            ("https://:secret@book.example.org/", Refused::Credentials),
            ("https://book.example.org:22/", Refused::Port(22)),
            ("https://other.example.org:8443/", Refused::Port(8443)),
        ] {
            assert_eq!(guard.check(&url(address)), Err(refused), "{address}");
        }
        for address in ["https://book.example.org:8443/", "http://book.example.org/", "https://book.example.org:80/"] {
            assert_eq!(guard.check(&url(address)), Ok(()), "{address}");
        }
    }

    #[test]
    fn private_networks_can_be_allowed_and_metadata_never() {
        let guard = Guard::new(&url("http://127.0.0.1:9"), true);
        for host in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "100.64.0.1", "[::1]", "[fd12::1]", "[::ffff:10.0.0.1]"] {
            assert_eq!(guard.check(&url(&format!("http://{host}/"))), Ok(()), "{host}");
        }
        for host in [
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "0.0.0.0",
            "[::]",
            "[::ffff:169.254.169.254]",
            "224.0.0.1",
            "[2002:a9fe:a9fe::]",
        ] {
            assert!(matches!(guard.check(&url(&format!("http://{host}/"))), Err(Refused::Never(_))), "{host}");
        }
    }

    /// A name server that says what it is told to.
    struct Says(Vec<IpAddr>);

    impl Resolve for Says {
        fn resolve(&self, _: Name) -> Resolving {
            let addresses: Vec<_> = self.0.iter().map(|address| SocketAddr::new(*address, 0)).collect();
            Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_public_name_for_a_private_address_is_refused_where_it_is_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let address = url(&format!("http://book.example.org:{port}/"));
        for answers in [vec!["127.0.0.1"], vec!["8.8.8.8", "127.0.0.1"], vec!["::ffff:10.0.0.1"]] {
            let answers: Vec<IpAddr> = answers.iter().map(|text| text.parse().expect("an address")).collect();
            let bad = *answers.last().expect("one");
            let guard = Guard::new(&address, false);
            guard.check(&address).expect("the name alone says nothing");
            let client = crate::llm::http::guarded_client(guard.names(Arc::new(Says(answers)))).expect("a client");
            let error = client.get(address.clone()).send().await.expect_err("refused");
            assert_eq!(refusal(&error), Some(&Refused::Private(bad)));
        }
        let untouched =
            std::future::poll_fn(|context| std::task::Poll::Ready(listener.poll_accept(context).is_pending()));
        assert!(untouched.await, "nobody connected");
    }

    #[tokio::test]
    async fn this_machines_own_name_is_refused() {
        let guard = guard("http://localhost");
        let client = crate::llm::http::guarded_client(guard.names(Arc::new(SystemNames))).expect("a client");
        let error = client.get("http://localhost/").send().await.expect_err("refused");
        assert!(matches!(refusal(&error), Some(Refused::Private(_))), "{error:?}");
    }

    proptest! {
        /// The standard library's own opinion of addresses of the old kind is an oracle for ours.
        #[test]
        fn what_the_standard_library_calls_private_is_never_public(bits: u32, shape in 0..4usize) {
            // Half of all tries near the ranges that matter.
            let bits = match shape { 0 => bits & 0x0fff_ffff | 0x0a00_0000, 1 => bits & 0xffff | 0xa9fe_0000, _ => bits };
            let address = Ipv4Addr::from(bits);
            let inner = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast()
                || address.is_unspecified() || address.is_broadcast() || address.is_documentation();
            prop_assert!(!inner || reach_v4(address) != Reach::Public, "{address}");
            // However it is dressed up for the new kind, it is no more public than it was.
            let [a, b, c, d] = address.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for dressed in [
                address.to_ipv6_mapped(),
                address.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            ] {
                prop_assert!(reach_v6(dressed) != Reach::Public || reach_v4(address) == Reach::Public, "{dressed}");
            }
        }

        #[test]
        fn only_what_was_given_out_to_the_internet_is_public(segments: [u16; 8]) {
            let address = Ipv6Addr::from(segments);
            let given_out = (0x2000..=0x3fff).contains(&segments[0]);
            prop_assert!(given_out || reach_v6(address) != Reach::Public, "{address}");
        }
    }
}
