//! Models that make vectors, at providers behind a real socket that fail in every way that was seen outside.

mod cached;
mod failures;
mod program;
mod requests;
mod scene;
