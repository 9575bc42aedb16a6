//! The wire between a house and its database, which a test may cut and mend.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use chatkit_gateway::config::Variables;
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use super::postgres::TestDatabase;

/// Passes bytes on while it is whole.
pub(crate) struct Wire {
    whole: watch::Sender<bool>,
    statements: Arc<AtomicU64>,
    url: String,
}

impl Wire {
    /// A wire to this database, on a free port of the loopback.
    pub(crate) async fn to(database: &TestDatabase) -> Self {
        let end: Arc<PgConnectOptions> = Arc::new(database.url().expose_secret().parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let name = end.get_database().unwrap();
        let url = format!("postgres://{}@127.0.0.1:{port}/{name}?sslmode=disable", end.get_username());
        let (whole, state) = watch::channel(true);
        let statements = Arc::<AtomicU64>::default();
        let counted = statements.clone();
        #[expect(clippy::disallowed_methods, reason = "the wire is no turn; it ends with the test")]
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(pass_on(Counting::on(near, &counted), end.clone(), state.clone()));
                }
            }
        });
        Self { whole, statements, url }
    }

    /// Where the database seems to be.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Has a house look for its database there.
    pub(crate) fn set(&self, variables: &mut Variables) {
        variables.set("DATABASE_URL", self.url.as_str());
    }

    /// How many statements the house has had carried out: round trips, once a connection knows them.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::SeqCst)
    }

    /// Every connection breaks, and no new one comes through.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// New connections come through again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn pass_on(near: Counting, end: Arc<PgConnectOptions>, state: watch::Receiver<bool>) {
    match end.get_socket() {
        Some(folder) => {
            let far = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", end.get_port()))).await;
            until_cut(near, far.unwrap(), state).await;
        }
        None => {
            let far = TcpStream::connect((end.get_host(), end.get_port())).await;
            until_cut(near, far.unwrap(), state).await;
        }
    }
}

async fn until_cut(mut near: Counting, mut far: impl AsyncRead + AsyncWrite + Unpin, mut state: watch::Receiver<bool>) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|whole| !whole) => {}
    }
}

/// The house's end of the wire, read as what Postgres clients say.
struct Counting {
    near: TcpStream,
    statements: Arc<AtomicU64>,
    /// What of the message that is being read has come of its first five bytes: its kind and its length.
    head: Vec<u8>,
    /// Bytes of it that are still to come.
    rest: usize,
    /// The first message of a connection has no kind.
    is_first: bool,
}

impl Counting {
    fn on(near: TcpStream, statements: &Arc<AtomicU64>) -> Self {
        Self { near, statements: statements.clone(), head: Vec::new(), rest: 0, is_first: true }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.rest.min(bytes.len());
            self.rest -= skipped;
            bytes = &bytes[skipped..];
            let head_bytes = if self.is_first { 4 } else { 5 };
            while self.rest == 0 && self.head.len() < head_bytes && !bytes.is_empty() {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
            }
            if self.rest == 0 && self.head.len() == head_bytes {
                let length: [u8; 4] = self.head[head_bytes - 4..].try_into().unwrap();
                self.rest = u32::from_be_bytes(length) as usize - 4;
                // `Execute` and `Query`: a statement, and a wait for its answer. That a connection is well, or what a
                // statement is like, is asked by other messages, the former when nobody waits.
                if !self.is_first && matches!(self.head[0], b'E' | b'Q') {
                    self.statements.fetch_add(1, Ordering::SeqCst);
                }
                self.head.clear();
                self.is_first = false;
            }
        }
    }
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.near).poll_read(context, buffer))?;
        let heard = buffer.filled()[before..].to_vec();
        self.hear(&heard);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_shutdown(context)
    }
}
