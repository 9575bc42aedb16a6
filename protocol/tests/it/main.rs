//! The wire seen from outside: what is printed, what is read, and what is refused.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests as well")]

mod apply;
mod malformed;
mod mutated;
mod round_trip;
mod schema;
mod sse;
mod strategies;
mod widget;
mod wire;
