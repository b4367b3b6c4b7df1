//! How MySQL's and MariaDB's statements are written.

use super::super::mark::Mark;
use super::super::passes::Pass;
use super::super::plan::{Plan, TableColumn};
use super::super::select::{self, Syntax};
use super::Session;
use super::types::Wire;
use domain::ColumnType;

/// Returns `` `name` ``.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Returns `text` as a literal, for an empty `sql_mode`, where a backslash escapes.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Returns the statement of one pass. Its first column is a constant: the driver takes a row that begins with a value of 16
/// MB or more for the end of the result.
pub(super) fn rows(plan: &Plan<Wire>, pass: &Pass) -> String {
    format!("SELECT 0, {}", select::rows::<Session>(plan, pass))
}

impl Syntax for Session {
    type Wire = Wire;

    /// They do by themselves.
    const NULLS_FIRST: &'static str = "";

    fn identifier(name: &str) -> String {
        identifier(name)
    }

    fn cursor(column: &TableColumn<Wire>) -> String {
        let name = identifier(&column.name);
        if column.kind == ColumnType::Text {
            format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)")
        } else {
            name
        }
    }

    fn cursor_literal(column: &TableColumn<Wire>, value: &str) -> String {
        let value = literal(column, value);
        if column.kind == ColumnType::Text {
            format!("CAST({value} AS BINARY)")
        } else {
            value
        }
    }

    fn written(column: &TableColumn<Wire>) -> String {
        let cursor = Self::cursor(column);
        if column.kind == ColumnType::TimestampTz {
            format!("CONCAT({cursor}, '+00')")
        } else {
            cursor
        }
    }

    /// Spelled out: rows are not compared by index here.
    fn beyond(plan: &Plan<Wire>, values: &[String], is_beyond: bool) -> String {
        let mut ways = Vec::new();
        let mut equal = String::new();
        for (column, value) in plan.key_columns().zip(values) {
            let (name, value) = (identifier(&column.name), literal(column, value));
            ways.push(format!("({equal}{name} > {value})"));
            equal.extend([name.as_str(), " = ", value.as_str(), " AND "]);
        }
        let not = if is_beyond { "" } else { "NOT " };
        format!("{not}({})", ways.join(" OR "))
    }
}

fn literal(column: &TableColumn<Wire>, value: &str) -> String {
    match column.kind {
        // Without quotes: a number beside a text is compared as a double, which has not all its digits.
        ColumnType::BigInt | ColumnType::Decimal { .. } => {
            Mark::read(value, column.kind).map_or_else(|| "NULL".into(), |mark| mark.write())
        }
        ColumnType::Binary => match Mark::read(value, column.kind) {
            Some(mark) => format!("x'{}'", mark.write()),
            None => "NULL".into(),
        },
        // The session's zone is UTC, and MariaDB reads no zone.
        ColumnType::TimestampTz => text(value.strip_suffix("+00").unwrap_or(value)),
        _ => text(value),
    }
}
