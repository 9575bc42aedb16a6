//! What an answer rests on, as the doors of plain chat show it.

use chatkit_protocol::SourceKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::chat::{Noted, QuestionNote, RestedOn, RestsOn};

/// What an answer was to rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueryMode {
    /// The book, as far as it is about the question.
    Global,
    /// A selected text, and nothing else.
    Local,
}

impl QueryMode {
    /// That of a question.
    pub(super) fn of(note: &QuestionNote) -> Self {
        match note.rests_on {
            RestsOn::SelectionAlone => Self::Local,
            RestsOn::Anything | RestsOn::Knowledge => Self::Global,
        }
    }
}

/// Something that an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct SourceAnswer {
    /// The passage's name in the knowledge base; null for a selected text.
    chunk_id: Option<String>,
    /// The file that it comes from; null where nobody knows.
    file_path: Option<String>,
    /// What it says, or the beginning of that.
    content: String,
    /// How well it fits the question, from 0 to 1; null where nobody measured.
    score: Option<f64>,
}

/// What the answers to a question rest on: the selected text where that was all there was, and otherwise the passages
/// that were found, in the order of the search.
pub(super) fn sources(note: &QuestionNote, selected: Option<&str>, answers: &[Noted]) -> Vec<SourceAnswer> {
    if let (RestsOn::SelectionAlone, Some(selected)) = (note.rests_on, selected) {
        let (file_path, content) = (note.file_path.clone(), selected.to_owned());
        return vec![SourceAnswer { chunk_id: None, file_path, content, score: Some(1.0) }];
    }
    let mut sources: Vec<SourceAnswer> = Vec::new();
    for passage in answers.iter().flat_map(|answer| RestedOn::all_of(&answer.note)) {
        if !sources.iter().any(|known| known.chunk_id.as_ref() == Some(&passage.id)) {
            sources.push(SourceAnswer {
                chunk_id: Some(passage.id),
                file_path: Some(passage.path),
                content: passage.text,
                score: Some(passage.score),
            });
        }
    }
    match sources.is_empty() {
        true => cited(answers),
        false => sources,
    }
}

/// The sources that answers cite, for those of which nothing else is known.
fn cited(answers: &[Noted]) -> Vec<SourceAnswer> {
    let mut sources: Vec<SourceAnswer> = Vec::new();
    let annotations = answers.iter().flat_map(|answer| &answer.message.content).flat_map(|part| &part.annotations);
    for source in annotations.map(|annotation| &annotation.source) {
        let file_path = match &source.kind {
            SourceKind::Url { url, .. } => Some(url.clone()),
            SourceKind::File { filename } => Some(filename.clone()),
            SourceKind::Entity { .. } => None,
        };
        let content = source.description.clone().unwrap_or_else(|| source.title.clone());
        let told = SourceAnswer { chunk_id: None, file_path, content, score: None };
        if !sources.contains(&told) {
            sources.push(told);
        }
    }
    sources
}
