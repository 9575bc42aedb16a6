//! The front ends of four earlier back ends, as they are: what they send, how they read answers, and what their readers
//! see when something goes wrong.

mod book_bot;
mod minimal_chat;
mod reports;
mod settings;
mod spaces_bot;
mod tutor;

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

use crate::support::client::Reader;
use crate::support::house::House;

/// A page of a site in somebody's browser, which keeps cookies and to the rules for pages of other origins.
pub(crate) struct Page {
    origin: &'static str,
    reader: Reader,
    cookies: Mutex<BTreeMap<String, String>>,
    token: Mutex<Option<String>>,
}

/// What `fetch` came to.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Fetched {
    /// `response.ok`
    pub(crate) fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `await response.json()`
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Page {
    /// A page of this origin, which talks to the house.
    pub(crate) fn of(origin: &'static str, house: &House) -> Self {
        Self { origin, reader: house.stranger(), cookies: Mutex::default(), token: Mutex::default() }
    }

    /// From now on the page sends this token in `Authorization`.
    pub(crate) fn bearing(self, token: &str) -> Self {
        *self.token.lock().unwrap() = Some(token.to_owned());
        self
    }

    /// The names of the cookies that the browser keeps.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.cookies.lock().unwrap().keys().cloned().collect()
    }

    /// `fetch(path, {method, credentials: "include", headers: {"Content-Type": "application/json"}, body})`, read to its
    /// end. What the rules for other origins keep from the page is an error, as in a browser.
    pub(crate) async fn fetch(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Fetched, String> {
        self.fetch_as(method, path, body, "*/*").await
    }

    /// The same with an `Accept`.
    pub(crate) async fn fetch_as(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        accept: &str,
    ) -> Result<Fetched, String> {
        let token = self.token.lock().unwrap().clone();
        let mut asked_for = vec!["content-type"];
        asked_for.extend(token.as_ref().map(|_| "authorization"));
        self.preflight(method, path, &asked_for).await?;
        let mut request = self.reader.request(method, path).header("origin", self.origin).header("accept", accept);
        request = request.header("content-type", "application/json").header("sec-fetch-site", "cross-site");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.map_err(|error| error.to_string())?;
        self.may_read(&headers)?;
        self.keep(&headers);
        Ok(Fetched { status, headers, text })
    }

    /// A browser asks first whether a page may send such a request.
    async fn preflight(&self, method: &str, path: &str, headers: &[&str]) -> Result<(), String> {
        let request = self.reader.request("OPTIONS", path).header("origin", self.origin);
        let request = request.header("access-control-request-method", method);
        let answer = request.header("access-control-request-headers", headers.join(",")).send().await.unwrap();
        if !answer.status().is_success() {
            return Err(format!("TypeError: Failed to fetch (preflight {})", answer.status()));
        }
        self.may_read(answer.headers())?;
        let listed = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            value.split(',').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>()
        };
        let methods = listed("access-control-allow-methods");
        if !methods.contains(&method.to_ascii_lowercase()) {
            return Err(format!("TypeError: Failed to fetch ({method} is not among {methods:?})"));
        }
        let allowed = listed("access-control-allow-headers");
        match headers.iter().find(|name| !allowed.iter().any(|allowed| allowed == *name)) {
            None => Ok(()),
            Some(name) => Err(format!("TypeError: Failed to fetch ({name} is not among {allowed:?})")),
        }
    }

    fn may_read(&self, headers: &HeaderMap) -> Result<(), String> {
        let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
        match is("access-control-allow-origin", self.origin) && is("access-control-allow-credentials", "true") {
            true => Ok(()),
            false => Err("TypeError: Failed to fetch (CORS)".to_owned()),
        }
    }

    /// A browser keeps cookies of another site only if they say that they are meant for that.
    fn keep(&self, headers: &HeaderMap) {
        let mut kept = self.cookies.lock().unwrap();
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            if attributes.contains("Max-Age=0") {
                kept.remove(name);
            } else if attributes.contains("Secure") && attributes.contains("SameSite=None") {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The payloads of a stream of server-sent events, as front ends read them: line by line, whatever else comes.
pub(crate) fn data_lines(body: &str) -> Vec<Value> {
    let lines = body.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(|payload| serde_json::from_str(payload).unwrap()).collect()
}
