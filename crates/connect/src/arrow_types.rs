//! The Arrow type of each column type: the contract between sources and the warehouse.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use domain::{Column, ColumnType};

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
