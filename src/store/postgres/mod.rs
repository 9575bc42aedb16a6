//! The production home: Postgres.
