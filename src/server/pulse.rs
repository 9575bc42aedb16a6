//! A connection that notices when its client is too slow: at sending a request, at sending the next, at reading.
//!
//! Hyper can time the head of a request only together with the silence before it, and a proxy that keeps its connections
//! open for a minute would be cut off after the seconds that a head may take.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What the requests of a connection say of it.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Requests that are not answered to their last byte.
    open: AtomicUsize,
    /// Requests that there were, as far as two counts one after the other differ.
    begun: AtomicUsize,
    is_http2: AtomicBool,
    /// Whoever asked for the connection itself has it, and says when it ends.
    is_handed_over: AtomicBool,
    /// Of the task that has the connection, which looks at the time when a request has ended: hyper stops reading before
    /// it lets go of an answer.
    waker: OnceLock<Waker>,
}

/// A request that is being answered. Dropping it says that it is.
#[derive(Debug)]
pub(super) struct Request(Arc<Pulse>);

impl Pulse {
    /// The head of a request is there.
    pub(super) fn begin(self: &Arc<Self>, is_http2: bool) -> Request {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.begun.fetch_add(1, Ordering::AcqRel);
        if is_http2 {
            self.is_http2.store(true, Ordering::Release);
        }
        Request(self.clone())
    }

    /// Says which task has the connection. It keeps its waker, so once is enough.
    pub(super) fn is_watched_by(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
    }

    fn is_busy(&self) -> bool {
        self.open.load(Ordering::Acquire) > 0 || self.is_handed_over.load(Ordering::Acquire)
    }
}

impl Request {
    /// It was for the connection itself, and got it.
    pub(super) fn hand_over(&self) {
        self.0.is_handed_over.store(true, Ordering::Release);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
        if let Some(waker) = self.0.waker.get() {
            waker.wake_by_ref();
        }
    }
}

/// How long the ends of one connection wait for each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For the head of a request.
    pub(super) head: Duration,
    /// For the next request.
    pub(super) idle: Duration,
    /// For bytes to be taken.
    pub(super) unread: Duration,
}

/// The socket, with a watch on it.
#[derive(Debug)]
pub(super) struct Watched<S> {
    socket: S,
    pulse: Arc<Pulse>,
    waits: Waits,
    awaited: Awaited,
    /// Requests that there were when `awaited` was last thought about.
    begun: usize,
    late: Pin<Box<Sleep>>,
    /// Runs while bytes wait that the client does not take.
    unread: Option<Pin<Box<Sleep>>>,
}

/// What the client is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// Nothing; it is waiting for us.
    Nothing,
    /// Begin a request.
    Request,
    /// Finish the head it has begun.
    Head,
}

impl<S> Watched<S> {
    /// The first request is not waited for as long as those after it: who connects has something to say.
    pub(super) fn new(socket: S, pulse: Arc<Pulse>, waits: Waits) -> Self {
        let late = Box::pin(sleep(waits.head));
        Self { socket, pulse, waits, awaited: Awaited::Head, begun: 0, late, unread: None }
    }

    fn wait_for(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        let time = match awaited {
            Awaited::Nothing => return,
            Awaited::Request => self.waits.idle,
            Awaited::Head => self.waits.head,
        };
        self.late.as_mut().reset(Instant::now() + time);
    }

    /// Something came. On HTTP/2 much comes that belongs to no request; there only requests count.
    fn heard(&mut self) {
        self.look_at_requests();
        if self.awaited == Awaited::Request && !self.pulse.is_http2.load(Ordering::Acquire) {
            self.wait_for(Awaited::Head);
        }
    }

    /// Follows what became of requests since the last time.
    fn look_at_requests(&mut self) {
        let begun = self.pulse.begun.load(Ordering::Acquire);
        if self.pulse.is_busy() {
            self.awaited = Awaited::Nothing;
        } else if self.awaited == Awaited::Nothing || begun != self.begun {
            self.wait_for(Awaited::Request);
        }
        self.begun = begun;
    }

    /// Nothing comes: is it time that something did?
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.look_at_requests();
        self.awaited != Awaited::Nothing && self.late.as_mut().poll(context).is_ready()
    }

    /// What writing came to, or that it has come to nothing for too long.
    fn written(&mut self, context: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.unread = None;
            return result;
        }
        let time = self.waits.unread;
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(unread.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take what is sent to it")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match Pin::new(&mut this.socket).poll_read(context, buffer) {
            Poll::Ready(result) => {
                this.heard();
                Poll::Ready(result)
            }
            Poll::Pending if this.is_late(context) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sends no request")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
