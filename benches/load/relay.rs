//! The least that could stand between a page and a model: for scale only.
//!
//! No pool, no parsing, no task of its own: the model's connection is polled inside the response body. Every chunk is
//! copied into a `data: …` frame, and all frames whose chunks have arrived leave in one write.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use bytes::{Buf, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::wire::{self, READ_BYTES, whole_chunk};

/// So much is gathered before it leaves, if it is there.
const WRITE_BYTES: usize = 16 * 1024;

/// Relays for whoever connects.
pub async fn serve(listener: TcpListener, model: SocketAddr) -> Result<()> {
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    Ok(axum::serve(listener, Router::new().route("/chatkit", post(relay)).with_state(model)).await?)
}

async fn relay(State(model): State<SocketAddr>, body: Bytes) -> Response {
    match ask(model, &body).await {
        Ok(relayed) => ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(relayed)).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn ask(model: SocketAddr, body: &[u8]) -> Result<Relayed> {
    let mut connection = TcpStream::connect(model).await?;
    connection.set_nodelay(true)?;
    wire::post(&mut connection, model, "/v1/chat/completions", body).await?;
    let mut start = Vec::new();
    wire::read_answer_head(&mut connection, &mut start).await?;
    Ok(Relayed { connection, arrived: BytesMut::from(&*start), frames: BytesMut::new(), ended: false })
}

struct Relayed {
    connection: TcpStream,
    arrived: BytesMut,
    frames: BytesMut,
    ended: bool,
}

impl Relayed {
    /// Turns whole chunks into frames.
    fn frame(&mut self) -> Result<()> {
        while let Some((payload, taken)) = whole_chunk(&self.arrived)? {
            if payload.is_empty() {
                self.ended = true;
                return Ok(());
            }
            self.frames.extend_from_slice(b"data: ");
            self.frames.extend_from_slice(payload.strip_prefix(b"data: ").unwrap_or(payload));
            self.arrived.advance(taken);
        }
        Ok(())
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let before = self.arrived.len();
        self.arrived.resize(before + READ_BYTES, 0);
        let mut room = ReadBuf::new(&mut self.arrived[before..]);
        let read = Pin::new(&mut self.connection).poll_read(context, &mut room);
        let bytes = room.filled().len();
        self.arrived.truncate(before + bytes);
        ready!(read)?;
        Poll::Ready(if bytes > 0 { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) })
    }
}

impl Stream for Relayed {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.frame()?;
            if !self.ended && self.frames.len() < WRITE_BYTES {
                match self.poll_read(context)? {
                    Poll::Ready(()) => continue,
                    Poll::Pending if self.frames.is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            let frames = self.frames.split().freeze();
            return Poll::Ready((!frames.is_empty()).then_some(Ok(frames)));
        }
    }
}
