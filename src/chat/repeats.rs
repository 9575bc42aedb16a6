//! Requests that come twice: a frame that sends the same again is answered with the turn that it began before.
//!
//! The widget sends a streaming request again when a proxy on the way fails it, though the turn may be running. The
//! same words sent on purpose are a new message: they come after the answer before was heard to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chatkit_protocol::Envelope;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::outbox::{Listening, Replay};
use super::{Chat, ChatError, Reply, turn};
use crate::identity::Identity;

/// The same request counts as the same for so long: the widget gives up trying sooner.
const REPEAT_WINDOW: Duration = Duration::from_secs(45);
/// Requests that are remembered; with more of them under way, further ones are not told apart.
const REPEATS_MAX: usize = 20_000;
/// Requests that nobody will send again are forgotten so often.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// Requests of the last while, and what they were answered.
#[derive(Clone, Default)]
pub(super) struct Repeats(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    requests: HashMap<Key, Request>,
    forgot_at: Option<Instant>,
}

/// A digest of who asks what.
type Key = [u8; 32];

struct Request {
    came_at: Instant,
    /// Empty until the turn has begun.
    told: Arc<OnceCell<Replay>>,
}

/// Why there is nothing to tell again.
enum NotTold {
    Refused(ChatError),
    /// The answer is not that of a turn.
    NoTurn(Reply),
}

impl Chat {
    /// Answers one request of a frame of a page, as [`Chat::handle`] does, and once only if it comes several times.
    ///
    /// # Errors
    /// As for [`Chat::handle`].
    pub async fn handle_once(&self, who: &Identity, frame: &str, asked: Envelope) -> Result<Reply, ChatError> {
        let counts = self.options.once_per_frame && asked.request.streams();
        let Some(told) = counts.then(|| self.repeats.known(key(who, frame, &asked))).flatten() else {
            return self.handle(who, asked).await;
        };
        // In a task of its own: a client that hangs up now, and asks again, must find the turn that it began.
        let (chat, who, language) = (self.clone(), who.clone(), self.language);
        let answering = self.turns.spawn_and_join(async move { chat.tell_once(&who, &told, asked).await });
        answering.await.unwrap_or_else(|_| Ok(Reply::Stream(turn::store_away(language))))
    }

    async fn tell_once(self, who: &Identity, told: &OnceCell<Replay>, asked: Envelope) -> Result<Reply, ChatError> {
        let mut first: Option<Listening> = None;
        let (allowance, metrics, language) = (self.allowance.clone(), self.metrics.clone(), self.language);
        let begun = told.get_or_try_init(async || {
            let replay = Replay::default();
            let chat = Self { replay: Some(replay.clone()), ..self };
            match chat.handle(who, asked).await.map_err(NotTold::Refused)? {
                Reply::Stream(listening) if replay.has_begun() => first = Some(listening),
                other => return Err(NotTold::NoTurn(other)),
            }
            Ok(replay)
        });
        match begun.await {
            Ok(replay) => match first {
                Some(listening) => Ok(Reply::Stream(listening)),
                None => {
                    let listening = replay.listen().holding(allowance.listen()?, metrics.stream());
                    Ok(Reply::Stream(listening.speaking(language)))
                }
            },
            Err(NotTold::NoTurn(reply)) => Ok(reply),
            Err(NotTold::Refused(error)) => Err(error),
        }
    }
}

impl Repeats {
    /// What a request is, or was, answered with. `None` when there are too many to remember.
    fn known(&self, key: Key) -> Option<Arc<OnceCell<Replay>>> {
        let now = Instant::now();
        let mut known = self.lock();
        known.forget(now);
        if let Some(request) = known.requests.get(&key)
            && request.may_come_again(now)
        {
            return Some(request.told.clone());
        }
        if known.requests.len() >= REPEATS_MAX {
            return None;
        }
        let told = Arc::<OnceCell<Replay>>::default();
        known.requests.insert(key, Request { came_at: now, told: told.clone() });
        Some(told)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Known {
    fn forget(&mut self, now: Instant) {
        if self.forgot_at.is_none_or(|then| now.duration_since(then) >= FORGET_EVERY) {
            self.forgot_at = Some(now);
            self.requests.retain(|_, request| request.may_come_again(now));
        }
    }
}

impl Request {
    fn may_come_again(&self, now: Instant) -> bool {
        let was_heard = self.told.get().is_some_and(Replay::was_heard);
        !was_heard && now.duration_since(self.came_at) < REPEAT_WINDOW
    }
}

fn key(who: &Identity, frame: &str, asked: &Envelope) -> Key {
    let mut digest = Sha256::new();
    for part in [who.owner().as_str(), frame] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.update(serde_json::to_vec(&asked.request).unwrap_or_default());
    digest.finalize().into()
}
