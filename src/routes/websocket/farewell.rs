//! Why a WebSocket ends, and how its client is told.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::handshake::Socket;

/// A client gets so long to hear why, and to finish what it is sending.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
/// What it still sends is read so far.
const FAREWELL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a WebSocket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The client closed it.
    Left,
    /// The connection broke, or its client takes nothing more.
    Lost,
    /// The server stops.
    Stopping,
    /// What came breaks the protocol of WebSockets.
    Broken,
    /// What came is no text.
    Binary,
    /// What came is said to be text, and is not.
    NotUtf8,
    /// What came is larger than requests may be.
    TooLarge,
    /// Nothing came, no answer to a ping either.
    Silent,
    /// The client went on after it was refused again and again.
    Flooding,
    /// More waited for the client than may.
    TooSlow,
}

impl Why {
    /// What an error in reading means.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::TooLarge,
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Lost,
            Error::Protocol(_) => Self::Broken,
            _ => Self::Lost,
        }
    }

    /// What the client is told, if it can be told anything.
    fn told(self) -> Option<(CloseCode, &'static str)> {
        match self {
            Self::Left | Self::Lost => None,
            Self::Stopping => Some((CloseCode::Away, "the server stops; connect again in a moment")),
            Self::Broken => Some((CloseCode::Protocol, "this is not how a WebSocket is spoken")),
            Self::Binary => Some((CloseCode::Unsupported, "requests are text")),
            Self::NotUtf8 => Some((CloseCode::Invalid, "text is UTF-8")),
            Self::TooLarge => Some((CloseCode::Size, "a request is smaller than this")),
            Self::Silent => Some((CloseCode::Policy, "nothing came, no answer to a ping either")),
            Self::Flooding => Some((CloseCode::Policy, "too many requests came after they were refused")),
            Self::TooSlow => Some((CloseCode::Policy, "too much waited to be read; the answer is kept in its thread")),
        }
    }
}

/// Says why, and waits a little for the client to hear it: what is not read when a connection ends can make the system
/// throw away what was sent.
pub(super) async fn bid(mut socket: Socket, why: Why) {
    let Some((code, reason)) = why.told() else { return };
    let goodbye = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if socket.send(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        if matches!(why, Why::TooLarge | Why::Broken | Why::NotUtf8) {
            // What comes next makes no sense any more.
            return drain(&mut socket).await;
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    let _ = tokio::time::timeout(FAREWELL_TIME_MAX, goodbye).await;
}

async fn drain(socket: &mut Socket) {
    let connection = socket.get_mut();
    if connection.shutdown().await.is_err() {
        return;
    }
    let (mut piece, mut bytes) = (vec![0; 16 * 1024], 0);
    while bytes < FAREWELL_BYTES_MAX
        && let Ok(read @ 1..) = connection.read(&mut piece).await
    {
        bytes += read;
    }
}
