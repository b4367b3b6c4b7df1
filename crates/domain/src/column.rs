//! Column types and the lattice in which they widen. A value never changes silently: a type only ever widens to one that
//! holds every value of both exactly; where none exists the answer is text (files) or a variant column (JSON).

use crate::names::TableRef;
use crate::say::shown_by_display;
use serde::{Deserialize, Serialize};
use std::fmt;

/// DuckDB's widest decimal.
pub const DECIMAL_PRECISION_MAX: u8 = 38;
/// Digits of the widest 64-bit integer.
const BIGINT_DIGITS: u8 = 19;

/// The type of a warehouse column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    Boolean,
    BigInt,
    /// `precision` digits in all, `scale` of them after the point; `1 ≤ precision ≤ 38`, `scale ≤ precision`.
    Decimal {
        precision: u8,
        scale: u8,
    },
    Double,
    Text,
    Binary,
    Date,
    Time,
    /// Without a zone, in microseconds.
    Timestamp,
    /// An instant, in microseconds.
    TimestampTz,
    Uuid,
    Json,
}

impl ColumnType {
    /// Returns the type's name in DuckDB's SQL.
    pub fn to_sql(self) -> String {
        match self {
            Self::Boolean => "BOOLEAN".into(),
            Self::BigInt => "BIGINT".into(),
            Self::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
            Self::Double => "DOUBLE".into(),
            Self::Text => "VARCHAR".into(),
            Self::Binary => "BLOB".into(),
            Self::Date => "DATE".into(),
            Self::Time => "TIME".into(),
            Self::Timestamp => "TIMESTAMP".into(),
            Self::TimestampTz => "TIMESTAMP WITH TIME ZONE".into(),
            Self::Uuid => "UUID".into(),
            Self::Json => "JSON".into(),
        }
    }

    /// Returns the type that DuckDB's catalog calls `name`, `None` for one we never create (nested types, for instance).
    pub fn from_sql(name: &str) -> Option<Self> {
        Some(match name {
            "BOOLEAN" => Self::Boolean,
            "BIGINT" => Self::BigInt,
            "DOUBLE" => Self::Double,
            "VARCHAR" => Self::Text,
            "BLOB" => Self::Binary,
            "DATE" => Self::Date,
            "TIME" => Self::Time,
            "TIMESTAMP" => Self::Timestamp,
            "TIMESTAMP WITH TIME ZONE" => Self::TimestampTz,
            "UUID" => Self::Uuid,
            "JSON" => Self::Json,
            _ => {
                let arguments = name.strip_prefix("DECIMAL(")?.strip_suffix(')')?;
                let (precision, scale) = arguments.split_once(',')?;
                Self::decimal(precision.trim().parse().ok()?, scale.trim().parse().ok()?)?
            }
        })
    }

    /// Returns `DECIMAL(precision, scale)`, `None` when DuckDB has no such type.
    pub const fn decimal(precision: u8, scale: u8) -> Option<Self> {
        if precision == 0 || precision > DECIMAL_PRECISION_MAX || scale > precision {
            return None;
        }
        Some(Self::Decimal { precision, scale })
    }

    /// Returns dlt's suffix of a variant column of this type: `amount__v_text`.
    pub const fn variant_suffix(self) -> &'static str {
        match self {
            Self::Boolean => "v_bool",
            Self::BigInt => "v_bigint",
            Self::Decimal { .. } => "v_decimal",
            Self::Double => "v_double",
            Self::Text | Self::Uuid => "v_text",
            Self::Binary => "v_binary",
            Self::Date => "v_date",
            Self::Time => "v_time",
            Self::Timestamp | Self::TimestampTz => "v_timestamp",
            Self::Json => "v_json",
        }
    }

    /// Returns the narrowest type that holds every value of both exactly; text holds everything.
    pub fn widen(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::BigInt, Self::Decimal { precision, scale })
            | (Self::Decimal { precision, scale }, Self::BigInt) => {
                Self::decimal_for(BIGINT_DIGITS.max(precision - scale), scale)
            }
            (
                Self::Decimal {
                    precision: p,
                    scale: s,
                },
                Self::Decimal {
                    precision: q,
                    scale: t,
                },
            ) => Self::decimal_for((p - s).max(q - t), s.max(t)),
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    fn decimal_for(whole_digits: u8, scale: u8) -> Self {
        Self::decimal(whole_digits.saturating_add(scale), scale).unwrap_or(Self::Text)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_sql())
    }
}
shown_by_display!(ColumnType);

/// A column: its name in snake_case and its type. Every column may be null.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

impl Column {
    /// Returns a column.
    pub fn new(name: impl Into<String>, kind: ColumnType) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

/// A table: where it is, its columns in order, and the columns that identify a row (empty when none do).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    pub table: TableRef,
    pub columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<String>,
}

impl TableSchema {
    /// Returns the column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnType::*;
    use super::*;

    const fn decimal(precision: u8, scale: u8) -> ColumnType {
        Decimal { precision, scale }
    }

    #[test]
    fn types_widen_without_losing_a_value() {
        let check = |a: ColumnType, b: ColumnType, expect: ColumnType| {
            assert_eq!(a.widen(b), expect, "{a} + {b}");
            assert_eq!(b.widen(a), expect, "{b} + {a}");
        };
        check(BigInt, BigInt, BigInt);
        check(BigInt, decimal(4, 2), decimal(21, 2));
        check(decimal(38, 0), decimal(4, 2), Text);
        check(decimal(5, 2), decimal(4, 3), decimal(6, 3));
        check(BigInt, decimal(38, 30), Text);
        check(Boolean, BigInt, Text);
        check(Date, Timestamp, Timestamp);
        check(Timestamp, TimestampTz, Text);
        check(Double, BigInt, Text);
        check(Uuid, Text, Text);
    }

    #[test]
    fn every_type_is_read_back_from_its_sql_name() {
        for kind in [
            Boolean,
            BigInt,
            decimal(12, 2),
            Double,
            Text,
            Binary,
            Date,
            Time,
            Timestamp,
            TimestampTz,
            Uuid,
            Json,
        ] {
            assert_eq!(ColumnType::from_sql(&kind.to_sql()), Some(kind));
        }
        assert_eq!(ColumnType::from_sql("DECIMAL(39,2)"), None);
        assert_eq!(ColumnType::from_sql("INTEGER[]"), None);
    }
}
