//! The Arrow type of each column type: the contract between sources and the warehouse.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use domain::{Column, ColumnType};
use std::sync::Arc;

/// Returns the Arrow type in which values of `kind` travel. UUID and JSON travel as text: the warehouse casts them.
pub fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::BigInt => DataType::Int64,
        ColumnType::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0))
        }
        ColumnType::Double => DataType::Float64,
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json => DataType::Utf8,
        ColumnType::Binary => DataType::Binary,
        ColumnType::Date => DataType::Date32,
        ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// Returns the Arrow schema of `columns`; every field may be null.
pub fn schema(columns: &[Column]) -> Schema {
    let field = |column: &Column| Field::new(&column.name, data_type(column.kind), true);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

/// Returns a batch of text columns.
pub fn texts<const N: usize>(
    names: [&str; N],
    rows: &[[Option<&str>; N]],
) -> Result<RecordBatch, ArrowError> {
    let column = |(index, name)| {
        let cells = rows.iter().map(|row| row.get(index).copied().flatten());
        (name, Arc::new(cells.collect::<StringArray>()) as ArrayRef)
    };
    RecordBatch::try_from_iter_with_nullable(
        names
            .into_iter()
            .enumerate()
            .map(column)
            .map(|(name, cells)| (name, cells, true)),
    )
}

/// Returns `batch` with one more column, which holds `text` in every row.
pub fn with_text(batch: &RecordBatch, name: &str, text: &str) -> Result<RecordBatch, ArrowError> {
    let cells = StringArray::from_iter_values(std::iter::repeat_n(text, batch.num_rows()));
    let field = Arc::new(Field::new(name, DataType::Utf8, true));
    let fields: Vec<_> = batch
        .schema_ref()
        .fields()
        .iter()
        .cloned()
        .chain([field])
        .collect();
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(cells));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// Returns `rows` rows without a column.
pub fn hollow(rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
}
