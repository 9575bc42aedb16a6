//! Recorded answers, sent by a real server in the pieces in which they came, byte by byte, and at once.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use axum::body::Bytes;
use chatkit_gateway::llm::openai::Limits;
use chatkit_gateway::llm::presets::Preset;
use chatkit_gateway::llm::{ChatModel, Chunk, ChunkStream, LlmError, Message, Prompt, ToolSpec};
use expect_test::Expect;
use futures_util::StreamExt;
use serde_json::json;

use crate::support::fake_model::{FakeModel, PATIENCE, Reply};

/// Where one piece ended and the next began.
const CUT: &str = "✂";

/// Headers of recordings; a server that sends others sends them for nothing.
const HEADERS: [&str; 8] = [
    "content-type",
    "server",
    "openai-processing-ms",
    "num_chars",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-remaining-tokens",
    "date",
];

/// The answer that is recorded under this name.
#[track_caller]
pub(super) fn recorded(name: &str) -> Reply {
    let path = format!("{}/tests/it/models/recordings/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(Path::new(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (head, body) = text.split_once("\n\n").expect("a head, a blank line, a body");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a line with the status");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").expect("a header");
        let known = HEADERS.into_iter().find(|known| *known == name).unwrap_or_else(|| panic!("the header {name}"));
        (known, value.to_owned())
    });
    let pieces = body.split(CUT).map(|piece| Bytes::copy_from_slice(piece.as_bytes()));
    Reply::recorded(status.parse().unwrap(), headers.collect(), pieces.collect())
}

/// What the client makes of a recording, however its bytes come.
pub(super) async fn check(preset: &'static Preset, name: &str, expected: Expect) {
    let ways = [recorded(name), recorded(name).byte_by_byte(), recorded(name).in_one_piece()];
    let mut told = Vec::new();
    for way in ways {
        let fake = FakeModel::start().await;
        // Some refusals are answered with another try without the member that may be at fault.
        fake.always(way);
        told.push(hear(&fake.client_with(preset, Limits::default())).await);
    }
    assert_eq!(told[0], told[1], "byte by byte");
    assert_eq!(told[0], told[2], "in one piece");
    expected.assert_eq(&told[0]);
}

async fn hear(model: &dyn ChatModel) -> String {
    let tool = ToolSpec { name: "query_knowledge_base".into(), description: "Looks.".into(), parameters: json!({}) };
    let prompt = Prompt { messages: vec![Message::user("?")], tools: vec![tool], ..Prompt::default() };
    match model.stream(prompt).await {
        Ok(chunks) => tokio::time::timeout(PATIENCE, told(chunks)).await.expect("the answer ends"),
        Err(error) => format!("fails  {error:?}\n"),
    }
}

/// The chunks of an answer, a line each; text that came in several is told in one.
pub(super) async fn told(mut chunks: ChunkStream) -> String {
    let (mut told, mut text) = (String::new(), String::new());
    while let Some(chunk) = chunks.next().await {
        if let Ok(Chunk::Text(more)) = &chunk {
            text.push_str(more);
            continue;
        }
        tell_text(&mut told, &mut text);
        match chunk {
            Ok(chunk) => tell(&mut told, &chunk),
            Err(error) => tell_error(&mut told, &error),
        }
    }
    tell_text(&mut told, &mut text);
    told
}

fn tell_text(told: &mut String, text: &mut String) {
    if !text.is_empty() {
        writeln!(told, "says   {text:?}").unwrap();
        text.clear();
    }
}

fn tell_error(told: &mut String, error: &LlmError) {
    writeln!(told, "breaks {error:?}").unwrap();
}

fn tell(told: &mut String, chunk: &Chunk) {
    match chunk {
        Chunk::Text(_) => unreachable!("text is gathered"),
        Chunk::Model(name) => writeln!(told, "model  {} {}", name.provider, name.model).unwrap(),
        Chunk::Usage(usage) => writeln!(told, "usage  {} in, {} out", usage.input_tokens, usage.output_tokens).unwrap(),
        Chunk::ToolCalls(calls) => {
            for call in calls {
                let maker = &call.made_by.as_ref().unwrap().provider;
                writeln!(told, "calls  {} {} {} of {maker}", call.id, call.name, call.arguments).unwrap();
                if !call.extra.is_empty() {
                    writeln!(told, "       {}", json!(call.extra)).unwrap();
                }
            }
        }
    }
}
