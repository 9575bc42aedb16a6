//! A ChatKit server: the whole protocol, conversations that are kept, and a tutor that answers from a book.

pub mod agent;
pub mod clock;
pub mod identity;
pub mod knowledge;
pub mod llm;
pub mod store;
