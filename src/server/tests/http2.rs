//! HTTP/2 without TLS, frame by frame.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Client, SHORT, SOON, doors, patience, serve};
use crate::config::{LimitSettings, Patience};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An HTTP/2 frame that says nothing about settings.
const NO_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

impl Client {
    /// The next HTTP/2 frame: its type, its flags and its payload.
    async fn frame(&mut self) -> (u8, u8, Vec<u8>) {
        let mut head = [0; 9];
        timeout(SOON, self.0.read_exact(&mut head)).await.expect("a frame comes").unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.unwrap();
        (head[3], head[4], payload)
    }
}

/// A request for `/` on an HTTP/2 stream, in one frame of headers that ends it.
fn http2_request(stream: u32) -> Vec<u8> {
    let fields = [0x82, 0x86, 0x84, 0x41, 1, b'x'];
    let mut frame = vec![0, 0, fields.len() as u8, 1, 0x5];
    frame.extend(stream.to_be_bytes());
    frame.extend(fields);
    frame
}

#[tokio::test]
async fn http2_is_spoken_without_an_upgrade_and_may_be_silent_between_requests() {
    let server = serve(doors(), LimitSettings::default(), Patience { head: SHORT, ..patience() }).await;
    let mut client = server.connect().await;
    client.write(&[PREFACE, NO_SETTINGS, &http2_request(1)].concat()).await;
    let answered = async |client: &mut Client| {
        loop {
            let (kind, flags, payload) = client.frame().await;
            assert_ne!(kind, 7, "the connection is not ended");
            if kind == 0 && flags & 1 == 1 {
                return payload;
            }
        }
    };
    assert_eq!(answered(&mut client).await, b"well");
    server.connect().await.closed().await;
    client.write(&http2_request(3)).await;
    assert_eq!(answered(&mut client).await, b"well");
}

#[tokio::test]
async fn an_http2_client_without_a_further_request_is_sent_away_although_it_says_something() {
    let server = serve(doors(), LimitSettings::default(), Patience { head: SHORT, idle: SHORT, ..patience() }).await;
    let (mut read, mut write) = server.connect().await.0.into_split();
    write.write_all(&[PREFACE, NO_SETTINGS, &http2_request(1)].concat()).await.unwrap();
    let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], b"12345678"].concat();
    let pinging = async {
        let mut beat = tokio::time::interval(SHORT / 10);
        while write.write_all(&ping).await.is_ok() {
            beat.tick().await;
        }
    };
    let mut rest = Vec::new();
    timeout(SOON, async { tokio::join!(pinging, read.read_to_end(&mut rest)) }).await.expect("it is closed").1.ok();
}

#[tokio::test]
async fn an_http2_client_that_takes_all_its_requests_back_is_sent_away() {
    let server = serve(doors(), LimitSettings::default(), patience()).await;
    let (mut read, mut write) = server.connect().await.0.into_split();
    let mut bytes = [PREFACE, NO_SETTINGS].concat();
    for stream in (1..4000).step_by(2) {
        bytes.extend(http2_request(stream));
        bytes.extend([0, 0, 4, 3, 0]);
        bytes.extend(u32::to_be_bytes(stream));
        bytes.extend([0, 0, 0, 8]);
    }
    let mut heard = Vec::new();
    let (_, closed) =
        tokio::join!(write.write_all(&bytes), timeout(SOON, async { read.read_to_end(&mut heard).await.ok() }));
    closed.expect("the server ends the connection");
}
