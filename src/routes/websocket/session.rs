//! A WebSocket from its first frame to its last: requests come in, and frames of all their answers go out as they come.
//!
//! What an answer waits for is in the answer; here nothing is waited for but the client, so that one request never stands
//! in the way of another. While a client does not read what is sent to it, nothing more is read from it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::stream::SelectAll;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::answer::{self, Asked, Frame, Frames};
use super::farewell::{self, Why};
use super::frame::Tag;
use super::guest::Guest;
use super::handshake::Socket;
use crate::app::App;
use crate::routes::error::ApiError;
use crate::routes::spoken;

/// Requests of one socket that are answered at the same time; further ones are refused.
const REQUESTS_TOGETHER_MAX: usize = 32;
/// A client that goes on after so many of its requests were refused, one after the other, is sent away.
const REFUSED_IN_A_ROW_MAX: u32 = 50;
/// Frames that may come at once, whatever is in them; after that they are read as slowly as they may come.
const FRAMES_AT_ONCE_MAX: u32 = 200;
/// What one frame costs, in time.
const FRAME_COST: Duration = Duration::from_millis(50);
/// So many frames go out in one piece, when they are all there already.
const PIECE_FRAMES_MAX: usize = 64;
/// Every socket has so much memory to read into, even when nothing comes.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// What a socket takes.
pub(super) fn limits(app: &App) -> WebSocketConfig {
    let bytes_max = app.body_bytes_max.max(app.recording_bytes_max);
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(bytes_max))
        .max_frame_size(Some(bytes_max))
}

/// A socket and what is going on there.
pub(super) struct Session {
    app: App,
    guest: Arc<Guest>,
    socket: Socket,
    /// Answers that are not at their end. Dropping one is leaving: what becomes of its turn is for the turn to say.
    answers: SelectAll<Frames>,
    ping: Interval,
    /// When something came last.
    heard_at: Instant,
    /// When all frames so far are paid for.
    paid_at: Instant,
    /// Nothing is read until then.
    slow_until: Instant,
    refused_in_a_row: u32,
}

impl Session {
    pub(super) fn new(app: App, guest: Guest, socket: Socket) -> Self {
        let now = Instant::now();
        let mut ping = interval_at(now + app.patience.ping, app.patience.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (guest, answers) = (Arc::new(guest), SelectAll::new());
        Self { app, guest, socket, answers, ping, heard_at: now, paid_at: now, slow_until: now, refused_in_a_row: 0 }
    }

    /// Goes on until there is a reason not to.
    pub(super) async fn run(mut self) {
        let why = self.converse().await.err().unwrap_or(Why::Left);
        let answers = self.answers.len();
        tracing::debug!(socket.end = ?why, answers, "A WebSocket ends");
        drop(self.answers);
        farewell::bid(self.socket, why).await;
    }

    async fn converse(&mut self) -> Result<(), Why> {
        let (turns, silence) = (self.app.chat.turns().clone(), self.app.patience.silence);
        let mut is_stopping = false;
        loop {
            if is_stopping && self.answers.is_empty() {
                return Err(Why::Stopping);
            }
            let is_slowed = self.slow_until > Instant::now();
            tokio::select! {
                () = turns.closed(), if !is_stopping => is_stopping = true,
                heard = self.socket.next(), if !is_stopping && !is_slowed => match heard {
                    None => return Ok(()),
                    Some(heard) => self.hear(heard.map_err(|error| Why::of(&error))?).await?,
                },
                Some(frame) = self.answers.next(), if !self.answers.is_empty() => self.tell(frame).await?,
                _ = self.ping.tick() => self.send([Message::Ping(Bytes::new())]).await?,
                () = sleep_until(self.slow_until), if is_slowed => {}
                () = sleep_until(self.heard_at + silence), if !is_stopping => return Err(Why::Silent),
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Why> {
        let now = Instant::now();
        self.heard_at = now;
        self.paid_at = self.paid_at.max(now) + FRAME_COST;
        self.slow_until = now + (self.paid_at - now).saturating_sub(FRAME_COST * FRAMES_AT_ONCE_MAX);
        match message {
            Message::Text(frame) => self.take(&frame).await,
            Message::Binary(_) => Err(Why::Binary),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Begins to answer a request, or says why not.
    async fn take(&mut self, frame: &str) -> Result<(), Why> {
        let (guest, running) = (self.guest.clone(), self.answers.len());
        let admitting = async { admit(&self.app, &guest, running, frame) };
        let refused = match guest.asking(&self.app, admitting).await {
            Ok((tag, asked)) => {
                self.refused_in_a_row = 0;
                self.answers.push(answer::answer(self.app.clone(), guest, tag, asked));
                return Ok(());
            }
            Err(refused) => refused,
        };
        self.refused_in_a_row += 1;
        match refused {
            Refused::TooLarge => Err(Why::TooLarge),
            Refused::Told(_) if self.refused_in_a_row > REFUSED_IN_A_ROW_MAX => Err(Why::Flooding),
            Refused::Told(frames) => self.send(frames.into_iter().map(Message::text)).await,
        }
    }

    /// Sends a frame, and whatever else is there by now.
    async fn tell(&mut self, first: Frame) -> Result<(), Why> {
        let (mut piece, mut next) = (Vec::new(), Some(first));
        while let Some(frame) = next {
            match frame {
                Frame::Text(text) => piece.push(Message::text(text)),
                Frame::LetGo => return Err(Why::TooSlow),
            }
            let is_full = piece.len() >= PIECE_FRAMES_MAX;
            next = if is_full { None } else { self.answers.next().now_or_never().flatten() };
        }
        self.send(piece).await
    }

    async fn send(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Why> {
        let socket = &mut self.socket;
        let sending = async {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        match timeout(self.app.patience.unread, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Why::Lost),
        }
    }
}

/// Why a request is not answered.
enum Refused {
    /// It is larger than requests may be.
    TooLarge,
    /// These frames say it.
    Told(Vec<String>),
}

/// Reads a request, if there may be one more beside those that are being answered.
fn admit(app: &App, guest: &Guest, running: usize, frame: &str) -> Result<(Tag, Asked), Refused> {
    let tag = Tag::of(frame).map_err(|error| Refused::Told(answer::refused(&Tag::default(), &error)))?;
    let asked = match guest.count() {
        Ok(()) if running >= REQUESTS_TOGETHER_MAX => Err(crowded()),
        Ok(()) => answer::read(app, frame),
        Err(error) => Err(error),
    };
    match asked {
        Ok(asked) => Ok((tag, asked)),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refused::TooLarge),
        Err(error) => Err(Refused::Told(answer::refused(&tag, &error))),
    }
}

fn crowded() -> ApiError {
    let message = spoken::say_with("socket-crowded", &[("max", (REQUESTS_TOGETHER_MAX as u64).into())]);
    ApiError::spoken(StatusCode::TOO_MANY_REQUESTS, "too_many_at_once", message)
}
