//! What somebody wants written anew, beyond what any body may say.

use serde_json::Value;

use crate::profile::is_language_tag;
use crate::routes::members::Members;
use crate::routes::spoken::{say, say_with};

/// The longest text, in characters.
pub(in crate::routes) const TEXT_CHARS_MAX: usize = 100_000;
/// The shortest text that can be written for somebody, in characters without the space around it.
pub(in crate::routes) const CONTENT_CHARS_MIN: usize = 20;
/// The longest address of a page, in characters.
const PAGE_URL_CHARS_MAX: usize = 500;
/// The longest word on what a text is about, in characters.
pub(in crate::routes) const CONTEXT_CHARS_MAX: usize = 1_000;
/// The longest hash that is compared, in characters.
pub(in crate::routes) const HASH_CHARS_MAX: usize = 128;

/// The address of a page: one line.
pub(in crate::routes) fn page_url(members: &mut Members) -> String {
    let fits =
        |url: &&str| (1..=PAGE_URL_CHARS_MAX).contains(&url.chars().count()) && !url.chars().any(char::is_control);
    let url = members.get("page_url").and_then(Value::as_str).filter(fits).map(str::to_owned);
    let problem = || say_with("rewrite-member-page-url", &[("limit", PAGE_URL_CHARS_MAX.into())]);
    url.or_else(|| members.problem("page_url", problem())).unwrap_or_default()
}

/// A language by its tag.
pub(in crate::routes) fn tag(members: &mut Members, name: &'static str, otherwise: Option<&str>) -> Option<String> {
    let tag = match members.get(name) {
        None => return otherwise.map(str::to_owned),
        Some(given) => given.as_str().map(str::trim).filter(|tag| is_language_tag(tag)).map(str::to_owned),
    };
    tag.or_else(|| members.problem(name, say("rewrite-member-tag")))
}

/// The language that a text is to be in, which is another than the one that it is in.
pub(in crate::routes) fn target(
    members: &mut Members,
    name: &'static str,
    otherwise: Option<&str>,
    from: Option<&str>,
) -> String {
    let is_said = members.get(name).is_some();
    let to = match (tag(members, name, otherwise), from) {
        (Some(to), Some(from)) if to.eq_ignore_ascii_case(from) => {
            members.problem(name, say("rewrite-member-same-language"))
        }
        (None, _) if !is_said => members.problem(name, say("rewrite-member-tag")),
        (to, _) => to,
    };
    to.unwrap_or_default()
}
