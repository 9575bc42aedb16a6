//! A ChatKit server: the whole protocol, conversations that are kept, and a tutor that answers from a book.
//!
//! Implement [`chat::Responder`], hand it to [`serve`], and have a ChatKit server for an agent of your own;
//! [`agent::Tutor`] is the one that the program serves. `ARCHITECTURE.md` is the map of the house.

pub mod agent;
pub mod app;
pub mod attachments;
pub mod auth;
pub mod book;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conformance;
pub mod embedding;
pub mod host;
pub mod identity;
pub mod knowledge;
pub mod language;
pub mod llm;
pub mod metrics;
pub mod pdf;
pub mod profile;
pub mod quota;
pub mod rewrite;
pub mod routes;
pub mod server;
pub mod store;
pub mod telemetry;

pub use chatkit_protocol as protocol;
pub use host::{Host, serve, serve_tutor};
