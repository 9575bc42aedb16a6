//! Fetching from a site: past the guard, within limits, and no faster than the site likes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use tokio::time::{Instant, sleep_until, timeout};

use super::guard::{Guard, Refused, SystemNames, refusal};
use crate::llm::http::guarded_client;

/// An answer is there, to its last byte, within this time.
const FETCH_TIME_MAX: Duration = Duration::from_secs(30);

/// Redirects that are followed, one after the other.
const REDIRECTS_MAX: usize = 5;

/// How often an address is asked again that did not answer, or had no time.
const TRIES_AGAIN_MAX: u32 = 3;

/// A longer pause that a site asks for is not kept; its page is given up instead.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// The pause before the first time an address is asked again; each one after it is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);

const ACCEPTED: &str = "text/html,application/xhtml+xml,application/xml,application/pdf,text/plain;q=0.5,*/*;q=0.1";

/// What came.
#[derive(Clone, Debug)]
pub(super) struct Got {
    /// Where it came from in the end.
    pub url: Url,
    /// Its type without parameters, in small letters; empty when nothing is said.
    pub kind: String,
    /// The encoding that goes with the type.
    pub charset: Option<String>,
    /// Search engines shall not list it.
    pub noindex: bool,
    pub bytes: Bytes,
}

/// Why nothing came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    #[error("there is no such page ({0})")]
    Gone(u16),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("it leads to {0}, which is another site; --also-host lets that be read too")]
    Elsewhere(String),
    #[error("it leads on and on")]
    Circle,
    #[error("it is larger than {} MiB", .0 / 1024 / 1024)]
    Large(u64),
    #[error("it is of type {0}; only pages of HTML and PDF files are read")]
    Kind(String),
    #[error("the site has no time for it ({0})")]
    Busy(u16, Duration),
    #[error("the site answers with {0}")]
    Status(u16),
    #[error("the site does not answer: {0}")]
    Away(String),
}

impl Failed {
    /// Whether it is the site rather than the page that does not work.
    pub(super) fn is_of_site(&self) -> bool {
        matches!(self, Self::Busy(..) | Self::Away(_))
    }
}

/// Fetches from one site.
pub(super) struct Fetcher {
    client: reqwest::Client,
    guard: Guard,
    hosts: BTreeSet<String>,
    pace: Pace,
}

impl Fetcher {
    /// For the site at `site`, and for `also` hosts. Fails where the system has no CA certificates.
    pub(super) fn new(
        site: &Url,
        also: &[String],
        allow_private: bool,
        delay: Duration,
    ) -> Result<Self, reqwest::Error> {
        let guard = Guard::new(site, allow_private);
        let client = guarded_client(guard.names(Arc::new(SystemNames)))?;
        let hosts = also.iter().map(|host| host.to_lowercase()).chain(site.host_str().map(str::to_owned)).collect();
        Ok(Self { client, guard, hosts, pace: Pace { delay, next: Mutex::new(Instant::now()) } })
    }

    /// Whether an address is of the site.
    pub(super) fn is_of_site(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| self.hosts.contains(host))
    }

    /// Makes the pause between two requests at least so long.
    pub(super) fn slow_down(&mut self, delay: Duration) {
        self.pace.delay = self.pace.delay.max(delay);
    }

    /// Fetches a page. `bytes_max` says of a type how large it may be; none when it is not wanted.
    pub(super) async fn get(&self, url: &Url, bytes_max: fn(&str) -> Option<u64>) -> Result<Got, Failed> {
        let mut pause = PAUSE_FIRST;
        let mut tries = 0;
        loop {
            let failed = match self.follow(url.clone(), bytes_max).await {
                Err(failed) if failed.is_of_site() && tries < TRIES_AGAIN_MAX => failed,
                done => return done,
            };
            let asked = match failed {
                Failed::Busy(_, asked) => asked,
                _ => Duration::ZERO,
            };
            if asked > RETRY_AFTER_MAX {
                return Err(failed);
            }
            // All wait, not only this one: it is the site that has no time.
            self.pace.pause(asked.max(pause));
            (pause, tries) = (pause * 2, tries + 1);
        }
    }

    async fn follow(&self, mut url: Url, bytes_max: fn(&str) -> Option<u64>) -> Result<Got, Failed> {
        for _ in 0..=REDIRECTS_MAX {
            self.guard.check(&url)?;
            if !self.is_of_site(&url) {
                return Err(Failed::Elsewhere(url.host_str().unwrap_or_default().to_owned()));
            }
            self.pace.turn().await;
            match timeout(FETCH_TIME_MAX, self.ask(&url, bytes_max)).await {
                Ok(Ok(Answer::Got(got))) => return Ok(got),
                Ok(Ok(Answer::Redirect(target))) => {
                    url = url.join(&target).map_err(|_| Failed::Away("it leads to no address".to_owned()))?;
                    url.set_fragment(None);
                }
                Ok(Err(failed)) => return Err(failed),
                Err(_) => return Err(Failed::Away(format!("it takes more than {} s", FETCH_TIME_MAX.as_secs()))),
            }
        }
        Err(Failed::Circle)
    }

    async fn ask(&self, url: &Url, bytes_max: fn(&str) -> Option<u64>) -> Result<Answer, Failed> {
        let mut response = self.client.get(url.clone()).header(ACCEPT, ACCEPTED).send().await.map_err(away)?;
        let (status, headers) = (response.status(), response.headers());
        if status.is_redirection() {
            let target = header(headers, LOCATION.as_str()).ok_or(Failed::Status(status.as_u16()))?;
            return Ok(Answer::Redirect(target));
        }
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Failed::Gone(status.as_u16())),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Failed::Busy(status.as_u16(), asked_pause(headers)));
            }
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                return Err(Failed::Busy(status.as_u16(), Duration::ZERO));
            }
            _ if status == StatusCode::OK => {}
            _ => return Err(Failed::Status(status.as_u16())),
        }
        let declared = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let (kind, parameters) = declared.split_once(';').unwrap_or((&declared, ""));
        let kind = kind.trim().to_ascii_lowercase();
        let charset = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        });
        let noindex = header(headers, "x-robots-tag").is_some_and(|tag| {
            tag.split(',').any(|word| matches!(word.trim().to_ascii_lowercase().as_str(), "noindex" | "none"))
        });
        let bytes_max = bytes_max(&kind).ok_or_else(|| Failed::Kind(kind.chars().take(80).collect()))?;
        if response.content_length().is_some_and(|length| length > bytes_max) {
            return Err(Failed::Large(bytes_max));
        }
        let mut bytes = BytesMut::new();
        // What is packed is counted as it is unpacked.
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                return Err(Failed::Large(bytes_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer::Got(Got { url: url.clone(), kind, charset, noindex, bytes: bytes.freeze() }))
    }
}

enum Answer {
    Got(Got),
    Redirect(String),
}

fn away(error: reqwest::Error) -> Failed {
    if let Some(refused) = refusal(&error) {
        return Failed::Refused(refused.clone());
    }
    let error = error.without_url();
    let why = match () {
        () if error.is_timeout() => "it does not accept a connection",
        () if error.is_connect() => "it cannot be connected to",
        () => "the connection broke off",
    };
    Failed::Away(why.to_owned())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Seconds only: a date would have to be compared with the clock of somebody else.
fn asked_pause(headers: &HeaderMap) -> Duration {
    let seconds = header(headers, RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

/// When the next request may go out.
struct Pace {
    delay: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    async fn turn(&self) {
        loop {
            let at = {
                let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                if *next <= now {
                    *next = now + self.delay;
                    return;
                }
                *next
            };
            sleep_until(at).await;
        }
    }

    fn pause(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause);
    }
}
