//! Forms with a file: `multipart/form-data`, read piece by piece.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::Stream;
use multer::{Field, Multipart};
use tokio::time::timeout;

use super::body;
use super::error::ApiError;

/// The field that holds the file.
const FIELD: &str = "file";
/// What a form may hold before its file, and around it, in bytes.
const AROUND_BYTES_MAX: usize = 64 * 1024;
/// Bytes that are read ahead of whoever takes the file: more than one piece of a connection, and no pile of them.
const AHEAD_BYTES_MAX: usize = 1024 * 1024;

/// A form of which only the file matters.
pub(super) struct Form {
    fields: Multipart<'static>,
    source: Source,
}

/// The file of a form: its bytes as a stream, and what the client says of it.
pub(super) struct File {
    field: Field<'static>,
    source: Source,
}

/// What the client says of the size of the file, at least.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    body::announced(headers).map(|bytes| bytes.saturating_sub(AROUND_BYTES_MAX as u64))
}

fn wrong(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_form", message)
}

impl Form {
    /// The form that a request brings.
    pub(super) fn of(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind);
        let boundary = boundary.map_err(|_| wrong("the body must be a form, `multipart/form-data; boundary=…`"))?;
        let source = Source::of(body);
        Ok(Self { fields: Multipart::new(source.clone(), boundary), source })
    }

    /// The file, which must begin so soon; other fields before it are passed over.
    pub(super) async fn file(&mut self, time_max: Duration) -> Result<File, ApiError> {
        let found = timeout(time_max, self.find()).await.map_err(|_| body::late(time_max))?;
        let field = found?;
        self.source.ahead.store(0, Ordering::Relaxed);
        Ok(File { field, source: self.source.clone() })
    }

    async fn find(&mut self) -> Result<Field<'static>, ApiError> {
        let broken =
            |_| wrong("the form cannot be read; is it cut off, or is its boundary not the one it was announced with?");
        while let Some(mut field) = self.fields.next_field().await.map_err(broken)? {
            if field.name() == Some(FIELD) {
                return Ok(field);
            }
            while field.chunk().await.map_err(broken)?.is_some() {}
        }
        Err(wrong("the form has no field `file`"))
    }

    /// Reads what is left, as [`body::drain`] does.
    pub(super) async fn drain(self) {
        let mut source = self.source.clone();
        // Whoever takes the bytes from here on takes them from the source, and holds none.
        source.ahead_max = usize::MAX;
        body::drain(&mut source).await;
    }
}

impl File {
    /// The file's name; empty when the client gave none.
    pub(super) fn name(&self) -> String {
        self.field.file_name().unwrap_or_default().to_owned()
    }

    /// What the client says it is; empty when it says nothing.
    pub(super) fn mime_type(&self) -> String {
        self.field.content_type().map(ToString::to_string).unwrap_or_default()
    }
}

impl Stream for File {
    type Item = Result<Bytes, multer::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = std::task::ready!(Pin::new(&mut self.field).poll_next(context));
        // The reader's end has got as far as this; the rest is read ahead anew.
        self.source.ahead.store(0, Ordering::Relaxed);
        Poll::Ready(piece)
    }
}

/// The body of a request, which can be read on when the form was given up.
///
/// It hands out one piece at a time: the parser of forms would otherwise gather all that has arrived, and a form whose
/// first line never ends would be gathered whole.
#[derive(Clone)]
struct Source {
    body: Arc<Mutex<BodyDataStream>>,
    ahead: Arc<AtomicUsize>,
    ahead_max: usize,
    /// Whether a piece was handed out just now.
    resting: bool,
}

impl Source {
    fn of(body: Body) -> Self {
        let body = Arc::new(Mutex::new(body.into_data_stream()));
        // Before the file there is little.
        let ahead = Arc::new(AtomicUsize::new(AHEAD_BYTES_MAX - AROUND_BYTES_MAX));
        Self { body, ahead, ahead_max: AHEAD_BYTES_MAX, resting: false }
    }
}

impl Stream for Source {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.resting) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.ahead.load(Ordering::Relaxed) >= self.ahead_max {
            return Poll::Ready(Some(Err("the form holds too much beside its file".into())));
        }
        let polled = {
            let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
            Pin::new(&mut *body).poll_next(context)
        };
        let piece = std::task::ready!(polled);
        if let Some(Ok(piece)) = &piece {
            self.ahead.fetch_add(piece.len(), Ordering::Relaxed);
            self.resting = true;
        }
        Poll::Ready(piece.map(|piece| piece.map_err(Into::into)))
    }
}
