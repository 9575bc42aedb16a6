//! `ingest DIR` and `ingest URL`: shows how far it is, and what could not be read.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{opened, output};
use crate::app::Providers;
use crate::config::Settings;
use crate::knowledge::KnowledgeError;
use crate::knowledge::ingest::{self, Folder, Generator, Options, Progress, Source, Step, Web, WebOptions};

#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    /// The folder with the book's pages, such as `docs` of a Docusaurus site; or the address of a site or of its
    /// sitemap, such as https://book.example.org
    source: String,
    /// Leave out files and folders of this name or pattern; may be given more than once
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Where the book is read, such as https://book.example.org [variable: SITE_URL]
    #[arg(long)]
    site_url: Option<String>,
    /// The path of the pages on the site [variable: SITE_BASE]
    #[arg(long)]
    base: Option<String>,
    /// What makes the site of a folder, and with it addresses and anchors; otherwise its configuration tells
    #[arg(long, value_enum)]
    site: Option<SiteKind>,
    /// Of a site, read only pages of this name or pattern; may be given more than once
    #[arg(long, value_name = "NAME", help_heading = "A site's address")]
    include: Vec<String>,
    /// Read pages of this host too when the sitemap lists them; may be given more than once
    #[arg(long, value_name = "HOST", help_heading = "A site's address")]
    also_host: Vec<String>,
    /// The site may be on this machine or in a private network
    #[arg(long, help_heading = "A site's address")]
    allow_private: bool,
    /// The pause between two requests, in milliseconds; the site's robots.txt may ask for more
    #[arg(long, value_name = "MS", default_value_t = 100, help_heading = "A site's address",
          value_parser = clap::value_parser!(u64).range(0..=60_000))]
    delay_ms: u64,
}

/// What makes a site of a folder.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SiteKind {
    Docusaurus,
    Mkdocs,
    Mdbook,
    /// Files are read where they lie, as on GitHub
    Generic,
}

impl From<SiteKind> for Generator {
    fn from(kind: SiteKind) -> Self {
        match kind {
            SiteKind::Docusaurus => Self::Docusaurus,
            SiteKind::Mkdocs => Self::MKDOCS,
            SiteKind::Mdbook => Self::Mdbook,
            SiteKind::Generic => Self::Generic,
        }
    }
}

/// A folder, unless it is an address.
async fn source(asked: &str, options: &Options) -> Result<Box<dyn Source>> {
    let is_address = ["http://", "https://"]
        .iter()
        .any(|scheme| asked.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
    if is_address {
        return Ok(Box::new(Web::open(asked, options).await?));
    }
    Ok(Box::new(Folder::open(&PathBuf::from(asked), options).await?))
}

pub(super) async fn run(settings: &Settings, providers: &Providers, asked: IngestArgs) -> Result<ExitCode> {
    let (database, knowledge) = opened(settings, providers).await?;
    let options = Options {
        site_url: asked.site_url.or_else(|| settings.knowledge.site_url.clone()),
        base: asked.base.or_else(|| settings.knowledge.site_base.clone()),
        exclude: asked.exclude,
        generator: asked.site.map(Generator::from),
        web: WebOptions {
            allow_private: asked.allow_private,
            also_hosts: asked.also_host,
            include: asked.include,
            delay: Duration::from_millis(asked.delay_ms),
        },
        ..Options::default()
    };
    let progress = Shown::new();
    let mut source = source(&asked.source, &options).await?;
    let report = ingest::ingest_from(&mut *source, &options, &*knowledge, &progress).await?;
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
    fn begin(&self, pages: Option<usize>) {
        let documents = pages.unwrap_or(0);
        if !self.on_terminal {
            return eprintln!("reading {documents} documents");
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)");
        let bar = ProgressBar::new(documents as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        *self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, path: &str, step: Step, _: usize) {
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

    fn leave_out(&self, _: &str) {}

    fn wait(&self, why: &KnowledgeError, pause: Duration) {
        eprintln!("{why}; trying again in {} s", pause.as_secs().max(1));
    }
}
