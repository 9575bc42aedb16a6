//! A reader who asks and reads to the end, counting.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chatkit_protocol::sse::Decoder;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fake_model::Manner;
use super::wire::{self, READ_BYTES, whole_chunk};

/// A stream that takes longer has hung.
const STREAM_WAIT_MAX: Duration = Duration::from_secs(120);
const EVENT_BYTES_MAX: usize = 8 << 20;

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The fake model itself.
    Model(SocketAddr),
    /// The relay, which passes on what the model would be asked.
    Relay(SocketAddr),
    /// The gateway, in ChatKit.
    Gateway(SocketAddr),
}

/// What one stream brought.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// From the request to the first text.
    pub first: Duration,
    /// Events with text in them.
    pub events: usize,
}

/// Asks, and reads to the end.
///
/// # Errors
/// Anything but the whole text that was asked for.
pub async fn listen(asked: Asked, manner: Manner) -> Result<Heard> {
    let mut stream = Stream::open(asked, manner).await?;
    let first = stream.until_text().await?;
    stream.rest().await?;
    ensure!(
        stream.text_bytes == manner.text_bytes(),
        "{} bytes of text came instead of {}",
        stream.text_bytes,
        manner.text_bytes()
    );
    Ok(Heard { first, events: stream.events })
}

/// A stream that is being read. Dropping it hangs up.
pub struct Stream {
    connection: TcpStream,
    arrived: Vec<u8>,
    decoder: Decoder,
    started: Instant,
    text_bytes: usize,
    events: usize,
    ended: bool,
}

impl Stream {
    /// Connects and asks; the clock runs from when the connection stands.
    pub async fn open(asked: Asked, manner: Manner) -> Result<Self> {
        let (address, path) = match asked {
            Asked::Model(address) => (address, "/v1/chat/completions"),
            Asked::Relay(address) | Asked::Gateway(address) => (address, "/chatkit"),
        };
        let body = match asked {
            Asked::Gateway(_) => json!({"type": "threads.create", "params": {"input": {
                "content": [{"type": "input_text", "text": manner.question()}], "attachments": [], "inference_options": {}
            }}}),
            Asked::Model(_) | Asked::Relay(_) => json!({
                "model": "fake-model-1", "stream": true, "messages": [{"role": "user", "content": manner.question()}]
            }),
        };
        let mut connection = TcpStream::connect(address).await?;
        connection.set_nodelay(true)?;
        let started = Instant::now();
        wire::post(&mut connection, address, path, body.to_string().as_bytes()).await?;
        let mut arrived = Vec::new();
        timeout(STREAM_WAIT_MAX, wire::read_answer_head(&mut connection, &mut arrived))
            .await
            .context("no answer")??;
        let decoder = Decoder::new(EVENT_BYTES_MAX);
        Ok(Self { connection, arrived, decoder, started, text_bytes: 0, events: 0, ended: false })
    }

    /// Reads up to the first text; the time since the request.
    pub async fn until_text(&mut self) -> Result<Duration> {
        self.take_in()?;
        while self.events == 0 {
            ensure!(!self.ended, "an answer without text");
            timeout(STREAM_WAIT_MAX, self.read()).await.context("no text")??;
        }
        Ok(self.started.elapsed())
    }

    /// Reads to the end.
    pub async fn rest(&mut self) -> Result<()> {
        let read = async {
            while !self.ended {
                self.read().await?;
            }
            Ok(())
        };
        timeout(STREAM_WAIT_MAX, read).await.context("a stream hangs")?
    }

    async fn read(&mut self) -> Result<()> {
        self.arrived.reserve(READ_BYTES);
        ensure!(self.connection.read_buf(&mut self.arrived).await? > 0, "the stream broke off");
        self.take_in()
    }

    fn take_in(&mut self) -> Result<()> {
        let mut taken = 0;
        while let Some((payload, bytes)) = whole_chunk(&self.arrived[taken..])? {
            self.ended |= payload.is_empty();
            self.decoder.push(payload)?;
            taken += bytes;
        }
        self.arrived.drain(..taken);
        while let Some(payload) = self.decoder.next_payload() {
            let bytes = text_bytes(&payload)?;
            self.text_bytes += bytes;
            self.events += usize::from(bytes > 0);
        }
        Ok(())
    }
}

/// The text in an event, of either wire.
fn text_bytes(payload: &str) -> Result<usize> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        #[serde(borrow)]
        update: Option<Delta<'a>>,
        #[serde(borrow, default)]
        choices: Vec<Choice<'a>>,
    }
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        delta: Delta<'a>,
    }
    #[derive(Deserialize)]
    struct Delta<'a> {
        #[serde(borrow, alias = "content", default)]
        delta: Option<Text<'a>>,
    }
    /// A finished part has a `content` too, which is no text.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text<'a> {
        Said(#[serde(borrow)] Cow<'a, str>),
        Part {},
    }
    if payload == "[DONE]" {
        return Ok(0);
    }
    let event: Event<'_> = serde_json::from_str(payload).with_context(|| format!("not an event: {payload}"))?;
    ensure!(event.r#type.as_deref() != Some("error"), "the gateway reports an error");
    let deltas = event.update.into_iter().chain(event.choices.into_iter().map(|choice| choice.delta));
    Ok(deltas.map(|delta| if let Some(Text::Said(text)) = delta.delta { text.len() } else { 0 }).sum())
}
