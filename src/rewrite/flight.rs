//! A text on its way: one writes, any number listen, and each hears it from its beginning.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::refusal::Failure;

/// A text that is being written, or is written.
#[derive(Debug, Default)]
pub(super) struct Flight {
    progress: Mutex<Progress>,
    told: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Progress {
    text: String,
    end: Option<Result<(), Failure>>,
}

/// Somebody who listens. Whoever stops listening changes nothing.
#[derive(Debug)]
pub struct Listening {
    flight: Arc<Flight>,
    told: watch::Receiver<()>,
    /// Bytes that were heard.
    heard: usize,
    /// Whether it was heard why there is no more.
    is_over: bool,
}

/// The one who writes. When it goes without a word, the text has failed.
pub(super) struct Writing(Arc<Flight>);

impl Flight {
    /// A text that is there.
    pub(super) fn done(text: String) -> Arc<Self> {
        let progress = Progress { text, end: Some(Ok(())) };
        Arc::new(Self { progress: Mutex::new(progress), told: watch::Sender::default() })
    }

    pub(super) fn is_running(&self) -> bool {
        self.lock().end.is_none()
    }

    pub(super) fn listen(self: &Arc<Self>) -> Listening {
        Listening { flight: self.clone(), told: self.told.subscribe(), heard: 0, is_over: false }
    }

    /// Waits until nothing more is written.
    pub(super) async fn ended(self: &Arc<Self>) -> Result<(), Failure> {
        let mut told = self.told.subscribe();
        loop {
            if let Some(end) = self.lock().end {
                return end;
            }
            // The flight is held here, so that its sender is there.
            let _ = told.changed().await;
        }
    }

    pub(super) fn writing(self: &Arc<Self>) -> Writing {
        Writing(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    /// Adds a piece. How long the text is now, in bytes.
    pub(super) fn add(&self, piece: &str) -> usize {
        let bytes = {
            let mut progress = self.0.lock();
            progress.text.push_str(piece);
            progress.text.len()
        };
        self.0.told.send_replace(());
        bytes
    }

    /// The text so far.
    pub(super) fn text(&self) -> String {
        self.0.lock().text.clone()
    }

    /// Says that nothing more comes; the first to say so is believed.
    pub(super) fn end(&self, end: Result<(), Failure>) {
        self.0.lock().end.get_or_insert(end);
        self.0.told.send_replace(());
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.end(Err(Failure::Failed));
    }
}

impl Listening {
    /// What was written since the last time; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<String, Failure>> {
        loop {
            {
                let progress = self.flight.lock();
                if progress.text.len() > self.heard {
                    let piece = progress.text[self.heard..].to_owned();
                    self.heard = progress.text.len();
                    return Some(Ok(piece));
                }
                match progress.end {
                    Some(Err(failure)) if !self.is_over => {
                        self.is_over = true;
                        return Some(Err(failure));
                    }
                    Some(_) => return None,
                    None => {}
                }
            }
            let _ = self.told.changed().await;
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// It was not written to its end.
    pub async fn whole(mut self) -> Result<String, Failure> {
        let mut whole = String::new();
        while let Some(piece) = self.next().await {
            whole.push_str(&piece?);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_the_whole_text_whenever_they_come() {
        let flight = Arc::new(Flight::default());
        let mut early = flight.listen();
        let writing = flight.writing();
        writing.add("Robots ");
        assert_eq!(early.next().await.unwrap().unwrap(), "Robots ");
        writing.add("sense");
        writing.add(" and act.");
        let late = flight.listen();
        assert_eq!(early.next().await.unwrap().unwrap(), "sense and act.");
        writing.end(Ok(()));
        assert!(early.next().await.is_none());
        assert_eq!(late.whole().await.unwrap(), "Robots sense and act.");
        assert_eq!(flight.ended().await, Ok(()));
    }

    #[tokio::test]
    async fn a_text_whose_writer_is_gone_has_failed() {
        let flight = Arc::new(Flight::default());
        let mut listening = flight.listen();
        let writing = flight.writing();
        writing.add("Robots ");
        drop(writing);
        assert_eq!(listening.next().await.unwrap().unwrap(), "Robots ");
        assert_eq!(listening.next().await.unwrap(), Err(Failure::Failed));
        assert!(listening.next().await.is_none());
        assert_eq!(flight.listen().whole().await, Err(Failure::Failed));
    }
}
