//! Frames that wait, and text behind them that may still grow.

use bytes::{Bytes, BytesMut};
use chatkit_protocol::{ItemId, ItemUpdate, ThreadEvent, sse};

/// Frames in order; deltas of one text that were merged in are one frame at the end.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    settled: BytesMut,
    /// Text that follows `settled`.
    tail: Option<Tail>,
}

#[derive(Debug)]
struct Tail {
    item_id: ItemId,
    content_index: u32,
    text: String,
}

impl Backlog {
    /// How much it holds, without the framing of the tail.
    pub(super) fn bytes(&self) -> usize {
        self.settled.len() + self.tail.as_ref().map_or(0, |tail| tail.text.len())
    }

    /// How much of it is frames that do not change any more.
    pub(super) fn settled_bytes(&self) -> usize {
        self.settled.len()
    }

    /// Adds frames as they are.
    pub(super) fn append(&mut self, frames: &[u8]) {
        self.settle();
        self.settled.extend_from_slice(frames);
    }

    /// Adds an event; a delta of the text at the end becomes part of it.
    pub(super) fn merge(&mut self, event: &ThreadEvent) {
        match event {
            ThreadEvent::ItemUpdated { item_id, update: ItemUpdate::TextDelta { content_index, delta } } => {
                self.merge_text(item_id, *content_index, delta);
            }
            other => {
                let mut frame = Vec::new();
                sse::write_frame(other, &mut frame);
                self.append(&frame);
            }
        }
    }

    /// Takes over what another one holds; that one is empty afterwards.
    pub(super) fn absorb(&mut self, later: &mut Self) {
        if !later.settled.is_empty() {
            self.append(&later.settled);
            later.settled.clear();
        }
        if let Some(Tail { item_id, content_index, text }) = later.tail.take() {
            self.merge_text(&item_id, content_index, &text);
        }
    }

    /// Everything, which is then gone from here.
    pub(super) fn take(&mut self) -> Bytes {
        self.settle();
        self.settled.split().freeze()
    }

    /// Everything from a place on.
    pub(super) fn from(&mut self, place: usize) -> &[u8] {
        self.settle();
        self.settled.get(place..).unwrap_or_default()
    }

    fn merge_text(&mut self, item_id: &ItemId, content_index: u32, text: &str) {
        match &mut self.tail {
            Some(tail) if tail.item_id == *item_id && tail.content_index == content_index => tail.text.push_str(text),
            _ => {
                self.settle();
                self.tail = Some(Tail { item_id: item_id.clone(), content_index, text: text.to_owned() });
            }
        }
    }

    fn settle(&mut self) {
        let Some(Tail { item_id, content_index, text }) = self.tail.take() else { return };
        let mut frame = Vec::with_capacity(text.len() + 256);
        sse::write_frame(&ThreadEvent::text_delta(&item_id, content_index, text), &mut frame);
        self.settled.extend_from_slice(&frame);
    }
}
