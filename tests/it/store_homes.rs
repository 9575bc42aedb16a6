//! What is particular to one home: opening, preparing the tables, old rows, and several processes at once.

mod accounts;
mod opening;
mod postgres_only;
mod sqlite_only;
