//! As much HTTP/1.1 as the measurements need: requests written by hand, chunked answers read without copying.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A head longer than this is none.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// So much is read from a socket at once, if it is there.
pub const READ_BYTES: usize = 16 * 1024;

/// Sends a JSON body.
pub async fn post(connection: &mut TcpStream, host: SocketAddr, path: &str, json: &[u8]) -> Result<()> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        json.len()
    );
    let whole = [head.as_bytes(), json].concat();
    Ok(connection.write_all(&whole).await?)
}

/// Reads to the end of a head; gives back where it ends in `buffer`, which may hold more by then. `None` when the
/// connection was closed before anything came.
pub async fn read_head(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<usize>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(Some(end + 4));
        }
        ensure!(buffer.len() <= HEAD_BYTES_MAX, "a head of more than {HEAD_BYTES_MAX} bytes");
        buffer.reserve(READ_BYTES);
        if connection.read_buf(buffer).await? == 0 {
            ensure!(buffer.is_empty(), "the connection broke off in a head");
            return Ok(None);
        }
    }
}

/// Reads the head of an answer that must be a chunked 200, and takes it off `buffer`.
pub async fn read_answer_head(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    let end = read_head(connection, buffer).await?.context("no answer")?;
    let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    if !head.starts_with("http/1.1 200") || !head.contains("transfer-encoding: chunked") {
        bail!("not a streamed answer: {}", head.lines().next().unwrap_or_default());
    }
    buffer.drain(..end);
    Ok(())
}

/// The chunk that `bytes` begin with, and how many bytes it takes with its framing; `None` until it is whole. The last
/// chunk is empty.
pub fn whole_chunk(bytes: &[u8]) -> Result<Option<(&[u8], usize)>> {
    let Some(line) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let size = std::str::from_utf8(&bytes[..line])?.trim();
    let size = usize::from_str_radix(size, 16).context("not a chunk size")?;
    let (start, whole) = (line + 1, line + 1 + size + 2);
    Ok((bytes.len() >= whole).then(|| (&bytes[start..start + size], whole)))
}

/// Appends one chunk.
pub fn write_chunk(payload: &[u8], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(format!("{:x}\r\n", payload.len()).as_bytes());
    buffer.extend_from_slice(payload);
    buffer.extend_from_slice(b"\r\n");
}
