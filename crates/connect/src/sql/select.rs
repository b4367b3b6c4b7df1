//! The parts that the statements of both kinds of database are made of. Identifiers are quoted, values are quoted and cast or
//! checked to be numbers: nothing of the user's is SQL.

use super::passes::{Order, Pass};
use super::plan::{Found, Plan, TableColumn};

/// How a kind of database writes what its statements are made of.
pub(super) trait Syntax {
    /// How a column's bytes travel.
    type Wire;

    /// What stands behind an ascending order so that rows without a value come first.
    const NULLS_FIRST: &'static str;

    /// Returns a name, quoted.
    fn identifier(name: &str) -> String;

    /// Returns a cursor as rows are compared by it. We compare texts by their bytes, so the server must do so too.
    fn cursor(column: &TableColumn<Self::Wire>) -> String;

    /// Returns a written value of `column` as [`Self::cursor`] is compared with it.
    fn cursor_literal(column: &TableColumn<Self::Wire>, value: &str) -> String;

    /// Returns a cursor as [`super::mark::Mark::read`] reads it.
    fn written(column: &TableColumn<Self::Wire>) -> String;

    /// Returns the condition that a row's key comes after `values`, or else that it does not.
    fn beyond(plan: &Plan<Self::Wire>, values: &[String], is_beyond: bool) -> String;
}

/// Returns the table's quoted name with its schema.
pub(super) fn relation<S: Syntax>(found: &Found) -> String {
    format!(
        "{}.{}",
        S::identifier(&found.schema),
        S::identifier(&found.name)
    )
}

/// Returns what stands behind `SELECT` for the rows of one pass.
pub(super) fn rows<S: Syntax>(plan: &Plan<S::Wire>, pass: &Pass) -> String {
    let columns: Vec<&str> = plan
        .table
        .columns
        .iter()
        .map(|column| column.expression.as_str())
        .collect();
    let limit = match pass.rows_max {
        Some(rows) if !pass.takes_ties => format!(" LIMIT {rows}"),
        _ => String::new(),
    };
    format!(
        "{} FROM {}{}{}{limit}",
        columns.join(", "),
        relation::<S>(&plan.table.found),
        filter::<S>(plan, pass),
        order::<S>(plan, pass),
    )
}

/// Returns the pass's condition with its ` WHERE`, empty when every row passes.
pub(super) fn filter<S: Syntax>(plan: &Plan<S::Wire>, pass: &Pass) -> String {
    let mut conditions = Vec::new();
    for (values, is_beyond) in [(&pass.after, true), (&pass.up_to, false)] {
        conditions.extend(
            values
                .as_ref()
                .map(|values| S::beyond(plan, values, is_beyond)),
        );
    }
    if let Some(column) = plan.cursor_column() {
        let mut bounds = bounds::<S>(column, pass);
        if let Some(rows) = pass.rows_max.filter(|_| pass.takes_ties) {
            bounds.push(last_of::<S>(plan, column, &bounds, rows));
        }
        let name = S::identifier(&column.name);
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

fn bounds<S: Syntax>(column: &TableColumn<S::Wire>, pass: &Pass) -> Vec<String> {
    let bound = |operator: &str, value: &str| {
        let value = S::cursor_literal(column, value);
        format!("{} {operator} {value}", S::cursor(column))
    };
    let floors = pass.floors.iter().map(|floor| {
        let operator = if floor.is_strict { ">" } else { ">=" };
        bound(operator, &floor.value)
    });
    let until = pass.until.iter().map(|until| bound("<", until));
    floors.chain(until).collect()
}

/// Returns the condition that a row's cursor is not above that of the last of the first `rows` rows within `bounds`. Not every
/// database has `WITH TIES`.
fn last_of<S: Syntax>(
    plan: &Plan<S::Wire>,
    column: &TableColumn<S::Wire>,
    bounds: &[String],
    rows: u64,
) -> String {
    let (cursor, relation) = (S::cursor(column), relation::<S>(&plan.table.found));
    let mut within = bounds.to_vec();
    within.push(format!("{} IS NOT NULL", S::identifier(&column.name)));
    let within = within.join(" AND ");
    format!(
        "{cursor} <= (SELECT q.c FROM (SELECT {cursor} AS c FROM {relation} WHERE {within} ORDER BY c LIMIT {rows}) q \
         ORDER BY q.c DESC LIMIT 1)"
    )
}

fn order<S: Syntax>(plan: &Plan<S::Wire>, pass: &Pass) -> String {
    match (pass.order, plan.cursor_column()) {
        (Order::Key, _) => {
            let keys: Vec<String> = plan
                .key_columns()
                .map(|column| S::identifier(&column.name))
                .collect();
            format!(" ORDER BY {}", keys.join(", "))
        }
        (Order::Cursor, Some(column)) => {
            format!(" ORDER BY {}{}", S::cursor(column), S::NULLS_FIRST)
        }
        _ => String::new(),
    }
}

/// Returns the question for the highest cursor value now that lies below `horizon`; `None` without a cursor.
pub(super) fn highest<S: Syntax>(plan: &Plan<S::Wire>, horizon: Option<&str>) -> Option<String> {
    let column = plan.cursor_column()?;
    let (name, relation) = (S::cursor(column), relation::<S>(&plan.table.found));
    let below = horizon.map_or_else(String::new, |horizon| {
        format!(" AND {name} < {}", S::cursor_literal(column, horizon))
    });
    Some(format!(
        "SELECT {} FROM {relation} WHERE {name} IS NOT NULL{below} ORDER BY {name} DESC LIMIT 1",
        S::written(column)
    ))
}

/// Returns the question whether there is a row whose cursor is `from` or later, or for `None` one without a cursor value.
pub(super) fn any<S: Syntax>(plan: &Plan<S::Wire>, from: Option<&str>) -> Option<String> {
    let column = plan.cursor_column()?;
    let condition = match from {
        Some(from) => {
            let from = S::cursor_literal(column, from);
            format!("{} >= {from}", S::cursor(column))
        }
        None => format!("{} IS NULL", S::identifier(&column.name)),
    };
    let relation = relation::<S>(&plan.table.found);
    Some(format!(
        "SELECT 'yes' FROM {relation} WHERE {condition} LIMIT 1"
    ))
}
