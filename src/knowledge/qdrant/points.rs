//! Documents as points and back: what a point of each kind is named, and what it holds.

use std::collections::HashMap;
use std::sync::Arc;

use qdrant_client::Payload;
use qdrant_client::qdrant::{
    Condition, Filter, NamedVectors, PointId, PointStruct, PointsSelector, Value, Vector,
    points_selector::PointsSelectorOneOf,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::sparse::{self, COLLECTION_MARK, DOCUMENT_MARK};
use crate::embedding::EmbeddingSpace;
use crate::knowledge::lexical::Index;
use crate::knowledge::{Document, DocumentState, Passage};

/// The vector of meaning.
pub(super) const DENSE: &str = "dense";
/// The vector of words.
pub(super) const WORDS: &str = "words";
/// What a point is: see [`Kind`].
pub(super) const KIND: &str = "kind";
/// The document a point belongs to.
pub(super) const PATH: &str = "path";

/// What the fingerprint of a document ends with whose storing was broken off.
const UNFINISHED: &str = " (unfinished)";

/// Names of points are made from what they are, within this.
const NAMES: Uuid = Uuid::from_u128(0x2f6c_1f0e_8a5b_5d5e_9b0d_53a9_7c1e_4410);

/// The kinds of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A passage with its text, found by its vectors.
    Passage,
    /// That a document is stored, as a whole.
    Document,
    /// That a document is being stored; in the place of the one above, and left there when storing it was broken off.
    Unfinished,
    /// What is known of the collection.
    Collection,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passage => "passage",
            Self::Document => "document",
            Self::Unfinished => "unfinished",
            Self::Collection => "collection",
        }
    }
}

/// What is known of a collection as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CollectionRecord {
    /// The space of its vectors, if it has any.
    pub(super) space: Option<EmbeddingSpace>,
    /// Below this cosine nearness says nothing; learned when an ingestion settled.
    pub(super) near_floor: Option<f32>,
    /// What that was learned from: see [`edition`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) learned_of: Option<String>,
}

impl CollectionRecord {
    /// The record of a collection of this space, of which nothing was learned yet.
    pub(super) fn of(space: Option<EmbeddingSpace>) -> Self {
        Self { space, ..Self::default() }
    }
}

#[derive(Serialize, Deserialize)]
struct DocumentRecord {
    path: String,
    fingerprint: String,
    passages: u32,
}

/// The points of a document's passages.
pub(super) fn of_passages(document: &Document, vectors: Option<Vec<Vec<f32>>>) -> Vec<PointStruct> {
    let passages: Vec<Arc<Passage>> = document.passages.iter().cloned().map(Arc::new).collect();
    let words = Index::strengths(&passages);
    let mut dense = vectors.map(Vec::into_iter);
    let point = |(passage, words): (&Arc<Passage>, Vec<(String, f32)>)| {
        let sparse = sparse::vector(words.iter().map(|(stem, strength)| (stem.as_str(), *strength)));
        let mut named = HashMap::from([(WORDS.to_owned(), Vector::from(sparse))]);
        if let Some(vector) = dense.as_mut().and_then(Iterator::next) {
            named.insert(DENSE.to_owned(), Vector::from(vector));
        }
        let mut members = members(&**passage);
        // A document goes by its own path, whatever its passages say.
        members.insert(PATH, document.path.as_str());
        point(passage_id(passage), Kind::Passage, members, named)
    };
    passages.iter().zip(words).map(point).collect()
}

/// The point that says that a document is stored, or is on its way.
pub(super) fn of_document(kind: Kind, document: &Document) -> PointStruct {
    let record = DocumentRecord {
        path: document.path.clone(),
        fingerprint: document.fingerprint.clone(),
        passages: u32::try_from(document.passages.len()).unwrap_or(u32::MAX),
    };
    point(document_id(&document.path), kind, members(&record), marked(DOCUMENT_MARK))
}

/// The point with what is known of the collection.
pub(super) fn of_collection(record: &CollectionRecord) -> PointStruct {
    point(collection_id(), Kind::Collection, members(record), marked(COLLECTION_MARK))
}

fn marked(mark: &str) -> HashMap<String, Vector> {
    HashMap::from([(WORDS.to_owned(), Vector::from(sparse::vector([(mark, 1.0)])))])
}

fn point(id: PointId, kind: Kind, mut members: Payload, vectors: HashMap<String, Vector>) -> PointStruct {
    members.insert(KIND, kind.name());
    PointStruct { id: Some(id), payload: members.into(), vectors: Some(NamedVectors { vectors }.into()) }
}

fn members(of: &impl Serialize) -> Payload {
    let members = serde_json::to_value(of).unwrap_or_else(|_| json!({}));
    Payload::try_from(members).unwrap_or_default()
}

/// Passages are named by their id, which is a UUID when this program cut them.
pub(super) fn passage_id(passage: &Passage) -> PointId {
    let id = Uuid::try_parse(&passage.id).unwrap_or_else(|_| Uuid::new_v5(&NAMES, passage.id.as_bytes()));
    id.to_string().into()
}

pub(super) fn document_id(path: &str) -> PointId {
    Uuid::new_v5(&NAMES, format!("document {path}").as_bytes()).to_string().into()
}

pub(super) fn collection_id() -> PointId {
    Uuid::new_v5(&NAMES, b"collection").to_string().into()
}

/// What a point holds, as what it is; none when it is something else.
pub(super) fn read<T: serde::de::DeserializeOwned>(payload: HashMap<String, Value>) -> Option<T> {
    Payload::from(payload).deserialize().ok()
}

/// The state of a document. One whose storing was broken off has a fingerprint that no page has, so that whoever ingests
/// stores it again, or forgets it.
pub(super) fn state(mut payload: HashMap<String, Value>) -> Option<DocumentState> {
    let kind = payload.remove(KIND);
    let is_whole = kind.as_ref().and_then(Value::as_str).is_some_and(|kind| kind == Kind::Document.name());
    let DocumentRecord { path, mut fingerprint, mut passages } = read(payload)?;
    if !is_whole {
        fingerprint.push_str(UNFINISHED);
        passages = 0;
    }
    Some(DocumentState { path, fingerprint, passages })
}

/// The record of a document that is stored as a whole.
pub(super) fn whole(payload: HashMap<String, Value>) -> Option<DocumentState> {
    state(payload).filter(|state| !state.fingerprint.ends_with(UNFINISHED))
}

/// What tells the documents of a collection from those it had before: their paths and fingerprints, as one name.
pub(super) fn edition(states: &[DocumentState]) -> String {
    let parts: Vec<&str> = states.iter().flat_map(|state| [state.path.as_str(), state.fingerprint.as_str()]).collect();
    Uuid::new_v5(&NAMES, parts.join("\u{0}").as_bytes()).to_string()
}

/// Points of one kind.
pub(super) fn of_kind(kind: Kind) -> Filter {
    Filter::must([Condition::matches(KIND, kind.name().to_owned())])
}

/// Records of documents, whole or not.
pub(super) fn of_records() -> Filter {
    let kinds: Vec<String> = [Kind::Document, Kind::Unfinished].map(|kind| kind.name().to_owned()).into();
    Filter::must([Condition::matches(KIND, kinds)])
}

/// Everything of a document: its passages and its record.
pub(super) fn of_path(path: &str) -> Filter {
    Filter::must([Condition::matches(PATH, path.to_owned())])
}

pub(super) fn by_filter(filter: Filter) -> PointsSelector {
    PointsSelector { points_selector_one_of: Some(PointsSelectorOneOf::Filter(filter)) }
}
