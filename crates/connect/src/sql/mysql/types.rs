//! How each type travels and what it becomes. Everything travels as the server's own text; what is not named here stays
//! that text.

use super::super::plan::TableColumn;
use super::select::identifier;
use domain::ColumnType;

/// How a value's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Wire {
    BigInt,
    /// Bits, the highest first, as a whole number.
    Bits,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Double,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Json,
}

/// A column as the catalog describes it.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub(super) name: String,
    /// The bare type: `bigint`.
    pub(super) data_type: String,
    /// The whole type: `bigint(20) unsigned`.
    pub(super) column_type: String,
    pub(super) precision: Option<u8>,
    pub(super) scale: Option<u8>,
    /// Whether a check says that the text is JSON, which is all that MariaDB's `json` is.
    pub(super) is_checked_json: bool,
}

/// Returns how `described` is read.
pub(super) fn column(described: &Described) -> TableColumn<Wire> {
    let name = identifier(&described.name);
    let plain = |wire, kind, ranked_as| TableColumn {
        name: described.name.clone(),
        expression: name.clone(),
        wire,
        kind,
        ranked_as,
        is_open: false,
    };
    let text = plain(Wire::Text, ColumnType::Text, None);
    let decimal = |wire: fn(u8, u8) -> Wire, precision: u8, scale: u8| {
        let kind = ColumnType::decimal(precision, scale)?;
        Some(plain(wire(precision, scale), kind, Some("decimal")))
    };
    let exact = |precision, scale| Wire::Decimal { precision, scale };
    match described.data_type.to_ascii_lowercase().as_str() {
        "bigint" if described.column_type.contains("unsigned") => {
            decimal(exact, 20, 0).unwrap_or(text)
        }
        // The first is also what BOOLEAN is: nobody can tell them apart, and a 2 would not fit a boolean.
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => {
            plain(Wire::BigInt, ColumnType::BigInt, Some("integer"))
        }
        "bit" if described.precision.is_none_or(|bits| bits > 63) => {
            decimal(|_, _| Wire::Bits, 20, 0).unwrap_or(text)
        }
        "bit" => plain(Wire::Bits, ColumnType::BigInt, Some("integer")),
        "decimal" => {
            let (precision, scale) = (
                described.precision.unwrap_or(65),
                described.scale.unwrap_or(0),
            );
            decimal(exact, precision, scale).unwrap_or(text)
        }
        "double" => plain(Wire::Double, ColumnType::Double, None),
        // A float is written with six digits; as a double it is written with all it has.
        "float" => TableColumn {
            expression: format!("({name} + 0e0)"),
            ..plain(Wire::Double, ColumnType::Double, None)
        },
        "date" => plain(Wire::Date, ColumnType::Date, Some("date")),
        "datetime" => plain(Wire::Timestamp, ColumnType::Timestamp, Some("datetime")),
        "timestamp" => plain(Wire::Timestamp, ColumnType::TimestampTz, Some("datetime")),
        "time" => plain(Wire::Time, ColumnType::Time, None),
        "json" => plain(Wire::Json, ColumnType::Json, None),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            if described.is_checked_json {
                plain(Wire::Json, ColumnType::Json, None)
            } else {
                plain(Wire::Text, ColumnType::Text, Some("text"))
            }
        }
        "binary" | "varbinary" => plain(Wire::Bytes, ColumnType::Binary, Some("binary")),
        "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => {
            plain(Wire::Bytes, ColumnType::Binary, None)
        }
        // MariaDB orders these by their parts, not by what is written: they are no key to go on from.
        "uuid" => plain(Wire::Text, ColumnType::Uuid, None),
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => TableColumn {
            expression: format!("ST_AsText({name})"),
            ..text
        },
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_an_exact_equal_become_the_next_wider() {
        let check = |data_type: &str, column_type: &str, precision, scale, expect: &str| {
            let described = Described {
                name: "c".into(),
                data_type: data_type.into(),
                column_type: column_type.into(),
                precision,
                scale,
                is_checked_json: false,
            };
            assert_eq!(column(&described).kind.to_sql(), expect, "{column_type}");
        };
        check("tinyint", "tinyint(1)", Some(3), Some(0), "BIGINT");
        check("int", "int(10) unsigned", Some(10), Some(0), "BIGINT");
        check(
            "bigint",
            "bigint(20) unsigned",
            Some(20),
            Some(0),
            "DECIMAL(20,0)",
        );
        check("bit", "bit(1)", Some(1), None, "BIGINT");
        check("bit", "bit(64)", Some(64), None, "DECIMAL(20,0)");
        check(
            "decimal",
            "decimal(38,10)",
            Some(38),
            Some(10),
            "DECIMAL(38,10)",
        );
        check("decimal", "decimal(65,30)", Some(65), Some(30), "VARCHAR");
        check("enum", "enum('a')", None, None, "VARCHAR");
        check("inet6", "inet6", None, None, "VARCHAR");
    }
}
