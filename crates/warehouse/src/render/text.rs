//! Values as text.

use super::json;
use super::moment::{self, Unit};
use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use serde_json::Value;
use std::fmt::{Display, Write};

/// Appends the value in `row` of `array`, which must not be NULL.
pub(super) fn append(array: &dyn Array, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Boolean => put(out, array.as_boolean().value(row)),
        DataType::Int8 => put_number::<Int8Type>(array, row, out),
        DataType::Int16 => put_number::<Int16Type>(array, row, out),
        DataType::Int32 => put_number::<Int32Type>(array, row, out),
        DataType::Int64 => put_number::<Int64Type>(array, row, out),
        DataType::UInt8 => put_number::<UInt8Type>(array, row, out),
        DataType::UInt16 => put_number::<UInt16Type>(array, row, out),
        DataType::UInt32 => put_number::<UInt32Type>(array, row, out),
        DataType::UInt64 => put_number::<UInt64Type>(array, row, out),
        DataType::Float32 => {
            let number = array.as_primitive::<Float32Type>().value(row);
            append_float(f64::from(number), number, out);
        }
        DataType::Float64 => {
            let number = array.as_primitive::<Float64Type>().value(row);
            append_float(number, number, out);
        }
        DataType::Decimal128(_, scale) => {
            append_decimal(
                array.as_primitive::<Decimal128Type>().value(row),
                *scale,
                out,
            );
        }
        DataType::Binary => append_hex(array.as_binary::<i32>().value(row), out),
        DataType::LargeBinary => append_hex(array.as_binary::<i64>().value(row), out),
        DataType::BinaryView => append_hex(array.as_binary_view().value(row), out),
        DataType::FixedSizeBinary(_) => append_hex(array.as_fixed_size_binary().value(row), out),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            moment::append_interval(value.months, value.days, value.nanoseconds, out);
        }
        kind if kind.is_temporal() => append_moment(array, row, out),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..)
        | DataType::Union(..)
        | DataType::Dictionary(..) => match json::value(array, row) {
            Value::String(text) => out.push_str(&text),
            other => put(out, other),
        },
        // The engine makes no others; a later one may.
        other => put(out, format_args!("({other})")),
    }
}

fn append_moment(array: &dyn Array, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::Date32 => moment::append_date(array.as_primitive::<Date32Type>().value(row), out),
        DataType::Time64(TimeUnit::Microsecond) => {
            moment::append_time(
                array.as_primitive::<Time64MicrosecondType>().value(row),
                Unit::Micro,
                out,
            );
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            moment::append_time(
                array.as_primitive::<Time64NanosecondType>().value(row),
                Unit::Nano,
                out,
            );
        }
        DataType::Timestamp(unit, zone) => {
            let (count, unit) = match unit {
                TimeUnit::Second => (
                    array.as_primitive::<TimestampSecondType>().value(row),
                    Unit::Second,
                ),
                TimeUnit::Millisecond => (
                    array.as_primitive::<TimestampMillisecondType>().value(row),
                    Unit::Milli,
                ),
                TimeUnit::Microsecond => (
                    array.as_primitive::<TimestampMicrosecondType>().value(row),
                    Unit::Micro,
                ),
                TimeUnit::Nanosecond => (
                    array.as_primitive::<TimestampNanosecondType>().value(row),
                    Unit::Nano,
                ),
            };
            moment::append_timestamp(count, unit, zone.is_some(), out);
        }
        // The engine makes no other kinds of time.
        other => put(out, other),
    }
}

fn put_number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize, out: &mut String)
where
    T::Native: Display,
{
    put(out, array.as_primitive::<T>().value(row));
}

fn put(out: &mut String, value: impl Display) {
    // Writing into a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a float in its own width: `0.1` as a FLOAT is not `0.10000000149`. Very large and small ones get an exponent.
fn append_float(wide: f64, shown: impl Display + std::fmt::LowerExp, out: &mut String) {
    let size = wide.abs();
    if wide.is_nan() {
        out.push_str("NaN");
    } else if wide.is_infinite() {
        out.push_str(if wide > 0.0 { "Infinity" } else { "-Infinity" });
    } else if size != 0.0 && !(1e-5..1e16).contains(&size) {
        let _ = write!(out, "{shown:e}");
    } else {
        let start = out.len();
        put(out, shown);
        // A float stays recognisable as one.
        if !out.get(start..).unwrap_or_default().contains('.') {
            out.push_str(".0");
        }
    }
}

/// Appends the number `value` / 10^`scale` with all its digits.
fn append_decimal(value: i128, scale: i8, out: &mut String) {
    let scale = usize::try_from(scale).unwrap_or(0);
    if value < 0 {
        out.push('-');
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.push_str(whole);
    if scale > 0 {
        out.push('.');
        out.push_str(fraction);
    }
}

fn append_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}
