//! Reading the rows of one pass.

use super::super::batch::Batch;
use super::super::pages::Pages;
use super::super::passes::Pass;
use super::super::place::{ANSWER_TIMEOUT, Place, within};
use super::super::plan::Plan;
use super::copy::Decoder;
use super::failure::failure;
use super::types::Wire;
use super::{Session, select};
use crate::failure::{Failure, FailureKind};
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

/// Reads the rows of one pass into `pages`.
pub(super) async fn copy(
    session: &mut Session,
    plan: &Plan<Wire>,
    pass: &Pass,
    pages: &mut Pages<'_>,
) -> Result<(), Failure> {
    let at = Place::table(&plan.table.found.origin());
    let sql = select::copy(plan, pass);
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
