//! Pure but for the dice: what a failure is worth, and how long to wait before asking again.

use std::time::Duration;

use tokio::time::Instant;

use super::LlmError;

/// A model is asked again so often before anything was shown.
const RETRIES_MAX: u32 = 2;

/// The longest wait before the first retry when the provider names none; doubled for each further one.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);

/// A wait that the provider names is waited for up to so long where no other model could answer instead.
const WAIT_ALONE_MAX: Duration = Duration::from_secs(8);

/// And up to so long where one could.
const WAIT_BEFORE_ANOTHER_MAX: Duration = Duration::from_secs(2);

/// The same model is not asked again so long after the question came.
const RETRYING_TIME_MAX: Duration = Duration::from_secs(20);

/// A model that is busy and does not say until when is not asked for so long.
const BUSY_REST: Duration = Duration::from_secs(10);

/// A model that is busy until later is not asked for so long, whatever it said.
const BUSY_REST_MAX: Duration = Duration::from_secs(120);

/// A model without quota, with a key that is not accepted, or that does not exist, is not asked for so long.
const UNUSABLE_REST: Duration = Duration::from_secs(60);

/// How long to wait before the same model is asked again after its `attempt`th failure, `elapsed` after the question
/// came; nothing where that would not help, or would take too long. `alone` says that no other model could answer.
pub(super) fn pause(error: &LlmError, attempt: u32, elapsed: Duration, alone: bool) -> Option<Duration> {
    let told = match error {
        LlmError::Busy { retry_after } => *retry_after,
        // The provider knows neither the method nor the version, and will not a moment later.
        LlmError::ProviderFailed(501 | 505) => return None,
        // It was paid for, and what was thought for nothing once is likely to be again.
        LlmError::Nothing if attempt > 1 => return None,
        LlmError::ProviderFailed(_)
        | LlmError::Unreachable(_)
        | LlmError::Silent(_)
        | LlmError::Cut
        | LlmError::Nothing
        | LlmError::Garbled(_) => None,
        LlmError::QuotaExhausted { .. }
        | LlmError::NoQuota
        | LlmError::Unauthorized
        | LlmError::NoModel(_)
        | LlmError::Refused(_)
        | LlmError::Filtered(_)
        | LlmError::Resting(_) => return None,
    };
    if attempt > RETRIES_MAX {
        return None;
    }
    let longest = if alone { WAIT_ALONE_MAX } else { WAIT_BEFORE_ANOTHER_MAX };
    let backoff = BACKOFF_FIRST * 2_u32.saturating_pow(attempt.saturating_sub(1));
    // All of the wait is left to chance, so that those who failed together do not come back together.
    let chance = backoff.mul_f64(fastrand::f64());
    let wait = match told {
        Some(told) if told > longest => return None,
        Some(told) => told + chance,
        None => chance,
    };
    (elapsed + wait <= RETRYING_TIME_MAX).then_some(wait)
}

/// Whether it is the place that failed, rather than one model, one key or one request there.
pub(super) fn is_of_the_place(error: &LlmError) -> bool {
    match error {
        LlmError::ProviderFailed(_) | LlmError::Unreachable(_) | LlmError::Silent(_) | LlmError::Cut => true,
        LlmError::Busy { .. }
        | LlmError::QuotaExhausted { .. }
        | LlmError::NoQuota
        | LlmError::Unauthorized
        | LlmError::NoModel(_)
        | LlmError::Refused(_)
        | LlmError::Filtered(_)
        | LlmError::Garbled(_)
        | LlmError::Nothing
        | LlmError::Resting(_) => false,
    }
}

/// Of two failures the one with the better prospect for the reader; of two equal ones the first.
pub(super) fn better(first: Option<LlmError>, second: LlmError) -> LlmError {
    match first {
        Some(first) if prospect(&first) <= prospect(&second) => first,
        _ => second,
    }
}

/// How far off an answer is: the kind of failure, then the wait.
fn prospect(error: &LlmError) -> (u8, Duration) {
    match error {
        LlmError::Resting(wait) | LlmError::Busy { retry_after: Some(wait) } => (0, *wait),
        LlmError::Busy { retry_after: None } => (0, Duration::from_secs(60)),
        LlmError::ProviderFailed(_)
        | LlmError::Unreachable(_)
        | LlmError::Silent(_)
        | LlmError::Cut
        | LlmError::Nothing
        | LlmError::Garbled(_) => (1, Duration::ZERO),
        LlmError::QuotaExhausted { retry_after } => (2, retry_after.unwrap_or(Duration::MAX)),
        LlmError::Refused(_) | LlmError::Filtered(_) => (3, Duration::ZERO),
        LlmError::NoQuota => (4, Duration::ZERO),
        LlmError::Unauthorized | LlmError::NoModel(_) => (5, Duration::ZERO),
    }
}

/// A model that said itself that it cannot be asked for a while.
#[derive(Debug)]
pub(super) struct Rest {
    until: Instant,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Busy(Instant),
    QuotaExhausted(Option<Instant>),
    NoQuota,
    Unauthorized,
    NoModel(String),
}

impl Rest {
    /// The rest that a failure calls for, if it calls for one.
    pub(super) fn after(error: &LlmError, now: Instant) -> Option<Self> {
        let (rest, reason) = match error {
            LlmError::Busy { retry_after: Some(wait) } => ((*wait).min(BUSY_REST_MAX), Reason::Busy(now + *wait)),
            LlmError::Busy { retry_after: None } => (BUSY_REST, Reason::Busy(now + BUSY_REST)),
            LlmError::QuotaExhausted { retry_after } => {
                (UNUSABLE_REST, Reason::QuotaExhausted(retry_after.map(|wait| now + wait)))
            }
            LlmError::NoQuota => (UNUSABLE_REST, Reason::NoQuota),
            LlmError::Unauthorized => (UNUSABLE_REST, Reason::Unauthorized),
            LlmError::NoModel(words) => (UNUSABLE_REST, Reason::NoModel(words.clone())),
            LlmError::Refused(_)
            | LlmError::Filtered(_)
            | LlmError::ProviderFailed(_)
            | LlmError::Unreachable(_)
            | LlmError::Silent(_)
            | LlmError::Cut
            | LlmError::Nothing
            | LlmError::Garbled(_)
            | LlmError::Resting(_) => return None,
        };
        Some(Self { until: now + rest, reason })
    }

    /// What the model would say now; nothing once the rest is over.
    pub(super) fn error(&self, now: Instant) -> Option<LlmError> {
        let left = |until: &Instant| until.saturating_duration_since(now);
        (now < self.until).then(|| match &self.reason {
            Reason::Busy(until) => LlmError::Busy { retry_after: Some(left(until)) },
            Reason::QuotaExhausted(until) => LlmError::QuotaExhausted { retry_after: until.as_ref().map(left) },
            Reason::NoQuota => LlmError::NoQuota,
            Reason::Unauthorized => LlmError::Unauthorized,
            Reason::NoModel(words) => LlmError::NoModel(words.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(seconds: u64) -> LlmError {
        LlmError::Busy { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn what_does_not_pass_is_not_asked_again() {
        for error in [
            LlmError::QuotaExhausted { retry_after: Some(Duration::from_secs(1)) },
            LlmError::NoQuota,
            LlmError::Unauthorized,
            LlmError::NoModel(String::new()),
            LlmError::Refused(String::new()),
            LlmError::Filtered(String::new()),
            LlmError::ProviderFailed(501),
        ] {
            assert_eq!(pause(&error, 1, Duration::ZERO, true), None, "{error:?}");
        }
    }

    #[test]
    fn a_pause_is_by_chance_and_may_grow_with_each_failure() {
        for (attempt, longest) in [(1, 500), (2, 1000)] {
            let longest = Duration::from_millis(longest);
            let pauses: Vec<Duration> =
                (0..200).map(|_| pause(&LlmError::Cut, attempt, Duration::ZERO, true).unwrap()).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause > longest / 2) && pauses.iter().any(|pause| *pause < longest / 2));
        }
        assert_eq!(pause(&LlmError::Cut, 3, Duration::ZERO, true), None);
    }

    #[test]
    fn a_wait_that_is_told_is_kept_to_or_not_waited_for_at_all() {
        let told = |seconds, alone| pause(&busy(seconds), 1, Duration::ZERO, alone);
        assert!(told(8, true).is_some_and(|wait| wait >= Duration::from_secs(8)));
        assert!(told(2, false).is_some_and(|wait| wait >= Duration::from_secs(2)));
        assert_eq!((told(9, true), told(3, false)), (None, None));
    }

    #[test]
    fn patience_as_a_whole_has_an_end() {
        assert_eq!(pause(&LlmError::Cut, 1, RETRYING_TIME_MAX, true), None);
        assert_eq!(pause(&busy(5), 1, RETRYING_TIME_MAX - Duration::from_secs(4), true), None);
    }

    #[test]
    fn the_reader_hears_of_the_failure_that_passes_soonest() {
        let told = |errors: Vec<LlmError>| {
            let best = errors.into_iter().fold(None, |best, error| Some(better(best, error)));
            format!("{:?}", best.unwrap())
        };
        assert_eq!(told(vec![LlmError::Unauthorized, busy(30), busy(10)]), format!("{:?}", busy(10)));
        assert_eq!(told(vec![LlmError::Cut, LlmError::ProviderFailed(500)]), "Cut");
        assert_eq!(told(vec![LlmError::NoQuota, LlmError::Refused("x".into())]), r#"Refused("x")"#);
    }

    #[test]
    fn a_model_that_rests_says_what_it_said_with_what_is_left_of_its_wait() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let rest = Rest::after(&busy(30), now).unwrap();
        let told = rest.error(after(10));
        assert!(matches!(told, Some(LlmError::Busy { retry_after: Some(left) }) if left.as_secs() == 20), "{told:?}");
        assert!(rest.error(after(30)).is_none());
        let day = Rest::after(&LlmError::QuotaExhausted { retry_after: None }, now).unwrap();
        assert!(matches!(day.error(after(59)), Some(LlmError::QuotaExhausted { retry_after: None })));
        assert!(day.error(after(60)).is_none());
        assert!(Rest::after(&LlmError::Cut, now).is_none());
    }
}
