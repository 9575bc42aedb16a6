//! A model that has nothing to think about: it answers with as many deltas as the question asks for, at its pace.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use super::wire::{read_head, write_chunk};

const REQUEST_BYTES_MAX: usize = 1 << 20;
const DELTAS_MAX: u32 = 100_000;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// What the deltas say, over and over: four or five words each.
const SENTENCES: [&str; 6] = [
    " A robot feels its weight",
    " before it lifts a foot,",
    " so the controller must know",
    " where every joint is now",
    " and where it ought to",
    " be a moment later.",
];

/// How an answer should be; it travels as the reader's question.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many deltas.
    pub deltas: u32,
    /// The time between two of them; with none they leave as fast as the socket takes them.
    pub gap: Duration,
}

impl Manner {
    /// The question that asks for it.
    pub fn question(self) -> String {
        format!("Answer with deltas={} gap_ms={} please", self.deltas, self.gap.as_millis())
    }

    /// How long the text of the answer is, in bytes.
    pub fn text_bytes(self) -> usize {
        (0..self.deltas as usize).map(|position| sentence(position).len()).sum()
    }

    fn read(request: &str) -> Result<Self> {
        let number = |name: &str| {
            let (_, after) = request.rsplit_once(name)?;
            after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let deltas = number("deltas=").context("no deltas asked for")?;
        let gap = number("gap_ms=").context("no gap asked for")?;
        ensure!(deltas <= u64::from(DELTAS_MAX), "more than {DELTAS_MAX} deltas");
        Ok(Self { deltas: deltas as u32, gap: Duration::from_millis(gap) })
    }
}

fn sentence(position: usize) -> &'static str {
    SENTENCES[position % SENTENCES.len()]
}

/// Answers whoever connects.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let chunks: Arc<[Vec<u8>]> = (0..SENTENCES.len()).map(delta).collect();
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let chunks = Arc::clone(&chunks);
        // A client that hangs up in the middle is its own business.
        tokio::spawn(async move { answer_all(connection, &chunks).await });
    }
}

async fn answer_all(mut connection: TcpStream, chunks: &[Vec<u8>]) -> Result<()> {
    let mut buffer = Vec::new();
    while let Some(head_end) = read_head(&mut connection, &mut buffer).await? {
        let head = String::from_utf8_lossy(&buffer[..head_end]).to_lowercase();
        let (_, length) = head.split_once("content-length:").context("a request without a length")?;
        let length: usize = length.lines().next().unwrap_or_default().trim().parse()?;
        ensure!(length <= REQUEST_BYTES_MAX, "a request of more than {REQUEST_BYTES_MAX} bytes");
        while buffer.len() < head_end + length {
            ensure!(connection.read_buf(&mut buffer).await? > 0, "the request broke off");
        }
        let manner = Manner::read(&String::from_utf8_lossy(&buffer[head_end..head_end + length]))?;
        buffer.drain(..head_end + length);
        answer(&mut connection, chunks, manner).await?;
    }
    Ok(())
}

/// Every chunk is a write of its own, as models write them.
async fn answer(connection: &mut TcpStream, chunks: &[Vec<u8>], manner: Manner) -> Result<()> {
    connection.write_all(HEAD).await?;
    let started = Instant::now();
    for position in 0..manner.deltas {
        if !manner.gap.is_zero() {
            sleep_until(started + manner.gap * position).await;
        }
        connection.write_all(&chunks[position as usize % chunks.len()]).await?;
    }
    Ok(connection.write_all(&ending(manner.deltas)).await?)
}

fn delta(position: usize) -> Vec<u8> {
    let delta = json!({"content": sentence(position)});
    let mut chunk = Vec::new();
    write_chunk(
        &event(&json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]), None),
        &mut chunk,
    );
    chunk
}

fn ending(deltas: u32) -> Vec<u8> {
    let mut ending = Vec::new();
    let usage = json!({"prompt_tokens": 100, "completion_tokens": deltas, "total_tokens": 100 + deltas});
    write_chunk(
        &event(&json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"}]), None),
        &mut ending,
    );
    write_chunk(&event(&json!([]), Some(&usage)), &mut ending);
    write_chunk(b"data: [DONE]\n\n", &mut ending);
    write_chunk(b"", &mut ending);
    ending
}

fn event(choices: &serde_json::Value, usage: Option<&serde_json::Value>) -> Vec<u8> {
    let mut event = json!({
        "id": "chatcmpl-9f2c1b7d4e6a4c0f8a5d3b2e1c0f9a8b", "object": "chat.completion.chunk", "created": 1767355200,
        "model": "fake-model-1", "system_fingerprint": "fp_0a1b2c3d4e", "choices": choices,
    });
    if let Some(usage) = usage {
        event["usage"] = usage.clone();
    }
    format!("data: {event}\n\n").into_bytes()
}
