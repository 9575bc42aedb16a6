//! `ingest DIR`: shows how far it is, and what could not be read.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{opened, output, reembed};
use crate::app::Providers;
use crate::config::Settings;
use crate::knowledge::ingest::{self, Options, Progress, Step};

#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    /// The folder with the book's pages, such as `docs` of a Docusaurus site
    #[arg(required_unless_present = "reembed")]
    folder: Option<PathBuf>,
    /// Build new vectors beside the old ones, and then put them in their place: of the folder, or of what is stored
    #[arg(long)]
    reembed: bool,
    /// Leave out files and folders of this name or pattern; may be given more than once
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Where the book is read, such as https://book.example.org [variable: SITE_URL]
    #[arg(long)]
    site_url: Option<String>,
    /// The path of the pages on the site [variable: SITE_BASE]
    #[arg(long)]
    base: Option<String>,
}

pub(super) async fn run(settings: &Settings, providers: &Providers, asked: IngestArgs) -> Result<ExitCode> {
    let (database, stored) =
        if asked.reembed { reembed::opened(settings, providers).await? } else { opened(settings, providers).await? };
    let Some(folder) = asked.folder else {
        let progress = Shown::new();
        reembed::run(&*stored, &progress, &settings.knowledge.collection).await?;
        progress.end();
        database.close().await;
        return Ok(ExitCode::SUCCESS);
    };
    let knowledge = if asked.reembed { stored.beside().await? } else { Arc::clone(&stored) };
    let options = Options {
        site_url: asked.site_url.or_else(|| settings.knowledge.site_url.clone()),
        base: asked.base.or_else(|| settings.knowledge.site_base.clone()),
        exclude: asked.exclude,
    };
    let progress = Shown::new();
    let report = ingest::ingest(&folder, &options, &*knowledge, &progress).await?;
    if asked.reembed {
        reembed::finish(&*stored, &*knowledge, &report).await?;
    }
    progress.end();
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    output::line(format_args!(
        "{} documents added, {} changed, {} unchanged, {} removed; {} passages in `{}`",
        report.added, report.changed, report.unchanged, report.removed, report.passages, settings.knowledge.collection
    ))?;
    if report.hidden > 0 {
        output::line(format_args!("{} pages left out: drafts or unlisted", report.hidden))?;
    }
    if report.without_site > 0 {
        eprintln!(
            "nobody said where the book is read, so citations carry paths only, such as /docs/…; give --site-url or set \
             SITE_URL"
        );
    }
    database.close().await;
    if report.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{} problem(s), see above", report.problems.len());
    Ok(ExitCode::FAILURE)
}

/// A bar on a terminal, plain lines elsewhere.
struct Shown {
    bar: Mutex<Option<ProgressBar>>,
    on_terminal: bool,
}

impl Shown {
    fn new() -> Self {
        Self { bar: Mutex::default(), on_terminal: std::io::stderr().is_terminal() }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn begin(&self, documents: usize) {
        if !self.on_terminal {
            return eprintln!("reading {documents} documents");
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)");
        let bar = ProgressBar::new(documents as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        *self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, path: &str, step: Step) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            bar.set_message(path.to_owned());
            return bar.inc(1);
        }
        match step {
            Step::Added => eprintln!("added {path}"),
            Step::Changed => eprintln!("changed {path}"),
            Step::Removed => eprintln!("removed {path}"),
            Step::Unchanged => {}
        }
    }
}
