//! Everything that comes from outside: databases, HTTP APIs and files, turned into Arrow batches with decided types.
//!
//! # Invariants
//! - `connect` never sees a transaction and never writes to the warehouse: it hands [`Page`]s to whoever asked.
//! - A credential leaves the process only through this crate, towards the hosts it may go to (the egress guard).
//! - Types never change a value silently: what does not fit a column goes to a variant column or widens it, and is reported.
//!
//! # Adding one
//! A REST source is one YAML file under `connectors/`. A source that needs code is one module with `open`, `test`,
//! `streams` and `read`, and one arm in [`source::Source`].

pub mod arrow_types;
pub mod catalog;
pub mod credentials;
pub mod egress;
pub mod failure;
pub mod files;
pub mod http;
pub mod identity_providers;
pub mod mail;
pub mod normalise;
pub mod page;
pub mod remote;
pub mod rest;
pub mod source;
pub mod sql;
pub mod webhook;

pub use catalog::{Catalog, Connector, Engine, Field};
pub use credentials::Credentials;
pub use egress::Egress;
pub use failure::{Failure, FailureKind};
pub use http::Time;
pub use page::{Page, RECORD_COLUMN, RecordBatch, Start, Stream, StreamTable, TableBatch};
pub use source::Source;
