//! Which sites' pages may call this server from a browser.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, AllowPrivateNetwork, CorsLayer};

/// A browser need not ask again for so long.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The layer for these origins: `*`, exact ones, or `https://*.example.org`.
///
/// Any header that a page asks for is allowed: the widget adds some of its own, and none of them is a credential that a
/// browser would send by itself. Cookies are for listed origins only, whether or not `*` is among them, and so is the
/// way from a public site into a private network, which some browsers ask about.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let everybody = origins.iter().any(|origin| origin == "*");
    let listed = |origins: &[String]| {
        let origins = origins.to_vec();
        move |origin: &HeaderValue, _: &Parts| is_listed(&origins, origin)
    };
    let listed_or_any = listed(origins);
    CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            super::request_id::HEADER,
            super::VISITOR_HEADER,
            super::adoption::ADOPTED,
            super::simple::THREAD_HEADER,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("content-disposition"),
        ])
        .max_age(PREFLIGHT_KEPT)
        .allow_origin(AllowOrigin::predicate(move |origin, parts| everybody || listed_or_any(origin, parts)))
        .allow_credentials(AllowCredentials::predicate(listed(origins)))
        .allow_private_network(AllowPrivateNetwork::predicate(listed(origins)))
}

/// Whether the pages of an origin were named by the operator; `*` names nobody.
pub(super) fn is_listed(origins: &[String], origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    origins.iter().filter(|pattern| *pattern != "*").any(|pattern| matches(pattern, origin))
}

/// Whether an origin is the pattern, or one of the sub-domains that the pattern's `*` stands for.
fn matches(pattern: &str, origin: &str) -> bool {
    match pattern.split_once("*.") {
        None => pattern.eq_ignore_ascii_case(origin),
        Some((scheme, domain)) => {
            let host = origin.strip_prefix(scheme).and_then(|host| host.strip_suffix(domain));
            let label = host.and_then(|host| host.strip_suffix('.'));
            label.is_some_and(|label| !label.is_empty() && !label.contains(['/', '@', ':']))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wildcard_covers_sub_domains_and_nothing_that_only_looks_like_one() {
        let pattern = "https://*.example.org";
        assert!(matches(pattern, "https://book.example.org"));
        assert!(matches(pattern, "https://pr-12.preview.example.org"));
        for other in [
            "https://example.org",
            "https://.example.org",
            "http://book.example.org",
            "https://bookexample.org",
            "https://book.example.org.evil.net",
            "https://evil.net/.example.org",
            "https://user@.example.org",
            "https://evil.net:1.example.org",
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
        assert!(matches("http://localhost:3000", "http://localhost:3000"));
        assert!(!matches("http://localhost:3000", "http://localhost:30000"));
    }

    #[test]
    fn neither_everybody_nor_nobody_is_an_origin() {
        let origins = ["*".to_owned(), "https://book.example.org".to_owned()];
        assert!(is_listed(&origins, &HeaderValue::from_static("https://book.example.org")));
        for other in ["*", "null", "", "https://other.example.org"] {
            assert!(!is_listed(&origins, &HeaderValue::from_static(other)), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_a_wildcard_lets_in_ends_with_its_domain(origin in "(https?://)?[a-z./:@*-]{0,12}(\\.?example\\.org)?[a-z./:]{0,4}") {
            if matches("https://*.example.org", &origin) {
                let host = origin.strip_prefix("https://").unwrap();
                prop_assert!(host.ends_with(".example.org"));
                prop_assert!(!host.contains(['/', ':', '@']));
            }
        }
    }
}
