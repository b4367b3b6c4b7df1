//! The statements that read a table. Identifiers are quoted, values are quoted or checked to be numbers: nothing of the
//! user's is SQL.

use super::super::mark::Mark;
use super::super::passes::{Order, Pass};
use super::super::plan::{Found, Plan, TableColumn};
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

/// Returns `` `schema`.`table` ``.
pub(super) fn relation(found: &Found) -> String {
    format!("{}.{}", identifier(&found.schema), identifier(&found.name))
}

/// Returns the statement of one pass. Its first column is a constant: the driver takes a row that begins with a value of 16
/// MB or more for the end of the result.
pub(super) fn rows(plan: &Plan<Wire>, pass: &Pass) -> String {
    let columns: Vec<&str> = plan
        .table
        .columns
        .iter()
        .map(|column| column.expression.as_str())
        .collect();
    format!(
        "SELECT 0, {} FROM {}{}{}{}",
        columns.join(", "),
        relation(&plan.table.found),
        filter(plan, pass),
        order(plan, pass),
        pass.rows_max
            .filter(|_| !has_ties(pass))
            .map(|rows| format!(" LIMIT {rows}"))
            .unwrap_or_default(),
    )
}

fn filter(plan: &Plan<Wire>, pass: &Pass) -> String {
    let mut conditions = Vec::new();
    if let Some(values) = &pass.after {
        conditions.push(format!("({})", beyond(plan, values)));
    }
    if let Some(values) = &pass.up_to {
        conditions.push(format!("NOT ({})", beyond(plan, values)));
    }
    if let Some(column) = plan.cursor_column() {
        let mut bounds: Vec<String> = Vec::new();
        for floor in &pass.floors {
            let operator = if floor.is_strict { ">" } else { ">=" };
            bounds.push(format!(
                "{} {operator} {}",
                cursor(column),
                cursor_literal(column, &floor.value)
            ));
        }
        if let Some(until) = &pass.until {
            bounds.push(format!(
                "{} < {}",
                cursor(column),
                cursor_literal(column, until)
            ));
        }
        if has_ties(pass) {
            bounds.extend(
                pass.rows_max
                    .map(|rows| last_of(plan, column, &bounds, rows)),
            );
        }
        let name = identifier(&column.name);
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

/// Returns whether the limit is a bound of the cursor instead of a number of rows.
fn has_ties(pass: &Pass) -> bool {
    pass.takes_ties && pass.order == Order::Cursor && pass.rows_max.is_some()
}

/// Returns the condition that a row's cursor is not above that of the last of the first `rows` rows within `bounds`.
fn last_of(plan: &Plan<Wire>, column: &TableColumn<Wire>, bounds: &[String], rows: u64) -> String {
    let (cursor, relation) = (cursor(column), relation(&plan.table.found));
    let filter = if bounds.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", bounds.join(" AND "))
    };
    format!(
        "{cursor} <= (SELECT MAX(q.c) FROM (SELECT {cursor} AS c FROM {relation}{filter} ORDER BY c LIMIT {rows}) q)"
    )
}

/// Returns the condition that a row's key comes after `values`, spelled out: rows are not compared by index here.
fn beyond(plan: &Plan<Wire>, values: &[String]) -> String {
    let mut ways = Vec::new();
    let mut equal = String::new();
    for (column, value) in plan.key_columns().zip(values) {
        let (name, value) = (identifier(&column.name), literal(column, value));
        ways.push(format!("({equal}{name} > {value})"));
        equal.extend([name.as_str(), " = ", value.as_str(), " AND "]);
    }
    ways.join(" OR ")
}

fn order(plan: &Plan<Wire>, pass: &Pass) -> String {
    let keys = || {
        plan.key_columns()
            .map(|column| identifier(&column.name))
            .collect::<Vec<_>>()
    };
    match (pass.order, plan.cursor_column()) {
        (Order::Key, _) => format!(" ORDER BY {}", keys().join(", ")),
        // Rows without a value come first by themselves.
        (Order::Cursor, Some(column)) => format!(" ORDER BY {}", cursor(column)),
        _ => String::new(),
    }
}

/// Returns the question for the highest cursor value now. Times far ahead of now are left out: they would hide every
/// change until then.
pub(super) fn highest(plan: &Plan<Wire>) -> Option<String> {
    let column = plan.cursor_column()?;
    let (name, relation) = (cursor(column), relation(&plan.table.found));
    let now = match column.kind {
        ColumnType::TimestampTz | ColumnType::Timestamp | ColumnType::Date => {
            format!(" AND {name} < UTC_TIMESTAMP() + INTERVAL 2 DAY")
        }
        _ => String::new(),
    };
    Some(format!(
        "SELECT {name} FROM {relation} WHERE {name} IS NOT NULL{now} ORDER BY {name} DESC LIMIT 1"
    ))
}

/// Returns the cursor as rows are compared by it. We compare texts by their bytes, so the server must do so too.
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
