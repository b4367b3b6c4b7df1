//! The warehouse: DuckDB in a process of its own, and the client the rest of us talk to.
//!
//! [`Warehouse`] is the handle: queries ([`Warehouse::query`]), load transactions ([`Warehouse::begin`]), the catalog, status,
//! compaction, exports. It starts the worker (this program again, in the role of [`child`]) when something is asked, and
//! speaks to it in JSON frames; rows travel as Arrow streams beside them. The worker alone touches DuckDB.
//!
//! # Invariants
//! - The process that holds secrets never runs SQL: nothing in `client` calls the engine. (`render` and `stream` are shared:
//!   they handle values, not SQL.)
//! - User SQL reaches the engine only through the gate, which refuses what it does not know.
//! - Rows reach a table only as one Arrow stream per `INSERT … SELECT`; a stream that breaks off fails its transaction.
//! - Nothing waits for ever and nothing grows without bound: rows, bytes, time, frames, messages and queues have limits.
//! - Raw engine handles and `unsafe` stay in `duck` (and in the two places that say why).
//!
//! # Adding one
//! A request to the worker is one variant of `wire::Act`, one arm in `worker`, and one method in `client` that takes the witness
//! of a permission. A function that queries may call needs nothing; one that they may not is one line in `gate/functions.rs`.

pub mod child;
pub mod parquet;
pub mod render;

mod client;
mod column_types;
mod compactor;
mod duck;
mod error;
mod gate;
mod masking;
mod settings;
mod stream;
mod wire;
mod worker;
mod writer;

pub use client::{
    CompactReport, ExportFormat, ExportReport, ExportTarget, Inserter, LoadTx, PendingInsert,
    QueryResult, Warehouse,
};
pub use duck::ResultColumn;
pub use error::WarehouseError;
pub use settings::{QueryLimits, Settings};
pub use wire::Status;
