//! The rule by which both ends keep the same copy of an item that is being written.

use crate::{Annotation, AssistantContent, AssistantMessage, ItemKind, ItemUpdate, NotAWidget, ThreadItem};

/// A message cannot have more parts than this; an index beyond it is a mistake, not a message.
const CONTENT_PARTS_MAX: usize = 1_000;

/// The update does not fit the item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotApply {
    /// The workflow has no such step.
    #[error("the workflow has no task {index}: it has {tasks}")]
    NoSuchTask {
        /// What was asked for.
        index: u32,
        /// How many there are.
        tasks: usize,
    },
    /// No message has so many parts.
    #[error("a message has at most {CONTENT_PARTS_MAX} parts; {index} is beyond that")]
    NoSuchPart {
        /// What was asked for.
        index: u32,
    },
    /// The widget has no such component, or none whose text could grow.
    #[error("the widget has no component `{id}` that can change so")]
    NoSuchComponent {
        /// What was asked for.
        id: String,
    },
    /// The widget would not be one any more.
    #[error(transparent)]
    NotAWidget(#[from] NotAWidget),
}

/// Applies an update to a copy of the item it is for.
///
/// Messages and workflows are followed; widgets and pictures are not, because only their end is kept (who shows a widget
/// while it grows follows it with [`Widget::apply`](crate::Widget::apply)). An update of another kind than the item is
/// ignored.
///
/// ```
/// use chatkit_protocol::{AssistantMessage, ItemKind, ItemUpdate, ThreadItem, Timestamp, apply};
///
/// let mut item = ThreadItem {
///     id: "msg_1".into(),
///     thread_id: "thr_1".into(),
///     created_at: Timestamp::parse("2026-01-02T12:00:00Z").unwrap(),
///     kind: ItemKind::AssistantMessage(AssistantMessage::default()),
/// };
/// for delta in ["Robots ", "sense."] {
///     apply(&mut item, &ItemUpdate::TextDelta { content_index: 0, delta: delta.to_owned() }).unwrap();
/// }
/// assert!(matches!(item.kind, ItemKind::AssistantMessage(message) if message.text() == "Robots sense."));
/// ```
///
/// # Errors
/// The update names a part or a step that cannot be; the item is as it was.
pub fn apply(item: &mut ThreadItem, update: &ItemUpdate) -> Result<(), CannotApply> {
    match (&mut item.kind, update) {
        (ItemKind::AssistantMessage(message), ItemUpdate::TextDelta { content_index, delta }) => {
            part(message, *content_index)?.text.push_str(delta);
        }
        (
            ItemKind::AssistantMessage(message),
            ItemUpdate::ContentPartAdded { content_index, content }
            | ItemUpdate::ContentPartDone { content_index, content },
        ) => part(message, *content_index)?.clone_from(content),
        (
            ItemKind::AssistantMessage(message),
            ItemUpdate::AnnotationAdded { content_index, annotation_index, annotation },
        ) => {
            let annotations = &mut part(message, *content_index)?.annotations;
            let place = usize::try_from(*annotation_index).unwrap_or(usize::MAX).min(annotations.len());
            annotations.insert(place, Annotation::clone(annotation));
        }
        (ItemKind::Workflow(item), ItemUpdate::WorkflowTaskAdded { task, .. }) => {
            item.workflow.tasks.push(task.clone());
        }
        (ItemKind::Workflow(item), ItemUpdate::WorkflowTaskUpdated { task_index, task }) => {
            let tasks = item.workflow.tasks.len();
            let place = usize::try_from(*task_index).ok().and_then(|place| item.workflow.tasks.get_mut(place));
            *place.ok_or(CannotApply::NoSuchTask { index: *task_index, tasks })? = task.clone();
        }
        _ => {}
    }
    Ok(())
}

/// The part of this index; empty ones are put before it when there are too few.
fn part(message: &mut AssistantMessage, index: u32) -> Result<&mut AssistantContent, CannotApply> {
    let place = usize::try_from(index).ok().filter(|place| *place < CONTENT_PARTS_MAX);
    let place = place.ok_or(CannotApply::NoSuchPart { index })?;
    while message.content.len() <= place {
        message.content.push(AssistantContent::text(""));
    }
    Ok(&mut message.content[place])
}
