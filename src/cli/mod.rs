//! The command line: what can be asked for, and how it ends.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

mod ask;
mod conformance;
mod eval;
mod ingest;
mod learn;
mod output;
mod progress;
mod show;
mod source;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::app::{self, Database, Providers};
use crate::config::{LOG, Reader, Settings, Variables};
use crate::knowledge::{KnowledgeBase, KnowledgeError, Search};
use crate::{host, telemetry};

use output::Unwritten;

/// A server that takes longer to say whether it is ready is not.
const HEALTHCHECK_TIME_MAX: Duration = Duration::from_secs(3);

/// A ChatKit server that answers from your book. Settings come from the environment and from `.env`;
/// `config show` lists them.
#[derive(Debug, Parser)]
#[command(name = "chatkit-gateway", version, about, long_about = None, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    overrides: Overrides,
}

/// Settings that are often given by hand; they win over the environment.
#[derive(Debug, Args)]
struct Overrides {
    /// The address to listen on [variable: HOST]
    #[arg(long, global = true)]
    host: Option<String>,
    /// The port to listen on; 0 takes a free one [variable: PORT]
    #[arg(long, global = true)]
    port: Option<String>,
    /// Where files live [variable: DATA_DIR]
    #[arg(long, global = true)]
    data_dir: Option<String>,
    /// `error`, `warn`, `info`, `debug` or a filter [variable: LOG_LEVEL]
    #[arg(long, global = true)]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens when no command is given)
    Serve,
    /// Read a book into the knowledge base: a folder of Markdown, HTML or PDF files, or a site at an address
    Ingest(ingest::IngestArgs),
    /// Ask a question here and now; the answer is kept like any other
    Ask(ask::AskArgs),
    /// Show what the knowledge base finds
    Search(SearchArgs),
    /// Measure the knowledge base with a file of questions
    Eval(eval::EvalArgs),
    /// Learn the numbers of the search by words again, from books with questions; for those who work on this program
    #[command(hide = true)]
    Learn(learn::LearnArgs),
    /// Print what the doors say of themselves: docs/openapi.json; a running server says it at /openapi.json
    #[command(hide = true)]
    Describe,
    /// Bring the database up to date
    Migrate,
    /// Look at the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Replay the conformance cases against a running ChatKit server, in whatever language it is written
    Conformance(conformance::ConformanceArgs),
    /// Ask a running server whether it is ready; for health checks of containers
    Healthcheck,
}

#[derive(Debug, Args)]
struct SearchArgs {
    /// What to look for
    query: String,
    /// One JSON object a line: path, heading, url, text, score
    #[arg(long)]
    json: bool,
    /// Passages at most
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Every variable, what it is set to, and what it means; secrets are not shown
    Show,
    /// The same as a Markdown page: docs/configuration.md
    Markdown,
    /// The same as a file to copy to `.env`: .env.example
    Example,
}

/// Runs the program.
pub fn main() -> ExitCode {
    telemetry::tell_panics_without_payload();
    let asked = CommandLine::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(asked)) {
        Ok(code) => code,
        Err(error) if error.downcast_ref().is_some_and(Unwritten::is_enough) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(asked: CommandLine) -> Result<ExitCode> {
    if let Some(Command::Conformance(asked)) = asked.command {
        // It is about somebody else's server: the settings of this one do not matter.
        return conformance::run(asked).await;
    }
    if let Some(Command::Learn(asked)) = &asked.command {
        return learn::run(asked);
    }
    if let Some(Command::Describe) = &asked.command {
        return show::doors();
    }
    let mut variables = Variables::of_the_process()?;
    let Overrides { host, port, data_dir, log } = asked.overrides;
    for (name, value) in [("HOST", host), ("PORT", port), ("DATA_DIR", data_dir), ("LOG_LEVEL", log)] {
        if let Some(value) = value {
            variables.set(name, value);
        }
    }
    if let Some(Command::Config { command }) = &asked.command {
        return show::config(command, &variables);
    }
    let reader = Reader::new(&variables);
    let log_is_chosen = reader.is_given(&LOG);
    let (mut settings, providers) = host::settings(reader)?;
    if !matches!(asked.command, None | Some(Command::Serve)) && !log_is_chosen {
        // Whoever asks on a terminal wants the answer, not the day's story.
        settings.log.filter = "warn".to_owned();
    }
    telemetry::start(&settings.log)?;
    match asked.command {
        None | Some(Command::Serve) => {
            host::run_tutor(&settings, &providers, |tutor| tutor).await.map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Ingest(asked)) => ingest::run(&settings, &providers, asked).await,
        Some(Command::Ask(asked)) => ask::run(&settings, &providers, asked).await,
        Some(Command::Search(asked)) => search(&settings, &providers, &asked).await,
        Some(Command::Eval(asked)) => eval::run(&variables, &settings, &providers, &asked).await,
        Some(Command::Migrate) => migrate(&settings).await,
        Some(Command::Healthcheck) => healthcheck(&settings).await,
        Some(Command::Config { .. } | Command::Conformance(_) | Command::Learn(_) | Command::Describe) => {
            unreachable!("answered above")
        }
    }
}

async fn search(settings: &Settings, providers: &Providers, asked: &SearchArgs) -> Result<ExitCode> {
    let (database, knowledge) = shelved(settings, providers).await?;
    let search = Search { query: &asked.query, earlier: &[], limit: asked.limit as usize, strict: false };
    let found = knowledge.search(&search).await?;
    show::found(&found, asked.json)?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The knowledge base as the server has it, with the bundled book in one that is empty, and the database it may lie in.
async fn shelved(settings: &Settings, providers: &Providers) -> Result<(Database, Arc<dyn KnowledgeBase>)> {
    let database = Database::prepared(settings).await?;
    let providers = &app::fitting(settings, providers, &database).await?;
    let knowledge = app::knowledge(settings, providers, &database)?;
    app::shelve(settings, providers, &database, &*knowledge).await?;
    Ok((database, knowledge))
}

/// The knowledge base of the settings, ready to be asked and written to, and the database it may lie in.
async fn opened(settings: &Settings, providers: &Providers) -> Result<(Database, Arc<dyn KnowledgeBase>)> {
    let (database, knowledge) = unprepared(settings, providers).await?;
    knowledge.prepare().await?;
    Ok((database, knowledge))
}

/// The same, whatever space its vectors are of: for whoever makes new ones.
async fn opened_in_any_space(settings: &Settings, providers: &Providers) -> Result<(Database, Arc<dyn KnowledgeBase>)> {
    let (database, knowledge) = unprepared(settings, providers).await?;
    match knowledge.prepare().await {
        Err(KnowledgeError::OtherSpace { .. }) => {}
        prepared => prepared?,
    }
    Ok((database, knowledge))
}

async fn unprepared(settings: &Settings, providers: &Providers) -> Result<(Database, Arc<dyn KnowledgeBase>)> {
    let database = Database::prepared(settings).await?;
    let knowledge = app::knowledge(settings, providers, &database)?;
    Ok((database, knowledge))
}

async fn migrate(settings: &Settings) -> Result<ExitCode> {
    let database = Database::open(&settings.database).await?;
    let migrated = database.migrate().await?;
    for name in &migrated.applied {
        output::line(format_args!("applied {name}"))?;
    }
    output::line(format_args!("{} applied now, {} before", migrated.applied.len(), migrated.already))?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn healthcheck(settings: &Settings) -> Result<ExitCode> {
    let address = format!("http://{}/readyz", settings.http.nearest());
    let client = crate::llm::http::client(None)?;
    let asked = client.get(&address).timeout(HEALTHCHECK_TIME_MAX).send();
    let answer =
        asked.await.map_err(|error| error.without_url()).with_context(|| format!("nobody answers at {address}"))?;
    output::line(answer.status())?;
    Ok(if answer.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
