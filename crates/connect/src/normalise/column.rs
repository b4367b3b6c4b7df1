//! One column while its values are collected: it takes a value if its type holds it exactly.
//!
//! Until a column's first batch is handed out its type is still open, so that the whole batch decides and not its first row:
//! integers become doubles or wide decimals where every value so far allows it, and texts become timestamps only if all are.
//! In a survey it stays open over all batches, and what earlier ones rule out is remembered.

use super::numbers::{self, Number};
use super::scalar::{BIG, Scalar};
use super::values::Values;
use arrow::array::{ArrayRef, AsArray, Decimal128Builder, Float64Builder, Int64Array};
use arrow::datatypes::Int64Type;
use domain::calendar::{parse_date, parse_time, parse_timestamp};
use domain::{Column as Described, ColumnType};
use serde_json::Value;

/// A column that is being filled.
pub(super) struct Column {
    name: String,
    kind: ColumnType,
    values: Values,
    stage: Stage,
    /// For an undecided text column: every text so far is a full timestamp.
    all_timestamps: bool,
    /// For a surveyed column of integers: an earlier batch has one that no double holds.
    has_inexact: bool,
}

/// How long a column's type may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No longer: the warehouse has the column, or a batch with it was handed out.
    Decided,
    FirstBatch,
    Survey,
}

/// The column's type does not hold the value.
pub(super) struct Misfit;

impl Column {
    /// Returns an empty column of a type that must stay.
    pub(super) fn decided(name: String, kind: ColumnType) -> Self {
        Self::new(name, kind, Stage::Decided)
    }

    /// Returns an empty column whose type may still change with its first batch.
    pub(super) fn open(name: String, kind: ColumnType) -> Self {
        Self::new(name, kind, Stage::FirstBatch)
    }

    /// Returns an empty column whose type may change with every batch.
    pub(super) fn surveyed(name: String, kind: ColumnType) -> Self {
        Self::new(name, kind, Stage::Survey)
    }

    fn new(name: String, kind: ColumnType, stage: Stage) -> Self {
        Self {
            name,
            kind,
            values: Values::new(kind),
            stage,
            all_timestamps: true,
            has_inexact: false,
        }
    }

    pub(super) fn is_surveyed(&self) -> bool {
        self.stage == Stage::Survey
    }

    pub(super) const fn kind(&self) -> ColumnType {
        self.kind
    }

    /// Puts `scalar` into row `row`.
    pub(super) fn write(&mut self, row: usize, scalar: Scalar<'_>) -> Result<(), Misfit> {
        if self.stage != Stage::Decided {
            self.reconsider(scalar);
        }
        self.values.pad(row);
        match (&mut self.values, scalar) {
            (Values::Text(texts), scalar) => match self.kind {
                ColumnType::Json => texts.append_value(json(scalar)),
                ColumnType::Uuid if !is_uuid(scalar) => return Err(Misfit),
                _ => texts.append_value(scalar.as_text()),
            },
            (Values::Boolean(booleans), Scalar::Boolean(boolean)) => booleans.append_value(boolean),
            (Values::Integer(integers), Scalar::Number(number, _)) => {
                integers.append_value(integer(number).ok_or(Misfit)?);
            }
            (Values::Double(doubles), Scalar::Number(number, _)) => {
                doubles.append_value(double(number).ok_or(Misfit)?);
            }
            (Values::Decimal(decimals), Scalar::Number(_, text)) => {
                let ColumnType::Decimal { precision, scale } = self.kind else {
                    return Err(Misfit);
                };
                decimals.append_value(numbers::decimal(text, precision, scale).ok_or(Misfit)?);
            }
            (Values::Timestamp(timestamps), Scalar::Text(text)) => {
                let instant = parse_timestamp(text.as_bytes()).ok_or(Misfit)?;
                // A zone must not be dropped; a missing one counts as UTC, as in dlt.
                if instant.has_zone && self.kind == ColumnType::Timestamp {
                    return Err(Misfit);
                }
                timestamps.append_value(instant.micros);
            }
            (Values::Date(dates), Scalar::Text(text)) => {
                dates.append_value(parse_date(text.as_bytes()).ok_or(Misfit)?);
            }
            (Values::Time(clock), Scalar::Text(text)) => {
                clock.append_value(parse_time(text.as_bytes()).ok_or(Misfit)?);
            }
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// Puts any JSON value into row `row` of a JSON column; the bytes written are returned.
    pub(super) fn write_json(&mut self, row: usize, value: &Value) -> usize {
        self.values.pad(row);
        let text = value.to_string();
        match &mut self.values {
            Values::Text(texts) => texts.append_value(&text),
            other => other.pad(row + 1),
        }
        text.len()
    }

    /// Lets an undecided column take the type that `scalar` needs, where nothing so far is lost by it.
    fn reconsider(&mut self, scalar: Scalar<'_>) {
        match (self.kind, scalar) {
            (ColumnType::Text, scalar) => {
                self.all_timestamps = self.all_timestamps
                    && matches!(scalar, Scalar::Text(text) if parse_timestamp(text.as_bytes()).is_some());
            }
            (ColumnType::BigInt, Scalar::Number(Number::Double(double), _))
                if numbers::exact_integer(double).is_none() =>
            {
                self.become_double();
            }
            (ColumnType::BigInt, Scalar::Number(Number::Big, text))
                if numbers::decimal(text, 38, 0).is_some() =>
            {
                self.become_big();
            }
            _ => {}
        }
    }

    fn become_double(&mut self) {
        let collected = self.values.finish();
        let integers = collected.as_primitive::<Int64Type>();
        if self.has_inexact || has_inexact(integers) {
            self.values = refill(integers.iter());
            return;
        }
        let mut doubles = Float64Builder::new();
        let exact = integers
            .iter()
            .map(|integer| integer.and_then(numbers::exact_double));
        exact.for_each(|double| doubles.append_option(double));
        (self.values, self.kind) = (Values::Double(doubles), ColumnType::Double);
    }

    fn become_big(&mut self) {
        let collected = self.values.finish();
        let mut decimals =
            Decimal128Builder::new().with_data_type(crate::arrow_types::data_type(BIG));
        for integer in collected.as_primitive::<Int64Type>() {
            decimals.append_option(integer.map(i128::from));
        }
        (self.values, self.kind) = (Values::Decimal(decimals), BIG);
    }

    /// Decides the type unless it is surveyed, and returns the column's description and its values for `rows` rows.
    pub(super) fn finish(&mut self, rows: usize) -> (Described, ArrayRef) {
        self.values.pad(rows);
        let mut array = self.values.finish();
        let mut kind = self.kind;
        if self.stage != Stage::Decided && kind == ColumnType::Text && self.all_timestamps {
            array = instants(&array);
            kind = ColumnType::TimestampTz;
        }
        match self.stage {
            Stage::Decided => {}
            Stage::FirstBatch => {
                self.stage = Stage::Decided;
                if kind != self.kind {
                    (self.kind, self.values) = (kind, Values::new(kind));
                }
            }
            Stage::Survey => {
                let integers = array.as_primitive_opt::<Int64Type>();
                self.has_inexact |= integers.is_some_and(has_inexact);
            }
        }
        (Described::new(&self.name, kind), array)
    }
}

/// Returns whether a double would say something else than one of `integers`.
fn has_inexact(integers: &Int64Array) -> bool {
    let mut values = integers.iter().flatten();
    values.any(|integer| numbers::exact_double(integer).is_none())
}

fn refill(integers: impl Iterator<Item = Option<i64>>) -> Values {
    let mut values = Values::new(ColumnType::BigInt);
    if let Values::Integer(builder) = &mut values {
        integers.for_each(|integer| builder.append_option(integer));
    }
    values
}

fn instants(texts: &ArrayRef) -> ArrayRef {
    let mut values = Values::new(ColumnType::TimestampTz);
    if let Values::Timestamp(builder) = &mut values {
        for text in texts.as_string::<i32>() {
            builder.append_option(
                text.and_then(|text| parse_timestamp(text.as_bytes()))
                    .map(|instant| instant.micros),
            );
        }
    }
    values.finish()
}

fn integer(number: Number) -> Option<i64> {
    match number {
        Number::Integer(integer) => Some(integer),
        Number::Double(double) => numbers::exact_integer(double),
        Number::Big | Number::Inexact => None,
    }
}

fn double(number: Number) -> Option<f64> {
    match number {
        Number::Integer(integer) => numbers::exact_double(integer),
        Number::Double(double) => Some(double),
        Number::Big | Number::Inexact => None,
    }
}

/// Returns a scalar as JSON writes it.
fn json(scalar: Scalar<'_>) -> String {
    match scalar {
        Scalar::Text(text) => Value::from(text).to_string(),
        other => other.as_text().to_owned(),
    }
}

fn is_uuid(scalar: Scalar<'_>) -> bool {
    let Scalar::Text(text) = scalar else {
        return false;
    };
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            // Lower case only: the warehouse gives lower case back, and a value must not change.
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
