//! The last transaction of a load: staged tables become what users see, or nothing does.

use super::contract::{self, Change};
use super::statements::{self as sql, Compared, LOAD_ID, ROW_ID};
use crate::Error;
use domain::{Column, ColumnType, Contract, Disposition, TableRef, TableReport, TableSchema};
use serde_json::Value;
use std::collections::BTreeMap;
use warehouse::LoadTx;

/// A staged table of a stream: its own, or a child's.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub(crate) target: TableRef,
    /// `None` when the stream gave no row for it.
    pub(crate) staging: Option<TableRef>,
    /// The staged columns; for a table without staging, those of the target.
    pub(crate) columns: Vec<Column>,
    pub(crate) parent: Option<TableRef>,
    pub(crate) primary_key: Vec<String>,
}

/// A stream whose rows are staged: its own table first, parents before children.
#[derive(Debug, Clone)]
pub(crate) struct StagedStream {
    pub(crate) disposition: Disposition,
    pub(crate) cursor: Option<String>,
    /// Whether a row may have been staged twice.
    pub(crate) may_repeat: bool,
    pub(crate) tables: Vec<Staged>,
}

/// What the user allowed for this load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permits {
    pub(crate) contract: Contract,
    pub(crate) accept_schema: bool,
    pub(crate) allow_empty_replace: bool,
    /// A replaced table may lose at most this share of its rows.
    pub(crate) shrink_limit_percent: u8,
}

/// Brings one staged stream into its tables and reports what changed.
pub(crate) async fn apply(
    tx: &mut LoadTx,
    existing: &BTreeMap<TableRef, TableSchema>,
    stream: &StagedStream,
    permits: Permits,
) -> Result<Vec<TableReport>, Error> {
    let mut reports = Vec::new();
    for staged in &stream.tables {
        let old = existing.get(&staged.target);
        let mut report = TableReport {
            table: staged.target.table.clone(),
            ..TableReport::default()
        };
        if let Some(staging) = &staged.staging
            && stream.disposition == Disposition::Replace
            && stream.may_repeat
            && !staged.primary_key.is_empty()
        {
            keep_newest(tx, stream, staged, staging).await?;
        }
        match (&staged.staging, old, stream.disposition) {
            (None, None, _) => continue,
            (Some(staging), None, disposition) => {
                if disposition == Disposition::Merge {
                    check_keys(tx, staged, staging).await?;
                    keep_newest(tx, stream, staged, staging).await?;
                }
                report.schema_changes.push("table created".into());
                rename(tx, staged, staging).await?;
                report.rows_inserted = count(tx, &staged.target).await?;
            }
            (staging, Some(old), Disposition::Replace) => {
                replace(tx, staged, staging.as_ref(), old, permits, &mut report).await?;
            }
            (None, Some(_), Disposition::Append) => {}
            (Some(staging), Some(old), Disposition::Append) => {
                let columns = evolve(tx, staged, old, permits, &mut report).await?;
                report.rows_inserted = tx
                    .execute(&sql::insert_all(&staged.target, staging, &columns))
                    .await?;
            }
            (staging, Some(old), Disposition::Merge) => {
                merge(
                    tx,
                    stream,
                    staged,
                    staging.as_ref(),
                    old,
                    permits,
                    &mut report,
                )
                .await?;
            }
        }
        report.rows_total = count(tx, &staged.target).await?;
        reports.push(report);
    }
    for staged in &stream.tables {
        if let Some(staging) = &staged.staging {
            tx.execute(&format!("DROP TABLE IF EXISTS {}", staging.to_sql()))
                .await?;
        }
    }
    Ok(reports)
}

/// Replaces a table by its staged successor, unless both hold the same rows.
async fn replace(
    tx: &mut LoadTx,
    staged: &Staged,
    staging: Option<&TableRef>,
    old: &TableSchema,
    permits: Permits,
    report: &mut TableReport,
) -> Result<(), Error> {
    let Some(staging) = staging else {
        let rows = count(tx, &staged.target).await?;
        if staged.parent.is_none() {
            guard_shrink(&staged.target, rows, 0, permits)?;
        }
        report.rows_deleted = rows;
        tx.execute(&format!("DELETE FROM {}", staged.target.to_sql()))
            .await?;
        return Ok(());
    };
    let compared = Compared {
        old: &staged.target.to_sql(),
        old_columns: &old.columns,
        new: &staging.to_sql(),
        new_columns: &staged.columns,
    };
    let row = first_row(tx, &compared.sameness()).await?;
    let (old_rows, new_rows) = (number(&row, "old_rows"), number(&row, "new_rows"));
    if staged.parent.is_none() {
        guard_shrink(&staged.target, old_rows, new_rows, permits)?;
    }
    let changes = contract::changes(&old.columns, &staged.columns);
    contract::check(
        &staged.target,
        &changes,
        permits.contract,
        permits.accept_schema,
    )?;
    if changes.is_empty() && row.get("same") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let deltas = first_row(tx, &compared.deltas(&staged.primary_key)).await?;
    report.rows_inserted = number(&deltas, "inserted");
    report.rows_updated = number(&deltas, "updated");
    report.rows_deleted = number(&deltas, "deleted");
    if permits.contract == Contract::Discard && !permits.accept_schema && !changes.is_empty() {
        let kept = contract::kept(&old.columns, &staged.columns);
        tx.execute(&format!("DELETE FROM {}", staged.target.to_sql()))
            .await?;
        tx.execute(&sql::insert_all(
            &staged.target,
            staging,
            &with_load_id(&kept),
        ))
        .await?;
        report
            .warnings
            .extend(changes.iter().map(Change::discarded));
        return Ok(());
    }
    report
        .schema_changes
        .extend(changes.iter().map(Change::describe));
    rename(tx, staged, staging).await
}

/// Merges staged rows by key; child rows that their parents no longer have go.
async fn merge(
    tx: &mut LoadTx,
    stream: &StagedStream,
    staged: &Staged,
    staging: Option<&TableRef>,
    old: &TableSchema,
    permits: Permits,
    report: &mut TableReport,
) -> Result<(), Error> {
    if let Some(parent) = &staged.parent
        && let Some(parent_staging) = stream
            .tables
            .iter()
            .find(|table| table.target == *parent)
            .and_then(|t| t.staging.as_ref())
    {
        let vanished = sql::delete_vanished_children(&staged.target, staging, parent_staging);
        report.rows_deleted = tx.execute(&vanished).await?;
        report.rows_deleted += tx
            .execute(&sql::delete_orphans(&staged.target, parent))
            .await?;
    }
    let Some(staging) = staging else {
        return Ok(());
    };
    check_keys(tx, staged, staging).await?;
    keep_newest(tx, stream, staged, staging).await?;
    let columns = evolve(tx, staged, old, permits, report).await?;
    let key = &staged.primary_key;
    report.rows_updated = tx
        .execute(&sql::delete_changed(&staged.target, staging, key, &columns))
        .await?;
    let inserted = tx
        .execute(&sql::insert_missing(&staged.target, staging, key, &columns))
        .await?;
    report.rows_inserted = inserted.saturating_sub(report.rows_updated);
    Ok(())
}

/// Gives the target the columns and types it needs for the staged rows and returns the columns to insert.
async fn evolve(
    tx: &mut LoadTx,
    staged: &Staged,
    old: &TableSchema,
    permits: Permits,
    report: &mut TableReport,
) -> Result<Vec<Column>, Error> {
    let changes = contract::changes(&old.columns, &staged.columns);
    contract::check(
        &staged.target,
        &changes,
        permits.contract,
        permits.accept_schema,
    )?;
    if permits.contract == Contract::Discard && !permits.accept_schema {
        report
            .warnings
            .extend(changes.iter().map(Change::discarded));
        return Ok(with_load_id(&contract::kept(&old.columns, &staged.columns)));
    }
    for change in &changes {
        match change {
            Change::Added(column) => {
                tx.execute(&sql::add_column(&staged.target, column)).await?;
            }
            Change::Retyped { name, from, to } => {
                let wide = from.widen(*to);
                if wide != *from {
                    tx.execute(&sql::alter_type(&staged.target, name, wide))
                        .await?;
                }
            }
            // A column the source no longer has keeps its old values; new rows have NULL there.
            Change::Removed(_) => continue,
        }
        report.schema_changes.push(change.describe());
    }
    Ok(with_load_id(&staged.columns))
}

fn with_load_id(columns: &[Column]) -> Vec<Column> {
    let mut columns = columns.to_vec();
    if !columns.iter().any(|column| column.name == LOAD_ID) {
        columns.push(Column::new(LOAD_ID, ColumnType::Text));
    }
    columns
}

async fn rename(tx: &mut LoadTx, staged: &Staged, staging: &TableRef) -> Result<(), Error> {
    for statement in sql::swap(staging, &staged.target) {
        tx.execute(&statement).await?;
    }
    Ok(())
}

async fn keep_newest(
    tx: &mut LoadTx,
    stream: &StagedStream,
    staged: &Staged,
    staging: &TableRef,
) -> Result<(), Error> {
    let cursor = stream
        .cursor
        .as_deref()
        .filter(|cursor| staged.columns.iter().any(|column| column.name == **cursor));
    tx.execute(&sql::keep_newest(staging, &staged.primary_key, cursor))
        .await?;
    Ok(())
}

/// Refuses rows without a key: merged, they could only be lost or doubled.
async fn check_keys(tx: &mut LoadTx, staged: &Staged, staging: &TableRef) -> Result<(), Error> {
    let key = &staged.primary_key;
    let missing: Vec<_> = key
        .iter()
        .map(|column| format!("{} IS NULL", domain::names::quote_identifier(column)))
        .collect();
    if missing.is_empty() {
        return Err(Error::merge_without_key(&staged.target));
    }
    let query = format!(
        "SELECT count(*) AS n FROM {} WHERE {}",
        staging.to_sql(),
        missing.join(" OR ")
    );
    match number(&first_row(tx, &query).await?, "n") {
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

pub(crate) async fn count(tx: &mut LoadTx, table: &TableRef) -> Result<u64, Error> {
    let row = first_row(tx, &format!("SELECT count(*) AS n FROM {}", table.to_sql())).await?;
    Ok(number(&row, "n"))
}

async fn first_row(tx: &mut LoadTx, query: &str) -> Result<serde_json::Map<String, Value>, Error> {
    Ok(tx
        .select(query)
        .await?
        .into_iter()
        .next()
        .unwrap_or_default())
}

/// Returns a count from a row; DuckDB answers wide sums as text.
pub(crate) fn number(row: &serde_json::Map<String, Value>, column: &str) -> u64 {
    match row.get(column) {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0),
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

/// Returns the key by which a staged table is merged: a stream's own, or the row id of a child.
pub(crate) fn key_of(own: &[String], is_child: bool) -> Vec<String> {
    if is_child {
        vec![ROW_ID.into()]
    } else {
        own.to_vec()
    }
}
