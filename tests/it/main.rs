//! The tests of the house, in one binary.

mod llm;
mod support;
