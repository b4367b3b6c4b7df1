//! Databases as sources: what PostgreSQL and MySQL have in common.
//!
//! Both are read inside one read-only snapshot for all tables of a source, so that tables that belong together stay
//! together. A table with a unique key and a cursor is read in the order of its key and can go on after a cut; every other
//! table is read as the server hands it out, which is faster.
//!
//! What differs between the two is the session of each, a `database::Session`; the rest is written once.

mod batch;
mod block;
mod calendar;
mod cells;
mod choice;
mod choose;
mod connect;
mod database;
mod dsn;
mod mark;
pub mod mysql;
mod naming;
mod pages;
mod passes;
mod place;
mod plan;
pub mod postgres;
mod select;
mod settings;
mod texts;

use crate::failure::Failure;
use domain::SourceName;
use serde_json::Value;

/// Checks the block of a source of either kind as far as that is possible without its credentials and a connection.
pub fn check(source: &SourceName, block: &Value) -> Result<(), Failure> {
    settings::check(source, block)
}
