//! Workflows and tasks: what the assistant did on the way to an answer.

use serde::{Deserialize, Serialize};

use crate::{Icon, Source};

/// Steps on the way to an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Workflow {
    /// What kind of steps.
    #[serde(rename = "type")]
    pub kind: WorkflowKind,
    /// The steps.
    pub tasks: Vec<Task>,
    /// The line above them once they are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Whether the steps are shown without a click.
    #[serde(default)]
    pub expanded: bool,
}

impl Workflow {
    /// A workflow of the server's own, not done and not opened.
    ///
    /// ```
    /// use chatkit_protocol::{StatusIndicator, Task, Workflow};
    ///
    /// let workflow = Workflow::custom(vec![Task::custom("Weigh the parts", StatusIndicator::Loading)]);
    /// let json = r#"{"type":"custom","tasks":[{"status_indicator":"loading","type":"custom","title":"Weigh the parts"}],"expanded":false}"#;
    /// assert_eq!(serde_json::to_string(&workflow).unwrap(), json);
    /// ```
    pub fn custom(tasks: Vec<Task>) -> Self {
        Self { kind: WorkflowKind::Custom, tasks, summary: None, expanded: false }
    }
}

/// What kind of steps a workflow has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WorkflowKind {
    /// The server's own.
    Custom,
    /// Thoughts of a model.
    Reasoning,
}

/// The line above the steps of a workflow that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Summary {
    /// Words.
    Custom {
        /// The words.
        title: String,
        /// A picture before them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<Icon>,
    },
    /// How long it took.
    Duration {
        /// In seconds.
        duration: i64,
    },
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// How far it is; only shown inside a workflow.
    #[serde(default)]
    pub status_indicator: StatusIndicator,
    /// What is done.
    #[serde(flatten)]
    pub kind: TaskKind,
}

impl Task {
    /// A step that is no more than its name.
    pub fn custom(title: impl Into<String>, status_indicator: StatusIndicator) -> Self {
        let kind = TaskKind::Custom { title: Some(title.into()), icon: None, content: None };
        Self { status_indicator, kind }
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StatusIndicator {
    /// Not said.
    #[default]
    None,
    /// Under way.
    Loading,
    /// Done.
    Complete,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskKind {
    /// Anything.
    Custom {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<Icon>,
        /// Its text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    /// Looks for pages.
    WebSearch {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// What is looked for, as part of the name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title_query: Option<String>,
        /// What is looked for.
        #[serde(default)]
        queries: Vec<String>,
        /// Pages that were found, each a source of kind `url`.
        #[serde(default)]
        sources: Vec<Source>,
    },
    /// Thinks.
    Thought {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The thought.
        content: String,
    },
    /// Reads files.
    File {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Files, each a source of kind `file`.
        #[serde(default)]
        sources: Vec<Source>,
    },
    /// Makes a picture.
    Image {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}
