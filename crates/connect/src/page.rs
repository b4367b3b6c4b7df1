//! What a source gives: streams, and pages of batches with the position after each.

pub use arrow::array::RecordBatch;
use domain::{Disposition, TableSchema, Timestamp};
use std::sync::Arc;

/// A column that says which of a load's records a row came with, in tables whose rows hang together. It is not the source's:
/// when a record comes twice in one load, the rows of its older version are found by it.
pub const RECORD_COLUMN: &str = "_dango_record";

/// One thing a source can give: a table of a database, an endpoint of an API.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The stream's table in the warehouse, in snake_case; child tables are called `<name>__<list>`.
    pub name: String,
    /// The stream's own name at the source (`public.Orders`, `/v1/charges`), for messages and requests.
    pub origin: String,
    pub disposition: Disposition,
    /// Columns that identify a row, in snake_case; empty when none do.
    pub primary_key: Vec<String>,
    /// The column whose highest value is remembered and asked for next time, in snake_case.
    pub cursor: Option<String>,
    /// Whether a load that was cut off can go on from the last page's [`Page::resume`]: rows come in the order of a unique
    /// key, and rows changed meanwhile are found by the cursor.
    pub resumable: bool,
    /// What the source guesses, for progress bars only.
    pub rows_estimated: Option<u64>,
    /// The columns as far as they are known before reading; empty for an API.
    pub schema: Option<Arc<TableSchema>>,
}

/// Where to start reading a stream.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The [`Page::resume`] of the last page that was committed by an earlier attempt.
    pub resume: Option<String>,
    /// The highest cursor value of the last load that ended; the stream applies its own look-back. `None` when none of the
    /// stream's rows are in the warehouse, or those that are will be replaced.
    pub cursor: Option<String>,
    /// `--since` and `--until`: only rows whose cursor lies within, `until` itself left out.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// `--limit`: at most so many rows.
    pub rows_max: Option<u64>,
    /// The stream's tables (its own and its children) as they are in the warehouse now: types that are already decided.
    pub known: Vec<TableSchema>,
    /// The records that an earlier attempt handed on: those of this one are counted on from there.
    pub records: u64,
}

/// A table that a stream fills: the stream's own, or a child of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTable {
    pub schema: TableSchema,
    /// The table its rows hang from by `_dlt_parent_id`; `None` for the stream's own table.
    pub parent: Option<String>,
}

/// A batch of rows for one table. The batch's columns are those of `table.schema`, in that order, with the Arrow types of
/// [`crate::arrow_types`]; [`RECORD_COLUMN`] may be one of them.
#[derive(Debug, Clone)]
pub struct TableBatch {
    pub table: Arc<StreamTable>,
    pub batch: RecordBatch,
}

/// Rows that were read together, and where the stream stands after them.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The stream's own table first, then its children, parents before their children.
    pub batches: Vec<TableBatch>,
    /// From where a later attempt may go on once this page is committed; `None` when the stream cannot resume here.
    pub resume: Option<String>,
    /// The highest cursor value of all rows so far that a later load can go on from.
    pub cursor: Option<String>,
    /// Bytes read from the source for this page.
    pub bytes: u64,
    /// What the user should know: values moved to variant columns, for instance.
    pub warnings: Vec<String>,
}
