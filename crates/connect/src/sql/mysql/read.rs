//! Reading the rows of one pass.

use super::super::batch::{Batch, bad_cell};
use super::super::pages::Pages;
use super::super::passes::Pass;
use super::super::place::{ANSWER_TIMEOUT, Place};
use super::super::plan::Plan;
use super::decode::cell;
use super::failure::failure;
use super::types::Wire;
use super::{Session, select};
use crate::failure::Failure;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Error, Executor, Row, raw_sql};

/// Reads the rows of one pass into `pages`.
pub(super) async fn rows(
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
