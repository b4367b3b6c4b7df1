//! The engine, spoken to through DuckDB's C API: the only place of this crate that holds raw handles.
//!
//! The `duckdb` crate's own `Connection::prepare` runs every statement of a text but the last, its Arrow iterators panic on a
//! fetch error (hence on an interrupt), and it shows neither a statement's type nor a way to extract statements. So this
//! module wraps the few C functions that a gate, a stream and an interrupt need. Table functions still come from the crate.

mod database;
mod fault;
mod rows;
mod statement;
mod type_name;

pub(crate) use database::{Connection, Database, Interrupter};
pub(crate) use fault::{EngineError, EngineErrorKind};
pub use rows::ResultColumn;
pub(crate) use rows::Rows;
pub(crate) use statement::{Extracted, Statement, StatementKind};
