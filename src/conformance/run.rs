//! Carrying a case out: its steps one after the other, up to the first that fails.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::answer::{compare, decode};
use super::case::{Act, Body, Case, Step};
use super::exchange::{Answer, Exchange, NoAnswer, Request};
use super::fill::fill;
use super::matcher::{Matcher, Names};
use super::moment::Spelling;
use super::report::{Failure, Outcome, Verdict};
use super::target::Target;
use super::walk::walk;
use crate::llm::http;

/// Between two attempts to get an answer that fits.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a server cannot be tested at all.
#[derive(Debug, thiserror::Error)]
pub enum NotTested {
    /// The address is none.
    #[error("`{0}` is no address of a server; write it like http://127.0.0.1:8000/chatkit")]
    Address(String),
    /// Nothing can be sent from this machine.
    #[error("no request can be sent from here")]
    Client(#[source] reqwest::Error),
    /// Nobody is there, or somebody who says nothing.
    #[error("the server at {url} cannot be tested: {why}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened instead of an answer.
        why: String,
    },
}

/// Runs cases against one server, one after the other.
#[derive(Debug)]
pub struct Runner {
    target: Target,
    exchange: Exchange,
}

impl Runner {
    /// A runner for this server, which has answered a harmless request.
    ///
    /// # Errors
    /// The address is none, or nobody answers there.
    pub async fn reach(target: &Target) -> Result<Self, NotTested> {
        let address =
            Url::parse(&target.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = address.ok_or_else(|| NotTested::Address(target.url.clone()))?;
        let client = http::inspecting_client().map_err(NotTested::Client)?;
        let exchange = Exchange { client, url, limits: target.limits.clone() };
        let body = br#"{"type":"threads.list","params":{"limit":1}}"#.to_vec();
        let asked = Request { method: "POST", body, ..Request::default() };
        match exchange.send(asked).await {
            // Whatever the answer is, the cases are there to judge it.
            Ok(_) | Err(NoAnswer::Broken(_)) => Ok(Self { target: target.clone(), exchange }),
            Err(error) => Err(NotTested::Unreachable { url: target.url.clone(), why: error.to_string() }),
        }
    }

    /// Runs a case; every answer is shown to `heard`.
    pub async fn run(&self, case: &Case, heard: &mut (dyn FnMut(&Answer) + Send)) -> Outcome {
        let unmet: Vec<String> =
            case.needs.iter().filter(|need| !self.target.meets(need)).map(ToString::to_string).collect();
        let verdict = match unmet.is_empty() {
            true => self.steps(case, heard).await.map_or_else(Verdict::Failed, |()| Verdict::Passed),
            false => Verdict::Skipped { needs: unmet },
        };
        Outcome { name: case.name.clone(), about: case.about.clone(), verdict }
    }

    async fn steps(&self, case: &Case, heard: &mut (dyn FnMut(&Answer) + Send)) -> Result<(), Failure> {
        let mut names = Names::new();
        for (number, step) in (1..).zip(&case.steps) {
            self.step(step, &mut names, heard).await.map_err(|differences| Failure {
                step: number,
                what: step.what(),
                note: step.note.clone(),
                differences,
            })?;
        }
        Ok(())
    }

    async fn step(
        &self,
        step: &Step,
        names: &mut Names,
        heard: &mut (dyn FnMut(&Answer) + Send),
    ) -> Result<(), Vec<String>> {
        if let Act::Wait(pause) = step.act {
            sleep(pause).await;
            return Ok(());
        }
        let deadline = Instant::now() + step.within;
        let mut known = names.clone();
        for _ in 0..step.repeat {
            known = loop {
                match self.attempt(step, names, heard).await {
                    Err(_) if Instant::now() < deadline => sleep(ATTEMPT_PAUSE).await,
                    ended => break ended?,
                }
            };
        }
        *names = known;
        Ok(())
    }

    /// Does what the step does once; the names that are known after it, or what differs.
    async fn attempt(
        &self,
        step: &Step,
        names: &Names,
        heard: &mut (dyn FnMut(&Answer) + Send),
    ) -> Result<Names, Vec<String>> {
        let begun = Instant::now();
        let answer = self.answer(&step.act, names).await.map_err(|sentence| vec![sentence])?;
        let took = begun.elapsed();
        heard(&answer);
        let mut decoded = decode(&answer);
        if let (true, Act::Send { cancel_after_events: Some(count), .. }) = (answer.stopped, &step.act) {
            decoded.first_events(*count);
        }
        let spelling = if self.target.reference { Spelling::AnyZone } else { Spelling::Utc };
        let mut matcher = Matcher::new(names, spelling);
        let expect = step.expected(self.target.reference);
        if let Some(expect) = expect {
            compare(expect, &answer, &decoded, &mut matcher);
        }
        if let Some(most) = step.most.filter(|most| took > *most) {
            matcher.differs(
                "time",
                format_args!("at most {} ms", most.as_millis()),
                format_args!("{} ms", took.as_millis()),
            );
        }
        if matcher.differences.is_empty() {
            capture(step, decoded.value.as_ref(), &mut matcher);
        }
        if matcher.differences.is_empty() {
            return Ok(matcher.names);
        }
        if let Some(types) = decoded.types().filter(|_| expect.is_some_and(|expect| expect.events.is_some())) {
            matcher.differences.push(format!("events received: {types}"));
        }
        Err(matcher.differences)
    }

    async fn answer(&self, act: &Act, names: &Names) -> Result<Answer, String> {
        match act {
            Act::Wait(_) => unreachable!("whoever waits asks for nothing"),
            Act::Walk { request, by } => {
                let request = fill(request, names).map_err(|error| error.to_string())?;
                walk(&self.exchange, request, *by).await.map_err(|error| error.to_string())
            }
            Act::Send { method, headers, body, cancel_after_events } => {
                let body = match body {
                    Body::Nothing => Vec::new(),
                    Body::Raw(bytes) => bytes.clone(),
                    Body::Request(request) => {
                        fill(request, names).map_err(|error| error.to_string())?.to_string().into_bytes()
                    }
                };
                let cancel_after_events = *cancel_after_events;
                let request = Request { method, headers: Some(headers), body, cancel_after_events };
                self.exchange.send(request).await.map_err(|error| error.to_string())
            }
        }
    }
}

/// Gives names to values of an answer.
fn capture(step: &Step, value: Option<&Value>, matcher: &mut Matcher) {
    for (name, pointer) in &step.capture {
        match value.and_then(|value| value.pointer(pointer)) {
            Some(value) => {
                matcher.names.insert(name.clone(), value.clone());
            }
            None => matcher.differences.push(format!("nothing is at {pointer}, which is to be called $cap:{name}")),
        }
    }
}
