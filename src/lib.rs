//! x
pub mod agent;
pub mod chat;
pub mod clock;
pub mod config;
pub mod identity;
pub mod knowledge;
pub mod llm;
pub mod store;
