//! `ingest FOLDER` and `ingest URL`: takes a book in, and says what became of it.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::progress::{Shown, grouped, rate};
use super::source::SourceArgs;
use super::{opened, output};
use crate::app::Providers;
use crate::config::Settings;
use crate::knowledge::ingest::{self, IngestError, Options, Report};
use crate::server;

/// It went to its end, but some pages have problems.
const EXIT_PROBLEMS: u8 = 3;
/// It was stopped by a signal, as shells count it.
const EXIT_STOPPED: u8 = 130;

/// What a run comes to, at the end of `ingest --help`.
const AFTER_HELP: &str = "Only what changed is stored, and documents whose page is gone are forgotten. What was stored \
stays when it is interrupted; the same command goes on from there.\n\nExit codes: 0 all is well, 1 it could not go on, 2 \
wrong arguments, 3 everything else was taken in but some pages have problems, 130 it was stopped.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct IngestArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Read everything and say what would be stored and forgotten, but change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the summary as one line of JSON, problems included
    #[arg(long)]
    json: bool,
    /// How long a knowledge base or an embedding model that is away is tried again, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = ingest::PATIENCE.as_secs())]
    patience: u64,
}

pub(super) async fn run(settings: &Settings, providers: &Providers, asked: IngestArgs) -> Result<ExitCode> {
    let (database, knowledge) = opened(settings, providers).await?;
    let stop = CancellationToken::new();
    let options = Options {
        patience: Some(Duration::from_secs(asked.patience)),
        dry_run: asked.dry_run,
        stop: stop.clone(),
        ..asked.source.options(settings)
    };
    let began = Instant::now();
    let shown = Shown::new();
    let done = {
        let ingesting = async {
            let Some(source) = stop.run_until_cancelled(asked.source.open(&options)).await else {
                return Err(IngestError::Stopped { report: Box::default() });
            };
            ingest::ingest_from(&mut *source?, &options, &*knowledge, &shown).await
        };
        let stopping = async {
            server::signalled().await;
            shown.say("stopping when what is on its way is stored; a second signal stops at once");
            stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            done = ingesting => done,
            never = stopping => never,
        }
    };
    shown.end();
    let took = began.elapsed();
    let summary = |report, ended| Summary { ended, dry_run: asked.dry_run, took, report };
    let ended = match done {
        Ok(report) => {
            let ended = summary(&report, Ended::Whole).tell(asked.json, &settings.knowledge.collection)?;
            Ok(ended)
        }
        Err(IngestError::BrokenOff { why, report }) => {
            if asked.json {
                summary(&report, Ended::BrokenOff).tell(true, &settings.knowledge.collection)?;
            }
            Err(IngestError::BrokenOff { why, report }.into())
        }
        Err(IngestError::Stopped { report }) => {
            if asked.json {
                summary(&report, Ended::Stopped).tell(true, &settings.knowledge.collection)?;
            }
            eprintln!("{}", IngestError::Stopped { report });
            Ok(ExitCode::from(EXIT_STOPPED))
        }
        Err(error @ (IngestError::Source(_) | IngestError::Knowledge(_))) => Err(error.into()),
    };
    database.close().await;
    ended
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Whole,
    BrokenOff,
    Stopped,
}

/// What is told at the end.
struct Summary<'a> {
    ended: Ended,
    dry_run: bool,
    took: Duration,
    report: &'a Report,
}

impl Summary<'_> {
    fn tell(&self, json: bool, collection: &str) -> Result<ExitCode> {
        let report = self.report;
        let problems = report.problems.len() + report.more_problems;
        if json {
            let line = Line {
                ended: self.ended,
                dry_run: self.dry_run,
                collection,
                seconds: self.took.as_secs_f64(),
                passages_per_second: rate(report.passages_stored, self.took),
                report,
            };
            output::line(serde_json::to_string(&line)?)?;
        } else {
            self.tell_people(problems, collection)?;
        }
        Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_PROBLEMS) })
    }

    fn tell_people(&self, problems: usize, collection: &str) -> Result<()> {
        let report = self.report;
        for problem in &report.problems {
            eprintln!("{problem}");
        }
        if report.more_problems > 0 {
            eprintln!("… and {} more", report.more_problems);
        }
        output::line(format_args!(
            "{} documents added, {} changed, {} unchanged, {} removed; {} passages in `{collection}`",
            report.added, report.changed, report.unchanged, report.removed, report.passages
        ))?;
        if self.dry_run {
            output::line("this is what would be done; nothing was changed")?;
        } else if report.passages_stored > 0 {
            output::line(format_args!(
                "{} passages stored in {:.1} s, {} a second",
                grouped(report.passages_stored),
                self.took.as_secs_f64(),
                grouped(rate(report.passages_stored, self.took))
            ))?;
        }
        if report.hidden > 0 {
            output::line(format_args!("{} pages left out: drafts or unlisted", report.hidden))?;
        }
        if report.incomplete {
            eprintln!("not every page could be listed, so nothing was forgotten");
        }
        if report.without_site > 0 {
            eprintln!(
                "nobody said where the book is read, so citations carry paths only, such as /docs/…; give --site-url or \
                 set SITE_URL"
            );
        }
        if problems > 0 {
            eprintln!("{problems} problem(s), see above");
        }
        Ok(())
    }
}

/// The summary for programs.
#[derive(Serialize)]
struct Line<'a> {
    ended: Ended,
    dry_run: bool,
    collection: &'a str,
    seconds: f64,
    passages_per_second: usize,
    #[serde(flatten)]
    report: &'a Report,
}
