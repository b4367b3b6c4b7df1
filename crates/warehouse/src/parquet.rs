//! Parquet files, read by the caged reader through an engine in memory that knows nothing of the warehouse.
//!
//! A Parquet file says its types itself; what is found here is only which of ours holds each of them exactly. Nested values
//! become JSON, and what no type of ours holds (nanoseconds, times with a zone, intervals) becomes text.

use crate::duck::{Connection, Database, EngineError, EngineErrorKind};
use arrow::compute::cast;
use domain::names::{quote_identifier, quote_literal};
use domain::{Column, ColumnType};
use std::path::Path;
use std::sync::Arc;

// What this module speaks in; its users need no edge to arrow.
pub use arrow::array::RecordBatch;
pub use arrow::datatypes::SchemaRef;

/// Of the reader's engine. One row group passes at a time; a million rows of it fit.
const MEMORY_LIMIT: &str = "512MB";

/// Why a Parquet file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParquetError {
    /// The engine's own words about the user's file.
    #[error("{0}")]
    Invalid(String),
    #[error("a row group needs more memory than {MEMORY_LIMIT}")]
    Memory,
    #[error("the file cannot be read: {0}")]
    Io(String),
    #[error("the path is not UTF-8")]
    Path,
    /// The batch could not be handed on.
    #[error("the rows could not be handed on")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<EngineError> for ParquetError {
    fn from(error: EngineError) -> Self {
        match error.kind {
            EngineErrorKind::Memory => Self::Memory,
            EngineErrorKind::Io => Self::Io(error.message),
            _ => Self::Invalid(error.message),
        }
    }
}

/// A Parquet file that was opened.
pub struct ParquetFile {
    connection: Connection,
    /// The table function that reads the file, as SQL.
    scan: String,
    columns: Vec<Found>,
}

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    name: String,
    /// The column as a value of type `kind`, in SQL.
    value: String,
    kind: ColumnType,
}

impl ParquetFile {
    /// Opens the file at `path` and finds the type of each column.
    pub fn open(path: &Path) -> Result<Self, ParquetError> {
        let settings = [
            ("threads", "1".to_owned()),
            ("memory_limit", MEMORY_LIMIT.to_owned()),
            // The cage has no place to spill to.
            ("temp_directory", String::new()),
            ("preserve_insertion_order", "true".to_owned()),
            ("autoinstall_known_extensions", "false".to_owned()),
            ("autoload_known_extensions", "false".to_owned()),
            ("allow_community_extensions", "false".to_owned()),
        ];
        let connection = Database::open(None, &settings)?.connect()?;
        connection.execute("SET TimeZone = 'UTC'")?;
        let path = path.to_str().ok_or(ParquetError::Path)?;
        let scan = format!(
            "read_parquet({}, hive_partitioning = false, union_by_name = false)",
            quote_literal(&exact_glob(path))
        );
        let described = connection.texts(&format!("DESCRIBE SELECT * FROM {scan}"), &[])?;
        let mut columns = Vec::with_capacity(described.len());
        for row in described {
            let mut texts = row.into_iter().flatten();
            let (name, type_name) = (
                texts.next().unwrap_or_default(),
                texts.next().unwrap_or_default(),
            );
            columns.push(find(&connection, &scan, name, &type_name)?);
        }
        Ok(Self {
            connection,
            scan,
            columns,
        })
    }

    /// Returns the columns under the names that the file gives them.
    pub fn columns(&self) -> Vec<Column> {
        self.columns
            .iter()
            .map(|found| Column::new(&found.name, found.kind))
            .collect()
    }

    /// Returns how many rows the file has.
    pub fn rows(&self) -> Result<u64, ParquetError> {
        let count = self
            .connection
            .text(&format!("SELECT count(*) FROM {}", self.scan), &[])?;
        count.and_then(|count| count.parse().ok()).ok_or_else(|| {
            ParquetError::Invalid("the engine did not say how many rows there are".into())
        })
    }

    /// Hands the rows to `each` as batches of `schema`. `targets` says for each of its columns which column of the file it
    /// is, `None` for NULL, and the type it gets: a wider one than the file's.
    pub fn read<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
        targets: &[(Option<&str>, ColumnType)],
        schema: &SchemaRef,
        mut each: impl FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), ParquetError> {
        let values: Vec<_> = targets
            .iter()
            .enumerate()
            .map(|(at, (name, kind))| self.value(at, *name, *kind))
            .collect();
        let mut rows = self.connection.rows(
            &format!("SELECT {} FROM {}", values.join(", "), self.scan),
            &[],
        )?;
        while let Some(batch) = rows.next_batch()? {
            let batch = conform(&batch, schema)?;
            each(batch).map_err(|error| ParquetError::Sink(error.into()))?;
        }
        Ok(())
    }

    /// Returns the SQL of one result column; UUID and JSON travel as text.
    fn value(&self, at: usize, name: Option<&str>, kind: ColumnType) -> String {
        let found = name.and_then(|name| self.columns.iter().find(|found| found.name == name));
        let travels = match kind {
            ColumnType::Uuid | ColumnType::Json => ColumnType::Text,
            kind => kind,
        };
        let value = found.map_or("NULL", |found| &found.value);
        format!("CAST({value} AS {}) AS c{at}", travels.to_sql())
    }
}

/// Returns the pattern that matches exactly this path: the engine takes every path for a glob.
fn exact_glob(path: &str) -> String {
    let mut glob = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '*' | '?' | '[' => glob.extend(['[', character, ']']),
            other => glob.push(other),
        }
    }
    glob
}

/// Returns the column with the narrowest type of ours that holds the file's exactly.
fn find(
    connection: &Connection,
    scan: &str,
    name: String,
    type_name: &str,
) -> Result<Found, ParquetError> {
    let column = quote_identifier(&name);
    let as_type = |kind: ColumnType| (format!("CAST({column} AS {})", kind.to_sql()), kind);
    let (value, kind) = match type_name {
        "TINYINT" | "SMALLINT" | "INTEGER" | "UTINYINT" | "USMALLINT" | "UINTEGER" => {
            as_type(ColumnType::BigInt)
        }
        "UBIGINT" => as_type(ColumnType::Decimal {
            precision: 20,
            scale: 0,
        }),
        "FLOAT" => as_type(ColumnType::Double),
        "TIMESTAMP_S" | "TIMESTAMP_MS" => as_type(ColumnType::Timestamp),
        "TIMESTAMP_NS" => {
            let sql = format!("SELECT bool_and(epoch_ns({column}) % 1000 = 0) FROM {scan}");
            let whole = connection
                .text(&sql, &[])?
                .is_none_or(|text| text == "true");
            as_type(if whole {
                ColumnType::Timestamp
            } else {
                ColumnType::Text
            })
        }
        nested if is_nested(nested) => (
            format!("CAST(to_json({column}) AS VARCHAR)"),
            ColumnType::Json,
        ),
        other => match ColumnType::from_sql(other) {
            Some(kind) => (column, kind),
            None => as_type(ColumnType::Text),
        },
    };
    Ok(Found { name, value, kind })
}

fn is_nested(type_name: &str) -> bool {
    let begins = ["STRUCT(", "MAP(", "UNION(", "VARIANT"];
    type_name.ends_with(']') || begins.iter().any(|begin| type_name.starts_with(begin))
}

/// Gives a batch the agreed names and Arrow types.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ParquetError> {
    let columns: Result<Vec<_>, _> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                cast(column, field.data_type())
            }
        })
        .collect();
    columns
        .and_then(|columns| RecordBatch::try_new(Arc::clone(schema), columns))
        .map_err(|error| ParquetError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;
