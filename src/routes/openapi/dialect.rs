//! Shapes of what is read or written member by member: requests of the simple dialect, and the events of a rewriting.
#![expect(dead_code, reason = "they are only described here")]

use utoipa::ToSchema;

/// A request of the simple dialect.
#[derive(ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(super) enum SimpleRequest {
    /// Writes a message, and hears the answer.
    Chat {
        /// The words.
        #[schema(min_length = 1)]
        message: String,
        /// Where; in a new thread, when nowhere.
        thread_id: Option<String>,
        /// What the reader marked on the page.
        selected_text: Option<String>,
        /// A model, by the name the page gave it.
        model: Option<String>,
    },
    /// Lists the caller's threads, the newest first.
    ListThreads {
        /// Rows at most.
        limit: Option<u32>,
        /// The last row of the page before.
        after: Option<String>,
    },
    /// Shows a thread with its items.
    GetThread {
        /// Which.
        #[schema(min_length = 1)]
        thread_id: String,
    },
    /// Gives a thread another title.
    RenameThread {
        /// Which.
        #[schema(min_length = 1)]
        thread_id: String,
        /// The title; may be empty.
        title: String,
    },
    /// Deletes a thread.
    DeleteThread {
        /// Which.
        #[schema(min_length = 1)]
        thread_id: String,
    },
    /// Lists the items of a thread.
    ListItems {
        /// Of which.
        #[schema(min_length = 1)]
        thread_id: String,
        /// Rows at most.
        limit: Option<u32>,
        /// The last row of the page before.
        after: Option<String>,
        /// Which end first: `asc` or `desc`; the newest when left out.
        order: Option<SimpleOrder>,
    },
    /// Says how good an answer was.
    Feedback {
        /// Where.
        #[schema(min_length = 1)]
        thread_id: String,
        /// The items of the answer.
        item_ids: Vec<String>,
        /// How good it was.
        kind: SimpleFeedback,
    },
    /// Ends the answer that is being written in a thread.
    Stop {
        /// The thread.
        #[schema(min_length = 1)]
        thread_id: String,
    },
}

/// Which end of a list comes first.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SimpleOrder {
    /// The oldest.
    Asc,
    /// The newest.
    Desc,
}

/// How good an answer was.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SimpleFeedback {
    /// Good.
    Positive,
    /// Not good.
    Negative,
}

/// One event of a text that is being rewritten.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum RewriteEvent {
    /// More of the text.
    Content {
        /// What to append, in Markdown.
        delta: String,
    },
    /// Why there is no more of it; what came so far must not be kept.
    Error {
        /// A name in snake case.
        code: String,
        /// A sentence for the reader.
        message: String,
        /// Whether the same again may help.
        allow_retry: bool,
    },
    /// The last event: the other members of the answer that does not stream.
    Done {},
}
