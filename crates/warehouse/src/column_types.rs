//! The types of columns: in Arrow on their way in, in the engine's catalog where they lie.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use domain::{Column, ColumnType};
use std::sync::Arc;

/// Returns whether values of the Arrow type `kind` are values of `column` without any conversion. UUID and JSON travel as text.
pub(crate) fn fits(kind: &DataType, column: ColumnType) -> bool {
    match (column, kind) {
        (
            ColumnType::Text | ColumnType::Uuid | ColumnType::Json,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View,
        )
        | (ColumnType::Binary, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
        | (ColumnType::TimestampTz, DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => true,
        _ => *kind == arrow_type(column),
    }
}

/// Returns the Arrow type in which values of `column` usually travel.
fn arrow_type(column: ColumnType) -> DataType {
    match column {
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

/// Returns the Arrow schema of a stream without rows for `columns`.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, arrow_type(column.kind), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Returns our type for the engine's type `name`. We create twelve types; a file that others have written too may hold more:
/// narrower numbers are the wide ones to us, and whatever else there is (lists, structures, enumerations) counts as text, which
/// keeps it out of every comparison and widening.
pub(crate) fn from_engine(name: &str) -> ColumnType {
    ColumnType::from_sql(name).unwrap_or(match name {
        "TINYINT" | "SMALLINT" | "INTEGER" | "UTINYINT" | "USMALLINT" | "UINTEGER" => {
            ColumnType::BigInt
        }
        "UBIGINT" => ColumnType::Decimal {
            precision: 20,
            scale: 0,
        },
        "HUGEINT" => ColumnType::Decimal {
            precision: 38,
            scale: 0,
        },
        "FLOAT" => ColumnType::Double,
        "TIMESTAMP_S" | "TIMESTAMP_MS" => ColumnType::Timestamp,
        _ => ColumnType::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_fits_itself_and_no_other() {
        let kinds = [
            ColumnType::Boolean,
            ColumnType::BigInt,
            ColumnType::Decimal {
                precision: 12,
                scale: 2,
            },
            ColumnType::Double,
            ColumnType::Text,
            ColumnType::Binary,
            ColumnType::Date,
            ColumnType::Time,
            ColumnType::Timestamp,
            ColumnType::TimestampTz,
        ];
        for (at, column) in kinds.iter().enumerate() {
            for (other_at, other) in kinds.iter().enumerate() {
                assert_eq!(
                    fits(&arrow_type(*other), *column),
                    at == other_at,
                    "{other} into {column}"
                );
            }
        }
        assert!(!fits(
            &DataType::Decimal128(12, 3),
            ColumnType::Decimal {
                precision: 12,
                scale: 2
            }
        ));
    }

    #[test]
    fn foreign_types_are_taken_as_the_nearest_of_ours() {
        assert_eq!(from_engine("INTEGER"), ColumnType::BigInt);
        assert_eq!(from_engine("VARCHAR[]"), ColumnType::Text);
        assert_eq!(
            from_engine("DECIMAL(9,2)"),
            ColumnType::Decimal {
                precision: 9,
                scale: 2
            }
        );
    }
}
