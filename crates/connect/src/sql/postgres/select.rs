//! How PostgreSQL's statements are written.

use super::super::passes::Pass;
use super::super::plan::{Plan, TableColumn};
use super::super::select::{Syntax, rows};
use super::Session;
use super::types::Wire;
use domain::ColumnType;
use domain::names::{quote_identifier, quote_literal};

/// Returns the `COPY` of one pass.
pub(super) fn copy(plan: &Plan<Wire>, pass: &Pass) -> String {
    format!(
        "COPY (SELECT {}) TO STDOUT (FORMAT binary)",
        rows::<Session>(plan, pass)
    )
}

impl Syntax for Session {
    type Wire = Wire;

    const NULLS_FIRST: &'static str = " NULLS FIRST";

    fn identifier(name: &str) -> String {
        quote_identifier(name)
    }

    fn cursor(column: &TableColumn<Wire>) -> String {
        let name = quote_identifier(&column.name);
        if column.kind == ColumnType::Text {
            format!("{name} COLLATE \"C\"")
        } else {
            name
        }
    }

    fn cursor_literal(column: &TableColumn<Wire>, value: &str) -> String {
        literal(column, value)
    }

    fn written(column: &TableColumn<Wire>) -> String {
        format!("{}::pg_catalog.text", Self::cursor(column))
    }

    fn beyond(plan: &Plan<Wire>, values: &[String], is_beyond: bool) -> String {
        let names: Vec<String> = plan
            .key_columns()
            .map(|column| quote_identifier(&column.name))
            .collect();
        let values: Vec<String> = plan
            .key_columns()
            .zip(values)
            .map(|(column, value)| literal(column, value))
            .collect();
        let operator = if is_beyond { ">" } else { "<=" };
        format!("({}) {operator} ({})", names.join(", "), values.join(", "))
    }
}

fn literal(column: &TableColumn<Wire>, value: &str) -> String {
    // Bytes are written in hexadecimal, which PostgreSQL marks.
    let mark = if column.kind == ColumnType::Binary {
        "\\x"
    } else {
        ""
    };
    let value = quote_literal(&format!("{mark}{value}"));
    format!("{value}::pg_catalog.{}", column.ranked_as.unwrap_or("text"))
}
