//! The one place that writes cookies. None of them can be read by a script, and none leaves this host.

use std::time::Duration;

use axum::http::HeaderValue;

use crate::app::App;
use crate::config::{BrowserSettings, SameSite};

/// Has a browser keep `token` under `name` for so long.
pub(super) fn set(app: &App, name: &str, token: &str, max_age: Duration) -> HeaderValue {
    written(&app.browsers, name, token, max_age)
}

/// Has a browser forget what it keeps under `name`.
pub(super) fn clear(app: &App, name: &str) -> HeaderValue {
    written(&app.browsers, name, "", Duration::ZERO)
}

/// No `Domain`: sibling hosts have no business with it. `Partitioned` goes with `None`, because browsers that keep the
/// sites which a page is embedded in apart would not keep the cookie otherwise.
fn written(settings: &BrowserSettings, name: &str, token: &str, max_age: Duration) -> HeaderValue {
    let same_site = match settings.same_site {
        SameSite::None => "None; Partitioned",
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let secure = if settings.secure { "; Secure" } else { "" };
    let seconds = max_age.as_secs();
    let cookie = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly{secure}; SameSite={same_site}");
    HeaderValue::from_str(&cookie).expect("names and tokens are made of letters, digits, dots, dashes and underscores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secure: bool, same_site: SameSite, attributes: &str) {
        let settings = BrowserSettings { origins: Vec::new(), public_url: None, secure, same_site };
        let cookie = written(&settings, "session", "a.b-c_d", Duration::from_secs(60));
        assert_eq!(cookie, format!("session=a.b-c_d; Path=/; Max-Age=60; HttpOnly; {attributes}").as_str());
        let gone = written(&settings, "session", "", Duration::ZERO);
        assert_eq!(gone, format!("session=; Path=/; Max-Age=0; HttpOnly; {attributes}").as_str());
    }

    #[test]
    fn a_cookie_is_cleared_with_the_attributes_it_was_set_with() {
        check(true, SameSite::None, "Secure; SameSite=None; Partitioned");
        check(true, SameSite::Lax, "Secure; SameSite=Lax");
        check(true, SameSite::Strict, "Secure; SameSite=Strict");
        check(false, SameSite::Lax, "SameSite=Lax");
    }
}
