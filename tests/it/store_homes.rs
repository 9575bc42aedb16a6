//! What is particular to one home: opening, preparing the tables, old rows, and several processes at once.

mod accounts;
mod opening;
mod originals;
mod pooled;
mod postgres_only;
mod preparing;
mod profiles;
mod sqlite_only;
