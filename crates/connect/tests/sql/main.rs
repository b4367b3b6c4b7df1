//! PostgreSQL and MariaDB as sources, against real servers that the tests start.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cursors;
mod harness;
mod mysql_failures;
mod mysql_reading;
mod mysql_types;
mod postgres_cursors;
mod postgres_failures;
mod postgres_reading;
mod postgres_tables;
mod postgres_types;
