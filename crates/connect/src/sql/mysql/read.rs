//! Reading one table, pass by pass.

use super::super::batch::Batch;
use super::super::pages::Pages;
use super::super::passes::{Pass, passes};
use super::super::place::{ANSWER_TIMEOUT, Place};
use super::super::plan::Plan;
use super::decode::{Bad, cell};
use super::failure::failure;
use super::types::Wire;
use super::{Session, rows, select};
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, Start};
use domain::say::Quoted;
use domain::{ColumnType, SourceName, say};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Error, Executor, Row, raw_sql};
use tokio::sync::mpsc::Sender;

/// Reads the rows of `plan`'s table from `start` into `out`.
pub(super) async fn table(
    session: &mut Session,
    source: &SourceName,
    plan: &Plan<Wire>,
    start: &Start,
    notices: Vec<String>,
    out: &Sender<Page>,
) -> Result<(), Failure> {
    let mut attempt = passes(&plan.reading(), start)?;
    if let Some(position) = attempt
        .position
        .as_mut()
        .filter(|position| position.after.is_empty())
    {
        position.began = highest(session, plan).await?;
    }
    let mut pages = Pages::new(source, plan, attempt.position, out);
    pages.warn(notices);
    let named = |warning: String| format!("`{}` {warning}", plan.stream.name);
    pages.warn(attempt.warnings.into_iter().map(named));
    for pass in &attempt.passes {
        read(session, plan, pass, &mut pages).await?;
    }
    pages.end().await
}

/// Returns the cursor's highest value in the snapshot, as marks are written.
async fn highest(session: &mut Session, plan: &Plan<Wire>) -> Result<Option<String>, Failure> {
    let Some(sql) = select::highest(plan) else {
        return Ok(None);
    };
    let at = Place::table(&plan.table.found.origin());
    let rows = rows::fetch(session, sql, &at).await?;
    let zone = match plan.cursor_column().map(|column| column.kind) {
        Some(ColumnType::TimestampTz) => "+00",
        _ => "",
    };
    Ok(rows
        .first()
        .and_then(|row| row.get(0))
        .map(|value| format!("{value}{zone}")))
}

async fn read(
    session: &mut Session,
    plan: &Plan<Wire>,
    pass: &Pass,
    pages: &mut Pages<'_>,
) -> Result<(), Failure> {
    let at = Place::table(&plan.table.found.origin());
    let wires: Vec<Wire> = plan
        .table
        .columns
        .iter()
        .map(|column| column.wire)
        .collect();
    let sql = select::rows(plan, pass);
    let mut rows = session.connection.fetch(raw_sql(AssertSqlSafe(sql)));
    // Pages of rows that changed since the cut say nothing about how far the table has been read.
    pages.is_ordered = pass.up_to.is_none();
    loop {
        let filling = fill(&mut rows, &wires, &mut pages.batch, &at);
        let filled = tokio::time::timeout(ANSWER_TIMEOUT, filling).await;
        if filled.map_err(|_| at.silent())?? {
            return pages.end_pass().await;
        }
        pages.flush().await?;
    }
}

/// Reads rows into `batch` until it is full; returns whether they are over.
async fn fill(
    rows: &mut BoxStream<'_, Result<MySqlRow, Error>>,
    wires: &[Wire],
    batch: &mut Batch,
    at: &Place,
) -> Result<bool, Failure> {
    while !batch.is_full() {
        match rows.next().await {
            Some(row) => take(&row.map_err(|error| failure(error, at))?, wires, batch, at)?,
            None => return Ok(true),
        }
    }
    Ok(false)
}

fn take(row: &MySqlRow, wires: &[Wire], batch: &mut Batch, at: &Place) -> Result<(), Failure> {
    let mut bytes = 0;
    let at_row = batch.rows;
    for (index, (wire, slot)) in wires.iter().zip(&mut batch.slots).enumerate() {
        // The first column is the statement's own constant.
        let value = row.try_get_unchecked::<Option<&[u8]>, _>(index + 1);
        let Some(value) = value.map_err(|error| failure(error, at))? else {
            slot.cells.push_null();
            continue;
        };
        bytes += value.len();
        if let Err(bad) = cell(*wire, slot, at_row, value) {
            return Err(bad_cell(&bad, batch, index));
        }
    }
    batch.end_row(bytes);
    Ok(())
}

#[cold]
fn bad_cell(bad: &Bad, batch: &Batch, index: usize) -> Failure {
    let column = batch.column_name(index);
    let name = Quoted(&column);
    match bad {
        Bad::TooLarge => Failure::new(
            FailureKind::FileTooLarge,
            say!("a value of column ", name name, " is larger than 64 MiB"),
        )
        .hint("leave the column out by reading a view without it"),
        Bad::Unfit => Failure::new(
            FailureKind::Changed,
            say!("a value of column ", name name, " does not have the type the column had when the sync began"),
        )
        .hint("sync again"),
    }
}
