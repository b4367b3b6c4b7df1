//! A JSON value that fills one cell.

use super::numbers::{self, Number};
use domain::ColumnType;
use serde_json::Value;

/// The widest whole number a column can hold besides BIGINT.
pub(super) const BIG: ColumnType = ColumnType::Decimal {
    precision: 38,
    scale: 0,
};

/// A value that is neither null nor a container.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    Boolean(bool),
    /// A number, and how it was written.
    Number(Number, &'a str),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Returns `value` as a scalar, `None` for null, lists and objects.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Value::Number(number) => Some(Self::Number(
                numbers::classify(number.as_str()),
                number.as_str(),
            )),
            Value::String(text) => Some(Self::Text(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Returns the type of a new column whose first value this is; `None` for a number that only text holds, because one
    /// such number must not decide for all others.
    pub(super) fn column_type(&self) -> Option<ColumnType> {
        match self {
            Self::Boolean(_) => Some(ColumnType::Boolean),
            Self::Number(Number::Integer(_), _) => Some(ColumnType::BigInt),
            Self::Number(Number::Double(_), _) => Some(ColumnType::Double),
            Self::Number(Number::Big, text) => numbers::decimal(text, 38, 0).map(|_| BIG),
            Self::Number(Number::Inexact, _) => None,
            Self::Text(_) => Some(ColumnType::Text),
        }
    }

    /// Returns the value as text, as JSON writes it (a text without its quotes).
    pub(super) fn as_text(&self) -> &'a str {
        match self {
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(_, text) | Self::Text(text) => text,
        }
    }

    /// Returns the bytes the value takes, for deciding when a batch is full.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => 8 + text.len(),
            Self::Boolean(_) | Self::Number(..) => 8,
        }
    }
}
