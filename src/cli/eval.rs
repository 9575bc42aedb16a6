//! `eval FILE`: how well the knowledge base finds.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::{opened, output};
use crate::app::Providers;
use crate::book;
use crate::config::Settings;
use crate::knowledge::eval;

/// The largest file of questions, in bytes.
const QUESTIONS_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// One JSON object a line: id, question, kind, relevant, must_contain, history
    file: PathBuf,
    /// The scores as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, providers: &Providers, asked: &EvalArgs) -> Result<ExitCode> {
    let unreadable = || format!("cannot read `{}`", asked.file.display());
    let bytes = std::fs::metadata(&asked.file).with_context(unreadable)?.len();
    anyhow::ensure!(
        bytes <= QUESTIONS_BYTES_MAX,
        "`{}` is larger than {QUESTIONS_BYTES_MAX} bytes",
        asked.file.display()
    );
    let text = std::fs::read_to_string(&asked.file).with_context(unreadable)?;
    let (questions, bad_lines) = eval::questions(&text);
    for line in &bad_lines {
        eprintln!("{}:{}: {}", asked.file.display(), line.line, line.sentence);
    }
    anyhow::ensure!(!questions.is_empty(), "`{}` holds no question", asked.file.display());
    let (database, knowledge) = opened(settings, providers).await?;
    book::ingest_if_alone(&*knowledge).await?;
    let scores = eval::evaluate(&questions, &*knowledge).await?;
    match asked.json {
        true => output::line(serde_json::to_string(&scores).context("scores become JSON")?)?,
        false => output::line(scores)?,
    }
    database.close().await;
    Ok(if bad_lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
