//! What our own queries answer. A count that is missing is an error: the guards that ask for it must not take it for zero.

use crate::Error;
use domain::TableRef;
use domain::say;
use domain::say::Quoted;
use serde_json::{Map, Value};
use warehouse::LoadTx;

/// Returns the one row of a query that has one.
pub(crate) async fn first_row(tx: &mut LoadTx, query: &str) -> Result<Map<String, Value>, Error> {
    let rows = tx.select(query).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::bug("the warehouse answered a count without a row"))
}

/// Returns a count from a row; DuckDB answers wide sums as text.
pub(crate) fn number(row: &Map<String, Value>, column: &str) -> Result<u64, Error> {
    let found = match row.get(column) {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    found.ok_or_else(|| {
        Error::bug(say!(
            "the warehouse answered no number for ",
            name Quoted(column)
        ))
    })
}

/// Returns how many rows a table has.
pub(crate) async fn count(tx: &mut LoadTx, table: &TableRef) -> Result<u64, Error> {
    let row = first_row(tx, &format!("SELECT count(*) AS n FROM {}", table.to_sql())).await?;
    number(&row, "n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_count_is_no_zero() {
        let check = |row: Value, expect: Option<u64>| {
            let row = row.as_object().expect("an object");
            assert_eq!(number(row, "n").ok(), expect, "{row:?}");
        };
        check(json!({"n": 3}), Some(3));
        check(json!({"n": "170141183460469231731687303715884"}), None);
        check(json!({"n": "12"}), Some(12));
        check(json!({"n": null}), None);
        check(json!({"n": -1}), None);
        check(json!({}), None);
    }
}
