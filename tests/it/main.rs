//! The tests of the house, in one binary.

mod knowledge;
