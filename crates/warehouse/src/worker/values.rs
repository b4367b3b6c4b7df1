//! What is checked of the rows that come in, beyond what Arrow checks itself.

use crate::column_types::fits;
use crate::stream::StreamError;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{
    DataType, Date32Type, SchemaRef, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use domain::Column;

/// Compares the stream's columns with what the table expects: a type is never converted silently.
pub(super) fn check_schema(schema: &SchemaRef, columns: &[Column]) -> Result<(), StreamError> {
    if schema.fields().len() != columns.len() {
        return Err(StreamError::Unusable(
            "it does not have the columns that were announced",
        ));
    }
    let fits = schema
        .fields()
        .iter()
        .zip(columns)
        .all(|(field, column)| fits(field.data_type(), column.kind));
    if fits {
        Ok(())
    } else {
        Err(StreamError::Unusable(
            "a column does not have the type that was announced",
        ))
    }
}

/// Refuses values that the engine itself could never have made; it does not expect them. (Decimals beyond their precision are
/// refused where they are converted.)
pub(super) fn check_values(batch: &RecordBatch) -> Result<(), StreamError> {
    const DAY_MICROS: i64 = 86_400_000_000;
    /// The engine's earliest timestamp, 290309 BC.
    const EARLIEST: i64 = -9_223_372_022_400_000_000;
    const OUTSIDE: StreamError =
        StreamError::Unusable("a date or time is outside of what DuckDB can hold");
    for column in batch.columns() {
        let holds = match column.data_type() {
            DataType::Date32 => {
                min(column.as_primitive::<Date32Type>()).is_none_or(|least| least != i32::MIN)
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                let column = column.as_primitive::<Time64MicrosecondType>();
                min(column).is_none_or(|least| least >= 0)
                    && max(column).is_none_or(|most| most <= DAY_MICROS)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let column = column.as_primitive::<TimestampMicrosecondType>();
                let least = min(column);
                // The engine's -infinity lies below its earliest timestamp, so the minimum alone does not tell.
                least.is_none_or(|least| least >= EARLIEST)
                    || column
                        .iter()
                        .flatten()
                        .all(|at| at == -i64::MAX || at >= EARLIEST)
            }
            _ => true,
        };
        if !holds {
            return Err(OUTSIDE);
        }
    }
    Ok(())
}
