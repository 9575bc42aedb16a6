//! Pages from rows, without a database.
