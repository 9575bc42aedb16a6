//! How far an ingestion is: a bar on a terminal, a line now and then elsewhere.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::knowledge::KnowledgeError;
use crate::knowledge::ingest::{Progress, Step};

/// Where there is no terminal, how far it is is said so often.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often a bar is drawn anew, at most.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// A bar shows that it is alive so often, however long a batch takes.
const TICK_EVERY: Duration = Duration::from_millis(500);

/// Shows how an ingestion goes on.
pub(super) struct Shown {
    on_terminal: bool,
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
    expected: Option<usize>,
    pages: usize,
    stored: usize,
}

impl Shown {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State { bar: None, began: now, told: now, expected: None, pages: 0, stored: 0 };
        Self { on_terminal: std::io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// A sentence, above the bar if there is one.
    pub(super) fn say(&self, sentence: &str) {
        match &self.state().bar {
            Some(bar) => bar.println(sentence),
            None => eprintln!("{sentence}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, passages: usize) {
        let mut state = self.state();
        state.pages += 1;
        state.stored += passages;
        let now = Instant::now();
        let every = if self.on_terminal { DRAW_EVERY } else { LINE_EVERY };
        if now - state.told < every {
            return;
        }
        state.told = now;
        match &state.bar {
            Some(bar) => {
                bar.set_position(state.pages as u64);
                bar.set_message(format!("{} passages a second", grouped(state.rate())));
            }
            None => eprintln!("{}", state.line()),
        }
    }
}

impl State {
    fn rate(&self) -> usize {
        rate(self.stored, self.began.elapsed())
    }

    fn line(&self) -> String {
        let of = self.expected.map_or(String::new(), |expected| format!(" of {}", grouped(expected)));
        let left = self.left().map_or(String::new(), |left| format!(", about {} s left", grouped(left)));
        let (pages, stored, rate) = (grouped(self.pages), grouped(self.stored), grouped(self.rate()));
        format!("{pages}{of} pages, {stored} passages stored, {rate} a second{left}")
    }

    /// Seconds until the end, if the pages that are left are like those that were read.
    fn left(&self) -> Option<usize> {
        let left = self.expected?.checked_sub(self.pages)?;
        let seconds = usize::try_from(self.began.elapsed().as_secs()).ok()?;
        seconds.checked_mul(left)?.checked_div(self.pages)
    }
}

impl Progress for Shown {
    fn begin(&self, pages: Option<usize>) {
        let mut state = self.state();
        (state.expected, state.began) = (pages, Instant::now());
        if !self.on_terminal {
            match pages {
                Some(pages) => eprintln!("reading {} pages", grouped(pages)),
                None => eprintln!("reading"),
            }
            return;
        }
        let (bar, template) = match pages {
            Some(pages) => {
                (ProgressBar::new(pages as u64), "{bar:30} {human_pos}/{human_len} pages, {msg}, {eta} left")
            }
            None => (ProgressBar::new_spinner(), "{spinner} {human_pos} pages, {msg}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_message("0 passages a second");
        bar.enable_steady_tick(TICK_EVERY);
        state.bar = Some(bar);
    }

    fn advance(&self, path: &str, step: Step, passages: usize) {
        match step {
            Step::Added | Step::Changed | Step::Unchanged => self.page(passages),
            Step::Removed => self.say(&format!("removed {path}")),
        }
    }

    fn leave_out(&self, _: &str) {
        self.page(0);
    }

    fn wait(&self, why: &KnowledgeError, pause: Duration) {
        self.say(&format!("{why}; trying again in {} s", pause.as_secs().max(1)));
    }
}

/// Passages a second.
pub(super) fn rate(passages: usize, took: Duration) -> usize {
    let millis = usize::try_from(took.as_millis()).unwrap_or(usize::MAX).max(1);
    passages.saturating_mul(1_000) / millis
}

/// A number with a space between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rates_never_divide_by_nothing() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(rate(100, Duration::ZERO), 100_000);
        assert_eq!(rate(100, Duration::from_secs(4)), 25);
    }
}
