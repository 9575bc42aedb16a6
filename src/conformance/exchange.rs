//! One request and its answer over HTTP: every byte of it, whether it was cut, and nothing waited for without a limit.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap};
use tokio::time::{Instant, timeout_at};

use super::{framing, quoted};

/// A server that says nothing for so long says nothing more.
pub const ANSWER_SILENCE_MAX: Duration = Duration::from_secs(20);
/// An answer must have come to its end so soon.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// A larger answer is not read to its end.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// So much of an answer that did not end is shown, in bytes.
const SHOWN_BYTES: usize = 200;

/// How much of an answer is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one piece of an answer to the next, the first included.
    pub silence: Duration,
    /// From the request to the end of the answer.
    pub whole: Duration,
    /// The body, in bytes; for a list with many pages all of them together.
    pub bytes: usize,
    /// Pages of one list.
    pub pages: usize,
}

/// An answer, as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers; a name may be there more than once.
    pub headers: HeaderMap,
    /// The bytes of the body, without the framing of HTTP.
    pub body: Vec<u8>,
    /// Whether the connection broke off before the body was complete.
    pub cut: bool,
    /// Whether this side closed the connection, because as many events had come as were wanted.
    pub stopped: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("nobody answers: {0}")]
    Unreachable(String),
    #[error("the connection ended without an answer: {0}")]
    Broken(String),
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    #[error("the answer did not end: {0}")]
    Endless(String),
}

/// A request, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// They win over those that are always sent.
    pub(super) headers: Option<&'a BTreeMap<String, String>>,
    pub(super) body: Vec<u8>,
    /// The connection is closed as soon as so many events have come.
    pub(super) cancel_after_events: Option<usize>,
}

/// The way to a server.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) client: reqwest::Client,
    pub(super) url: reqwest::Url,
    pub(super) limits: Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: ANSWER_SILENCE_MAX,
            whole: ANSWER_TIME_MAX,
            bytes: ANSWER_BYTES_MAX,
            pages: super::walk::WALK_PAGES_MAX,
        }
    }
}

impl Answer {
    /// Every value of a header, with commas between.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.map(std::borrow::Cow::into_owned).reduce(|all, more| format!("{all}, {more}"))
    }

    /// Whether the body is said to be of this media type.
    pub(super) fn is(&self, media_type: &str) -> bool {
        let said = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
    }
}

impl Exchange {
    /// Sends a request and reads the answer to its end, or as far as is wanted.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, NoAnswer> {
        let end = Instant::now() + self.limits.whole;
        let sent = timeout_at(self.next(end), self.prepared(&request)?.send()).await;
        let Ok(sent) = sent else {
            let waited = self.limits.silence.min(self.limits.whole);
            return Err(NoAnswer::Endless(format!("within {waited:?} there was no status")));
        };
        let mut response = sent.map_err(|error| match error.is_connect() {
            true => NoAnswer::Unreachable(causes(error)),
            false => NoAnswer::Broken(causes(error)),
        })?;
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            cut: false,
            stopped: false,
        };
        while !answer.stopped {
            match timeout_at(self.next(end), response.chunk()).await {
                Ok(Ok(Some(bytes))) => answer.body.extend_from_slice(&bytes),
                Ok(Ok(None)) => return Ok(answer),
                Ok(Err(_)) => return Ok(Answer { cut: true, ..answer }),
                Err(_) if Instant::now() < end => {
                    return Err(self.endless(&answer.body, format_args!("nothing came for {:?}", self.limits.silence)));
                }
                Err(_) => {
                    return Err(self.endless(&answer.body, format_args!("it took more than {:?}", self.limits.whole)));
                }
            }
            if answer.body.len() > self.limits.bytes {
                return Err(self.endless(&answer.body, format_args!("it has more than {} bytes", self.limits.bytes)));
            }
            answer.stopped = request.cancel_after_events.is_some_and(|count| framing::has_events(&answer.body, count));
        }
        Ok(answer)
    }

    fn prepared(&self, request: &Request<'_>) -> Result<reqwest::RequestBuilder, NoAnswer> {
        let unsendable = |what: &str, error: &dyn std::fmt::Display| NoAnswer::Unsendable(format!("{what}: {error}"));
        let method = reqwest::Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|error| unsendable(request.method, &error))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, reqwest::header::HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, reqwest::header::HeaderValue::from_static("identity"));
        for (name, value) in request.headers.into_iter().flatten() {
            let known = name.parse::<reqwest::header::HeaderName>().map_err(|error| unsendable(name, &error))?;
            headers.insert(known, value.parse().map_err(|error| unsendable(name, &error))?);
        }
        Ok(self.client.request(method, self.url.clone()).headers(headers).body(request.body.clone()))
    }

    /// When the next piece must have come.
    fn next(&self, end: Instant) -> Instant {
        end.min(Instant::now() + self.limits.silence)
    }

    fn endless(&self, body: &[u8], why: std::fmt::Arguments<'_>) -> NoAnswer {
        let last = &body[body.len().saturating_sub(SHOWN_BYTES)..];
        NoAnswer::Endless(format!("{why}; the last of its {} bytes: {}", body.len(), quoted(last, SHOWN_BYTES)))
    }
}

/// An error with everything that led to it; the address is known to whoever reads it.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        told = format!("{told}: {deeper}");
        cause = deeper.source();
    }
    told
}
