//! `conformance URL`: replays the conformance cases against a running server, in whatever language it is written.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgAction, Args};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output::{self, Unwritten};
use crate::conformance::{Answer, Corpus, Features, Outcome, Policy, Report, Runner, Target, Verdict};

const EXAMPLES: &str = "\
The server must host the small interpreter of scripts that protocol/conformance/README.md describes.

Examples:
  # everything that a server does by default
  chatkit-gateway conformance http://127.0.0.1:8000/chatkit
  # a server that stops a turn when its reader goes away
  chatkit-gateway conformance http://127.0.0.1:8000/chatkit --policy cancel
  # a server without attachments and transcriber that takes messages on locked threads
  chatkit-gateway conformance http://127.0.0.1:8000/chatkit --have \"\"
  # why does this one fail?
  chatkit-gateway conformance http://127.0.0.1:8000/chatkit --only retry-simple -vv

Exit status: 0 if cases passed and none failed; 1 if one failed, none ran, or nobody answers; 2 if the command is wrong.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ConformanceArgs {
    /// The address that ChatKit requests are sent to, such as http://127.0.0.1:8000/chatkit
    url: String,
    /// What the server does with a turn whose reader goes away: `finish` or `cancel`
    #[arg(long, default_value = Policy::default().name())]
    policy: Policy,
    /// What the server can do, of attachments, transcribe, refuse_locked, stream_widget; "" for nothing of it
    #[arg(long, value_name = "FEATURE,…", default_value_t)]
    have: Features,
    /// Run only cases with such a name; `*` stands for any text, `?` for any character
    #[arg(long, value_name = "GLOB", default_value = "*", hide_default_value = true)]
    only: String,
    /// Run the cases of this folder instead of those in the program
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// The server is the Python reference: expect of it what the cases say it does
    #[arg(long)]
    reference: bool,
    /// Name passed and skipped cases, too; twice: show every answer
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "json")]
    verbose: u8,
    /// One JSON object with the outcome of every case
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(asked: ConformanceArgs) -> Result<ExitCode> {
    let corpus = match &asked.cases {
        Some(folder) => Corpus::read(folder)?,
        None => Corpus::bundled().context("the cases in the program cannot be read")?,
    };
    let corpus = corpus.only(&asked.only);
    if corpus.cases.is_empty() {
        eprintln!("no case is called `{}`", asked.only);
    }
    let target = Target { policy: asked.policy, have: asked.have, reference: asked.reference, ..Target::at(asked.url) };
    let runner = Runner::reach(&target).await?;
    let shown = Shown::new(corpus.cases.len(), asked.verbose, asked.json);
    let mut report = Report::default();
    for case in &corpus.cases {
        shown.begin(&case.name);
        let outcome = runner.run(case, &mut |answer| shown.answer(answer)).await;
        shown.end(&outcome)?;
        report.cases.push(outcome);
    }
    shown.bar.finish_and_clear();
    let counts = report.counts();
    match asked.json {
        true => output::line(json!({"counts": counts, "cases": report.cases}))?,
        false => output::line(counts)?,
    }
    Ok(if counts.are_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lines as the cases end, and on a terminal a bar below them.
struct Shown {
    bar: ProgressBar,
    verbose: u8,
    json: bool,
}

impl Shown {
    fn new(cases: usize, verbose: u8, json: bool) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), verbose, json };
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        let bar = ProgressBar::new(cases as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, verbose, json }
    }

    fn begin(&self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.tick();
    }

    fn answer(&self, answer: &Answer) {
        if self.verbose > 1 {
            let body = String::from_utf8_lossy(&answer.body);
            // Whoever does not listen any more is noticed when the case ends.
            let _ = self.line(format_args!("    {} {}", answer.status, body.trim_end()));
        }
    }

    fn end(&self, outcome: &Outcome) -> Result<(), Unwritten> {
        self.bar.inc(1);
        let is_told = match outcome.verdict {
            Verdict::Failed(_) => !self.json,
            Verdict::Passed | Verdict::Skipped { .. } => self.verbose > 0,
        };
        if is_told { self.line(outcome) } else { Ok(()) }
    }

    fn line(&self, text: impl std::fmt::Display) -> Result<(), Unwritten> {
        self.bar.suspend(|| output::line(text))
    }
}
