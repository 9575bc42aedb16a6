//! A server that writes exactly the bytes it is told, however wrong they are for HTTP, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One connection after the other, a reply each; without replies left it closes connections at once.
pub(crate) struct RawServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The first line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// What is written to one connection.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    Close,
    /// Nothing more, until the client goes.
    Hold,
    /// These bytes again and again, until the client goes.
    Repeat(Vec<u8>),
}

impl Reply {
    /// These bytes, and the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// A complete answer of this status and content type.
    pub(crate) fn of(status: u16, content_type: &str, body: &str) -> Self {
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::of(200, "application/json", body)
    }

    pub(crate) fn stream(body: &str) -> Self {
        Self::of(200, "text/event-stream; charset=utf-8", body)
    }

    /// The beginning of a stream whose end is not known.
    pub(crate) fn endless_stream(body: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        Self::raw(format!("{head}{}", chunk(body)))
    }

    pub(crate) fn then_hold(self) -> Self {
        Self { then: Then::Hold, ..self }
    }

    pub(crate) fn then_repeat(self, body: &str) -> Self {
        Self { then: Then::Repeat(chunk(body).into_bytes()), ..self }
    }
}

fn chunk(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n", body.len())
}

impl RawServer {
    /// Listens on a free port of the loopback.
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut replies = replies.into_iter().collect::<Vec<_>>().into_iter();
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                // Nobody asks anything when the server is to end.
                let Some(request) = read_request(&connection) else { return };
                heard.lock().unwrap().push(request);
                if let Some(reply) = replies.next() {
                    write_reply(&mut connection, &reply);
                }
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/chatkit", self.address)
    }

    /// Everything it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(connection: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { head, body })
}

/// A client that goes away is one of the things that are tested.
fn write_reply(connection: &mut TcpStream, reply: &Reply) {
    if connection.write_all(&reply.bytes).is_err() {
        return;
    }
    match &reply.then {
        Then::Close => {}
        Then::Hold => {
            let _ = connection.read(&mut [0]);
        }
        Then::Repeat(bytes) => while connection.write_all(bytes).is_ok() {},
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        // Its thread may still wait for a client that has not been dropped yet; it ends after it.
        let _ = TcpStream::connect(self.address);
    }
}
