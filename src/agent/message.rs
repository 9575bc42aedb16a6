//! An assistant message as it is written: text comes in, events with citations go out, and what is known of the message
//! is noted beside it.

use chatkit_protocol::{Annotation, AssistantContent, AssistantMessage, ItemKind, ItemUpdate, ThreadEvent, ThreadItem};
use serde_json::Value;

use super::addresses::Allowed;
use super::citations::{Citations, Piece};
use super::ground::Ground;
use super::links::Links;
use super::sources::Sources;
use crate::chat::{ItemNote, Tokens, Turn};

/// Writes one message with one content part. Nothing is shown before there is text.
pub(super) struct MessageWriter<'a> {
    turn: &'a Turn,
    sources: &'a Sources,
    citations: Citations,
    links: Links,
    item: Option<ThreadItem>,
    content: AssistantContent,
    /// Where sources are cited, in UTF-16 code units, and which.
    cited: Vec<(usize, u32)>,
    note: ItemNote,
}

impl<'a> MessageWriter<'a> {
    /// A message that may cite these sources, and link to what is allowed.
    pub(super) fn new(turn: &'a Turn, sources: &'a Sources, allowed: Allowed) -> Self {
        Self {
            turn,
            sources,
            citations: Citations::new(sources.count()),
            links: Links::new(allowed),
            item: None,
            content: AssistantContent::text(""),
            cited: Vec::new(),
            note: ItemNote::default(),
        }
    }

    /// The clean text so far.
    pub(super) fn text(&self) -> &str {
        &self.content.text
    }

    /// How long it is, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.content.text.len()
    }

    /// Says which model writes it.
    pub(super) fn written_by(&mut self, model: String) {
        self.note(ItemNote { model: Some(model), ..ItemNote::default() });
    }

    /// Says what it cost, as far as is known.
    pub(super) fn cost(&mut self, tokens: Tokens) {
        self.note(ItemNote { tokens: Some(tokens), ..ItemNote::default() });
    }

    /// Says what it rests on.
    pub(super) fn rests_on(&mut self, grounding: Value) {
        self.note(ItemNote { grounding: Some(grounding), ..ItemNote::default() });
    }

    /// Takes more text of the model.
    pub(super) fn write(&mut self, delta: &str) -> Vec<ThreadEvent> {
        let piece = self.citations.push(delta);
        let piece = self.links.push(piece);
        self.show(piece)
    }

    /// What was held back because it could still have become a mark or a link.
    pub(super) fn rest(&mut self) -> Vec<ThreadEvent> {
        let piece = std::mem::take(&mut self.citations).finish();
        let piece = self.links.finish(piece);
        self.show(piece)
    }

    /// The end of a message that broke off: what was held back, and what is known of what was shown.
    pub(super) fn broken_off(mut self, ground: &Ground) -> Vec<ThreadEvent> {
        let events = self.rest();
        let verdict = ground.judge(&self.content.text, &self.cited, self.sources);
        self.rests_on(ground.record(&verdict, &self.cited, self.sources));
        events
    }

    /// The end of the message, judged; nothing if nothing was ever written.
    pub(super) fn done(mut self, ground: &Ground) -> Vec<ThreadEvent> {
        let mut events = self.rest();
        if self.item.is_none() {
            return events;
        }
        if self.links.taken_out() > 0 {
            tracing::warn!(
                links = self.links.taken_out(),
                "Links that were not in the data were taken out of an answer"
            );
        }
        let verdict = ground.judge(&self.content.text, &self.cited, self.sources);
        self.rests_on(ground.record(&verdict, &self.cited, self.sources));
        if let Some(closing) = ground.closing(&verdict, &self.content.text, self.sources) {
            events.extend(self.show(Piece { text: closing, citations: Vec::new() }));
        }
        events.extend(self.end());
        events
    }

    /// The end of a message of the house itself.
    pub(super) fn end(mut self) -> Vec<ThreadEvent> {
        let Some(mut item) = self.item.take() else { return Vec::new() };
        let update = ItemUpdate::ContentPartDone { content_index: 0, content: self.content.clone() };
        let updated = ThreadEvent::ItemUpdated { item_id: item.id.clone(), update };
        item.kind = ItemKind::AssistantMessage(AssistantMessage { content: vec![self.content] });
        vec![updated, ThreadEvent::ItemDone { item }]
    }

    fn note(&mut self, note: ItemNote) {
        self.note.lay_over(note);
        if let Some(item) = &self.item {
            self.turn.note(&item.id, self.note.clone());
        }
    }

    fn show(&mut self, piece: Piece) -> Vec<ThreadEvent> {
        let mut events = Vec::new();
        if piece.text.is_empty() && piece.citations.is_empty() {
            return events;
        }
        if self.item.is_none() {
            self.begin(&mut events);
        }
        let Some(item) = &self.item else { return events };
        if !piece.text.is_empty() {
            self.content.text.push_str(&piece.text);
            events.push(ThreadEvent::text_delta(&item.id, 0, piece.text));
        }
        for citation in piece.citations {
            self.cited.push((citation.index, citation.number));
            let Some(source) = self.sources.source(citation.number) else { continue };
            let annotation = Annotation { source: source.clone(), index: u32::try_from(citation.index).ok() };
            // Two passages at one address, cited at one place, are one citation.
            if self.content.annotations.contains(&annotation) {
                continue;
            }
            let annotation_index = u32::try_from(self.content.annotations.len()).unwrap_or(u32::MAX);
            self.content.annotations.push(annotation.clone());
            let update =
                ItemUpdate::AnnotationAdded { content_index: 0, annotation_index, annotation: Box::new(annotation) };
            events.push(ThreadEvent::ItemUpdated { item_id: item.id.clone(), update });
        }
        events
    }

    fn begin(&mut self, events: &mut Vec<ThreadEvent>) {
        let kind = ItemKind::AssistantMessage(AssistantMessage { content: Vec::new() });
        let item = self.turn.item("msg", kind);
        events.push(ThreadEvent::ItemAdded { item: item.clone() });
        let update = ItemUpdate::ContentPartAdded { content_index: 0, content: AssistantContent::text("") };
        events.push(ThreadEvent::ItemUpdated { item_id: item.id.clone(), update });
        self.turn.note(&item.id, self.note.clone());
        self.item = Some(item);
    }
}
