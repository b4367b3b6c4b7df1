//! Values as JSON.

use super::{text, with_unique_names};
use crate::duck::ResultColumn;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde_json::{Map, Number, Value};
use std::str::FromStr;

/// Returns the value in `row` of `array`.
pub fn value(array: &dyn Array, row: usize) -> Value {
    // A union keeps the validity of its members only.
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Float32 => float(
            f64::from(array.as_primitive::<Float32Type>().value(row)),
            array,
            row,
        ),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row), array, row),
        kind if kind.is_integer() || matches!(kind, DataType::Decimal128(..)) => number(array, row),
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let members = fields.iter().zip(array.columns());
            // Those of `row(1, 2)` have no names to be told apart by.
            if fields.iter().all(|field| field.name().is_empty()) {
                return Value::Array(members.map(|(_, column)| value(column, row)).collect());
            }
            Value::Object(
                members
                    .map(|(field, column)| (field.name().clone(), value(column, row)))
                    .collect(),
            )
        }
        DataType::Map(..) => map(array, row),
        DataType::Union(..) => {
            let array = array.as_union();
            value(array.child(array.type_id(row)), array.value_offset(row))
        }
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary();
            array
                .normalized_keys()
                .get(row)
                .map_or(Value::Null, |key| value(array.values(), *key))
        }
        _ => Value::String(text_of(array, row)),
    }
}

fn text_of(array: &dyn Array, row: usize) -> String {
    let mut out = String::new();
    text::append(array, row, &mut out);
    out
}

/// Returns the digits as a number: with arbitrary precision none is lost.
fn number(array: &dyn Array, row: usize) -> Value {
    let digits = text_of(array, row);
    Number::from_str(&digits).map_or(Value::String(digits), Value::Number)
}

/// JSON has no word for what is no finite number.
fn float(finite: f64, array: &dyn Array, row: usize) -> Value {
    if finite.is_finite() {
        number(array, row)
    } else {
        Value::String(text_of(array, row))
    }
}

fn list(items: &ArrayRef) -> Value {
    Value::Array((0..items.len()).map(|row| value(items, row)).collect())
}

fn map(array: &dyn Array, row: usize) -> Value {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    let rows = 0..entries.len();
    if matches!(
        keys.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    ) {
        return Value::Object(
            rows.map(|row| (text_of(keys, row), value(values, row)))
                .collect(),
        );
    }
    let entry = |row| {
        let pair = [("key", value(keys, row)), ("value", value(values, row))];
        Value::Object(
            pair.into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    };
    Value::Array(rows.map(entry).collect())
}

/// Returns the value of a column; a JSON column's text becomes the value it stands for.
fn of_column(array: &ArrayRef, row: usize, column: &ResultColumn) -> Value {
    let value = value(array, row);
    match value {
        Value::String(text) if column.type_name == "JSON" => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        other => other,
    }
}

/// Appends each row as an object.
pub fn append_objects(
    batch: &RecordBatch,
    columns: &[ResultColumn],
    objects: &mut Vec<Map<String, Value>>,
) {
    let columns = with_unique_names(columns);
    objects.extend((0..batch.num_rows()).map(|row| object(batch, row, &columns)));
}

fn object(batch: &RecordBatch, row: usize, columns: &[ResultColumn]) -> Map<String, Value> {
    let cells = batch.columns().iter().zip(columns);
    cells
        .map(|(array, column)| (column.name.clone(), of_column(array, row, column)))
        .collect()
}

/// Appends each row as a line, or as an element of the array that was opened before.
pub(super) fn append_rows(
    batch: &RecordBatch,
    columns: &[ResultColumn],
    lines: bool,
    is_first: &mut bool,
    out: &mut String,
) {
    for row in 0..batch.num_rows() {
        let object = Value::Object(object(batch, row, columns)).to_string();
        match (lines, *is_first) {
            (true, _) => {}
            (false, true) => out.push('\n'),
            (false, false) => out.push_str(",\n"),
        }
        out.push_str(&object);
        if lines {
            out.push('\n');
        }
        *is_first = false;
    }
}
