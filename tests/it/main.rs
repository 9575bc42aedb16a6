//! The tests of the house, in one binary.

#![expect(clippy::unwrap_used, reason = "clippy knows a test by its attribute, and not the functions it calls")]

mod accounts;
mod architecture;
mod attached;
mod attachments;
mod auth_matrix;
mod bad_input;
mod browsers;
mod chatkit;
mod cli;
mod conformance;
mod conformance_runner;
mod documents;
mod doors;
mod edge;
mod embedding;
mod files;
mod formats;
mod grounding;
mod habits;
mod ingestion;
mod injection;
mod knowledge;
mod knowledge_contract;
mod knowledge_qdrant;
mod knowledge_vectors;
mod limits;
mod llm;
mod metrics;
mod models;
mod notes;
mod pdf;
mod plain_chat;
mod protocol_document;
mod seam;
mod secrets;
mod selection;
mod store_contract;
mod store_homes;
mod support;
mod tokens;
mod transcription;
mod turns;
mod tutor;
mod web;
