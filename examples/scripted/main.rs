//! A conformance host: a ChatKit server whose messages say what the responder does.
//!
//! `protocol/conformance/README.md` describes the scripts. Everybody is one user, nothing is limited or de-duplicated,
//! and the store is private and new unless a database is given.
//!
//! ```text
//! cargo run --example scripted -- --port 8000
//! cargo run -- conformance http://127.0.0.1:8000/chatkit
//! ```
#![expect(clippy::print_stdout, reason = "whoever started it waits for this line")]

mod script;
mod template;

use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;
use chatkit_gateway::chat::{EventStream, Recording, Responder, Turn, TurnError};
use chatkit_gateway::config::Variables;
use chatkit_gateway::host::Serving;
use chatkit_gateway::identity::{Identity, OwnerId};
use chatkit_gateway::protocol::{Action, StreamOptions, ThreadItem, ThreadRecord, Value};
use chatkit_gateway::{Host, server};
use clap::{Parser, ValueEnum};

use script::Script;

/// Serves the scripts of the conformance corpus.
#[derive(Parser)]
#[command(name = "scripted")]
pub struct Options {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// `sqlite:///path` or `postgres://…`; a new SQLite file when not given
    #[arg(long)]
    database: Option<String>,
    /// What a closed connection means
    #[arg(long, default_value = "finish", value_parser = ["finish", "cancel"])]
    on_disconnect: String,
    /// What becomes of messages to locked and closed threads
    #[arg(long, default_value = "refuse", value_parser = ["refuse", "allow"])]
    locked: String,
    /// Whether there is an attachment store
    #[arg(long, default_value = "on")]
    attachments: Switch,
    /// Whether there is a transcriber
    #[arg(long, default_value = "on")]
    transcriber: Switch,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Does what the messages say.
pub struct Scripted {
    /// Whether recordings become text.
    pub transcribes: bool,
}

#[async_trait]
impl Responder for Scripted {
    fn respond(&self, turn: Turn) -> EventStream {
        match script::of(&turn) {
            Some(steps) => Script::new(turn).play(steps),
            None => script::hello(&turn),
        }
    }

    fn act(&self, turn: Turn, action: Action) -> EventStream {
        let steps = script::steps(&action.payload, "respond");
        Script::new(turn).play(steps)
    }

    async fn act_at_once(&self, turn: Turn, action: Action) -> Result<Option<ThreadItem>, TurnError> {
        let template = action.payload.get("updated_item").cloned().unwrap_or_default();
        let item = Script::new(turn).fill(template).await?;
        if item.is_null() { Ok(None) } else { script::read(item).map(Some) }
    }

    async fn transcribe(&self, _: &Identity, recording: Recording) -> Result<String, TurnError> {
        match self.transcribes {
            true => Ok(format!("{} bytes of {}", recording.bytes.len(), recording.media_type())),
            false => Err(TurnError::NotSupported),
        }
    }

    fn stream_options(&self, thread: &ThreadRecord) -> StreamOptions {
        StreamOptions { allow_cancel: thread.metadata.get("allow_cancel") != Some(&Value::Bool(false)) }
    }
}

/// A host on a port of its own, with its store in `folder` unless the options name a database.
pub async fn open(options: &Options, folder: &Path) -> Result<Serving> {
    Host::new(Scripted { transcribes: options.transcriber == Switch::On }, &variables(options, folder))?
        .everybody(Identity::User { id: OwnerId::user("scripted") })
        .options(|chat| {
            chat.empty_messages = true;
            chat.history_items_max = 10_000;
            chat.once_per_frame = false;
        })
        .open()
        .await
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let serving = open(&Options::parse(), folder.path()).await?;
    println!("Listening on http://{}/chatkit", serving.address());
    serving.run(server::signalled()).await
}

/// What would stop a reader who is in a hurry.
const LIMITS: [&str; 10] = [
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_DAY",
    "MESSAGES_PER_MINUTE_PER_ADDRESS",
    "MESSAGES_PER_DAY_PER_ADDRESS",
    "PERSONALIZATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY_PER_ADDRESS",
    "STREAMS_PER_READER",
    "STREAMS_PER_ADDRESS",
    "REQUESTS_PER_MINUTE_PER_ADDRESS",
];

fn variables(options: &Options, folder: &Path) -> Variables {
    let port = options.port.to_string();
    let mut variables = Variables::of([("PORT", port.as_str()), ("SHUTDOWN_GRACE_SECONDS", "0")]);
    variables.set("DATA_DIR", folder.to_string_lossy());
    variables.set("ON_DISCONNECT", options.on_disconnect.as_str());
    variables.set("LOCKED_THREADS", options.locked.as_str());
    variables.set("ATTACHMENT_TYPES", "*/*");
    variables.set("ATTACHMENT_BYTES_MAX", "1073741824");
    variables.set("ATTACHMENTS_UNUSED", "1000000");
    variables.set("ATTACHMENTS_PER_MESSAGE", "100");
    variables.set("MESSAGE_BYTES_MAX", "1048576");
    // A run of the corpus is one reader in a great hurry.
    for limit in LIMITS {
        variables.set(limit, "0");
    }
    if options.attachments == Switch::Off {
        variables.set("ATTACHMENTS_URL", "off");
    }
    if let Some(database) = &options.database {
        variables.set("DATABASE_URL", database.as_str());
    }
    variables
}
