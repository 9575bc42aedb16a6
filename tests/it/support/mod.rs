//! What tests stand on: a fake world behind real sockets.

pub(crate) mod fake_model;
