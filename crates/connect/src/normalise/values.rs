//! The Arrow builder of one column. Rows that have no value are filled with nulls when the next value or the end comes.

use crate::arrow_types;
use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float64Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder,
};
use domain::ColumnType;
use std::sync::Arc;

/// Values of a column, by the Arrow type in which they travel.
pub(super) enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

/// Runs the same expression on whichever builder it is.
macro_rules! each {
    ($values:expr, $builder:ident => $do:expr) => {
        match $values {
            Values::Boolean($builder) => $do,
            Values::Integer($builder) => $do,
            Values::Decimal($builder) => $do,
            Values::Double($builder) => $do,
            Values::Text($builder) => $do,
            Values::Binary($builder) => $do,
            Values::Date($builder) => $do,
            Values::Time($builder) => $do,
            Values::Timestamp($builder) => $do,
        }
    };
}

impl Values {
    /// Returns an empty builder for columns of type `kind`.
    pub(super) fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::BigInt => Self::Integer(Int64Builder::new()),
            ColumnType::Decimal { .. } => {
                Self::Decimal(Decimal128Builder::new().with_data_type(arrow_types::data_type(kind)))
            }
            ColumnType::Double => Self::Double(Float64Builder::new()),
            ColumnType::Text | ColumnType::Uuid | ColumnType::Json => {
                Self::Text(StringBuilder::new())
            }
            ColumnType::Binary => Self::Binary(BinaryBuilder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ColumnType::Timestamp | ColumnType::TimestampTz => Self::Timestamp(
                TimestampMicrosecondBuilder::new().with_data_type(arrow_types::data_type(kind)),
            ),
        }
    }

    /// Returns how many rows it has.
    pub(super) fn len(&self) -> usize {
        each!(self, builder => builder.len())
    }

    /// Fills up with nulls until it has `rows` rows.
    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len());
        if missing > 0 {
            each!(self, builder => builder.append_nulls(missing));
        }
    }

    /// Returns what was collected and starts again, empty.
    pub(super) fn finish(&mut self) -> ArrayRef {
        each!(self, builder => Arc::new(builder.finish()))
    }
}
