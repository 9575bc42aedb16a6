//! What messages are made of: the reader's parts, the assistant's parts, and their sources.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{AttachmentId, Icon, JsonMap};

/// A message that a reader sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserMessageInput {
    /// Its parts; may be empty.
    pub content: Vec<UserContent>,
    /// Attachments by id; may be empty.
    pub attachments: Vec<AttachmentId>,
    /// What the reader marked before writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_text: Option<String>,
    /// What the reader chose in the composer; untrusted.
    pub inference_options: InferenceOptions,
}

impl UserMessageInput {
    /// The parts as one text; see [`UserContent::text_of`].
    pub fn text(&self) -> String {
        UserContent::text_of(&self.content)
    }

    /// How much text came, in bytes: all parts and the quoted text.
    pub fn text_bytes(&self) -> usize {
        let parts: usize = self.content.iter().map(UserContent::text_bytes).sum();
        parts + self.quoted_text.as_ref().map_or(0, String::len)
    }
}

/// What a reader chose in the composer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InferenceOptions {
    /// A tool, by the name the page gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// A model, by the name the page gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A tool that a reader chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToolChoice {
    /// The name the page gave it.
    pub id: String,
}

/// A part of a reader's message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum UserContent {
    /// Words.
    #[serde(rename = "input_text")]
    Text {
        /// The words.
        text: String,
    },
    /// An entity of the page that the reader mentioned with `@`.
    #[serde(rename = "input_tag")]
    Tag {
        /// The entity.
        id: String,
        /// What the reader saw it called.
        text: String,
        /// The page's own data of it.
        #[serde(default, deserialize_with = "object_or_null")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::object_or_null"))]
        data: JsonMap,
        /// The group the page lists it in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// Whether the page wants to hear of clicks on it.
        #[serde(default)]
        interactive: bool,
    },
}

impl UserContent {
    /// Parts as one text, without separators; a tag reads `@` and its title.
    pub fn text_of(parts: &[Self]) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                Self::Text { text: words } => text.push_str(words),
                Self::Tag { text: title, .. } => {
                    text.push('@');
                    text.push_str(title);
                }
            }
        }
        text
    }

    fn text_bytes(&self) -> usize {
        match self {
            Self::Text { text } => text.len(),
            Self::Tag { id, text, data, group, .. } => {
                let data = serde_json::to_string(data).map_or(0, |data| data.len());
                id.len() + text.len() + data + group.as_ref().map_or(0, String::len)
            }
        }
    }
}

/// A part of an assistant's message: Markdown, with sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AssistantContent", transform = crate::schema::tagged_output_text))]
#[serde(tag = "type", rename = "output_text")]
pub struct AssistantContent {
    /// What the text rests on.
    #[serde(default)]
    pub annotations: Vec<Annotation>,
    /// GitHub-flavoured Markdown.
    pub text: String,
}

impl AssistantContent {
    /// Text without sources.
    pub fn text(text: impl Into<String>) -> Self {
        Self { annotations: Vec::new(), text: text.into() }
    }
}

/// Ties a place in the text to its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Annotation", transform = crate::schema::tagged_annotation))]
#[serde(tag = "type", rename = "annotation")]
pub struct Annotation {
    /// The source.
    pub source: Source,
    /// The place after which the mark is shown. This project counts UTF-16 code units, as a browser does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

/// Something an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// What it is called.
    pub title: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was written, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// The group it is listed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Where it is.
    #[serde(flatten)]
    pub kind: SourceKind,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SourceKind {
    /// On the web.
    Url {
        /// The address, as given.
        url: String,
        /// Whose it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attribution: Option<String>,
    },
    /// In a file.
    File {
        /// The file's name.
        filename: String,
    },
    /// In something the page knows.
    Entity {
        /// The entity.
        id: String,
        /// Its icon.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<Icon>,
        /// Its label.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// Its label within a line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inline_label: Option<String>,
        /// Whether the page wants to hear of clicks on it.
        #[serde(default)]
        interactive: bool,
        /// The page's own data of it.
        #[serde(default, deserialize_with = "object_or_null")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::object_or_null"))]
        data: JsonMap,
        /// Deprecated, and ignored by the widget: `lazy`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<String>,
    },
}

/// An object; null counts as an empty one.
pub(crate) fn object_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonMap, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
