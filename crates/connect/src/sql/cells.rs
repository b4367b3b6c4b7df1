//! Values on their way into an Arrow array: one growing column, written cell by cell without an allocation for each.

use crate::arrow_types::data_type;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    NullBufferBuilder, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use domain::ColumnType;
use std::sync::Arc;

/// What a column is given room for: what it needed the time before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    rows: usize,
    bytes: usize,
}

/// Values of one fixed width.
pub(super) struct Fixed<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Default> Fixed<T> {
    fn new(rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    #[inline]
    fn push_null(&mut self) {
        self.values.push(T::default());
        self.nulls.append_null();
    }
}

/// Texts or bytes, one behind the other.
pub(super) struct Bytes {
    joined: Vec<u8>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Bytes {
    fn new(room: Room) -> Self {
        let mut ends = Vec::with_capacity(room.rows + 1);
        ends.push(0);
        let nulls = NullBufferBuilder::new(room.rows);
        Self {
            joined: Vec::with_capacity(room.bytes),
            ends,
            nulls,
        }
    }

    /// Appends a value; the caller keeps a batch far below 2 GiB.
    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) {
        self.joined.extend_from_slice(value);
        self.close();
        self.nulls.append_non_null();
    }

    #[inline]
    fn push_null(&mut self) {
        self.close();
        self.nulls.append_null();
    }

    #[inline]
    fn close(&mut self) {
        // An end beyond 2 GiB is wrong here; `parts` refuses the column then.
        self.ends
            .push(i32::try_from(self.joined.len()).unwrap_or(i32::MAX));
    }
}

/// One column's cells. Which variant it is follows from the column's type alone.
pub(super) enum Cells {
    Boolean(Fixed<bool>),
    BigInt(Fixed<i64>),
    Double(Fixed<f64>),
    Decimal(Fixed<i128>),
    /// Days since 1970.
    Date(Fixed<i32>),
    /// Microseconds since midnight or since 1970.
    Micros(Fixed<i64>),
    /// Text, UUID and JSON; checked to be UTF-8 once per batch.
    Text(Bytes),
    Binary(Bytes),
}

impl Cells {
    /// Returns an empty column for values of `kind`.
    pub(super) fn new(kind: ColumnType, room: Room) -> Self {
        match kind {
            ColumnType::Boolean => Self::Boolean(Fixed::new(room.rows)),
            ColumnType::BigInt => Self::BigInt(Fixed::new(room.rows)),
            ColumnType::Decimal { .. } => Self::Decimal(Fixed::new(room.rows)),
            ColumnType::Double => Self::Double(Fixed::new(room.rows)),
            ColumnType::Text | ColumnType::Uuid | ColumnType::Json => Self::Text(Bytes::new(room)),
            ColumnType::Binary => Self::Binary(Bytes::new(room)),
            ColumnType::Date => Self::Date(Fixed::new(room.rows)),
            ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampTz => {
                Self::Micros(Fixed::new(room.rows))
            }
        }
    }

    fn room(&self) -> Room {
        match self {
            Self::Boolean(cells) => Room {
                rows: cells.values.len(),
                bytes: 0,
            },
            Self::BigInt(cells) | Self::Micros(cells) => Room {
                rows: cells.values.len(),
                bytes: 0,
            },
            Self::Double(cells) => Room {
                rows: cells.values.len(),
                bytes: 0,
            },
            Self::Decimal(cells) => Room {
                rows: cells.values.len(),
                bytes: 0,
            },
            Self::Date(cells) => Room {
                rows: cells.values.len(),
                bytes: 0,
            },
            Self::Text(cells) | Self::Binary(cells) => Room {
                rows: cells.ends.len(),
                bytes: cells.joined.len(),
            },
        }
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Boolean(cells) => cells.push_null(),
            Self::BigInt(cells) | Self::Micros(cells) => cells.push_null(),
            Self::Double(cells) => cells.push_null(),
            Self::Decimal(cells) => cells.push_null(),
            Self::Date(cells) => cells.push_null(),
            Self::Text(cells) | Self::Binary(cells) => cells.push_null(),
        }
    }

    /// Returns the cells as an array of `kind` and starts anew.
    pub(super) fn finish(&mut self, kind: ColumnType) -> Result<ArrayRef, ArrowError> {
        let mut full = std::mem::replace(self, Self::new(kind, self.room()));
        Ok(match &mut full {
            Self::Boolean(cells) => {
                let nulls = cells.nulls.finish();
                Arc::new(BooleanArray::new(
                    std::mem::take(&mut cells.values).into(),
                    nulls,
                ))
            }
            Self::BigInt(cells) => {
                let nulls = cells.nulls.finish();
                Arc::new(Int64Array::try_new(
                    std::mem::take(&mut cells.values).into(),
                    nulls,
                )?)
            }
            Self::Double(cells) => {
                let nulls = cells.nulls.finish();
                Arc::new(Float64Array::try_new(
                    std::mem::take(&mut cells.values).into(),
                    nulls,
                )?)
            }
            Self::Decimal(cells) => {
                let nulls = cells.nulls.finish();
                let values = std::mem::take(&mut cells.values).into();
                let array = Decimal128Array::try_new(values, nulls)?;
                Arc::new(array.with_data_type(data_type(kind)))
            }
            Self::Date(cells) => {
                let nulls = cells.nulls.finish();
                Arc::new(Date32Array::try_new(
                    std::mem::take(&mut cells.values).into(),
                    nulls,
                )?)
            }
            Self::Micros(cells) => {
                let nulls = cells.nulls.finish();
                micros(kind, std::mem::take(&mut cells.values).into(), nulls)?
            }
            Self::Text(cells) => {
                let (ends, bytes) = cells.parts()?;
                Arc::new(StringArray::try_new(ends, bytes, cells.nulls.finish())?)
            }
            Self::Binary(cells) => {
                let (ends, bytes) = cells.parts()?;
                Arc::new(BinaryArray::try_new(ends, bytes, cells.nulls.finish())?)
            }
        })
    }
}

impl Bytes {
    fn parts(&mut self) -> Result<(OffsetBuffer<i32>, Buffer), ArrowError> {
        if i32::try_from(self.joined.len()).is_err() {
            return Err(ArrowError::OffsetOverflowError(self.joined.len()));
        }
        let ends = ScalarBuffer::from(std::mem::take(&mut self.ends));
        Ok((
            OffsetBuffer::new(ends),
            Buffer::from_vec(std::mem::take(&mut self.joined)),
        ))
    }
}

fn micros(
    kind: ColumnType,
    values: ScalarBuffer<i64>,
    nulls: Option<arrow::buffer::NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    if kind == ColumnType::Time {
        return Ok(Arc::new(Time64MicrosecondArray::try_new(values, nulls)?));
    }
    let array = TimestampMicrosecondArray::try_new(values, nulls)?;
    Ok(match kind {
        ColumnType::TimestampTz => Arc::new(array.with_timezone("UTC")),
        _ => Arc::new(array),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_more_than_two_gibibytes_is_refused() {
        let mut column = Bytes::new(Room::default());
        // Zeros from the system: no memory is touched.
        column.joined = vec![0; i32::MAX as usize + 1];
        column.push(b"");
        let finished = Cells::Binary(column).finish(ColumnType::Binary);
        assert!(matches!(finished, Err(ArrowError::OffsetOverflowError(_))));
    }
}
