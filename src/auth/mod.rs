//! Who may claim to be whom.

pub mod visitor;
