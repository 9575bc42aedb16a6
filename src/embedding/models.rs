//! What is known of embedding models: who has them, how long their vectors are, how much text they take.

use super::{Role, TaskStyle};
use crate::llm::presets::{COHERE, GEMINI, OPENAI, Preset};

/// An embedding model that is known here, so that nobody has to be asked about it.
#[derive(Clone, Copy, Debug)]
pub struct KnownModel {
    /// The name, without the provider that some put before it.
    pub name: &'static str,
    /// Who has it; none for one that anybody may run.
    pub provider: Option<&'static Preset>,
    /// Numbers in a vector when the model is not asked for fewer.
    pub dimensions: u32,
    /// Numbers in a vector when no setting says how many.
    pub dimensions_usual: u32,
    /// Which fewer numbers it may be asked for.
    pub shorter: Shorter,
    /// How much text it takes at once.
    pub tokens_max: usize,
    /// How it is told what a text is to a search.
    pub told: Told,
}

/// Whether a model's vectors may be cut by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shorter {
    /// They have one length.
    Never,
    /// To any length.
    Freely,
    /// To one of these lengths.
    To(&'static [u32]),
}

/// How a model is told what a text is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Not at all.
    Nothing,
    /// By a member of the request.
    Parameter,
    /// By words before the text.
    Prefix {
        /// Before something that is looked for.
        query: &'static str,
        /// Before something that may be found.
        document: &'static str,
    },
}

impl Told {
    /// What a space says of it.
    pub fn style(self) -> TaskStyle {
        match self {
            Self::Nothing => TaskStyle::None,
            Self::Parameter => TaskStyle::Parameter,
            Self::Prefix { .. } => TaskStyle::Prefix,
        }
    }

    /// What stands before a text of this role.
    pub fn prefix(self, role: Role) -> &'static str {
        match (self, role) {
            (Self::Nothing | Self::Parameter, _) => "",
            (Self::Prefix { query, .. }, Role::Query) => query,
            (Self::Prefix { document, .. }, Role::Document) => document,
        }
    }
}

/// How Google's newer models are told.
pub const GOOGLE_PREFIXES: Told =
    Told::Prefix { query: "task: search result | query: ", document: "title: none | text: " };

const NOMIC: Told = Told::Prefix { query: "search_query: ", document: "search_document: " };
const E5: Told = Told::Prefix { query: "query: ", document: "passage: " };
const INSTRUCTED: Told =
    Told::Prefix { query: "Represent this sentence for searching relevant passages: ", document: "" };

const COHERE_LENGTHS: &[u32] = &[256, 512, 1024, 1536];

/// A model that anybody may run, with vectors of one length.
const fn free(name: &'static str, dimensions: u32, tokens_max: usize, told: Told) -> KnownModel {
    KnownModel {
        name,
        provider: None,
        dimensions,
        dimensions_usual: dimensions,
        shorter: Shorter::Never,
        tokens_max,
        told,
    }
}

/// A model of one provider.
const fn of(
    provider: &'static Preset,
    name: &'static str,
    dimensions: u32,
    shorter: Shorter,
    tokens_max: usize,
    told: Told,
) -> KnownModel {
    KnownModel { name, provider: Some(provider), dimensions, dimensions_usual: dimensions, shorter, tokens_max, told }
}

/// Google's models lose next to nothing with a quarter of their numbers, and the whole of them would take four times
/// the memory.
const fn gemini(name: &'static str, tokens_max: usize, told: Told) -> KnownModel {
    KnownModel { dimensions_usual: 768, ..of(&GEMINI, name, 3072, Shorter::Freely, tokens_max, told) }
}

/// All of them.
pub const KNOWN: [KnownModel; 28] = [
    gemini("gemini-embedding-001", 2048, Told::Parameter),
    gemini("gemini-embedding-2", 8192, GOOGLE_PREFIXES),
    gemini("gemini-embedding-2-preview", 8192, GOOGLE_PREFIXES),
    of(&GEMINI, "text-embedding-004", 768, Shorter::Freely, 2048, Told::Parameter),
    of(&GEMINI, "embedding-001", 768, Shorter::Never, 2048, Told::Parameter),
    of(&OPENAI, "text-embedding-3-small", 1536, Shorter::Freely, 8191, Told::Nothing),
    of(&OPENAI, "text-embedding-3-large", 3072, Shorter::Freely, 8191, Told::Nothing),
    of(&OPENAI, "text-embedding-ada-002", 1536, Shorter::Never, 8191, Told::Nothing),
    of(&COHERE, "embed-v4.0", 1536, Shorter::To(COHERE_LENGTHS), 128_000, Told::Parameter),
    of(&COHERE, "embed-english-v3.0", 1024, Shorter::Never, 512, Told::Parameter),
    of(&COHERE, "embed-multilingual-v3.0", 1024, Shorter::Never, 512, Told::Parameter),
    of(&COHERE, "embed-english-light-v3.0", 384, Shorter::Never, 512, Told::Parameter),
    of(&COHERE, "embed-multilingual-light-v3.0", 384, Shorter::Never, 512, Told::Parameter),
    free("nomic-embed-text", 768, 2048, NOMIC),
    free("nomic-embed-text-v1.5", 768, 2048, NOMIC),
    free("mxbai-embed-large", 1024, 512, INSTRUCTED),
    free("mxbai-embed-large-v1", 1024, 512, INSTRUCTED),
    free("all-minilm", 384, 256, Told::Nothing),
    free("all-MiniLM-L6-v2", 384, 256, Told::Nothing),
    free("embeddinggemma", 768, 2048, GOOGLE_PREFIXES),
    free("bge-m3", 1024, 8192, Told::Nothing),
    free("bge-small-en-v1.5", 384, 512, INSTRUCTED),
    free("bge-base-en-v1.5", 768, 512, INSTRUCTED),
    free("bge-large-en-v1.5", 1024, 512, INSTRUCTED),
    free("multilingual-e5-small", 384, 512, E5),
    free("multilingual-e5-base", 768, 512, E5),
    free("multilingual-e5-large", 1024, 512, E5),
    free("e5-base-v2", 768, 512, E5),
];

/// What is known of a model by this name, whatever stands before its last slash, and whether or not it ends in
/// `:latest`.
pub fn known(name: &str) -> Option<&'static KnownModel> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_suffix(":latest").unwrap_or(name);
    KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_the_names_that_servers_give_it() {
        for name in ["bge-m3", "BAAI/bge-m3", "bge-m3:latest", "BGE-M3"] {
            assert_eq!(known(name).unwrap().dimensions, 1024, "{name}");
        }
        assert!(known("bge-m4").is_none() && known("").is_none());
    }

    #[test]
    fn no_name_stands_twice_and_what_is_usual_can_be_had() {
        for (index, model) in KNOWN.iter().enumerate() {
            assert!(KNOWN[..index].iter().all(|other| !other.name.eq_ignore_ascii_case(model.name)), "{}", model.name);
            assert!(model.dimensions_usual == model.dimensions || model.shorter == Shorter::Freely, "{}", model.name);
        }
    }
}
