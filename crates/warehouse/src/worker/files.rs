//! Rows into a Parquet file, with the engine's own writer. Runs in the writer's process, on a database in memory.

use super::ingest::{self, FUNCTION, Slot};
use crate::duck::{Database, EngineError, EngineErrorKind, ResultColumn};
use crate::wire::Fault;
use arrow::datatypes::{DataType, Schema, TimeUnit};
use domain::names::{quote_identifier, quote_literal};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Writes the stream's rows to `path`, as these columns.
pub(crate) fn copy_to_parquet(
    database: &Database,
    stream: UnixStream,
    columns: &[ResultColumn],
    path: &Path,
) -> Result<(), Fault> {
    ingest::register(database)?;
    let slot = Slot::open(stream, None, 1)?;
    check(slot.schema(), columns)?;
    let values: Vec<_> = columns.iter().enumerate().map(value).collect();
    let sql = format!(
        "COPY (SELECT {} FROM {FUNCTION}({}::UBIGINT)) TO {} (FORMAT parquet, USE_TMP_FILE false)",
        values.join(", "),
        slot.number,
        quote_literal(&path.to_string_lossy())
    );
    match database.connect()?.execute(&sql) {
        Ok(_) if slot.is_drained() => Ok(()),
        Ok(_) => Err(Fault::Stream("not all of its rows were read".into())),
        Err(error) => Err(slot.fault().unwrap_or_else(|| of_value(error).into())),
    }
}

/// Returns the SQL of a column; UUID and JSON travel as text.
fn value((index, column): (usize, &ResultColumn)) -> String {
    let name = quote_identifier(&column.name);
    match column.type_name.as_str() {
        kind @ ("UUID" | "JSON") => format!("CAST(c{index} AS {kind}) AS {name}"),
        _ => format!("c{index} AS {name}"),
    }
}

/// Refuses columns whose values a Parquet file would change: nothing is written then.
fn check(schema: &Schema, columns: &[ResultColumn]) -> Result<(), EngineError> {
    for (field, column) in schema.fields().iter().zip(columns) {
        if let Some(kind) = changed(field.data_type()) {
            return Err(EngineError::invalid(format!(
                "the column \"{}\" holds values of type {kind}, which a Parquet file cannot hold exactly; cast it to VARCHAR",
                column.name
            )));
        }
    }
    Ok(())
}

/// Returns the name of a type, at whatever depth, that Parquet (or the engine on the way there) holds inexactly.
fn changed(kind: &DataType) -> Option<&'static str> {
    match kind {
        // It would become microseconds.
        DataType::Time64(TimeUnit::Nanosecond) => Some("TIME_NS"),
        // It would become milliseconds, and must not be negative.
        DataType::Interval(_) => Some("INTERVAL"),
        DataType::Union(..) => Some("UNION"),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => changed(field.data_type()),
        DataType::Struct(fields) => fields.iter().find_map(|field| changed(field.data_type())),
        _ => None,
    }
}

/// Returns the error of a value, in words for whoever wrote the query: our own SQL would say nothing to them.
fn of_value(error: EngineError) -> EngineError {
    if error.kind != EngineErrorKind::Invalid {
        return error;
    }
    let said = error.message.split("\n\nLINE ").next().unwrap_or_default();
    EngineError::invalid(format!(
        "{said}; a Parquet file cannot hold this value, cast it to VARCHAR"
    ))
}
