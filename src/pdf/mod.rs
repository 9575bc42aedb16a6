//! The text of PDF files that anybody may have made: bounded in time and memory, whatever is in them.
//!
//! Objects are found by looking through the file, never by its own tables: a file that was cut, or that lies about
//! itself, gives what there is of it. Nothing is read before it is needed, and everything that is unpacked counts.

mod file;
mod font;
mod glyphs;
mod object;
mod page;
mod place;
#[cfg(test)]
mod tests;
mod unicode_map;

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use self::file::{File, Spent};

/// A larger file is not read.
pub const FILE_BYTES_MAX: usize = 20 << 20;

/// A file is read for so long; what was found until then counts.
pub const READING_TIME_MAX: Duration = Duration::from_secs(10);

/// So many pages are read.
const PAGES_MAX: usize = 500;

/// So many files are read at once: one keeps a processor busy.
const READERS_MAX: usize = 2;

static READERS: Semaphore = Semaphore::const_new(READERS_MAX);

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdfText {
    /// Its text, with line breaks, and a blank line after each page; empty when there is none, as in a scan.
    pub text: String,
    /// Whether there may be more than was read.
    pub is_cut: bool,
}

/// What a file says, page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdfPages {
    /// The text of each page, from the first, with line breaks; empty where a page has none.
    pub pages: Vec<String>,
    /// Whether there may be more than was read.
    pub is_cut: bool,
}

/// Why nothing of a file could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// It needs a password, or has protections that amount to one.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// No page was found in it.
    #[error("the PDF is damaged, or is none")]
    Broken,
    /// Reading it takes more time or memory than it gets.
    #[error("the PDF takes too much to read")]
    TooMuch,
}

/// Whether these bytes begin as a PDF does.
pub fn is_pdf(bytes: &[u8]) -> bool {
    memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some()
}

/// The text of a file, up to about `text_bytes_max` bytes of it.
///
/// Takes at most [`READING_TIME_MAX`], the wait for other files included, and does its work on a thread of its own.
///
/// # Errors
/// Nothing of it could be read.
pub async fn text(bytes: Bytes, text_bytes_max: usize) -> Result<PdfText, PdfError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(PdfError::TooMuch);
    }
    let deadline = Instant::now() + READING_TIME_MAX;
    let Ok(reader) = timeout_at(deadline, READERS.acquire()).await else { return Err(PdfError::TooMuch) };
    let reading = tokio::task::spawn_blocking(move || {
        let _reader = reader.expect("nobody closes the semaphore");
        extract(&bytes, text_bytes_max, deadline.into_std())
    });
    match timeout_at(deadline, reading).await {
        Ok(Ok(read)) => read,
        // What it panicked with may hold text of the file.
        Ok(Err(_)) => {
            tracing::error!("Reading a PDF broke off");
            Err(PdfError::Broken)
        }
        // The thread sees the same deadline.
        Err(_) => Err(PdfError::TooMuch),
    }
}

/// The text of the pages of a file, up to about `text_bytes_max` bytes of it, and until `deadline`. Works on the thread
/// it is called on.
///
/// # Errors
/// Nothing of it could be read.
pub fn pages(bytes: &[u8], text_bytes_max: usize, deadline: std::time::Instant) -> Result<PdfPages, PdfError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(PdfError::TooMuch);
    }
    let mut read = Gathered::default();
    match gather(bytes, text_bytes_max, deadline, &mut read) {
        Ok(()) => {}
        Err(PdfError::TooMuch) if !read.text.trim().is_empty() => read.is_cut = true,
        Err(error) => return Err(error),
    }
    let mut begin = 0;
    let pages = read.ends.iter().map(|&end| read.text[std::mem::replace(&mut begin, end)..end].trim().to_owned());
    Ok(PdfPages { pages: pages.collect(), is_cut: read.is_cut })
}

/// What was found so far.
#[derive(Default)]
struct Gathered {
    text: String,
    /// Where each page ends in it.
    ends: Vec<usize>,
    is_cut: bool,
}

fn extract(bytes: &[u8], text_bytes_max: usize, deadline: std::time::Instant) -> Result<PdfText, PdfError> {
    let mut read = Gathered::default();
    match gather(bytes, text_bytes_max, deadline, &mut read) {
        Ok(()) => {}
        Err(PdfError::TooMuch) if !read.text.trim().is_empty() => read.is_cut = true,
        Err(error) => return Err(error),
    }
    if read.text.len() > text_bytes_max {
        read.text.truncate(read.text.floor_char_boundary(text_bytes_max));
        read.is_cut = true;
    }
    read.text.truncate(read.text.trim_end().len());
    Ok(PdfText { text: read.text, is_cut: read.is_cut })
}

fn gather(
    bytes: &[u8],
    text_bytes_max: usize,
    deadline: std::time::Instant,
    read: &mut Gathered,
) -> Result<(), PdfError> {
    let file = File::open(bytes, deadline)?;
    if file.is_encrypted() {
        return Err(PdfError::Encrypted);
    }
    let mut fonts = page::Fonts::default();
    page::each(&file, &mut |page, resources| {
        if read.ends.len() == PAGES_MAX || read.text.len() > text_bytes_max {
            read.is_cut = true;
            return Ok(false);
        }
        let begun = read.text.len();
        page::read(&file, page, resources, &mut fonts, &mut read.text, text_bytes_max)?;
        if read.text.len() > begun {
            read.text.truncate(read.text.trim_end().len());
            read.text.push_str("\n\n");
        }
        read.ends.push(read.text.len());
        Ok(true)
    })?;
    if read.ends.is_empty() { Err(PdfError::Broken) } else { Ok(()) }
}

impl From<Spent> for PdfError {
    fn from(_: Spent) -> Self {
        Self::TooMuch
    }
}
