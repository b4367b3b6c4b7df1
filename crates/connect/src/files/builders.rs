//! Arrow columns built from the cells of a delimited file.

use super::cell::{parse_boolean, parse_decimal, parse_integer};
use super::records::{Dialect, Form, Span, unescape};
use super::rows::{Nulls, raw};
use crate::arrow_types;
use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, NullBufferBuilder,
    StringArray, TimestampMicrosecondBuilder, new_null_array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use domain::ColumnType;
use domain::calendar::{MICROS_PER_DAY, parse_date, parse_timestamp};
use std::sync::Arc;

/// A column under construction.
pub(crate) enum Builder {
    Boolean(BooleanBuilder),
    BigInt(Int64Builder),
    Decimal {
        builder: Decimal128Builder,
        precision: u8,
        scale: u8,
    },
    Date(Date32Builder),
    Timestamp {
        builder: TimestampMicrosecondBuilder,
        zoned: bool,
    },
    Text(Texts),
    /// A type that cells of text never get: the table has it from files of another format, and this file has no value.
    Blank {
        kind: ColumnType,
        rows: usize,
    },
}

/// Where the cells come from.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) nulls: &'a Nulls,
    pub(crate) dialect: Dialect,
}

impl Builder {
    /// Returns an empty column with room for `rows` rows.
    pub(crate) fn new(kind: ColumnType, rows: usize) -> Self {
        match kind {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnType::BigInt => Self::BigInt(Int64Builder::with_capacity(rows)),
            ColumnType::Decimal { precision, scale } => {
                // The array gets its type at the end, where an impossible one is an error.
                let builder = Decimal128Builder::with_capacity(rows);
                Self::Decimal {
                    builder,
                    precision,
                    scale,
                }
            }
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(rows)),
            ColumnType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::with_capacity(rows);
                Self::Timestamp {
                    builder,
                    zoned: false,
                }
            }
            ColumnType::TimestampTz => {
                let builder = TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
                Self::Timestamp {
                    builder,
                    zoned: true,
                }
            }
            ColumnType::Text => Self::Text(Texts::new(rows)),
            kind => Self::Blank { kind, rows: 0 },
        }
    }

    /// Appends cells; the first one that is not of the column's type is given back.
    pub(crate) fn extend<'s>(
        &mut self,
        spans: impl Iterator<Item = &'s Span>,
        cells: Cells<'_>,
    ) -> Result<(), Span> {
        match self {
            Self::Boolean(out) => values(spans, cells, parse_boolean, |v| out.append_option(v)),
            Self::BigInt(out) => values(spans, cells, parse_integer, |v| out.append_option(v)),
            Self::Decimal {
                builder,
                precision,
                scale,
            } => {
                let parse = |cell: &[u8]| parse_decimal(cell, *precision, *scale);
                values(spans, cells, parse, |v| builder.append_option(v))
            }
            Self::Date(out) => values(spans, cells, parse_date, |v| out.append_option(v)),
            Self::Timestamp {
                builder,
                zoned: true,
            } => {
                let parse = |cell: &[u8]| parse_in_zone(cell, true);
                values(spans, cells, parse, |v| builder.append_option(v))
            }
            Self::Timestamp {
                builder,
                zoned: false,
            } => values(spans, cells, parse_local, |v| builder.append_option(v)),
            Self::Text(out) => {
                spans.for_each(|span| out.append(span, cells));
                Ok(())
            }
            Self::Blank { rows, .. } => values(spans, cells, |_| None::<()>, |_| *rows += 1),
        }
    }

    /// Appends `count` NULLs.
    pub(crate) fn extend_null(&mut self, count: usize) {
        match self {
            Self::Boolean(out) => out.append_nulls(count),
            Self::BigInt(out) => out.append_nulls(count),
            Self::Decimal { builder, .. } => builder.append_nulls(count),
            Self::Date(out) => out.append_nulls(count),
            Self::Timestamp { builder, .. } => builder.append_nulls(count),
            Self::Text(out) => (0..count).for_each(|_| out.append_null()),
            Self::Blank { rows, .. } => *rows += count,
        }
    }

    /// Returns the column.
    pub(crate) fn finish(self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(mut out) => Arc::new(out.finish()),
            Self::BigInt(mut out) => Arc::new(out.finish()),
            Self::Decimal {
                mut builder,
                precision,
                scale,
            } => {
                let scale = i8::try_from(scale).unwrap_or(i8::MAX);
                Arc::new(
                    builder
                        .finish()
                        .with_precision_and_scale(precision, scale)?,
                )
            }
            Self::Date(mut out) => Arc::new(out.finish()),
            Self::Timestamp { mut builder, .. } => Arc::new(builder.finish()),
            Self::Text(out) => out.finish()?,
            Self::Blank { kind, rows } => new_null_array(&arrow_types::data_type(kind), rows),
        })
    }
}

/// Appends the values of cells; a quoted cell with nothing in it is NULL in a column that is not text.
#[inline]
fn values<'s, T>(
    spans: impl Iterator<Item = &'s Span>,
    cells: Cells<'_>,
    parse: impl Fn(&[u8]) -> Option<T>,
    mut append: impl FnMut(Option<T>),
) -> Result<(), Span> {
    for span in spans {
        let cell = raw(cells.bytes, span);
        if cell.is_empty() || cells.nulls.contain(cell, span.form) {
            append(None);
        } else {
            append(Some(parse(cell).ok_or(*span)?));
        }
    }
    Ok(())
}

/// A date in a column of timestamps is its midnight.
fn parse_local(cell: &[u8]) -> Option<i64> {
    if cell.len() == 10 {
        return Some(i64::from(parse_date(cell)?) * MICROS_PER_DAY);
    }
    parse_in_zone(cell, false)
}

/// Returns the microseconds of a timestamp that has a zone, or that has none.
fn parse_in_zone(cell: &[u8], has_zone: bool) -> Option<i64> {
    parse_timestamp(cell)
        .filter(|instant| instant.has_zone == has_zone)
        .map(|instant| instant.micros)
}

/// A text column. Arrow's own builder wants each value checked as UTF-8; here the chunk was checked as a whole, and the
/// finished column is checked once more.
pub(crate) struct Texts {
    values: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Texts {
    fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            values: Vec::new(),
            offsets,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    #[inline]
    fn append(&mut self, span: &Span, cells: Cells<'_>) {
        let cell = raw(cells.bytes, span);
        if cells.nulls.contain(cell, span.form) {
            return self.append_null();
        }
        if span.form == Form::Escaped {
            unescape(cell, cells.dialect, &mut self.values);
        } else {
            self.values.extend_from_slice(cell);
        }
        self.nulls.append_non_null();
        self.end();
    }

    fn append_null(&mut self) {
        self.nulls.append_null();
        self.end();
    }

    #[inline]
    fn end(&mut self) {
        // A chunk, hence a column of it, is far below 2 GB.
        self.offsets
            .push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }

    fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let values = Buffer::from_vec(self.values);
        Ok(Arc::new(StringArray::try_new(
            offsets,
            values,
            self.nulls.finish(),
        )?))
    }
}
