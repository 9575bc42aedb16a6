//! Headers become an [`Identity`]: no credential is a stranger, a wrong one is refused.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use super::adoption::Adopted;
use super::error::ApiError;
use super::{address, cookies, spoken};
use crate::app::App;
use crate::auth::{AuthError, Credentials};
use crate::chat::Chat;
use crate::identity::{ClientAddress, Identity, OwnerId};
use crate::language::Language;

/// The header in which a page on another origin brings its visitor's token.
pub const VISITOR_HEADER: HeaderName = HeaderName::from_static("x-chatkit-visitor");
/// The cookie in which a browser brings it.
pub const VISITOR_COOKIE: &str = "chatkit_visitor";
/// The cookie in which a browser brings the token of a session.
pub const SESSION_COOKIE: &str = "session";

/// Who sent the request, and from where.
pub(super) struct Caller {
    pub(super) who: Identity,
    /// Not known where a server was built without listening itself.
    pub(super) address: Option<ClientAddress>,
    /// What they are spoken to in.
    pub(super) language: Language,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let address = address::of(parts);
        if let Some(everybody) = &app.everybody {
            let language = language(app, everybody).await;
            return Ok(Self { who: everybody.clone(), address, language });
        }
        let shown = shown(app, &parts.headers)?;
        let who = app.auth.identify(&shown).await.map_err(|error| refused(app, &parts.headers, error))?;
        if app.auth.adopt_shown(&shown, &who).await {
            Adopted::tell(&parts.extensions);
        }
        match who {
            Identity::Visitor { .. } | Identity::Stranger if !app.anonymous => Err(ApiError::sign_in_required()),
            who => {
                let language = language(app, &who).await;
                Ok(Self { who, address, language })
            }
        }
    }
}

/// What somebody is spoken to in: as their profile says, or else as the request does.
async fn language(app: &App, who: &Identity) -> Language {
    if let Some(language) = app.profiles.language(who).await {
        spoken::change(language);
    }
    spoken::current()
}

impl Caller {
    /// The front desk, for them.
    pub(super) fn desk(&self, app: &App) -> Chat {
        app.chat.within(app.quota.of(&self.who, self.address)).speaking(self.language)
    }
}

/// A caller who has signed in, here or at an issuer.
pub(super) struct SignedIn {
    /// Whose rows are theirs.
    pub(super) id: OwnerId,
    /// What they are spoken to in.
    pub(super) language: Language,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let Caller { who, language, .. } = Caller::from_request_parts(parts, app).await?;
        match who {
            Identity::User { id } => Ok(Self { id, language }),
            Identity::Visitor { .. } | Identity::Stranger => Err(ApiError::sign_in_required()),
        }
    }
}

/// What a caller shows. What is shown twice is refused: who looks at the first and who at the last would see two people.
pub(super) fn shown<'a>(app: &App, headers: &'a HeaderMap) -> Result<Credentials<'a>, ApiError> {
    let bearer = bearer(headers)?;
    // Whoever brings a token is not kept out by what siblings of this host put beside it.
    let cookie = |name| match cookie(app, headers, name) {
        Err(_) if bearer.is_some() => Ok(None),
        found => found,
    };
    let visitor = match once(headers, &VISITOR_HEADER)? {
        Some(token) => Some(token),
        None => cookie(VISITOR_COOKIE)?,
    };
    // Another program on this host may have a cookie of so common a name.
    let session = if app.auth.accounts().is_some() { cookie(SESSION_COOKIE)? } else { None };
    Ok(Credentials { bearer, session, visitor })
}

/// Whether a request is let in by something that browsers add by themselves.
pub(super) fn leans_on_cookies(app: &App, headers: &HeaderMap) -> bool {
    let has = |name| values(headers, name).next().is_some();
    let has_session = || app.auth.accounts().is_some() && has(SESSION_COOKIE);
    let has_visitor = || !headers.contains_key(VISITOR_HEADER) && has(VISITOR_COOKIE);
    !headers.contains_key(AUTHORIZATION) && (has_session() || has_visitor())
}

/// A cookie that is not good any more is taken back: no page could, and the reader would never get in again.
fn refused(app: &App, headers: &HeaderMap, error: AuthError) -> ApiError {
    let is_cookie = |header| !headers.contains_key(header);
    let cookie = match &error {
        AuthError::NoSession | AuthError::SessionOver if is_cookie(AUTHORIZATION) => Some(SESSION_COOKIE),
        AuthError::Visitor(_) if is_cookie(VISITOR_HEADER) => Some(VISITOR_COOKIE),
        _ => None,
    };
    let answer = ApiError::from(error);
    match cookie {
        Some(name) => answer.with_header(SET_COOKIE, cookies::clear(app, name)),
        None => answer,
    }
}

/// The token of `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = once(headers, &AUTHORIZATION)? else { return Ok(None) };
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Some(token.trim())),
        None => Err(ApiError::unauthorized("`Authorization` must be `Bearer` and a token; leave it out for none")),
    }
}

/// The one value of a header; text that is not ASCII is a value that fits nothing.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.to_str().unwrap_or_default())),
        (Some(_), Some(_)) => Err(ApiError::unauthorized(&format!("`{name}` came more than once; send it once"))),
    }
}

/// The value of a cookie. A sibling host can set one of the same name for all of a domain, so that both come: then one
/// is taken back, and none is believed.
fn cookie<'a>(app: &App, headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let mut values = values(headers, name);
    let first = values.next();
    match values.any(|value| Some(value) != first) {
        false => Ok(first),
        true => Err(ApiError::unauthorized(&format!("the cookie `{name}` came more than once; send it once"))
            .with_header(SET_COOKIE, cookies::clear(app, name))),
    }
}

/// All values of a cookie.
fn values<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}
