//! Pages of other sites do not act in a reader's name: what a browser adds to a request by itself counts only when one
//! of our own pages, or one of a listed site, caused the request.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cors::is_listed;
use super::error::ApiError;
use super::identity;
use crate::app::App;
use crate::config::BrowserSettings;

/// Browsers say in it how the page that caused a request is related to us. No script can set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Below it, answers sign a browser in: another site's page must not cause that, even in one that has no cookie yet.
const SIGNING_IN: &str = "/auth/";

/// What caused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A program, or the reader themselves; no page.
    Program,
    /// A page that came from this server, or from the same address through a proxy.
    Own,
    /// A page of a site that the operator listed.
    Listed,
    /// A page of anybody else.
    Other,
}

/// What caused a request with these headers.
pub(super) fn cause(settings: &BrowserSettings, headers: &HeaderMap) -> Cause {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    match (site, headers.get(header::ORIGIN)) {
        (None, None) | (Some(b"none"), _) => Cause::Program,
        (Some(b"same-origin"), _) => Cause::Own,
        (_, Some(origin)) if is_listed(&settings.origins, origin) => Cause::Listed,
        (_, Some(origin)) if is_public_url(settings, origin) => Cause::Own,
        // Only an older browser leaves it to us to compare.
        (None, Some(origin)) if is_host(headers, origin) => Cause::Own,
        _ => Cause::Other,
    }
}

/// Refuses what the page of another site caused, if it counts on cookies or signs a browser in.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

fn check(app: &App, request: &Request) -> Result<(), ApiError> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    match counts(app, request.uri().path(), request.headers()) {
        true => known_page(&app.browsers, request.headers()),
        false => Ok(()),
    }
}

/// Whether it matters who caused a request.
fn counts(app: &App, path: &str, headers: &HeaderMap) -> bool {
    let is_open = app.browsers.origins.iter().any(|origin| origin == "*");
    match app.everybody {
        // Whoever reaches such a house is let in, so that a page in the same browser would be, too.
        Some(_) => !is_open,
        None => identity::leans_on_cookies(app, headers) || path.starts_with(SIGNING_IN),
    }
}

/// Refuses a request that the page of another site caused, whatever the request is.
pub(super) fn known_page(settings: &BrowserSettings, headers: &HeaderMap) -> Result<(), ApiError> {
    match cause(settings, headers) {
        Cause::Program | Cause::Own | Cause::Listed => Ok(()),
        Cause::Other => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "cross_site",
            "cookies of readers count only on pages of this server and of the sites in CORS_ORIGINS; this page is of \
             neither",
        )),
    }
}

fn is_public_url(settings: &BrowserSettings, origin: &HeaderValue) -> bool {
    let Some((url, origin)) = settings.public_url.as_deref().zip(origin.to_str().ok()) else { return false };
    let path_at = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    url[..path_at.unwrap_or(url.len())].eq_ignore_ascii_case(origin)
}

/// Whether an origin is the host that was asked. Behind a proxy the scheme is not known here.
fn is_host(headers: &HeaderMap, origin: &HeaderValue) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let Some((host, (scheme, authority))) = host.zip(origin) else { return false };
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual_port).unwrap_or(host);
    !authority.is_empty() && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SameSite;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expected: Cause) {
        let settings = BrowserSettings {
            origins: vec![
                "*".to_owned(),
                "https://book.example.org".to_owned(),
                "https://*.preview.example.org".to_owned(),
            ],
            public_url: Some("https://tutor.example.org/chat".to_owned()),
            secure: true,
            same_site: SameSite::None,
        };
        let value = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        assert_eq!(cause(&settings, &headers.iter().map(value).collect()), expected, "{headers:?}");
    }

    #[test]
    fn a_program_says_neither_where_it_comes_from_nor_how_it_is_related() {
        check(&[("host", "tutor.example.org")], Cause::Program);
        check(&[("sec-fetch-site", "none")], Cause::Program);
    }

    #[test]
    fn a_page_is_ours_when_its_browser_says_so_or_its_address_is_ours() {
        check(&[("sec-fetch-site", "same-origin"), ("origin", "https://behind.a.proxy")], Cause::Own);
        check(&[("sec-fetch-site", "same-site"), ("origin", "https://tutor.example.org")], Cause::Own);
        check(&[("host", "10.0.0.1:8000"), ("origin", "http://10.0.0.1:8000")], Cause::Own);
        check(&[("host", "inside.example.org"), ("origin", "https://inside.example.org")], Cause::Own);
        check(&[("host", "inside.example.org:443"), ("origin", "https://inside.example.org")], Cause::Own);
    }

    #[test]
    fn a_page_of_a_listed_site_is_known_and_all_others_are_not() {
        check(&[("sec-fetch-site", "cross-site"), ("origin", "https://book.example.org")], Cause::Listed);
        check(&[("sec-fetch-site", "same-site"), ("origin", "https://pr-1.preview.example.org")], Cause::Listed);
        for origin in
            ["null", "", "https://evil.example.net", "http://tutor.example.org", "https://tutor.example.org:444"]
        {
            check(&[("host", "tutor.example.org"), ("sec-fetch-site", "cross-site"), ("origin", origin)], Cause::Other);
        }
        // A sibling: its browser says that it is none of ours, so the host is not compared.
        check(
            &[("host", "a.example.org"), ("sec-fetch-site", "same-site"), ("origin", "https://a.example.org")],
            Cause::Other,
        );
        for site in ["cross-site", "same-site", "anything"] {
            check(&[("sec-fetch-site", site)], Cause::Other);
        }
        check(&[("host", "evil.example.net.example.org"), ("origin", "https://evil.example.net")], Cause::Other);
        check(&[("host", ""), ("origin", "https://")], Cause::Other);
        check(&[("host", "null"), ("origin", "null")], Cause::Other);
    }
}
