//! What every answer tells browsers, whatever is in it, and what a page of ours may do.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::config::BrowserSettings;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What an answer says that does not say otherwise.
///
/// Pages of other origins read answers through CORS, to which the resource policy does not apply: it keeps answers from
/// being drawn into such a page as a picture or a script. Conversations and tokens stay in nobody's cache.
const USUAL: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
/// For a year, this host is asked over https only.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// What no page of ours asks a reader for.
const NOT_ASKED_FOR: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=(), display-capture=()");
/// A browser may show a page again for so long without asking; it changes with the program only.
const PAGE_KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Adds what an answer does not say by itself.
pub(super) async fn complete(State(app): State<App>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in USUAL {
        headers.entry(name).or_insert(value);
    }
    if app.browsers.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    response
}

/// A page of ours, with the texts of the style sheets inside it.
pub(super) fn page(app: &App, html: String, styles: &[&str]) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy(&app.browsers, styles)),
        (PERMISSIONS_POLICY, NOT_ASKED_FOR),
        (header::CACHE_CONTROL, PAGE_KEPT),
    ];
    (headers, Html(html)).into_response()
}

/// A file of a page of ours.
pub(super) fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, PAGE_KEPT)], text).into_response()
}

/// What a page may do: show itself and pictures of this server, styled by these sheets, which it holds, or by files.
/// Scripts, and where they may ask, are files of this server; nothing that stands in the page runs. Listed sites may
/// show it in a frame.
fn policy(settings: &BrowserSettings, styles: &[&str]) -> HeaderValue {
    let hash = |style: &&str| format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(style)));
    let styles: String = styles.iter().map(hash).collect();
    let listed = settings.origins.iter().filter(|origin| *origin != "*" && is_source(origin));
    let frames: String = listed.map(|origin| format!(" {origin}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'{styles}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'{frames}"
    );
    HeaderValue::from_str(&policy).expect("hashes and sources are printable ASCII")
}

/// Whether an origin can stand in a policy without saying more than it should.
fn is_source(origin: &str) -> bool {
    origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-*[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SameSite;

    #[test]
    fn a_page_runs_nothing_that_stands_in_it_and_is_framed_by_listed_sites_only() {
        let origins = ["*", "https://book.example.org", "https://*.example.org", "https://a;script-src"];
        let settings = BrowserSettings {
            origins: origins.map(str::to_owned).to_vec(),
            public_url: None,
            secure: true,
            same_site: SameSite::None,
        };
        let policy = policy(&settings, &["body{margin:0}"]);
        let policy = policy.to_str().unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        // `printf 'body{margin:0}' | openssl dgst -sha256 -binary | base64`
        assert!(policy.contains("style-src 'self' 'sha256-IAdwN3biDCQ3brrgp1m8kBEsPQYyqfREKOEfeoREopc=';"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'self' https://book.example.org https://*.example.org"), "{policy}");
    }
}
