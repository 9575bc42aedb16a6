//! Settings of who may come in: tokens of issuers, accounts, visitors.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::variables::*;
use super::{Reader, Shown};

/// A secret with fewer characters is no secret.
const SECRET_CHARS_MIN: usize = 32;

/// Who may come in, and how they prove it.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// Whose tokens are believed; none when it is empty.
    pub issuers: Vec<IssuerSettings>,
    /// Accounts of this server; none without a secret.
    pub accounts: Option<AccountSettings>,
    /// Sign the identities of visitors: the first signs, all verify; empty when they were not given.
    pub visitor_secrets: Vec<SecretString>,
    /// Whether what a visitor wrote becomes theirs when they sign in.
    pub adopt_visitor_threads: bool,
    /// Whether readers without an account may have conversations.
    pub anonymous: bool,
    /// What the cookies say of requests from other sites.
    pub same_site: SameSite,
    /// What is shown to read `GET /metrics`; everybody may without.
    pub metrics_token: Option<SecretString>,
}

/// Somebody whose tokens are believed.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// Where the issuer publishes keys.
    pub jwks_url: String,
    /// What `iss` may be, without a slash at the end.
    pub names: Vec<String>,
    /// What `aud` may be, without a slash at the end; anything when it is empty.
    pub audiences: Vec<String>,
}

impl fmt::Debug for IssuerSettings {
    /// Shows no key that stands in the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jwks_url, names, audiences } = self;
        let mut shown = f.debug_struct("IssuerSettings");
        shown.field("jwks_url", &Shown(jwks_url)).field("names", names).field("audiences", audiences).finish()
    }
}

/// Accounts that this server keeps itself.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Sign session tokens: the first signs, all verify.
    pub secrets: Vec<SecretString>,
    /// How long a session lasts.
    pub lifetime: Duration,
    /// How long one lasts whose reader asked to be remembered.
    pub remembered: Duration,
}

/// When a browser sends a cookie along with a request that another site caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Always, over https: for pages on another site.
    None,
    /// When the reader follows a link.
    Lax,
    /// Never.
    Strict,
}

pub(super) fn read(reader: &mut Reader<'_>) -> AccessSettings {
    let session_secrets = secrets(reader, &SESSION_SECRET);
    let visitor_secrets = secrets(reader, &VISITOR_SECRET);
    AccessSettings {
        issuers: issuers(reader),
        visitor_secrets: if visitor_secrets.is_empty() { session_secrets.clone() } else { visitor_secrets },
        accounts: (!session_secrets.is_empty()).then(|| AccountSettings {
            secrets: session_secrets,
            lifetime: Duration::from_secs(reader.number(&SESSION_HOURS, 1..=24 * 366) * 3600),
            remembered: Duration::from_secs(reader.number(&SESSION_REMEMBER_DAYS, 1..=366) * 24 * 3600),
        }),
        adopt_visitor_threads: reader.parsed(&ADOPT_VISITOR_THREADS, "`true` or `false`"),
        anonymous: reader.parsed(&ANONYMOUS, "`true` or `false`"),
        same_site: same_site(reader),
        metrics_token: reader.secret(&METRICS_TOKEN),
    }
}

/// The secrets of a list, newest first.
fn secrets(reader: &mut Reader<'_>, variable: &super::Variable) -> Vec<SecretString> {
    let Some(list) = reader.secret(variable) else { return Vec::new() };
    let secrets = list.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let secrets: Vec<SecretString> = secrets.map(SecretString::from).collect();
    if secrets.is_empty() || secrets.iter().any(|secret| secret.expose_secret().len() < SECRET_CHARS_MIN) {
        let remedy = format!(
            "must have at least {SECRET_CHARS_MIN} characters, each of them if there are several, separated by commas; \
             `openssl rand -hex 32` makes a good one"
        );
        reader.mistake(variable.name, remedy);
    }
    secrets
}

/// Each address of keys with its issuers: one for all of them, or one for each.
fn issuers(reader: &mut Reader<'_>) -> Vec<IssuerSettings> {
    let urls = addresses(reader, &JWKS_URL);
    let names: Vec<String> = without_slashes(reader.list(&JWT_ISSUER));
    let audiences = without_slashes(reader.list(&JWT_AUDIENCE));
    let mut told_apart = names.clone();
    told_apart.sort_unstable();
    told_apart.dedup();
    // Owners of conversations are named by issuer and subject, with a space between the two.
    if told_apart.len() != names.len() || names.iter().any(|name| name.is_empty() || name.contains(char::is_whitespace))
    {
        reader.mistake(JWT_ISSUER.name, "must be names without spaces, each of them once");
    }
    let is_anything = audiences.iter().any(|audience| audience == "*");
    let meant_for = |issuers: &[String]| match (is_anything, audiences.is_empty()) {
        (true, _) => Vec::new(),
        // What issuers say that were told nothing else.
        (false, true) => issuers.to_vec(),
        (false, false) => audiences.clone(),
    };
    let issuer = |(url, names): (&String, &[String])| IssuerSettings {
        jwks_url: url.clone(),
        names: names.to_vec(),
        audiences: meant_for(names),
    };
    match (urls.len(), names.len()) {
        (0, 0) => Vec::new(),
        (0, _) => {
            reader.mistake(JWKS_URL.name, "must say where the issuers of JWT_ISSUER publish their keys");
            Vec::new()
        }
        (_, 0) => {
            let remedy = "must say what the `iss` of accepted tokens is, such as https://site.example.org";
            reader.mistake(JWT_ISSUER.name, remedy);
            Vec::new()
        }
        (1, _) => vec![issuer((&urls[0], &names))],
        (urls_count, names_count) if urls_count == names_count => {
            urls.iter().zip(names.chunks(1)).map(issuer).collect()
        }
        _ => {
            reader.mistake(JWKS_URL.name, "must be one address, or as many as JWT_ISSUER has names, in the same order");
            Vec::new()
        }
    }
}

fn addresses(reader: &mut Reader<'_>, variable: &super::Variable) -> Vec<String> {
    let addresses = reader.list(variable);
    let is_web = |address: &String| {
        ["http://", "https://"].iter().any(|scheme| address.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    };
    if !addresses.iter().all(is_web) {
        reader.mistake(variable.name, "must be addresses such as https://site.example.org/api/auth/jwks");
    }
    addresses
}

fn without_slashes(names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| name.trim_end_matches('/').to_owned()).collect()
}

fn same_site(reader: &mut Reader<'_>) -> SameSite {
    match reader.text(&COOKIE_SAME_SITE).unwrap_or_default().to_ascii_lowercase().as_str() {
        "none" => SameSite::None,
        "lax" => SameSite::Lax,
        "strict" => SameSite::Strict,
        _ => {
            reader.mistake(COOKIE_SAME_SITE.name, "must be `none`, `lax` or `strict`");
            SameSite::Strict
        }
    }
}
