//! Reading one table, pass by pass.

use super::super::batch::Batch;
use super::super::pages::Pages;
use super::super::passes::{Pass, passes};
use super::super::place::{ANSWER_TIMEOUT, Place, within};
use super::super::plan::Plan;
use super::copy::Decoder;
use super::failure::failure;
use super::types::Wire;
use super::{Session, open_types, pin, rows, select};
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, Start};
use bytes::{Buf, Bytes};
use domain::SourceName;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::Sender;

/// Reads the rows of `plan`'s table from `start` into `out`.
pub(super) async fn table(
    session: &mut Session,
    source: &SourceName,
    mut plan: Plan<Wire>,
    start: &Start,
    notices: Vec<String>,
    out: &Sender<Page>,
) -> Result<(), Failure> {
    pin::pin(session, &plan.table.found).await?;
    let mut attempt = passes(&plan.reading(), start)?;
    if let Some(position) = attempt
        .position
        .as_mut()
        .filter(|position| position.after.is_empty())
    {
        position.began = highest(session, &plan).await?;
    }
    let known = start
        .known
        .iter()
        .find(|schema| schema.table.table == plan.stream.name);
    open_types::decide(session, &mut plan, &attempt.passes, known).await?;

    let mut pages = Pages::new(source, &plan, attempt.position, out);
    pages.warn(notices);
    let named = |warning: String| format!("`{}` {warning}", plan.stream.name);
    pages.warn(attempt.warnings.into_iter().map(named));
    for pass in &attempt.passes {
        copy(session, &plan, pass, &mut pages).await?;
    }
    pages.end().await
}

/// Returns the cursor's highest value in the snapshot.
async fn highest(session: &mut Session, plan: &Plan<Wire>) -> Result<Option<String>, Failure> {
    let Some(sql) = select::highest(plan) else {
        return Ok(None);
    };
    let at = Place::table(&plan.table.found.origin());
    let rows = rows::fetch(session, sql, &at).await?;
    Ok(rows.first().and_then(|row| row.get(0)).map(str::to_owned))
}

async fn copy(
    session: &mut Session,
    plan: &Plan<Wire>,
    pass: &Pass,
    pages: &mut Pages<'_>,
) -> Result<(), Failure> {
    let at = Place::table(&plan.table.found.origin());
    let sql = select::copy(plan, pass, session.version);
    let mut decoder = Decoder::new(
        plan.table
            .columns
            .iter()
            .map(|column| column.wire)
            .collect(),
    );
    let mut chunks = within(&at, failure, session.connection.copy_out_raw(&sql)).await?;
    // Pages of rows that changed since the cut say nothing about how far the table has been read.
    pages.is_ordered = pass.up_to.is_none();
    let mut rest = Bytes::new();
    loop {
        // One deadline for a batch: a timer for every row would cost as much as the row.
        let filling = fill(&mut chunks, &mut rest, &mut decoder, &mut pages.batch, &at);
        let filled = tokio::time::timeout(ANSWER_TIMEOUT, filling).await;
        if filled.map_err(|_| at.silent())?? {
            break;
        }
        pages.flush().await?;
    }
    if decoder.is_ended() {
        return pages.end_pass().await;
    }
    Err(at
        .failure(
            FailureKind::Unreachable,
            ": the rows ended before their end",
        )
        .hint("sync again"))
}

/// Reads rows into `batch` until it is full; returns whether they are over. What is left of a chunk stays in `rest`.
async fn fill(
    chunks: &mut BoxStream<'_, Result<Bytes, sqlx::Error>>,
    rest: &mut Bytes,
    decoder: &mut Decoder,
    batch: &mut Batch,
    at: &Place,
) -> Result<bool, Failure> {
    loop {
        let used = decoder.read(rest, batch)?;
        rest.advance(used);
        if batch.is_full() {
            return Ok(false);
        }
        match chunks.next().await {
            Some(chunk) => *rest = chunk.map_err(|error| failure(error, at))?,
            None => return Ok(true),
        }
    }
}
