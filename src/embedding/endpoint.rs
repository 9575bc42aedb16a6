//! Where an embedding model is found, how it is addressed, and what is asked of it at once.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::batches::{BatchLimits, bytes_of, cut};
use super::models::Told;
use super::wire::Wire;
use super::{EmbeddingSpace, Role};
use crate::config::Shown;

/// What a blank text becomes: providers refuse blanks, and with them all texts of the request.
const BLANK: &str = "-";

/// An embedding model of somebody.
#[derive(Clone)]
pub struct EmbeddingEndpoint {
    /// Who has it, by the name that settings use.
    pub provider: &'static str,
    /// How it wants to be asked.
    pub wire: Wire,
    /// An absolute `http` or `https` address, with or without the door at its end; the one for chats will do.
    pub base_url: String,
    /// Sent in a header when there is one; white space around it is taken off.
    pub api_key: Option<SecretString>,
    /// The model, by the provider's name for it.
    pub model: String,
    /// Numbers in a vector.
    pub dimensions: u32,
    /// Whether the model has to be asked for so many, since by itself it gives more.
    pub asks_dimensions: bool,
    /// How the model is told what a text is to a search.
    pub told: Told,
    /// How much text the model takes at once; what is longer is cut.
    pub tokens_max: usize,
    /// What goes into one request.
    pub batch: BatchLimits,
}

impl fmt::Debug for EmbeddingEndpoint {
    /// Shows no password or key that stands in the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, wire, base_url, api_key, model, dimensions, asks_dimensions, told, tokens_max, batch } =
            self;
        let mut shown = f.debug_struct("EmbeddingEndpoint");
        shown.field("provider", provider).field("wire", wire).field("base_url", &Shown(base_url));
        shown.field("api_key", api_key).field("model", model).field("dimensions", dimensions);
        shown.field("asks_dimensions", asks_dimensions).field("told", told);
        shown.field("tokens_max", tokens_max).field("batch", batch).finish()
    }
}

impl EmbeddingEndpoint {
    /// The space of its vectors.
    pub fn space(&self) -> EmbeddingSpace {
        let model = self.model.trim().trim_start_matches("models/").to_owned();
        EmbeddingSpace { model, dimensions: self.dimensions, task_style: self.told.style() }
    }

    /// A text as it is sent, and no longer than `bytes_max` or than the model takes.
    pub(super) fn as_sent(&self, text: &str, role: Role, bytes_max: usize) -> String {
        let text = match text.trim() {
            "" => Cow::from(BLANK),
            text => Cow::from(text),
        };
        format!("{}{}", self.told.prefix(role), cut(&text, bytes_max.min(bytes_of(self.tokens_max))))
    }
}

/// How much patience requests of a kind get.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From a request to the last byte of its answer.
    pub answer: Duration,
    /// For one batch, with all its requests and all the waiting between them.
    pub total: Duration,
    /// Requests for one batch at most.
    pub tries: u32,
}

/// How much patience an embedder has, and how much room.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For what is looked for: a reader waits, and can be answered by words alone.
    pub query: Patience,
    /// For what may be found: somebody ingests a book, and a quota of a minute must pass now and then.
    pub documents: Patience,
    /// The wait after the first request that failed, when the provider names none; it doubles each time.
    pub first_wait: Duration,
    /// One answer, in bytes.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    /// Two tries within 6 s for a query, 5 minutes for a batch of documents, answers of 64 MiB.
    fn default() -> Self {
        Self {
            query: Patience { answer: Duration::from_secs(5), total: Duration::from_secs(6), tries: 2 },
            documents: Patience { answer: Duration::from_secs(60), total: Duration::from_secs(300), tries: 12 },
            first_wait: Duration::from_millis(500),
            answer_bytes_max: 64 << 20,
        }
    }
}

impl Limits {
    /// The patience for texts of this role.
    pub(super) fn patience(&self, role: Role) -> Patience {
        match role {
            Role::Query => self.query,
            Role::Document => self.documents,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::models::GOOGLE_PREFIXES;

    #[test]
    fn a_text_is_sent_with_its_prefix_cut_and_never_blank() {
        let endpoint = EmbeddingEndpoint {
            provider: "gemini",
            wire: Wire::Gemini,
            base_url: String::new(),
            api_key: None,
            model: "models/gemini-embedding-2".into(),
            dimensions: 3,
            asks_dimensions: true,
            told: GOOGLE_PREFIXES,
            tokens_max: 2,
            batch: BatchLimits { texts: 1, tokens: 1 },
        };
        let sent = |text, role, bytes_max| endpoint.as_sent(text, role, bytes_max);
        assert_eq!(sent("  ", Role::Query, 100), "task: search result | query: -");
        assert_eq!(sent("robots", Role::Document, 100), "title: none | text: robots");
        assert_eq!(sent("روبوٹس", Role::Document, 100), "title: none | text: روب");
        assert_eq!(sent("روبوٹس", Role::Document, 3), "title: none | text: ر");
        assert_eq!(endpoint.space().to_string(), "`gemini-embedding-2` with 3 dimensions, with task prefixes");
    }
}
