//! PostgreSQL and MariaDB as sources, against real servers that the tests start.

mod harness;
mod postgres_failures;
mod postgres_reading;
mod postgres_types;
