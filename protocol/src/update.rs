//! What can happen to an item between its announcement and its end.

use serde::{Deserialize, Serialize};

use crate::{Annotation, AssistantContent, Image, Task, Value, Widget, widget};

/// A change of an item that is not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::titled_update))]
#[serde(tag = "type")]
pub enum ItemUpdate {
    /// A part of a message begins.
    #[serde(rename = "assistant_message.content_part.added")]
    ContentPartAdded {
        /// Which part, from 0.
        content_index: u32,
        /// How it begins.
        content: AssistantContent,
    },
    /// More text.
    #[serde(rename = "assistant_message.content_part.text_delta")]
    TextDelta {
        /// Which part, from 0.
        content_index: u32,
        /// The text to append.
        delta: String,
    },
    /// A source.
    #[serde(rename = "assistant_message.content_part.annotation_added")]
    AnnotationAdded {
        /// Which part, from 0.
        content_index: u32,
        /// Its place among the annotations.
        annotation_index: u32,
        /// The annotation.
        annotation: Box<Annotation>,
    },
    /// A part of a message is complete.
    #[serde(rename = "assistant_message.content_part.done")]
    ContentPartDone {
        /// Which part, from 0.
        content_index: u32,
        /// The whole part.
        content: AssistantContent,
    },
    /// More text of a component of a widget.
    #[serde(rename = "widget.streaming_text.value_delta")]
    WidgetTextDelta {
        /// The component.
        component_id: String,
        /// The text to append.
        delta: String,
        /// Whether that was all.
        done: bool,
    },
    /// Another component in place of one.
    #[serde(rename = "widget.component.updated")]
    WidgetComponentUpdated {
        /// The component.
        component_id: String,
        /// What takes its place: an object with a `type`. Its nulls are not sent.
        #[serde(with = "widget::component")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::component"))]
        component: Value,
    },
    /// Another widget in place of the whole.
    #[serde(rename = "widget.root.updated")]
    WidgetRootUpdated {
        /// What takes its place.
        widget: Widget,
    },
    /// A new step of a workflow.
    #[serde(rename = "workflow.task.added")]
    WorkflowTaskAdded {
        /// Its place.
        task_index: u32,
        /// The step.
        task: Task,
    },
    /// Another state of a step.
    #[serde(rename = "workflow.task.updated")]
    WorkflowTaskUpdated {
        /// Its place.
        task_index: u32,
        /// The whole step.
        task: Task,
    },
    /// Another state of a picture.
    #[serde(rename = "generated_image.updated")]
    GeneratedImageUpdated {
        /// The picture so far.
        image: Image,
        /// How far it is, from 0 to 1; left out when it is no number.
        #[serde(default, skip_serializing_if = "is_no_number")]
        progress: Option<f64>,
    },
}

impl ItemUpdate {
    /// How much text of a message it brings, in bytes.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::TextDelta { delta, .. } => delta.len(),
            Self::ContentPartAdded { content, .. } | Self::ContentPartDone { content, .. } => content.text.len(),
            Self::AnnotationAdded { .. }
            | Self::WidgetTextDelta { .. }
            | Self::WidgetComponentUpdated { .. }
            | Self::WidgetRootUpdated { .. }
            | Self::WorkflowTaskAdded { .. }
            | Self::WorkflowTaskUpdated { .. }
            | Self::GeneratedImageUpdated { .. } => 0,
        }
    }
}

/// JSON has no infinity, and a null would stand in its place.
fn is_no_number(progress: &Option<f64>) -> bool {
    !progress.is_some_and(f64::is_finite)
}
