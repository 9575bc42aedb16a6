//! The tutor.

pub mod citations;
mod markdown;
mod marks;
