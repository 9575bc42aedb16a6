//! One batch asked for until there is an answer, or until no more waiting is worth it.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::endpoint::{EmbeddingEndpoint, Limits, Patience};
use super::models::Told;
use super::vectors::checked;
use super::wire::Asked;
use super::{EmbeddingError, Role};
use crate::llm::LlmError;
use crate::llm::address::EndpointError;
use crate::llm::errors::{self, Complaint, ERROR_BODY_BYTES_MAX};

/// The longest wait between two requests, when the provider names none.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A provider that was busy within this time has a quota that is nearly used up.
const RATIONED_FOR: Duration = Duration::from_secs(120);

/// Requests that waited for the same moment are spread over so long.
const SPREAD: Duration = Duration::from_millis(250);

/// What helps whoever has no model for vectors to use.
const WITHOUT: &str = "set EMBEDDING_PROVIDER=none to find by words alone";

/// What providers say of a request that holds too much.
const TOO_MUCH: &[&str] = &[
    "too large",
    "too long",
    "too many",
    "too big",
    "context length",
    "maximum allowed",
    "at most",
    "max tokens per request",
    "tokens per request",
    "max_tokens_per_request",
    "tokens, max",
    "batch size",
    "exceeds the",
    "or less",
    "must be less than",
];

/// Why a request brought no vectors.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It held too much for the provider; less of it may pass.
    TooLarge(String),
    /// It may pass by itself; the wait is the provider's.
    Passing(EmbeddingError, Option<Duration>),
    /// It will stay.
    Lasting(EmbeddingError),
}

impl From<Trouble> for EmbeddingError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::TooLarge(said) => Self::Refused(said),
            Trouble::Passing(error, _) | Trouble::Lasting(error) => error,
        }
    }
}

/// What is known of the quota, to all requests alike.
#[derive(Default)]
struct Rationing {
    /// When the provider was busy the last time.
    busy_at: Option<Instant>,
    /// Until when it wants to be left alone.
    quiet_until: Option<Instant>,
}

/// Whoever sends the requests of one endpoint.
pub(super) struct Asker {
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    pub(super) endpoint: EmbeddingEndpoint,
    limits: Limits,
    rationing: Mutex<Rationing>,
    /// While there is little to be had, requests for documents stand in this line: each gets its share in turn, and
    /// nobody is refused again and again while others come after him and are served.
    line: tokio::sync::Mutex<()>,
    /// Learnt from a refusal that went away without them.
    refuses_dimensions: AtomicBool,
}

impl Asker {
    pub(super) fn new(
        http: reqwest::Client,
        endpoint: EmbeddingEndpoint,
        limits: Limits,
    ) -> Result<Self, EndpointError> {
        if endpoint.model.trim().is_empty() {
            return Err(EndpointError::Model);
        }
        let url = endpoint.wire.url(&endpoint.base_url, &endpoint.model)?;
        let headers = endpoint.wire.headers(endpoint.api_key.as_ref())?;
        Ok(Self {
            http,
            url,
            headers,
            endpoint,
            limits,
            rationing: Mutex::default(),
            line: tokio::sync::Mutex::default(),
            refuses_dimensions: AtomicBool::new(false),
        })
    }

    /// The vectors of these texts, which are sent as they are.
    pub(super) async fn ask(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, Trouble> {
        let patience = self.limits.patience(role);
        let (mut deadline, mut tries, mut place) = (Instant::now() + patience.total, 0, None);
        loop {
            if role == Role::Document && place.is_none() && self.is_rationed() {
                place = Some(self.line.lock().await);
                // The time in the line is other people's.
                (deadline, tries) = (Instant::now() + patience.total, 0);
            }
            self.wait_for_quiet(deadline).await?;
            let trouble = match self.ask_once(texts, role, patience).await {
                Ok(vectors) => return Ok(vectors),
                Err(trouble) => trouble,
            };
            let Trouble::Passing(error, told) = &trouble else { return Err(trouble) };
            tries += 1;
            let wait = told.unwrap_or_else(|| backoff(self.limits.first_wait, tries));
            if matches!(error, EmbeddingError::Busy { .. }) {
                self.ration(*told);
            }
            if tries >= patience.tries || Instant::now() + wait > deadline {
                return Err(trouble);
            }
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                embedding.model = self.endpoint.model,
                embedding.texts = texts.len(),
                attempt = tries,
                wait_ms,
                "Trying again in {wait_ms} ms: {error}"
            );
            if told.is_none() {
                sleep(wait).await;
            }
        }
    }

    fn rationing(&self) -> MutexGuard<'_, Rationing> {
        self.rationing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_rationed(&self) -> bool {
        self.rationing().busy_at.is_some_and(|at| at.elapsed() < RATIONED_FOR)
    }

    fn ration(&self, told: Option<Duration>) {
        let now = Instant::now();
        let mut rationing = self.rationing();
        rationing.busy_at = Some(now);
        rationing.quiet_until = rationing.quiet_until.max(told.map(|wait| now + wait));
    }

    /// Waits as long as the provider asked anybody to; gives up at once when that is too long.
    async fn wait_for_quiet(&self, deadline: Instant) -> Result<(), Trouble> {
        loop {
            let quiet_until = self.rationing().quiet_until;
            let (now, Some(until)) = (Instant::now(), quiet_until) else { return Ok(()) };
            if until <= now {
                return Ok(());
            }
            if until > deadline {
                let retry_after = Some(until - now);
                return Err(Trouble::Passing(EmbeddingError::Busy { retry_after }, retry_after));
            }
            sleep_until(until + SPREAD.mul_f32(fastrand::f32())).await;
        }
    }

    /// One request, or two where the first one teaches that `dimensions` must be left out.
    async fn ask_once(&self, texts: &[String], role: Role, patience: Patience) -> Result<Vec<Vec<f32>>, Trouble> {
        let with_dimensions = self.endpoint.asks_dimensions && !self.refuses_dimensions.load(Ordering::Relaxed);
        match self.exchange(texts, role, with_dimensions, patience).await {
            Err(Trouble::Lasting(EmbeddingError::Refused(said))) if with_dimensions && is_about_dimensions(&said) => {
                // Whether the vectors are of the right length without it shows when they come.
                let vectors = self.exchange(texts, role, false, patience).await?;
                self.refuses_dimensions.store(true, Ordering::Relaxed);
                Ok(vectors)
            }
            other => other,
        }
    }

    async fn exchange(
        &self,
        texts: &[String],
        role: Role,
        with_dimensions: bool,
        patience: Patience,
    ) -> Result<Vec<Vec<f32>>, Trouble> {
        let endpoint = &self.endpoint;
        let asked = Asked {
            model: endpoint.model.trim(),
            texts,
            role: (endpoint.told == Told::Parameter).then_some(role),
            dimensions: with_dimensions.then_some(endpoint.dimensions),
        };
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).body(endpoint.wire.body(&asked));
        let deadline = Instant::now() + patience.answer;
        let silent = |_| self.trouble(0, LlmError::Silent(patience.answer));
        let response = timeout_at(deadline, request.send()).await.map_err(silent)?;
        // The address may hold a key.
        let response = response.map_err(|error| self.trouble(0, LlmError::Unreachable(error.without_url())))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            // A body that is too long, too late or breaks off explains nothing; the status still does.
            let body = timeout_at(deadline, whole(response, ERROR_BODY_BYTES_MAX)).await;
            let body = body.map(Result::unwrap_or_default).unwrap_or_default();
            let error = errors::of_response(status.as_u16(), &headers, &String::from_utf8_lossy(&body), self.key());
            // A question is a reader's; the texts of the book are nobody's secret.
            let error = error.without(texts.iter().filter(|_| role == Role::Query).map(String::as_str));
            return Err(self.trouble(status.as_u16(), error));
        }
        let body = timeout_at(deadline, whole(response, self.limits.answer_bytes_max)).await.map_err(silent)?;
        let body = body.map_err(|error| self.trouble(0, error))?;
        let Some(vectors) = endpoint.wire.read(&body) else { return Err(self.without_vectors(&body)) };
        checked(vectors, texts.len(), endpoint.dimensions)
            .map_err(|wrong| Trouble::Lasting(EmbeddingError::Garbled(wrong)))
    }

    /// Some complain with status 200.
    fn without_vectors(&self, body: &[u8]) -> Trouble {
        match Complaint::read(&String::from_utf8_lossy(body)).filter(Complaint::is_certain) {
            Some(complaint) => self.trouble(0, complaint.into_error(self.key())),
            None => Trouble::Lasting(EmbeddingError::Garbled("it holds no list of vectors".to_owned())),
        }
    }

    /// What an error of a provider means for a batch; `status` is 0 where there was none.
    fn trouble(&self, status: u16, error: LlmError) -> Trouble {
        let lasting = |sentence: String| Trouble::Lasting(EmbeddingError::Refused(sentence));
        let away = |sentence: String| Trouble::Passing(EmbeddingError::Away(sentence), None);
        match error {
            LlmError::Refused(said) if is_too_large(status, &said) => Trouble::TooLarge(said),
            LlmError::Refused(said) => lasting(format!("{said}; check EMBEDDING_MODEL and EMBEDDING_DIMENSIONS")),
            LlmError::Filtered(said) => lasting(format!("its provider's filter stopped a text: {said}")),
            LlmError::Unauthorized => {
                let provider = self.endpoint.provider;
                lasting(format!("{provider} does not accept the key; check EMBEDDING_API_KEY, or {WITHOUT}"))
            }
            LlmError::QuotaExhausted { retry_after: Some(wait) } => {
                lasting(format!("the quota is used up for another {} s; wait, or {WITHOUT}", wait.as_secs()))
            }
            LlmError::QuotaExhausted { retry_after: None } => {
                lasting(format!("the quota of the day is used up; wait, or {WITHOUT}"))
            }
            LlmError::NoQuota => {
                lasting(format!("there is no quota for it, or its bill is not paid; see to that, or {WITHOUT}"))
            }
            LlmError::NoModel(said) => lasting(format!("{said}; check EMBEDDING_MODEL")),
            LlmError::Busy { retry_after } => Trouble::Passing(EmbeddingError::Busy { retry_after }, retry_after),
            LlmError::Unreachable(error) => away(format!("it cannot be reached ({})", innermost(&error))),
            LlmError::Garbled(wrong) => Trouble::Lasting(EmbeddingError::Garbled(wrong)),
            LlmError::ProviderFailed(status) => away(format!("its provider failed with status {status}")),
            LlmError::Silent(waited) => away(format!("there was no answer within {} s", waited.as_secs_f32())),
            LlmError::Cut | LlmError::Nothing => away("its answer broke off".to_owned()),
            LlmError::Resting(wait) => Trouble::Passing(EmbeddingError::Busy { retry_after: Some(wait) }, Some(wait)),
        }
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.api_key.as_ref().map(|key| key.expose_secret().trim())
    }
}

/// The body, if it is not too long and does not break off.
async fn whole(mut response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, LlmError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|_| LlmError::Cut)? {
        if body.len() + bytes.len() > bytes_max {
            return Err(LlmError::Garbled(format!("a body of more than {bytes_max} bytes")));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// Doubles with each try; between half of it and the whole, so that many do not come back together.
fn backoff(first: Duration, tries: u32) -> Duration {
    let doubled = first.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(WAIT_MAX).mul_f32(0.5 + fastrand::f32() / 2.0)
}

fn is_too_large(status: u16, said: &str) -> bool {
    let said = said.to_lowercase();
    status == 413 || (matches!(status, 0 | 400 | 422 | 429) && TOO_MUCH.iter().any(|words| said.contains(words)))
}

fn is_about_dimensions(said: &str) -> bool {
    let said = said.to_lowercase();
    // The remedy in the sentence is ours.
    let said = said.split("; check embedding_model").next().unwrap_or_default();
    said.contains("dimension") || said.contains("matryoshka")
}

/// The last of an error's reasons, which is the one that says something.
fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_holds_too_much_is_told_from_one_that_is_wrong() {
        for said in [
            "This model's maximum context length is 8192 tokens, however you requested 9000 tokens",
            "Requested 312000 tokens, max 300000 tokens per request",
            "BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
            "total number of texts must be at most 96",
            "batch size 64 > maximum allowed batch size 32",
            "the input length exceeds the context length",
            "'$.input' is invalid. Please check the API reference: array must have 2048 items or less.",
        ] {
            assert!(is_too_large(400, said), "{said}");
            assert!(!is_too_large(404, said), "{said}");
        }
        assert!(is_too_large(413, "") && is_too_large(429, "Request too large for m: Limit 9, Requested 12."));
        for said in ["model not found", "dimensions must be one of 256, 512", "invalid request"] {
            assert!(!is_too_large(400, said), "{said}");
        }
    }

    #[test]
    fn waits_double_up_to_a_limit_and_are_never_quite_the_same() {
        let first = Duration::from_millis(500);
        for (tries, most) in [(1, 500), (2, 1000), (3, 2000), (7, 30_000), (100, 30_000)] {
            let wait = backoff(first, tries);
            let most = Duration::from_millis(most);
            assert!(wait <= most && wait >= most / 2, "{tries}: {wait:?}");
        }
    }
}
