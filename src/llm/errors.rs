//! What a provider's refusal means, whatever shape it comes in.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::{Map, Value};

use super::LlmError;

/// A body that explains an error is read so far.
pub(crate) const ERROR_BODY_BYTES_MAX: usize = 64 << 10;

/// Longer waits are not believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A day's quota does not come back sooner; a shorter wait is that of the quota of a minute beside it.
const DAY_WAIT_MIN: Duration = Duration::from_secs(10 * 60);

/// A refusal's own words are kept so far.
const MESSAGE_CHARS_MAX: usize = 300;

/// An error may be wrapped in strings of JSON so often.
const NESTING_MAX: usize = 4;

/// What was found in a body, in the provider's words.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Complaint {
    status: Option<u16>,
    /// Codes, types and reasons, lower case, each between blanks.
    words: String,
    message: String,
    retry_after: Option<Duration>,
}

impl Complaint {
    /// Reads an object, an array of them, or a string with one of these inside; `None` where nothing complains.
    pub(crate) fn read(body: &str) -> Option<Self> {
        let value = serde_json::from_str(body.trim()).ok()?;
        let mut complaint = Self::default();
        complaint.hear(&value, NESTING_MAX);
        (complaint != Self::default()).then_some(complaint)
    }

    /// Whether it says more than that something has a type, as a ping has.
    pub(crate) fn is_certain(&self) -> bool {
        !self.message.is_empty() || self.status.is_some()
    }

    fn hear(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.hear(item, depth)),
            Value::String(text) => self.hear_text(text, depth),
            Value::Object(object) => match object.get("error") {
                Some(Value::String(text)) if object.get("message").is_none() => self.hear_text(text, depth),
                Some(inner @ (Value::Object(_) | Value::Array(_))) => self.hear(inner, depth),
                _ => self.hear_object(object, depth),
            },
            _ => {}
        }
    }

    fn hear_text(&mut self, text: &str, depth: usize) {
        if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text.trim()) {
            return self.hear(&inner, depth);
        }
        if self.message.is_empty() {
            self.message = text.trim().to_owned();
        }
    }

    fn hear_object(&mut self, object: &Map<String, Value>, depth: usize) {
        for name in ["code", "status", "type"] {
            match object.get(name) {
                Some(Value::Number(number)) => {
                    self.status = number.as_u64().and_then(|code| code.try_into().ok()).or(self.status);
                }
                Some(Value::String(word)) => self.add_word(word),
                _ => {}
            }
        }
        for name in ["message", "detail"] {
            if let Some(text @ Value::String(_)) = object.get(name) {
                self.hear(text, depth + 1);
            }
        }
        for detail in object.get("details").and_then(Value::as_array).into_iter().flatten() {
            self.hear_detail(detail);
        }
    }

    fn hear_detail(&mut self, detail: &Value) {
        if let Some(delay) = detail["retryDelay"].as_str().and_then(seconds) {
            self.retry_after = Some(delay);
        }
        if let Some(reason) = detail["reason"].as_str() {
            self.add_word(reason);
        }
        for violation in detail["violations"].as_array().into_iter().flatten() {
            if let Some(quota) = violation["quotaId"].as_str() {
                self.add_word(quota);
            }
        }
    }

    fn add_word(&mut self, word: &str) {
        if let Ok(status) = word.parse() {
            self.status = Some(status);
        }
        self.words.push(' ');
        self.words.push_str(&word.to_lowercase());
        self.words.push(' ');
    }

    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|word| self.words.contains(word))
    }

    /// A complaint that came inside an answer, where the response's status was 200.
    pub(crate) fn into_error(self, key: Option<&str>) -> LlmError {
        let status = match self.status {
            Some(status) if status >= 400 => status,
            _ if self.says(&["resource_exhausted", "rate_limit", "insufficient_quota", "too_many_requests"]) => 429,
            _ if self.says(&["unauthenticated", "permission_denied", "authentication", "invalid_api_key"]) => 401,
            _ if self.says(&["unavailable", "overloaded"]) => 503,
            _ if self.says(&["invalid", "not_found", "failed_precondition", "bad_request"]) => 400,
            _ => 500,
        };
        self.with_status(status, None, key)
    }

    fn with_status(self, status: u16, header: Option<Duration>, key: Option<&str>) -> LlmError {
        let retry_after = header.or(self.retry_after).or_else(|| wait_in_words(&self.message));
        let retry_after = retry_after.map(|wait| wait.min(RETRY_AFTER_MAX));
        match status {
            400 | 403 | 451 if self.is_filtered() => LlmError::Filtered(self.shown(status, key)),
            401 | 403 => LlmError::Unauthorized,
            400 if self.says(&["api_key_invalid", "invalid_api_key"]) => LlmError::Unauthorized,
            400 if self.message.to_lowercase().contains("api key not valid") => LlmError::Unauthorized,
            // The model wrote a call that its own server could not read.
            400 if self.says(&["tool_use_failed"]) => LlmError::Garbled(self.shown(status, key)),
            404 => LlmError::NoModel(self.shown(status, key)),
            400 if self.says(&["model_not_found", "model_decommissioned", "not_found_error"]) => {
                LlmError::NoModel(self.shown(status, key))
            }
            402 => LlmError::NoQuota,
            400 | 429 if self.has_no_quota() => LlmError::NoQuota,
            429 if self.says(&["perday"]) => {
                LlmError::QuotaExhausted { retry_after: retry_after.filter(|wait| *wait >= DAY_WAIT_MIN) }
            }
            // It asks for more than a minute's quota at once, so waiting for the next minute is of no use.
            429 if self.message.to_lowercase().contains("request too large") => {
                LlmError::Refused(self.shown(status, key))
            }
            429 | 529 => LlmError::Busy { retry_after },
            503 if retry_after.is_some() || self.says(&["unavailable", "overloaded"]) => LlmError::Busy { retry_after },
            408 | 500.. => LlmError::ProviderFailed(status),
            _ => LlmError::Refused(self.shown(status, key)),
        }
    }

    /// A quota of zero, of a month or of a purse, as opposed to one that comes back by tomorrow.
    fn has_no_quota(&self) -> bool {
        let zero = self.message.match_indices("limit: 0").any(|(start, found)| {
            !self.message[start + found.len()..].starts_with(|next: char| next.is_ascii_digit() || next == '.')
        });
        let monthly = ["calls / month", "per month", "credit balance"].iter().any(|words| self.message.contains(words));
        zero || monthly || self.says(&["insufficient_quota", "billing"])
    }

    /// Stopped for what it is about, not for how it was asked.
    fn is_filtered(&self) -> bool {
        let message = self.message.to_lowercase();
        self.says(&["content_filter", "content_policy", "responsibleaipolicy", "prohibited_content"])
            || ["content management policy", "flagged by moderation", "your input was flagged"]
                .iter()
                .any(|words| message.contains(words))
    }

    /// The provider's sentence without the key, which some repeat.
    fn shown(&self, status: u16, key: Option<&str>) -> String {
        let mut message = self.message.clone();
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            message = message.replace(key, "…");
        }
        let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
        if message.is_empty() { format!("status {status}") } else { message }
    }
}

/// What a response that is not a success means.
pub(crate) fn of_response(status: u16, headers: &HeaderMap, body: &str, key: Option<&str>) -> LlmError {
    if (300..400).contains(&status) {
        return LlmError::Refused(format!("the address redirects elsewhere (status {status})"));
    }
    let complaint = Complaint::read(body).unwrap_or_default();
    complaint.with_status(status, wait_in_headers(headers), key)
}

/// `Retry-After` as seconds or as a date, which is compared with the response's own date; or in milliseconds, as some
/// add it.
fn wait_in_headers(headers: &HeaderMap) -> Option<Duration> {
    let exact = headers.get("retry-after-ms").and_then(|text| text.to_str().ok()?.trim().parse().ok());
    if let Some(exact) = exact {
        return Some(Duration::from_millis(exact));
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(wait) = seconds(text) {
        return Some(wait);
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    let now = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    (until - now).to_std().ok()
}

/// `Please retry in 55.57s.`
fn wait_in_words(message: &str) -> Option<Duration> {
    let lower = message.to_lowercase();
    let (_, after) = lower.split_once("retry in ").or_else(|| lower.split_once("try again in "))?;
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(after.len());
    seconds(after[..end].trim_end_matches('.'))
}

/// `55`, `55.57s`, `820ms`, `1m30s`, `2h`.
fn seconds(text: &str) -> Option<Duration> {
    let mut left = text.trim();
    let mut total = 0.0;
    while !left.is_empty() {
        let digits = left.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(left.len());
        let number: f64 = left[..digits].parse().ok()?;
        let rest = &left[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "" | "s" => 1.0,
                "ms" => 0.001,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        left = &rest[unit..];
    }
    Duration::try_from_secs_f64(total.min(1e9)).ok().filter(|_| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        assert_eq!(format!("{:?}", of_response(status, &HeaderMap::new(), body, Some("sk-secret"))), expected);
    }

    #[test]
    fn the_reason_is_found_in_every_known_shape() {
        check(400, r#"{"error":{"code":400,"message":"bad tool"}}"#, r#"Refused("bad tool")"#);
        check(
            400,
            r#"[{"error":{"code":400,"message":"bad tool","status":"INVALID_ARGUMENT"}}]"#,
            r#"Refused("bad tool")"#,
        );
        check(400, r#"{"error":{"message":"{\"error\":{\"message\":\"bad tool\"}}"}}"#, r#"Refused("bad tool")"#);
        check(400, r#"{"error":"bad tool"}"#, r#"Refused("bad tool")"#);
        check(422, r#"{"message":"bad tool","id":"x"}"#, r#"Refused("bad tool")"#);
        check(404, r#"{"detail":"bad model"}"#, r#"NoModel("bad model")"#);
        check(400, r#"{"error":{"code":"model_decommissioned","message":"gone"}}"#, r#"NoModel("gone")"#);
        check(400, r#"{"error":"Bad Request","message":"bad tool"}"#, r#"Refused("bad tool")"#);
        check(404, "<html>", r#"NoModel("status 404")"#);
        check(307, "", r#"Refused("the address redirects elsewhere (status 307)")"#);
    }

    #[test]
    fn a_key_that_is_not_accepted_is_told_apart() {
        check(401, "", "Unauthorized");
        check(403, "{}", "Unauthorized");
        check(
            400,
            r#"[{"error":{"message":"API key not valid. Please pass one.","details":[{"reason":"API_KEY_INVALID"}]}}]"#,
            "Unauthorized",
        );
        check(400, r#"{"error":{"message":"no sk-secret here"}}"#, r#"Refused("no … here")"#);
    }

    #[test]
    fn a_filter_is_told_apart_from_a_request_that_makes_no_sense() {
        check(400, r#"{"error":{"code":"content_filter","message":"filtered"}}"#, r#"Filtered("filtered")"#);
        check(
            403,
            r#"{"error":{"code":403,"message":"Your input was flagged"}}"#,
            r#"Filtered("Your input was flagged")"#,
        );
        check(400, r#"{"error":{"code":"context_length_exceeded","message":"long"}}"#, r#"Refused("long")"#);
    }

    #[test]
    fn a_minute_is_waited_for_and_an_empty_purse_is_not() {
        check(429, "", "Busy { retry_after: None }");
        check(
            429,
            r#"{"error":{"message":"Quota exceeded, limit: 15. Please retry in 55.57s."}}"#,
            "Busy { retry_after: Some(55.57s) }",
        );
        check(
            429,
            r#"[{"error":{"message":"x","details":[{"@type":"RetryInfo","retryDelay":"55s"}]}}]"#,
            "Busy { retry_after: Some(55s) }",
        );
        check(429, r#"{"error":{"message":"Quota exceeded, limit: 0, model: m\nPlease retry in 7s."}}"#, "NoQuota");
        check(429, r#"{"error":{"message":"x","code":"insufficient_quota"}}"#, "NoQuota");
        check(429, r#"{"message":"You are limited to 1000 API calls / month."}"#, "NoQuota");
        check(429, r#"{"message":"You are limited to 20 API calls / minute."}"#, "Busy { retry_after: None }");
        let daily = |delay: &str| {
            format!(
                r#"[{{"error":{{"message":"limit: 20","details":[{{"violations":[{{"quotaId":"RequestsPerDay-FreeTier"}}]}},
                {{"retryDelay":"{delay}"}}]}}}}]"#
            )
        };
        check(429, &daily("40s"), "QuotaExhausted { retry_after: None }");
        check(429, &daily("3600s"), "QuotaExhausted { retry_after: Some(3600s) }");
        check(
            429,
            r#"{"error":{"message":"Request too large for m: Limit 9, Requested 12."}}"#,
            r#"Refused("Request too large for m: Limit 9, Requested 12.")"#,
        );
        check(
            429,
            r#"{"error":{"message":"x","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}}"#,
            "QuotaExhausted { retry_after: None }",
        );
        check(402, "", "NoQuota");
        check(503, r#"{"error":{"status":"UNAVAILABLE"}}"#, "Busy { retry_after: None }");
        check(500, "", "ProviderFailed(500)");
        check(429, r#"{"error":{"message":"retry in 99999999999999999999h"}}"#, "Busy { retry_after: Some(86400s) }");
    }

    #[test]
    fn the_header_may_be_seconds_or_a_date() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(wait_in_headers(&headers), Some(Duration::from_secs(7)));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:30 GMT".parse().unwrap());
        headers.insert(DATE, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(wait_in_headers(&headers), Some(Duration::from_secs(30)));
        headers.insert(RETRY_AFTER, "soon".parse().unwrap());
        assert_eq!(wait_in_headers(&headers), None);
        headers.insert("retry-after-ms", "1200".parse().unwrap());
        assert_eq!(wait_in_headers(&headers), Some(Duration::from_millis(1200)));
    }

    #[test]
    fn durations_are_read_in_all_their_spellings() {
        assert_eq!(seconds("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(seconds("820ms"), Some(Duration::from_millis(820)));
        for nonsense in ["", "s", "1.2.3s", "5 parsecs", "-1"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }
}
