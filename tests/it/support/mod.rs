//! What tests stand on: real databases, thrown away afterwards.

pub(crate) mod postgres;
