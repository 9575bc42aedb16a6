//! Cases as they are written in files, and everything that may be wrong with one.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::pattern::Pattern;
use super::target::Need;

/// A step may wait, or try again, for so long.
const PAUSE_TIME_MAX: Duration = Duration::from_secs(600);
/// A step may be repeated so often.
const REPETITIONS_MAX: u32 = 10_000;
/// A request may be this large.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One case: requests in their order, and what is expected of the answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// What it shows, in one line.
    pub about: String,
    #[serde(default)]
    pub(super) needs: Vec<Need>,
    pub(super) steps: Vec<Step>,
}

/// A part of a case: something that is done, and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "StepAsWritten")]
pub(super) struct Step {
    pub(super) act: Act,
    pub(super) note: Option<String>,
    /// How often it is done.
    pub(super) repeat: u32,
    /// For so long an answer that does not fit is asked for again.
    pub(super) within: Duration,
    /// The answer must not take longer.
    pub(super) most: Option<Duration>,
    /// Names, and the pointers to their values.
    pub(super) capture: BTreeMap<String, String>,
    /// What is expected of the answer, if anything is.
    pub(super) expect: Option<Expect>,
    /// What is expected of the Python reference instead, if it is something else.
    pub(super) reference_expect: Option<Option<Expect>>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Wait(Duration),
    Send {
        method: String,
        headers: BTreeMap<String, String>,
        body: Body,
        /// The connection is closed as soon as so many events have come.
        cancel_after_events: Option<usize>,
    },
    Walk {
        request: Value,
        by: Cursor,
    },
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Nothing,
    /// JSON, with names and scripts to be filled in.
    Request(Value),
    Raw(Vec<u8>),
}

/// What a walk continues a list with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cursor {
    /// The page's cursor.
    #[default]
    After,
    /// The identifier of the page's last row.
    LastId,
}

/// What an answer must be like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// 200 where nothing is said.
    pub(super) status: Option<Status>,
    /// This status, whatever `status` says, and a body that says what is wrong.
    pub(super) error: Option<Status>,
    #[serde(default, deserialize_with = "given")]
    pub(super) json: Option<Pattern>,
    #[serde(default, deserialize_with = "given")]
    pub(super) events: Option<Pattern>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) contains: Vec<String>,
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    /// Whether the connection must break off before the body is complete.
    #[serde(default)]
    pub(super) cut: bool,
}

/// A status, or several: `200`, `4xx`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Status(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepAsWritten {
    #[serde(default, deserialize_with = "given")]
    request: Option<Value>,
    raw_body: Option<RawBody>,
    raw_body_base64: Option<String>,
    walk: Option<Value>,
    wait_ms: Option<u64>,
    by: Option<Cursor>,
    method: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    note: Option<String>,
    repeat: Option<u32>,
    within_ms: Option<u64>,
    max_ms: Option<u64>,
    cancel_after_events: Option<usize>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "given")]
    expect: Option<Option<Expect>>,
    #[serde(default, deserialize_with = "given")]
    reference_expect: Option<Option<Expect>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`raw_body` is a text, or a list of texts and of {\"text\": …, \"times\": …}")]
enum RawBody {
    Text(String),
    Parts(Vec<RawPart>),
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum RawPart {
    Text(String),
    Repeated { text: String, times: usize },
}

/// Tells a member that is null from one that is not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<StepAsWritten> for Step {
    type Error = String;

    fn try_from(written: StepAsWritten) -> Result<Self, String> {
        let act = act(&written)?;
        let repeat = written.repeat.unwrap_or(1);
        if !(1..=REPETITIONS_MAX).contains(&repeat) {
            return Err(format!("`repeat` is from 1 to {REPETITIONS_MAX}"));
        }
        Ok(Self {
            act,
            note: written.note,
            repeat,
            within: pause("within_ms", written.within_ms.unwrap_or(0))?,
            most: written.max_ms.map(Duration::from_millis),
            capture: written.capture,
            expect: written.expect.unwrap_or_else(|| Some(Expect::default())),
            reference_expect: written.reference_expect,
        })
    }
}

fn act(written: &StepAsWritten) -> Result<Act, String> {
    let acts = [
        ("request", written.request.is_some()),
        ("raw_body", written.raw_body.is_some()),
        ("raw_body_base64", written.raw_body_base64.is_some()),
        ("walk", written.walk.is_some()),
        ("wait_ms", written.wait_ms.is_some()),
    ];
    let mut named = acts.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name);
    let (act, second) = (named.next(), named.next());
    if let (Some(first), Some(second)) = (act, second) {
        return Err(format!("a step has `{first}` or `{second}`, not both"));
    }
    let about_requests = [
        ("method", written.method.is_some()),
        ("headers", written.headers.is_some()),
        ("cancel_after_events", written.cancel_after_events.is_some()),
    ];
    let misplaced = match act {
        Some("walk" | "wait_ms") => about_requests.iter().find(|(_, is_given)| *is_given).map(|(name, _)| *name),
        _ => None,
    };
    if let (Some(act), Some(misplaced)) = (act, misplaced) {
        return Err(format!("a step with `{act}` has no `{misplaced}`"));
    }
    if written.by.is_some() && written.walk.is_none() {
        return Err("only a step with `walk` has `by`".to_owned());
    }
    if let Some(wait_ms) = written.wait_ms {
        return pause("wait_ms", wait_ms).map(Act::Wait);
    }
    if let Some(request) = &written.walk {
        let request = walkable(request)?.clone();
        return Ok(Act::Walk { request, by: written.by.unwrap_or_default() });
    }
    if act.is_none() && written.method.is_none() {
        let names: Vec<String> = acts.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(format!("a step has one of {}, or a `method`", names.join(", ")));
    }
    if written.cancel_after_events == Some(0) {
        return Err("`cancel_after_events` is at least 1".to_owned());
    }
    Ok(Act::Send {
        method: written.method.clone().unwrap_or_else(|| "POST".to_owned()),
        headers: written.headers.clone().unwrap_or_default(),
        body: body(written)?,
        cancel_after_events: written.cancel_after_events,
    })
}

fn pause(name: &str, pause_ms: u64) -> Result<Duration, String> {
    let pause = Duration::from_millis(pause_ms);
    match pause <= PAUSE_TIME_MAX {
        true => Ok(pause),
        false => Err(format!("`{name}` is at most {}", PAUSE_TIME_MAX.as_millis())),
    }
}

/// A request whose answer has pages.
fn walkable(request: &Value) -> Result<&Value, String> {
    let kind = request["type"].as_str().unwrap_or_default();
    if !["items.list", "threads.list", "threads.get_by_id"].contains(&kind) {
        return Err("`walk` is a request with the type `items.list`, `threads.list` or `threads.get_by_id`".to_owned());
    }
    if !request["params"].is_object() || (kind == "threads.get_by_id" && request["params"]["thread_id"].is_null()) {
        return Err(format!("`walk` lacks the params of `{kind}`"));
    }
    Ok(request)
}

fn body(written: &StepAsWritten) -> Result<Body, String> {
    if let Some(base64) = &written.raw_body_base64 {
        return STANDARD.decode(base64).map(Body::Raw).map_err(|error| format!("`raw_body_base64`: {error}"));
    }
    if let Some(request) = &written.request {
        return Ok(Body::Request(request.clone()));
    }
    let parts = match &written.raw_body {
        None => return Ok(Body::Nothing),
        Some(RawBody::Text(text)) => vec![(text, 1)],
        Some(RawBody::Parts(parts)) => parts.iter().map(RawPart::repeated).collect(),
    };
    let bytes = parts.iter().try_fold(0_usize, |sum, (text, times)| sum.checked_add(text.len().checked_mul(*times)?));
    if bytes.is_none_or(|bytes| bytes > REQUEST_BYTES_MAX) {
        return Err(format!("`raw_body` is at most {REQUEST_BYTES_MAX} bytes"));
    }
    Ok(Body::Raw(parts.into_iter().map(|(text, times)| text.repeat(times)).collect::<String>().into_bytes()))
}

impl RawPart {
    fn repeated(&self) -> (&String, usize) {
        match self {
            Self::Text(text) => (text, 1),
            Self::Repeated { text, times } => (text, *times),
        }
    }
}

impl TryFrom<Value> for Status {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, String> {
        let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let in_shape = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x');
        match in_shape {
            true => Ok(Self(text)),
            false => Err(format!("{written} is no status; write 200 or \"4xx\"")),
        }
    }
}

impl Status {
    /// Success, which is expected where nothing else is.
    pub(super) fn ok() -> Self {
        Self("200".to_owned())
    }

    pub(super) fn fits(&self, status: u16) -> bool {
        let status = status.to_string();
        status.len() == self.0.len()
            && self.0.bytes().zip(status.bytes()).all(|(want, got)| want == b'x' || want == got)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Step {
    /// What the step does, in a word or two.
    pub(super) fn what(&self) -> String {
        let kind = |request: &Value| request["type"].as_str().map(str::to_owned);
        match &self.act {
            Act::Wait(_) => "wait".to_owned(),
            Act::Walk { request, .. } => kind(request).unwrap_or_default(),
            Act::Send { body: Body::Request(request), .. } => kind(request).unwrap_or_else(|| "request".to_owned()),
            Act::Send { body: Body::Raw(_), .. } => "raw body".to_owned(),
            Act::Send { method, body: Body::Nothing, .. } => method.clone(),
        }
    }

    /// What is expected of the server, if anything is.
    pub(super) fn expected(&self, of_the_reference: bool) -> Option<&Expect> {
        match &self.reference_expect {
            Some(instead) if of_the_reference => instead.as_ref(),
            _ => self.expect.as_ref(),
        }
    }
}
