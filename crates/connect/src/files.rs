//! Files: CSV, TSV and JSON read in two passes by the caged reader, and the plan of a source's files made by its parent.
//!
//! The first pass ([`SourceFile::inspect`]) reads a whole file and decides every column's type; the second ([`SourceFile::read`]) turns it into
//! Arrow batches of the types that were decided over all files and the table. A type is never decided by a sample: DuckDB's
//! own reader, for instance, turns a late `10.75` into `11`. In delimited files what a known type does not hold widens it, in
//! JSON files it goes to a variant column. Parquet files say their types themselves and are read by the `warehouse` crate.
//!
//! # Rules of delimited files
//! - A cell becomes a number, a boolean, a date or a timestamp only if that reproduces it; leading zeros, exponents, a
//!   leading `+` and thousands separators stay text. One such cell makes its whole column text.
//! - An unquoted empty cell is NULL. A quoted empty cell is the empty text in a text column, and NULL (with a warning) in a
//!   column whose other cells are all of one other type.
//! - Column names become snake_case; a name that is taken or reserved gets `_2`.
//! - A record with too few or too many cells refuses the file, unless `ragged: pad` says otherwise.
//! - What is guessed (a header) or may be meant otherwise (`NA` among numbers) is told, with the option that settles it.

mod builders;
mod cell;
mod chunks;
mod config;
mod delimited;
mod dialect;
mod faults;
mod format;
mod input;
mod inspection;
mod json;
mod names;
mod null_words;
mod options;
mod pipeline;
mod place;
mod plan;
mod records;
mod rows;
mod shape;
mod sink;
mod source_file;

#[cfg(test)]
mod tests;

pub use config::{FilesConfig, RemovedFiles, TableFiles};
pub use domain::names::FILENAME_COLUMN;
pub use format::Format;
pub use inspection::{Decision, Delimited, InspectedColumn, InspectedTable, Inspection, Layout};
pub use names::column_names;
pub use options::{FileOptions, Ragged};
pub use plan::{FilePlan, PlannedFile, PlannedTable, plan};
pub use sink::RowSink;
pub use source_file::{Effort, ReadReport, SourceFile};
