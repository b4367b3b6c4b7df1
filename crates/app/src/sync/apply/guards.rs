//! What is refused before anything is touched.

use super::{Permits, Staged};
use crate::Error;
use crate::sync::answers::{first_row, number};
use domain::TableRef;
use domain::names::quote_identifier;
use warehouse::LoadTx;

/// Refuses rows without a key: merged, they could only be lost or doubled.
pub(super) async fn check_keys(
    tx: &mut LoadTx,
    staged: &Staged,
    staging: &TableRef,
) -> Result<(), Error> {
    let key = &staged.primary_key;
    let missing: Vec<_> = key
        .iter()
        .map(|column| format!("{} IS NULL", quote_identifier(column)))
        .collect();
    if missing.is_empty() {
        return Err(Error::merge_without_key(&staged.target));
    }
    let query = format!(
        "SELECT count(*) AS n FROM {} WHERE {}",
        staging.to_sql(),
        missing.join(" OR ")
    );
    match number(&first_row(tx, &query).await?, "n")? {
        0 => Ok(()),
        rows => Err(Error::rows_without_key(&staged.target, key, rows)),
    }
}

/// Refuses to empty a table, or to shrink it beyond the limit, before anything is touched.
pub(crate) fn guard_shrink(
    table: &TableRef,
    old_rows: u64,
    new_rows: u64,
    permits: Permits,
) -> Result<(), Error> {
    if permits.allow_empty_replace || old_rows == 0 || new_rows >= old_rows {
        return Ok(());
    }
    if new_rows == 0 {
        return Err(Error::replace_empty(table, old_rows));
    }
    let lost_percent = u128::from(old_rows - new_rows) * 100 / u128::from(old_rows);
    if lost_percent > u128::from(permits.shrink_limit_percent) {
        return Err(Error::replace_shrinks(
            table,
            old_rows,
            new_rows,
            permits.shrink_limit_percent,
        ));
    }
    Ok(())
}
