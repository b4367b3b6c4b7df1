//! The statements that read a table. Identifiers are quoted, values are quoted and cast: nothing of the user's is SQL.

use super::super::passes::{Order, Pass};
use super::super::plan::{Found, Plan, TableColumn};
use super::types::Wire;
use domain::ColumnType;
use domain::names::{quote_identifier, quote_literal};

/// Returns `"schema"."table"`.
pub(super) fn relation(found: &Found) -> String {
    format!(
        "{}.{}",
        quote_identifier(&found.schema),
        quote_identifier(&found.name)
    )
}

/// Returns the `COPY` of one pass.
pub(super) fn copy(plan: &Plan<Wire>, pass: &Pass, version: u32) -> String {
    let columns: Vec<&str> = plan
        .table
        .columns
        .iter()
        .map(|column| column.expression.as_str())
        .collect();
    format!(
        "COPY (SELECT {} FROM {}{}{}{}) TO STDOUT (FORMAT binary)",
        columns.join(", "),
        relation(&plan.table.found),
        filter(plan, pass),
        order(plan, pass),
        limit(pass, version),
    )
}

/// Returns the pass's condition with its ` WHERE`, empty when every row passes.
pub(super) fn filter(plan: &Plan<Wire>, pass: &Pass) -> String {
    let mut conditions = Vec::new();
    for (bound, operator) in [(&pass.after, ">"), (&pass.up_to, "<=")] {
        if let Some(values) = bound {
            let names: Vec<String> = plan
                .key_columns()
                .map(|c| quote_identifier(&c.name))
                .collect();
            let values: Vec<String> = plan
                .key_columns()
                .zip(values)
                .map(|(column, value)| literal(column, value))
                .collect();
            conditions.push(format!(
                "({}) {operator} ({})",
                names.join(", "),
                values.join(", ")
            ));
        }
    }
    if let Some(column) = plan.cursor_column() {
        let mut bounds: Vec<String> = Vec::new();
        for floor in &pass.floors {
            let operator = if floor.is_strict { ">" } else { ">=" };
            bounds.push(format!(
                "{} {operator} {}",
                cursor(column),
                literal(column, &floor.value)
            ));
        }
        if let Some(until) = &pass.until {
            bounds.push(format!("{} < {}", cursor(column), literal(column, until)));
        }
        let name = quote_identifier(&column.name);
        match (bounds.is_empty(), pass.takes_null) {
            (true, true) => {}
            (true, false) => conditions.push(format!("{name} IS NOT NULL")),
            (false, true) => {
                conditions.push(format!("({} OR {name} IS NULL)", bounds.join(" AND ")));
            }
            (false, false) => conditions.append(&mut bounds),
        }
    }
    if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    }
}

fn order(plan: &Plan<Wire>, pass: &Pass) -> String {
    let keys = || {
        plan.key_columns()
            .map(|column| quote_identifier(&column.name))
            .collect::<Vec<_>>()
    };
    match (pass.order, plan.cursor_column()) {
        (Order::Key, _) => format!(" ORDER BY {}", keys().join(", ")),
        (Order::Cursor, Some(column)) => format!(" ORDER BY {} NULLS FIRST", cursor(column)),
        _ => String::new(),
    }
}

fn limit(pass: &Pass, version: u32) -> String {
    match pass.rows_max {
        None => String::new(),
        Some(rows) if pass.takes_ties && pass.order == Order::Cursor && version >= 130_000 => {
            format!(" FETCH FIRST {rows} ROWS WITH TIES")
        }
        Some(rows) => format!(" LIMIT {rows}"),
    }
}

/// Returns the question for the highest cursor value now. Times far ahead of now are left out: they would hide every
/// change until then.
pub(super) fn highest(plan: &Plan<Wire>) -> Option<String> {
    let column = plan.cursor_column()?;
    let name = cursor(column);
    let now = match column.kind {
        ColumnType::TimestampTz => " AND %1 < pg_catalog.now() + interval '2 days'",
        ColumnType::Timestamp | ColumnType::Date => {
            " AND %1 < (pg_catalog.now() AT TIME ZONE 'UTC') + interval '2 days'"
        }
        _ => "",
    };
    Some(format!(
        "SELECT {name}::pg_catalog.text FROM {} WHERE {name} IS NOT NULL{} ORDER BY {name} DESC LIMIT 1",
        relation(&plan.table.found),
        now.replace("%1", &name)
    ))
}

/// Returns the cursor as rows are compared by it. We compare texts by their bytes, so the server must do so too.
fn cursor(column: &TableColumn<Wire>) -> String {
    let name = quote_identifier(&column.name);
    if column.kind == ColumnType::Text {
        format!("{name} COLLATE \"C\"")
    } else {
        name
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
