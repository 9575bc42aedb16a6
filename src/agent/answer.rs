//! The tutor's loop: look up what the mode asks for, ask the model, run the tools it calls, ask again, end with an answer
//! that was checked.

use std::task::Poll;

use async_stream::stream;
use futures_util::StreamExt;

use super::addresses::Allowed;
use super::attachments::Gathered;
use super::ground::Ground;
use super::message::MessageWriter;
use super::meter::Meter;
use super::prompt;
use super::sources::Sources;
use super::workflow::SearchWorkflow;
use super::{ANSWER_BYTES_MAX, ROUNDS_MAX, Tutor, attachments, sentences};
use crate::chat::{EventStream, Turn, TurnError};
use crate::language::Language;
use crate::llm::{Chunk, LlmError, Message, Prompt};

/// Answers one turn.
pub(super) fn answer(tutor: Tutor, turn: Turn) -> EventStream {
    Box::pin(stream! {
        let language = turn.language();
        let mut ground = Ground::of(&turn, &tutor.settings);
        let mut sources = Sources::new(tutor.site.clone());
        let reader = tutor.reader(&turn).await;
        let limits = ground.limits(&turn, &tutor.settings);
        let conversation = prompt::conversation(ground.history(&turn), &limits);
        let messages = conversation.iter().map(|(item, _)| *item);
        let mut files = attachments::gather(messages, tutor.model.sees(), |id| tutor.open(&turn, id)).await;
        if let Some(notice) = files.notice(language) {
            yield Ok(notice);
        }

        let mut searching: Option<SearchWorkflow> = None;
        let mut brought: Vec<Message> = Vec::new();
        let query = ground.query(&turn);
        if let Some(call) = ground.call(&turn, query.as_deref(), &tutor.model.name()) {
            if query.is_some() {
                let calls = std::slice::from_ref(&call);
                searching = SearchWorkflow::new(&turn, calls);
                let begun = sentences::searching(calls, language).into_iter().chain(searching.as_ref().map(SearchWorkflow::added));
                for event in begun { yield Ok(event) }
            }
            let looked_up = ground.look_up(tutor.book.as_ref(), query.as_deref(), &turn).await;
            if looked_up.book_is_away && ground.is_strict() {
                yield Err(sentences::book_away(language));
                return;
            }
            let refused = ground.must_refuse(&looked_up);
            let numbers = if refused { Vec::new() } else { ground.admit(&looked_up, &mut sources) };
            let shown = searching.as_mut().and_then(|searching| searching.found(&call.id, &numbers, &sources));
            if let Some(event) = shown {
                yield Ok(event);
            }
            if refused {
                if let Some(workflow) = searching {
                    yield Ok(workflow.done());
                }
                turn.last_word();
                for event in refusal(&turn, &ground, &sources) { yield Ok(event) }
                return;
            }
            ground.book_is_away |= looked_up.book_is_away;
            brought = ground.told(call, &looked_up, &numbers, &sources).into();
        }

        let specs = if ground.is_selection_alone() { Vec::new() } else { tutor.specs() };
        let mode = ground.mode();
        let asking = |files: &Gathered| {
            let mut prompt = prompt::build(&conversation, files, mode, reader.as_deref(), &tutor.settings);
            prompt.language = language;
            prompt.messages.extend(brought.iter().cloned());
            prompt
        };
        let mut prompt = asking(&files);
        for round in 1..=ROUNDS_MAX {
            prompt.tools = if round == ROUNDS_MAX { Vec::new() } else { specs.clone() };
            let mut asked = tutor.model.stream(prompt.clone());
            // The model is already at work while the finished search is written and shown.
            let early = futures_util::poll!(&mut asked);
            if let Some(workflow) = searching.take() {
                yield Ok(workflow.done());
            }
            let chunks = match early {
                Poll::Ready(chunks) => chunks,
                Poll::Pending => asked.await,
            };
            let chunks = match chunks {
                // One picture that a model does not take would silence it for the rest of the conversation.
                Err(LlmError::Refused(_) | LlmError::Filtered(_)) if round == 1 && files.has_pictures() => {
                    tracing::warn!("The model refused a question with pictures; it is asked again without them");
                    if let Some(notice) = files.without_pictures(language) {
                        yield Ok(notice);
                    }
                    prompt = Prompt { tools: prompt.tools, ..asking(&files) };
                    tutor.model.stream(prompt.clone()).await
                }
                chunks => chunks,
            };
            let mut chunks = match chunks {
                Ok(chunks) => chunks,
                Err(error) => { yield Err(failed(&error, language)); return; }
            };
            let mut message = MessageWriter::new(&turn, &sources, allowed(&prompt, &sources));
            let mut meter = Meter::new(&turn, &prompt);
            let mut calls = Vec::new();
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(Chunk::Text(delta)) => {
                        meter.wrote(&delta);
                        for event in message.write(&delta) { yield Ok(event) }
                    }
                    Ok(Chunk::ToolCalls(called)) => calls = called,
                    Ok(Chunk::Usage(spent)) => message.cost(meter.read(spent)),
                    Ok(Chunk::Model(name)) => {
                        tracing::debug!(llm.provider = name.provider, llm.model = name.model, "The model answers");
                        message.written_by(format!("{}/{}", name.provider, name.model));
                    }
                    Err(error) => {
                        for event in message.broken_off(&ground) { yield Ok(event) }
                        yield Err(failed(&error, language));
                        return;
                    }
                }
                if message.bytes() > ANSWER_BYTES_MAX {
                    tracing::warn!("An answer was cut at {ANSWER_BYTES_MAX} bytes");
                    break;
                }
            }
            drop(chunks);
            meter.log(round, calls.len());
            drop(meter);
            let held_back = message.rest();
            for event in held_back { yield Ok(event) }
            let said = message.text().to_owned();
            if calls.is_empty() && !said.trim().is_empty() {
                turn.last_word();
            }
            for event in message.done(&ground) { yield Ok(event) }
            if calls.is_empty() {
                if said.trim().is_empty() {
                    yield Err(sentences::no_answer(language));
                }
                return;
            }
            if let Some(text) = sentences::searching(&calls, language) {
                yield Ok(text);
            }
            let mut workflow = SearchWorkflow::new(&turn, &calls);
            if let Some(workflow) = &workflow {
                yield Ok(workflow.added());
            }
            let outputs = tutor.run_tools(&calls, &turn).await;
            prompt.messages.push(Message::Assistant { text: said, tool_calls: calls.clone() });
            for (call, output) in calls.iter().zip(outputs) {
                ground.book_is_away |= output.book_is_away;
                let cited = sources.admit(&output.passages);
                if let Some(event) = workflow.as_mut().and_then(|workflow| workflow.found(&call.id, &cited, &sources)) {
                    yield Ok(event);
                }
                prompt.messages.push(Message::Tool {
                    call_id: call.id.clone(),
                    name: call.name.clone(),
                    output: sources.tell(&cited, output.note),
                });
            }
            searching = workflow;
        }
        yield Err(sentences::no_answer(language));
    })
}

/// The house's own answer when the book does not cover a question.
fn refusal(turn: &Turn, ground: &Ground, sources: &Sources) -> Vec<chatkit_protocol::ThreadEvent> {
    let mut message = MessageWriter::new(turn, sources, Allowed::default());
    let mut record = ground.record(&Default::default(), &[], sources);
    record["refused"] = true.into();
    let mut events = message.write(&turn.language().say("ground-not-covered"));
    message.rests_on(record);
    events.extend(message.rest());
    events.extend(message.end());
    events
}

/// Links that may stand in an answer: what is in the sources, in the conversation, and in what was attached.
fn allowed(prompt: &Prompt, sources: &Sources) -> Allowed {
    let mut allowed = Allowed::default();
    sources.allow(&mut allowed);
    for message in &prompt.messages {
        match message {
            Message::User { text, material, .. } => {
                std::iter::once(text).chain(material).for_each(|text| allowed.add_all_of(text));
            }
            Message::Assistant { text, .. } => allowed.add_all_of(text),
            // A tool of somebody else's may bring links too.
            Message::Tool { output, .. } => allowed.add_all_of(output),
            Message::System(_) => {}
        }
    }
    allowed
}

/// What the reader is told of a model that failed; the log gets the reason.
fn failed(error: &LlmError, language: Language) -> TurnError {
    tracing::warn!(error = error as &dyn std::error::Error, "The model did not answer");
    sentences::of(error, language)
}
