//! What browsers are told: which pages may call, and which cookies they keep.

use super::{SameSite, Settings};

/// What browsers are told.
#[derive(Clone, Debug)]
pub struct BrowserSettings {
    /// Origins whose pages may call, perhaps with a wildcard; `*` for everybody.
    pub origins: Vec<String>,
    /// Where readers reach this server, without a slash at the end, if it was given.
    pub public_url: Option<String>,
    /// Whether cookies travel over https alone: everywhere but on plain http on this machine.
    pub secure: bool,
    /// When cookies come along from pages of other sites. Browsers believe `none` only of secure cookies.
    pub same_site: SameSite,
}

impl BrowserSettings {
    /// Of all settings, those that browsers are told.
    pub fn of(settings: &Settings) -> Self {
        let http = &settings.http;
        let plain_here = match &http.public_url {
            Some(url) => url.strip_prefix("http://").is_some_and(|rest| is_loopback(host(rest))),
            None => http.host.is_loopback(),
        };
        let same_site = match settings.access.same_site {
            SameSite::None if plain_here => SameSite::Lax,
            asked => asked,
        };
        Self { origins: http.cors_origins.clone(), public_url: http.public_url.clone(), secure: !plain_here, same_site }
    }

    /// Whether readers reach this server over https, as far as it was told.
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// The host of an address without its scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    let is_named_so = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    is_named_so || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_on_this_machine_does_without_secure_cookies() {
        for url in ["http://localhost:8000", "http://127.0.0.1:8000/tutor", "http://[::1]:8000", "http://a.localhost"] {
            assert!(is_loopback(host(url.strip_prefix("http://").unwrap())), "{url}");
        }
        for url in ["http://192.0.2.1", "http://localhost.example.org", "http://example.org/localhost"] {
            assert!(!is_loopback(host(url.strip_prefix("http://").unwrap())), "{url}");
        }
    }
}
