//! Forms that the assistant hands to the reader, and what comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a form is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum InputStatus {
    /// Waits for the reader.
    #[default]
    Pending,
    /// Was filled in.
    Answered,
    /// Was passed over.
    Skipped,
}

/// One question of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StructuredInput {
    /// Names the question within its form.
    pub id: String,
    /// The question.
    pub question: String,
    /// The answer, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How it is answered.
    #[serde(flatten)]
    pub kind: StructuredInputKind,
}

impl StructuredInput {
    /// A question with answers to choose one from.
    ///
    /// ```
    /// use chatkit_protocol::StructuredInput;
    ///
    /// let question = StructuredInput::choice("size", "Which size?", ["S", "M"]);
    /// let json = r#"{"id":"size","question":"Which size?","type":"multiple_choice","options":[{"value":"S"},{"value":"M"}],"multiple":false}"#;
    /// assert_eq!(serde_json::to_string(&question).unwrap(), json);
    /// ```
    pub fn choice<T: Into<String>>(
        id: impl Into<String>,
        question: impl Into<String>,
        options: impl IntoIterator<Item = T>,
    ) -> Self {
        let options = options.into_iter().map(|value| StructuredOption { value: value.into() }).collect();
        Self {
            id: id.into(),
            question: question.into(),
            answer: None,
            kind: StructuredInputKind::MultipleChoice { options, multiple: false },
        }
    }

    /// A question to be answered in the reader's own words.
    ///
    /// ```
    /// use chatkit_protocol::StructuredInput;
    ///
    /// let question = StructuredInput::freeform("name", "What is it called?");
    /// let json = r#"{"id":"name","question":"What is it called?","type":"freeform"}"#;
    /// assert_eq!(serde_json::to_string(&question).unwrap(), json);
    /// ```
    pub fn freeform(id: impl Into<String>, question: impl Into<String>) -> Self {
        let kind = StructuredInputKind::Freeform { description: None };
        Self { id: id.into(), question: question.into(), answer: None, kind }
    }
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StructuredInputKind {
    /// By choosing.
    MultipleChoice {
        /// What can be chosen; readers may write something else.
        options: Vec<StructuredOption>,
        /// Whether more than one may be chosen.
        #[serde(default)]
        multiple: bool,
    },
    /// By writing.
    Freeform {
        /// A hint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StructuredOption {
    /// What is shown, and sent back.
    pub value: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer {
    /// What was chosen or written.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether the reader passed the question over.
    #[serde(default)]
    pub skipped: bool,
}

/// What a reader sends back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StructuredAnswers {
    /// Whether the form was filled in or passed over.
    #[serde(default)]
    pub status: SubmittedStatus,
    /// By question; questions the form does not have are ignored.
    #[serde(default)]
    pub answers: BTreeMap<String, SubmittedAnswer>,
}

/// Whether a form was filled in or passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SubmittedStatus {
    /// Filled in.
    #[default]
    Answered,
    /// Passed over.
    Skipped,
}

/// One answer that a reader sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubmittedAnswer {
    /// What was chosen or written.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether the reader passed the question over.
    #[serde(default)]
    pub skipped: bool,
}
