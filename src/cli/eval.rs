//! `eval FILE`: how well the knowledge base finds, and whether another way of searching finds better.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::time::Instant;

use super::{output, shelved};
use crate::app::Providers;
use crate::config::{Reader, Settings, Variables};
use crate::host;
use crate::knowledge::eval::{self, Comparison, Question, Scores};

/// The largest file of questions or scores, in bytes.
const QUESTIONS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How often somebody who waits is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// One JSON object a line: id, question, kind, relevant, must_contain, history
    file: PathBuf,
    /// The scores as JSON
    #[arg(long)]
    json: bool,
    /// Compare with scores saved before with --json
    #[arg(long, value_name = "SCORES.json", conflicts_with = "with")]
    against: Option<PathBuf>,
    /// Compare with the same questions under this setting; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    with: Vec<(String, String)>,
    /// Fail when the share of questions with a right passage among the first three is smaller
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_hit_at_3: Option<f64>,
    /// Fail when a strict search answers a larger share of the questions without an answer
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_false_answers: Option<f64>,
}

pub(super) async fn run(
    variables: &Variables,
    settings: &Settings,
    providers: &Providers,
    asked: &EvalArgs,
) -> Result<ExitCode> {
    let (questions, bad_lines) = eval::questions(&text_of(&asked.file)?);
    for line in &bad_lines {
        eprintln!("{}:{}: {}", asked.file.display(), line.line, line.sentence);
    }
    anyhow::ensure!(!questions.is_empty(), "`{}` holds no question", asked.file.display());
    // What is read first can be refused before anything long begins.
    let saved = asked.against.as_deref().map(saved_scores).transpose()?;
    let other = match (&saved, asked.with.as_slice()) {
        (None, [_, ..]) => {
            let mut variables = variables.clone();
            asked.with.iter().for_each(|(name, value)| variables.set(name, value));
            let (settings, providers) = host::settings(Reader::new(&variables)).context("with what --with says")?;
            Some(scores(&settings, &providers, &questions).await?)
        }
        _ => saved,
    };
    let this = scores(settings, providers, &questions).await?;
    let fell_short = fell_short(&this, asked);
    match other {
        Some(other) => {
            let comparison = Comparison::new(this, other);
            show(asked.json, &comparison)?;
        }
        None => show(asked.json, &this)?,
    }
    for sentence in &fell_short {
        eprintln!("{sentence}");
    }
    Ok(if bad_lines.is_empty() && fell_short.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn scores(settings: &Settings, providers: &Providers, questions: &[Question]) -> Result<Scores> {
    let (database, knowledge) = shelved(settings, providers).await?;
    let mut told = Instant::now();
    let mut tell = |done: usize| {
        if told.elapsed() >= TELL_EVERY {
            eprintln!("{done} of {} questions asked", questions.len());
            told = Instant::now();
        }
    };
    let scores = eval::evaluate_telling(questions, &*knowledge, &mut tell).await;
    database.close().await;
    Ok(scores?)
}

fn show<T: serde::Serialize + std::fmt::Display>(json: bool, shown: &T) -> Result<()> {
    match json {
        true => output::line(serde_json::to_string(shown).context("scores become JSON")?)?,
        false => output::line(shown)?,
    }
    Ok(())
}

/// A sentence for each floor that was not reached.
fn fell_short(scores: &Scores, asked: &EvalArgs) -> Vec<String> {
    let all = &scores.all;
    let hits = asked.min_hit_at_3.filter(|&floor| all.hit_at_3 < floor);
    let answers = asked.max_false_answers.filter(|&ceiling| all.strict_false_answers > ceiling);
    let hits = hits.map(|floor| format!("hit@3 is {:.3}, less than {floor}", all.hit_at_3));
    let answers = answers.map(|ceiling| {
        format!("the share of false answers of strict searches is {:.3}, more than {ceiling}", all.strict_false_answers)
    });
    hits.into_iter().chain(answers).collect()
}

fn saved_scores(file: &Path) -> Result<Scores> {
    let text = text_of(file)?;
    // Of a comparison, what was judged there.
    let saved: serde_json::Value = serde_json::from_str(&text)
        .with_context(|| format!("`{}` is not JSON as `eval --json` writes it", file.display()))?;
    let scores = saved.get("this").unwrap_or(&saved).clone();
    let scores: Scores = serde_json::from_value(scores)
        .with_context(|| format!("`{}` does not hold scores as `eval --json` writes them", file.display()))?;
    anyhow::ensure!(!scores.outcomes.is_empty(), "`{}` holds no scores of questions", file.display());
    Ok(scores)
}

fn text_of(file: &Path) -> Result<String> {
    let unreadable = || format!("cannot read `{}`", file.display());
    let bytes = std::fs::metadata(file).with_context(unreadable)?.len();
    anyhow::ensure!(bytes <= QUESTIONS_BYTES_MAX, "`{}` is larger than {QUESTIONS_BYTES_MAX} bytes", file.display());
    std::fs::read_to_string(file).with_context(unreadable)
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("give NAME=VALUE".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "give a share from 0 to 1".to_owned())
}
