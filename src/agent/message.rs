//! An assistant message as it is written: text comes in, events with citations go out.

use chatkit_protocol::{Annotation, AssistantContent, AssistantMessage, ItemKind, ItemUpdate, ThreadEvent, ThreadItem};

use super::citations::{Citations, Piece};
use super::sources::Sources;
use crate::chat::Turn;

/// Writes one message with one content part. Nothing is shown before there is text.
pub(super) struct MessageWriter<'a> {
    turn: &'a Turn,
    sources: &'a Sources,
    citations: Citations,
    item: Option<ThreadItem>,
    content: AssistantContent,
}

impl<'a> MessageWriter<'a> {
    pub(super) fn new(turn: &'a Turn, sources: &'a Sources) -> Self {
        Self {
            turn,
            sources,
            citations: Citations::new(sources.count()),
            item: None,
            content: AssistantContent::text(""),
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

    /// Takes more text of the model.
    pub(super) fn write(&mut self, delta: &str) -> Vec<ThreadEvent> {
        let piece = self.citations.push(delta);
        self.show(piece)
    }

    /// What was held back because it could still have become a mark.
    pub(super) fn rest(&mut self) -> Vec<ThreadEvent> {
        let piece = std::mem::take(&mut self.citations).finish();
        self.show(piece)
    }

    /// The end of the message; nothing if nothing was ever written.
    pub(super) fn done(mut self) -> Vec<ThreadEvent> {
        let mut events = self.rest();
        let Some(mut item) = self.item else { return events };
        let update = ItemUpdate::ContentPartDone { content_index: 0, content: self.content.clone() };
        events.push(ThreadEvent::ItemUpdated { item_id: item.id.clone(), update });
        item.kind = ItemKind::AssistantMessage(AssistantMessage { content: vec![self.content] });
        events.push(ThreadEvent::ItemDone { item });
        events
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
            let Some(source) = self.sources.source(citation.number) else { continue };
            let annotation = Annotation { source: source.clone(), index: u32::try_from(citation.index).ok() };
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
        self.item = Some(item);
    }
}
