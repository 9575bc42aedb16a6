//! Which sites' pages may call this server from a browser.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// A browser need not ask again for so long.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The layer for these origins: `*`, exact ones, or `https://*.example.org`.
///
/// Any header that a page asks for is allowed: the widget adds some of its own, and none of them is a credential that a
/// browser would send by itself. Cookies are allowed for listed origins only.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let everybody = origins.iter().any(|origin| origin == "*");
    let listed = origins.to_vec();
    let allowed = move |origin: &HeaderValue, _: &axum::http::request::Parts| {
        origin.to_str().is_ok_and(|origin| listed.iter().any(|pattern| matches(pattern, origin)))
    };
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            super::request_id::HEADER,
            super::identity::VISITOR_HEADER,
            header::RETRY_AFTER,
            HeaderName::from_static("content-disposition"),
        ])
        .max_age(PREFLIGHT_KEPT);
    match everybody {
        true => layer.allow_origin(tower_http::cors::Any),
        false => layer.allow_origin(AllowOrigin::predicate(allowed)).allow_credentials(true),
    }
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
    use super::matches;

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
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
        assert!(matches("http://localhost:3000", "http://localhost:3000"));
        assert!(!matches("http://localhost:3000", "http://localhost:30000"));
    }
}
