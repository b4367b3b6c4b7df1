//! How each PostgreSQL type travels and what it becomes. What is not named here travels as the text that the server itself
//! writes, so no type is refused and none is changed.

use super::super::plan::TableColumn;
use super::open_types::Need;
use domain::ColumnType;
use domain::names::quote_identifier;

/// How a value's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric {
        precision: u8,
        scale: u8,
    },
    /// Text, and every type that the select list turns into text.
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Uuid,
    /// JSON that PostgreSQL took unchecked in one respect: see [`super::copy`].
    Json,
    /// A number whose type its values will decide, and what they need once they have been looked at.
    Open(Option<Need>),
}

/// A column as the catalog describes it.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) name: String,
    /// The type, that of its base for a domain.
    pub(super) oid: u32,
    pub(super) is_enum: bool,
    /// Whether it is an array or a row.
    pub(super) is_nested: bool,
    /// The type's parameters, -1 for none.
    pub(super) modifier: i32,
}

/// What a `numeric` is declared to hold.
#[derive(Debug, PartialEq, Eq)]
enum Declared {
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// Anything, or more digits than DuckDB has.
    Open,
}

/// Returns how `described` is read. The numbers are the types' object ids, which are the same in every database
/// (`pg_type.dat`).
pub(super) fn column(described: &Described) -> TableColumn<Wire> {
    let name = quote_identifier(&described.name);
    let plain = |wire, kind, ranked_as| TableColumn {
        name: described.name.clone(),
        expression: name.clone(),
        wire,
        kind,
        ranked_as,
        is_open: false,
    };
    let text = || TableColumn {
        expression: format!("{name}::pg_catalog.text"),
        ..plain(Wire::Text, ColumnType::Text, None)
    };
    match described.oid {
        16 => plain(Wire::Bool, ColumnType::Boolean, None),
        17 => plain(Wire::Bytes, ColumnType::Binary, Some("bytea")),
        20 => plain(Wire::Int8, ColumnType::BigInt, Some("int8")),
        21 => plain(Wire::Int2, ColumnType::BigInt, Some("int2")),
        23 => plain(Wire::Int4, ColumnType::BigInt, Some("int4")),
        26 => plain(Wire::Oid, ColumnType::BigInt, Some("oid")),
        19 => plain(Wire::Text, ColumnType::Text, None),
        25 | 1043 => plain(Wire::Text, ColumnType::Text, Some("text")),
        // Not cast: a cast to text takes the padding off, which is part of the value.
        1042 => plain(Wire::Text, ColumnType::Text, Some("bpchar")),
        114 => plain(Wire::Json, ColumnType::Json, None),
        3802 => TableColumn {
            kind: ColumnType::Json,
            ..text()
        },
        700 => plain(Wire::Float4, ColumnType::Double, None),
        701 => plain(Wire::Float8, ColumnType::Double, None),
        790 => TableColumn {
            expression: format!("{name}::pg_catalog.numeric"),
            ..open(described)
        },
        // A cast to text adds the mask of a single address, which the server does not print.
        869 => TableColumn {
            expression: format!("pg_catalog.abbrev({name})"),
            ..text()
        },
        1082 => plain(Wire::Date, ColumnType::Date, Some("date")),
        1083 => plain(Wire::Time, ColumnType::Time, None),
        1114 => plain(Wire::Timestamp, ColumnType::Timestamp, Some("timestamp")),
        1184 => plain(
            Wire::Timestamp,
            ColumnType::TimestampTz,
            Some("timestamptz"),
        ),
        1700 => match declared(described.modifier) {
            Declared::Decimal { precision, scale } => {
                let wire = Wire::Numeric { precision, scale };
                plain(
                    wire,
                    ColumnType::Decimal { precision, scale },
                    Some("numeric"),
                )
            }
            Declared::Open => open(described),
        },
        2950 => plain(Wire::Uuid, ColumnType::Uuid, Some("uuid")),
        _ if described.is_enum => plain(Wire::Text, ColumnType::Text, None),
        _ if described.is_nested => TableColumn {
            expression: format!("pg_catalog.to_json({name})::pg_catalog.text"),
            ..plain(Wire::Json, ColumnType::Json, None)
        },
        _ => text(),
    }
}

/// A number whose type its values decide.
fn open(described: &Described) -> TableColumn<Wire> {
    TableColumn {
        name: described.name.clone(),
        expression: quote_identifier(&described.name),
        wire: Wire::Open(None),
        kind: ColumnType::Text,
        ranked_as: None,
        is_open: true,
    }
}

/// Reads a `numeric`'s parameters. Since version 15 the scale may be negative, when the digits before the point grow by it,
/// or larger than the precision, when every value is a small fraction.
fn declared(modifier: i32) -> Declared {
    if modifier < 4 {
        return Declared::Open;
    }
    let packed = modifier - 4;
    let precision = (packed >> 16) & 0xffff;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    let (precision, scale) = if scale < 0 {
        (precision - scale, 0)
    } else {
        (precision.max(scale), scale)
    };
    let narrow = |number: i32| u8::try_from(number).ok();
    match narrow(precision)
        .zip(narrow(scale))
        .and_then(|(p, s)| ColumnType::decimal(p, s))
    {
        Some(ColumnType::Decimal { precision, scale }) => Declared::Decimal { precision, scale },
        _ => Declared::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_numeric_are_read_in_all_their_forms() {
        let check = |precision: i32, scale: i32, expect| {
            let modifier = ((precision << 16) | (scale & 0x7ff)) + 4;
            assert_eq!(declared(modifier), expect, "numeric({precision},{scale})");
        };
        check(
            12,
            2,
            Declared::Decimal {
                precision: 12,
                scale: 2,
            },
        );
        check(
            38,
            38,
            Declared::Decimal {
                precision: 38,
                scale: 38,
            },
        );
        check(
            3,
            -2,
            Declared::Decimal {
                precision: 5,
                scale: 0,
            },
        );
        check(
            2,
            5,
            Declared::Decimal {
                precision: 5,
                scale: 5,
            },
        );
        check(39, 0, Declared::Open);
        check(30, -10, Declared::Open);
        check(1000, 1000, Declared::Open);
        assert_eq!(declared(-1), Declared::Open);
    }
}
