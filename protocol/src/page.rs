//! Parts of long lists.

use serde::{Deserialize, Serialize};

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// A part of a list, and how to go on.
///
/// ```
/// use chatkit_protocol::Page;
///
/// let page = Page { data: vec![1, 2], has_more: true, after: Some("thr_2".to_owned()) };
/// let shown = page.map(|row| format!("thr_{row}"));
/// let json = r#"{"data":["thr_1","thr_2"],"has_more":true,"after":"thr_2"}"#;
/// assert_eq!(serde_json::to_string(&shown).unwrap(), json);
/// assert_eq!(serde_json::to_string(&Page::<u8>::empty()).unwrap(), r#"{"data":[],"has_more":false}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PageOf{T}"))]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there is at least one more row.
    pub has_more: bool,
    /// The id of the last row, to be sent as `after`, when there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl<T> Page<T> {
    /// No rows, and none to come.
    pub fn empty() -> Self {
        Self { data: Vec::new(), has_more: false, after: None }
    }

    /// The same page of other rows.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(row).collect(), has_more: self.has_more, after: self.after }
    }
}
