//! `ask "…"`: the terminal as a door: the same requests, the same frames, the same conversation.
#![expect(clippy::print_stderr, reason = "the terminal is this file's door")]

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use chatkit_protocol::sse::Decoder;
use chatkit_protocol::{
    Annotation, Envelope, InferenceOptions, ItemKind, ItemUpdate, Request, SourceKind, ThreadEvent, ThreadId,
    ThreadsAddUserMessage, ThreadsCreate, UserContent, UserMessageInput,
};
use clap::Args;
use futures_util::StreamExt;

use super::output::{self, Unwritten};
use crate::app::{self, App, Database, Providers};
use crate::chat::{Listening, Reply};
use crate::config::Settings;
use crate::identity::{Identity, OwnerId};

/// The terminal's own conversations belong to this visitor.
const TERMINAL: &str = "terminal";
/// An event larger than this is not read.
const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The question
    question: String,
    /// Go on in this thread, such as thr_…
    #[arg(long)]
    thread: Option<String>,
}

pub(super) async fn run(settings: &Settings, providers: &Providers, asked: AskArgs) -> Result<ExitCode> {
    let database = Database::prepared(settings).await?;
    let providers = &app::fitting(settings, providers, &database).await?;
    let app = App::build(settings, providers, &database)?;
    let desk = app.tutor.as_ref().expect("this house was built for the tutor");
    app::shelve(settings, providers, &database, &*desk.knowledge).await?;
    let who = Identity::Visitor { id: OwnerId::visitor(TERMINAL) };
    let reply = app.chat.handle(&who, envelope(asked)).await.map_err(|error| anyhow!("{error}"))?;
    let Reply::Stream(listening) = reply else { return Err(anyhow!("a question is answered by a stream")) };
    // However the telling ends, the answer is kept before the program does.
    let told = tell(listening).await;
    app.chat.turns().shut_down(settings.http.shutdown_grace).await;
    database.close().await;
    Ok(if told? { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn envelope(asked: AskArgs) -> Envelope {
    let input = UserMessageInput {
        content: vec![UserContent::Text { text: asked.question }],
        attachments: Vec::new(),
        quoted_text: None,
        inference_options: InferenceOptions::default(),
    };
    let request = match asked.thread {
        None => Request::ThreadsCreate(ThreadsCreate { input }),
        Some(thread_id) => {
            Request::ThreadsAddUserMessage(ThreadsAddUserMessage { thread_id: ThreadId::from(thread_id), input })
        }
    };
    Envelope::from(request)
}

/// Writes the answer as it comes, its sources after it. Whether it failed.
async fn tell(mut listening: Listening) -> Result<bool> {
    let mut decoder = Decoder::new(EVENT_BYTES_MAX);
    let mut failed = false;
    while let Some(bytes) = listening.next().await {
        decoder.push(&bytes?)?;
        while let Some(payload) = decoder.next_payload() {
            let event: ThreadEvent = serde_json::from_str(&payload).context("an event of our own can be read")?;
            failed |= tell_event(event)?;
        }
    }
    Ok(failed)
}

fn tell_event(event: ThreadEvent) -> Result<bool, Unwritten> {
    match event {
        ThreadEvent::ThreadCreated { thread } => eprintln!("thread {}", thread.id),
        ThreadEvent::ProgressUpdate { text, .. } => eprintln!("{text}"),
        ThreadEvent::ItemUpdated { update: ItemUpdate::TextDelta { delta, .. }, .. } => {
            output::write(delta)?;
        }
        ThreadEvent::ItemDone { item } => {
            if let ItemKind::AssistantMessage(message) = item.kind {
                output::line("")?;
                let annotations: Vec<Annotation> =
                    message.content.into_iter().flat_map(|part| part.annotations).collect();
                tell_sources(&annotations)?;
            }
        }
        ThreadEvent::Error { message, .. } => {
            eprintln!("\nerror: {}", message.as_deref().unwrap_or("the answer broke off"));
            return Ok(true);
        }
        _ => {}
    }
    Ok(false)
}

fn tell_sources(annotations: &[Annotation]) -> Result<(), Unwritten> {
    let mut told: Vec<&str> = Vec::new();
    for annotation in annotations {
        let SourceKind::Url { url, .. } = &annotation.source.kind else { continue };
        if !told.contains(&url.as_str()) {
            output::line(format_args!("  {} <{url}>", annotation.source.title))?;
            told.push(url);
        }
    }
    Ok(())
}
