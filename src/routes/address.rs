//! Where a request comes from: the other end of the connection or, where that is a trusted proxy, whom it names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, header};

use crate::config::LimitSettings;
use crate::identity::ClientAddress;

/// What nearly every proxy writes.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// So many proxies in a row are followed; more than any request has passed.
const HOPS_MAX: usize = 32;

/// The client as `limits` found it; none where the server does not listen itself.
pub(super) fn of(parts: &Parts) -> Option<ClientAddress> {
    parts.extensions.get::<ClientAddress>().copied()
}

/// The other end of the connection.
pub(super) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Who sent a request, and what its headers say of that which the operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) client: IpAddr,
    pub(super) notice: Option<Notice>,
}

/// Headers that cannot be used as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Somebody who is not trusted says that a request is somebody else's.
    NotTrusted,
    /// The two headers say different things; one of them is the client's own.
    Contradiction,
}

/// Finds the client. Each proxy adds, at the end, whom it heard from; so they are read from the end, as long as who
/// wrote them is trusted, and what a client wrote itself is never reached.
pub(super) fn origin(limits: &LimitSettings, peer: IpAddr, headers: &HeaderMap) -> Origin {
    let (common, standard) = (headers.contains_key(FORWARDED_FOR), headers.contains_key(header::FORWARDED));
    if !limits.trusts(peer) {
        return Origin { client: peer, notice: (common || standard).then_some(Notice::NotTrusted) };
    }
    let by_common = || walk(limits, peer, elements(headers, &FORWARDED_FOR).map(address));
    let by_standard = || walk(limits, peer, elements(headers, &header::FORWARDED).map(forwarded));
    let client = match (common, standard) {
        (false, false) => peer,
        (true, false) => by_common(),
        (false, true) => by_standard(),
        (true, true) => {
            let (common, standard) = (by_common(), by_standard());
            if common != standard {
                // A proxy that writes one of them lets the client's own other one pass.
                return Origin { client: peer, notice: Some(Notice::Contradiction) };
            }
            common
        }
    };
    Origin { client, notice: None }
}

/// The first hop, from the end, that is no trusted proxy; before one that cannot be read, the last that could.
fn walk(limits: &LimitSettings, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut nearest = peer;
    for hop in hops.take(HOPS_MAX) {
        let Some(hop) = hop else { return nearest };
        nearest = hop;
        if !limits.trusts(hop) {
            return nearest;
        }
    }
    nearest
}

/// The elements of a header, its lines as one list, from the last to the first.
///
/// Commas separate even between quotes: a quotation mark that a client opens would otherwise swallow what its proxy adds.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|line| line.as_bytes()).collect();
    let elements = lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    elements.map(|element| std::str::from_utf8(element).unwrap_or_default().trim())
}

/// The address of an element of `Forwarded`.
fn forwarded(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (Some((_, node)), None) = (named.next(), named.next()) else { return None };
    address(node.trim())
}

/// An address, perhaps with a port, in brackets, in quotes. Names that hide an address are none.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let found: Option<IpAddr> = text.parse().ok().or_else(bare).or_else(with_port);
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn limits() -> LimitSettings {
        let trusted_proxies = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|network| network.parse().unwrap()).to_vec();
        LimitSettings { trusted_proxies, ..LimitSettings::default() }
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[track_caller]
    fn check(peer: &str, lines: &[(&str, &str)], client: &str, notice: Option<Notice>) {
        let found = origin(&limits(), peer.parse().unwrap(), &headers(lines));
        assert_eq!(found, Origin { client: client.parse().unwrap(), notice }, "{lines:?}");
    }

    /// Both headers of a request that one trusted proxy passed on.
    #[track_caller]
    fn check_both(common: &str, standard: &str, client: &str) {
        check("10.0.0.1", &[("x-forwarded-for", common)], client, None);
        check("10.0.0.1", &[("forwarded", standard)], client, None);
    }

    #[test]
    fn the_first_hop_from_the_end_that_is_no_proxy_of_ours_is_the_client() {
        check("10.0.0.1", &[], "10.0.0.1", None);
        check_both("192.0.2.7", "for=192.0.2.7", "192.0.2.7");
        check_both("198.51.100.1, 192.0.2.7", "for=198.51.100.1, for=192.0.2.7;proto=https", "192.0.2.7");
        check_both("198.51.100.1, 192.0.2.7, 10.9.9.9", "for=198.51.100.1,for=192.0.2.7,for=10.9.9.9", "192.0.2.7");
        check_both("10.0.0.3, 10.0.0.2", "for=10.0.0.3, for=10.0.0.2", "10.0.0.3");
    }

    #[test]
    fn lines_of_a_header_are_one_list() {
        let lines =
            [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.0.0.2")];
        check("10.0.0.1", &lines, "192.0.2.7", None);
        let lines = [("forwarded", "for=198.51.100.1"), ("forwarded", "for=192.0.2.7")];
        check("10.0.0.1", &lines, "192.0.2.7", None);
    }

    #[test]
    fn ports_brackets_and_quotes_belong_to_no_address() {
        check_both("192.0.2.7:4711", "For=\"192.0.2.7:4711\"", "192.0.2.7");
        check_both("[2001:db8::7]:4711", "proto=http; FOR=\"[2001:db8::7]:4711\";by=10.0.0.1", "2001:db8::7");
        check_both("2001:db8::7", "for=\"[2001:db8::7]\"", "2001:db8::7");
        check_both("::ffff:192.0.2.7, 2001:db8:ffff::1", "for=\"[::ffff:192.0.2.7]\", for=10.1.1.1", "192.0.2.7");
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.7", None);
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_address_that_is_known() {
        for wrong in
            ["unknown", "_hidden", "", "300.1.1.1", "[2001:db8::7", "fe80::1%eth0", "192.0.2.7:99999", "\u{e9}"]
        {
            check_both(&format!("192.0.2.7, {wrong}"), &format!("for=192.0.2.7, for={wrong}"), "10.0.0.1");
            check_both(&format!("{wrong}, 10.0.0.2"), &format!("for={wrong}, for=10.0.0.2"), "10.0.0.2");
        }
        for wrong in ["by=192.0.2.7", "192.0.2.7", "for", "for=192.0.2.7;for=192.0.2.8", ";;=", "for=\"192.0.2.7"] {
            check("10.0.0.1", &[("forwarded", wrong)], "10.0.0.1", None);
        }
    }

    #[test]
    fn a_quotation_mark_of_the_client_swallows_nothing() {
        let value = "for=198.51.100.1;x=\", for=192.0.2.7;by=\"";
        check("10.0.0.1", &[("forwarded", value)], "192.0.2.7", None);
    }

    #[test]
    fn headers_that_contradict_each_other_are_not_believed() {
        let line = |standard| [("x-forwarded-for", "192.0.2.7"), ("forwarded", standard)];
        check("10.0.0.1", &line("for=192.0.2.7"), "192.0.2.7", None);
        check("10.0.0.1", &line("for=198.51.100.1"), "10.0.0.1", Some(Notice::Contradiction));
    }

    #[test]
    fn who_is_not_trusted_is_told_about_and_counts_as_the_client() {
        check("192.0.2.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.1", Some(Notice::NotTrusted));
        check("192.0.2.1", &[("forwarded", "for=10.0.0.1")], "192.0.2.1", Some(Notice::NotTrusted));
        check("192.0.2.1", &[], "192.0.2.1", None);
    }

    /// A header's value as a client may make it: nearly right ones, and whatever bytes a header can hold.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        let nearly = "(for=)?\"?\\[?(10\\.0\\.0\\.[0-9]|192\\.0\\.2\\.[0-9]|2001:db8::[0-9]|unknown|_a)\\]?(:[0-9]{1,5})?\"?[;, ]{0,2}";
        let nearly = proptest::collection::vec(nearly, 0..4).prop_map(|parts| parts.concat().into_bytes());
        prop_oneof![
            nearly,
            proptest::collection::vec(0x20_u8..0x7f, 0..60),
            proptest::collection::vec(0x80_u8..=0xff, 0..8)
        ]
    }

    fn lines() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
        proptest::collection::vec((any::<bool>(), value()), 0..5)
    }

    fn made(lines: &[(bool, Vec<u8>)]) -> HeaderMap {
        let name = |standard: bool| if standard { header::FORWARDED } else { FORWARDED_FOR };
        lines.iter().map(|(standard, value)| (name(*standard), HeaderValue::from_bytes(value).unwrap())).collect()
    }

    proptest! {
        #[test]
        fn a_peer_that_is_not_trusted_is_always_itself(lines in lines(), last in 0_u8..=255) {
            let peer = IpAddr::from([192, 0, 2, last]);
            prop_assert_eq!(origin(&limits(), peer, &made(&lines)).client, peer);
        }

        #[test]
        fn what_a_client_writes_does_not_change_who_it_is(lines in lines(), standard: bool, same_line: bool) {
            let (proxy, client) = (IpAddr::from([10, 0, 0, 1]), "203.0.113.9");
            // This proxy takes the header away that it does not write.
            let mut lines: Vec<_> = lines.into_iter().filter(|(kind, _)| *kind == standard).collect();
            let added = if standard { format!("for={client}") } else { client.to_owned() };
            match lines.last_mut() {
                Some((_, value)) if same_line => value.extend_from_slice(format!(", {added}").as_bytes()),
                _ => lines.push((standard, added.into_bytes())),
            }
            prop_assert_eq!(origin(&limits(), proxy, &made(&lines)).client, client.parse::<IpAddr>().unwrap());
        }

        #[test]
        fn a_client_whose_proxy_lets_the_other_header_pass_is_itself_or_its_proxy(lines in lines(), standard: bool) {
            let (proxy, client) = (IpAddr::from([10, 0, 0, 1]), "203.0.113.9");
            let mut lines = lines;
            lines.push((standard, if standard { format!("for={client}") } else { client.to_owned() }.into_bytes()));
            let found = origin(&limits(), proxy, &made(&lines)).client;
            prop_assert!(found == proxy || found == client.parse::<IpAddr>().unwrap(), "{}", found);
        }
    }
}
