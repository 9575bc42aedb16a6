//! What tests stand on: real databases, thrown away afterwards, and a fake world behind real sockets.

pub(crate) mod fake_model;
pub(crate) mod postgres;
