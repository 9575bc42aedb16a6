//! What tests stand on: real databases, and a fake world behind real sockets.

pub(crate) mod attachments;
pub(crate) mod bucket;
pub(crate) mod client;
pub(crate) mod echo_model;
pub(crate) mod fake_model;
pub(crate) mod house;
pub(crate) mod issuer;
pub(crate) mod letters_server;
pub(crate) mod number_server;
pub(crate) mod pdf;
pub(crate) mod pooler;
pub(crate) mod postgres;
pub(crate) mod qdrant;
pub(crate) mod raw_server;
pub(crate) mod simple;
pub(crate) mod socket;
pub(crate) mod toy_embedder;
pub(crate) mod transcript;
pub(crate) mod web_site;
pub(crate) mod wire;
