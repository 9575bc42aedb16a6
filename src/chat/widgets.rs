//! Widgets that change while they are shown.

use async_stream::stream;
use chatkit_protocol::{ItemId, ItemKind, ThreadEvent, ThreadItem, Widget, WidgetItem};
use futures_util::{Stream, StreamExt};

use super::responder::{EventStream, Turn, TurnError};

/// A widget was to be streamed, and had not one state.
#[derive(Debug, thiserror::Error)]
#[error("a widget that is streamed needs at least one state")]
struct NoState;

impl Turn {
    /// Streams a widget as one item: its first state is announced, each further one is sent as what changed, and the
    /// last one is done. `copy_text` is what a reader's copy button copies.
    ///
    /// The stream fails when there is no state at all.
    pub fn stream_widget(
        &self,
        id: ItemId,
        copy_text: Option<String>,
        states: impl Stream<Item = Widget> + Send + 'static,
    ) -> EventStream {
        let (thread_id, created_at) = (self.thread.id().clone(), self.clock.now());
        let item = move |widget: &Widget| {
            let kind = ItemKind::Widget(WidgetItem { widget: widget.clone(), copy_text: copy_text.clone() });
            ThreadItem { id: id.clone(), thread_id: thread_id.clone(), created_at, kind }
        };
        Box::pin(stream! {
            let mut states = std::pin::pin!(states);
            let Some(mut shown) = states.next().await else {
                yield Err(TurnError::Unexpected(Box::new(NoState)));
                return;
            };
            let added = item(&shown);
            let item_id = added.id.clone();
            yield Ok(ThreadEvent::ItemAdded { item: added });
            while let Some(next) = states.next().await {
                for update in shown.updates_to(&next) {
                    yield Ok(ThreadEvent::ItemUpdated { item_id: item_id.clone(), update });
                }
                shown = next;
            }
            yield Ok(ThreadEvent::ItemDone { item: item(&shown) });
        })
    }
}
