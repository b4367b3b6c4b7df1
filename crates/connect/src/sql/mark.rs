//! Values that rows are ordered by: the last row's key and the highest cursor, and how they are written down so that the
//! database reads the same value back.

use super::calendar::{is_common, write_date, write_timestamp};
use super::choice::Lookback;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use domain::ColumnType;
use domain::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND, days_from_civil};

/// One value of a key or cursor column. Values of one column compare as the database compares them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    BigInt(i64),
    /// Unscaled; a column has one scale.
    Decimal(i128, u8),
    Date(i32),
    Timestamp(i64),
    TimestampTz(i64),
    /// Text and UUID, by bytes.
    Text(String),
    Binary(Vec<u8>),
}

impl Mark {
    /// Returns the value in row `row`; `None` when it is null, or when the database would not read it back: an infinite
    /// time, or a year that does not have four digits.
    pub(super) fn at(array: &ArrayRef, kind: ColumnType, row: usize) -> Option<Self> {
        if row >= array.len() || array.is_null(row) {
            return None;
        }
        let mark = match kind {
            ColumnType::BigInt => Self::BigInt(value::<Int64Type>(array, row)?),
            ColumnType::Decimal { scale, .. } => {
                Self::Decimal(value::<Decimal128Type>(array, row)?, scale)
            }
            ColumnType::Date => Self::Date(value::<Date32Type>(array, row)?),
            ColumnType::Timestamp => {
                Self::Timestamp(value::<TimestampMicrosecondType>(array, row)?)
            }
            ColumnType::TimestampTz => {
                Self::TimestampTz(value::<TimestampMicrosecondType>(array, row)?)
            }
            ColumnType::Text | ColumnType::Uuid => {
                Self::Text(array.as_string_opt::<i32>()?.value(row).to_owned())
            }
            ColumnType::Binary => Self::Binary(array.as_binary_opt::<i32>()?.value(row).to_owned()),
            _ => return None,
        };
        mark.is_writable().then_some(mark)
    }

    /// Returns the highest value of `array` that can be written down and lies below `horizon`.
    pub(super) fn highest(
        array: &ArrayRef,
        kind: ColumnType,
        horizon: Option<&Self>,
    ) -> Option<Self> {
        if matches!(kind, ColumnType::Text | ColumnType::Uuid) {
            // Found by reference: a copy of every text would cost more than reading it did.
            return array
                .as_string_opt::<i32>()?
                .iter()
                .flatten()
                .max()
                .map(|t| Self::Text(t.to_owned()));
        }
        (0..array.len())
            .filter_map(|row| Self::at(array, kind, row))
            .filter(|mark| horizon.is_none_or(|horizon| mark < horizon))
            .max()
    }

    /// Returns the instant `micros` as a value of a cursor of `kind`, its day for a date; `None` when such a cursor holds no
    /// times.
    pub(super) fn from_instant(micros: i64, kind: ColumnType) -> Option<Self> {
        Some(match kind {
            ColumnType::Timestamp => Self::Timestamp(micros),
            ColumnType::TimestampTz => Self::TimestampTz(micros),
            ColumnType::Date => Self::Date(i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?),
            _ => return None,
        })
    }

    /// Returns the value `lookback` below; text has nothing below it that could be named.
    pub(super) fn lowered(self, lookback: Option<Lookback>) -> Self {
        let Some(Lookback::Amount(amount) | Lookback::Seconds(amount)) = lookback else {
            return self;
        };
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        let micros = amount.saturating_mul(MICROS_PER_SECOND);
        let first = days_from_civil(1, 1, 1);
        let instant = |at: i64| at.saturating_sub(micros).max(first * MICROS_PER_DAY);
        match self {
            Self::BigInt(number) => Self::BigInt(number.saturating_sub(amount)),
            Self::Decimal(unscaled, scale) => {
                let amount =
                    i128::from(amount).saturating_mul(10_i128.saturating_pow(u32::from(scale)));
                Self::Decimal(unscaled.saturating_sub(amount), scale)
            }
            Self::Date(days) => {
                let lower = instant(i64::from(days) * MICROS_PER_DAY).div_euclid(MICROS_PER_DAY);
                Self::Date(i32::try_from(lower).unwrap_or(days))
            }
            Self::Timestamp(at) => Self::Timestamp(instant(at)),
            Self::TimestampTz(at) => Self::TimestampTz(instant(at)),
            text @ (Self::Text(_) | Self::Binary(_)) => text,
        }
    }

    fn is_writable(&self) -> bool {
        match self {
            Self::Date(days) => is_common(i64::from(*days)),
            Self::Timestamp(micros) | Self::TimestampTz(micros) => {
                is_common(micros.div_euclid(MICROS_PER_DAY))
            }
            Self::BigInt(_) | Self::Decimal(..) | Self::Text(_) | Self::Binary(_) => true,
        }
    }

    /// Reads what [`Mark::write`] wrote for a column of `kind`; `None` when it is something else.
    pub(super) fn read(text: &str, kind: ColumnType) -> Option<Self> {
        use super::calendar::{read_date, read_timestamp};
        Some(match kind {
            ColumnType::BigInt => Self::BigInt(text.parse().ok()?),
            ColumnType::Decimal { scale, .. } => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                if fraction.len() > usize::from(scale) {
                    return None;
                }
                let digits = format!("{whole}{fraction:0<width$}", width = usize::from(scale));
                Self::Decimal(digits.parse().ok()?, scale)
            }
            ColumnType::Date => Self::Date(i32::try_from(read_date(text.as_bytes())?).ok()?),
            ColumnType::Timestamp => Self::Timestamp(read_timestamp(text.as_bytes())?),
            ColumnType::TimestampTz => {
                Self::TimestampTz(read_timestamp(text.strip_suffix("+00")?.as_bytes())?)
            }
            ColumnType::Text | ColumnType::Uuid => Self::Text(text.to_owned()),
            ColumnType::Binary => Self::Binary(read_hex(text)?),
            _ => return None,
        })
    }

    /// Writes the value as the databases write it; times with a zone are in UTC and say so.
    pub(super) fn write(&self) -> String {
        match self {
            Self::BigInt(number) => number.to_string(),
            Self::Decimal(unscaled, scale) => write_decimal(*unscaled, *scale),
            Self::Date(days) => write_date(i64::from(*days)),
            Self::Timestamp(micros) => write_timestamp(i128::from(*micros), ""),
            Self::TimestampTz(micros) => write_timestamp(i128::from(*micros), "+00"),
            Self::Text(text) => text.clone(),
            Self::Binary(bytes) => write_hex(bytes),
        }
    }
}

fn write_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if text.len().is_multiple_of(2) {
        pairs.map(byte).collect()
    } else {
        None
    }
}

fn value<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<T::Native> {
    array
        .as_primitive_opt::<T>()
        .map(|array: &PrimitiveArray<T>| array.value(row))
}

fn write_decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let width = usize::from(scale) + 1;
    let digits = format!("{:0>width$}", unscaled.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use std::sync::Arc;

    #[test]
    fn the_highest_value_ignores_nulls_and_infinite_times() {
        let check = |array: ArrayRef, kind, expect: Option<&str>| {
            let highest = Mark::highest(&array, kind, None).map(|mark| mark.write());
            assert_eq!(highest.as_deref(), expect, "{array:?}");
        };
        let times = vec![Some(0), None, Some(i64::MAX), Some(1_500_000)];
        check(
            Arc::new(Int64Array::from(vec![Some(3), None, Some(-7)])),
            ColumnType::BigInt,
            Some("3"),
        );
        check(
            Arc::new(TimestampMicrosecondArray::from(times)),
            ColumnType::Timestamp,
            Some("1970-01-01 00:00:01.500000"),
        );
        check(
            Arc::new(Date32Array::from(vec![i32::MAX])),
            ColumnType::Date,
            None,
        );
        check(
            Arc::new(StringArray::from(vec!["B", "a", "C"])),
            ColumnType::Text,
            Some("a"),
        );
        check(
            Arc::new(Int64Array::from(Vec::<i64>::new())),
            ColumnType::BigInt,
            None,
        );
    }

    #[test]
    fn a_look_back_lowers_times_and_numbers() {
        let check = |mark: Mark, lookback, expect: &str| {
            assert_eq!(mark.lowered(Some(lookback)).write(), expect);
        };
        check(Mark::BigInt(5), Lookback::Amount(7), "-2");
        check(Mark::Decimal(250, 2), Lookback::Amount(1), "1.50");
        check(Mark::Date(1), Lookback::Seconds(1), "1970-01-01");
        check(
            Mark::Timestamp(0),
            Lookback::Seconds(1),
            "1969-12-31 23:59:59",
        );
        check(
            Mark::Timestamp(0),
            Lookback::Seconds(u64::MAX),
            "0001-01-01 00:00:00",
        );
        check(Mark::Text("a".into()), Lookback::Amount(1), "a");
    }

    #[test]
    fn a_mark_is_read_back_as_it_was_written() {
        let decimal = ColumnType::Decimal {
            precision: 5,
            scale: 2,
        };
        for (mark, kind, text) in [
            (Mark::BigInt(-5), ColumnType::BigInt, "-5"),
            (Mark::Decimal(-5, 2), decimal, "-0.05"),
            (Mark::Decimal(12_345, 2), decimal, "123.45"),
            (Mark::Date(1), ColumnType::Date, "1970-01-02"),
            (
                Mark::TimestampTz(1),
                ColumnType::TimestampTz,
                "1970-01-01 00:00:00.000001+00",
            ),
            (Mark::Text("a'b".into()), ColumnType::Text, "a'b"),
            (Mark::Binary(vec![0, 255]), ColumnType::Binary, "00ff"),
        ] {
            assert_eq!(mark.write(), text);
            assert_eq!(Mark::read(text, kind), Some(mark), "{text}");
        }
        assert_eq!(Mark::read("soon", ColumnType::Timestamp), None);
    }
}
