//! What the knowledge base's tool gives back to a model: passages with numbers to cite them by, as JSON.

use serde::{Deserialize, Serialize};

/// The tool's name, by which the offline model knows it too.
pub const KNOWLEDGE_TOOL: &str = "query_knowledge_base";

/// What models are told when the book has nothing good enough. The offline model says it on in the reader's language.
pub const NOTHING_FOUND: &str = "The book has nothing about this.";
/// What models are told when the book cannot be looked into; said on in the same way.
pub const BOOK_AWAY: &str = "The book could not be looked into just now.";

/// A passage as a model sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CitedPassage {
    /// What the model cites it by, as in `[1]`; counted from 1 through the whole turn.
    pub number: u32,
    /// The document's title.
    pub title: String,
    /// The headings above the passage, as one line; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// Where a reader finds it; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The passage, as Markdown.
    pub text: String,
}

/// The whole result of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// What was found, best first.
    pub passages: Vec<CitedPassage>,
    /// A sentence fit for a reader when there is something to say beside the passages: that nothing was found, or why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ToolResult {
    /// `{"passages":[{"number":1,"title":…,"text":…}],"note":…}`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always become JSON")
    }

    /// Reads what [`ToolResult::to_json`] wrote; nothing when it is something else, such as an error's sentence.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_survives_the_way_to_the_model_and_back() {
        let passage =
            CitedPassage { number: 1, title: "Sensors".into(), text: "A \"sensor\" ۔".into(), ..Default::default() };
        let result = ToolResult { passages: vec![passage], note: Some("one".into()) };
        assert_eq!(ToolResult::parse(&result.to_json()), Some(result));
        assert_eq!(ToolResult::parse("the tool failed"), None);
    }
}
