//! From a source's pages to staged chunks.

use super::context::Context;
use super::ledger::Progress;
use super::request::SyncEvent;
use super::staging::{Staging, Writer};
use crate::Error;
use connect::{Page, StreamTable, TableBatch};
use domain::limits::CHUNK_ROWS;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Pages of an API are collected until they have this many bytes before the warehouse is asked for its one writer, so that
/// a slow API holds nobody up.
const COLLECTED_BYTES_MAX: u64 = 8 << 20;
/// The same in rows, because many small records cost more than their bytes tell.
const COLLECTED_ROWS_MAX: u64 = 20_000;

/// Where the rows of a stream are committed while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Nowhere: they would be dropped after a crash anyway, and one transaction writes the smallest file.
    Whole,
    /// After each write. They would be dropped too, but a slow source must not hold the one writer.
    Anywhere,
    /// Only where the stream can go on, after so many rows: a commit elsewhere would double the rows between.
    AtPositions { rows_min: u64 },
}

impl Chunks {
    /// Returns how the rows of a stream are committed that can go on after a cut, or cannot.
    pub(super) const fn of(is_database: bool, is_resumable: bool) -> Self {
        match (is_database, is_resumable) {
            (true, false) => Self::Whole,
            (false, false) => Self::Anywhere,
            (true, true) => Self::AtPositions {
                rows_min: CHUNK_ROWS,
            },
            (false, true) => Self::AtPositions { rows_min: 1 },
        }
    }

    const fn may_end(self, rows: u64, is_position: bool) -> bool {
        match self {
            Self::Whole => false,
            Self::Anywhere => rows > 0,
            Self::AtPositions { rows_min } => is_position && rows >= rows_min,
        }
    }
}

/// Takes pages and writes them in chunks.
pub(super) struct Intake<'a, 'b> {
    context: &'a Context<'a>,
    staging: &'a mut Staging<'b>,
    chunks: Chunks,
    pages: mpsc::Receiver<Page>,
    peeked: Option<Page>,
    chunk_rows: u64,
    /// Where the stream stands after the last page.
    pub(super) progress: Progress,
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

impl<'a, 'b> Intake<'a, 'b> {
    /// Returns an intake that has taken nothing; `progress` is where the stream stood before.
    pub(super) const fn new(
        context: &'a Context<'a>,
        staging: &'a mut Staging<'b>,
        progress: Progress,
        chunks: Chunks,
        pages: mpsc::Receiver<Page>,
    ) -> Self {
        Self {
            context,
            staging,
            chunks,
            pages,
            peeked: None,
            chunk_rows: 0,
            progress,
            bytes: 0,
            warnings: Vec::new(),
        }
    }

    /// Writes pages of one table as they come: a database is fast enough to hold the writer meanwhile.
    pub(super) async fn stream(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        while let Some(table) = self.peek_table().await? {
            let mut inserter = self.staging.insert(writer, &table).await?;
            while let Some(page) = self.next_of(&table).await? {
                self.account(&page)?;
                for TableBatch { batch, .. } in page.batches {
                    self.staging.rows += batch.num_rows() as u64;
                    inserter.write(batch).await?;
                }
                self.tell();
            }
            inserter.finish().await?;
            if self.may_end_chunk() {
                self.end_chunk(writer).await?;
            }
        }
        Ok(())
    }

    /// Collects pages before the warehouse is asked for its one writer, so that a slow API holds nobody up.
    pub(super) async fn collect(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let (mut waiting, mut waiting_bytes, mut waiting_rows) = (Vec::new(), 0, 0);
        while let Some(page) = self.pages.recv().await {
            waiting_rows += self.account(&page)?;
            waiting_bytes += page.bytes;
            waiting.push(page);
            let is_due = self.chunk_rows >= COLLECTED_ROWS_MAX && self.may_end_chunk();
            if is_due || waiting_bytes >= COLLECTED_BYTES_MAX || waiting_rows >= COLLECTED_ROWS_MAX
            {
                (waiting_bytes, waiting_rows) = (0, 0);
                let pages = std::mem::take(&mut waiting);
                self.staging.write(writer, pages).await?;
                if self.may_end_chunk() {
                    self.end_chunk(writer).await?;
                }
            }
            self.tell();
        }
        self.staging.write(writer, waiting).await?;
        self.tell();
        Ok(())
    }

    /// Tells the source that no page is taken any more.
    pub(super) fn close(&mut self) {
        self.pages.close();
    }

    /// Returns the table of the next page without taking it; `None` after the last page.
    async fn peek_table(&mut self) -> Result<Option<Arc<StreamTable>>, Error> {
        loop {
            if self.peeked.is_none() {
                self.peeked = self.pages.recv().await;
            }
            let Some(page) = &self.peeked else {
                return Ok(None);
            };
            if let Some(first) = page.batches.first() {
                return Ok(Some(Arc::clone(&first.table)));
            }
            // A page without rows only says how far the source has come.
            if let Some(page) = self.peeked.take() {
                self.account(&page)?;
            }
        }
    }

    /// Returns the next page while the chunk has room and the page is for `table`.
    async fn next_of(&mut self, table: &Arc<StreamTable>) -> Result<Option<Page>, Error> {
        if self.may_end_chunk() || self.peek_table().await?.as_ref() != Some(table) {
            return Ok(None);
        }
        Ok(self.peeked.take())
    }

    const fn may_end_chunk(&self) -> bool {
        self.chunks
            .may_end(self.chunk_rows, self.progress.resume.is_some())
    }

    /// Counts a page and returns its rows.
    fn account(&mut self, page: &Page) -> Result<u64, Error> {
        self.context.check_cancelled()?;
        self.bytes += page.bytes;
        self.warnings.extend(page.warnings.iter().cloned());
        if page.cursor.is_some() {
            self.progress.cursor.clone_from(&page.cursor);
        }
        let batches = page.batches.iter();
        let rows = batches.map(|b| b.batch.num_rows() as u64).sum();
        self.chunk_rows += rows;
        self.progress.resume.clone_from(&page.resume);
        Ok(rows)
    }

    /// Commits the rows since the last chunk. To be called at the stream's end too, once the source says that it is one: a
    /// stream that ends without a place to go on from is not read again by a load that was cut off later.
    pub(super) async fn end_chunk(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if matches!(self.chunks, Chunks::AtPositions { .. }) {
            self.progress.rows = self.staging.rows;
            self.staging.set_progress(writer, &self.progress).await?;
        }
        writer.commit().await?;
        self.chunk_rows = 0;
        Ok(())
    }

    fn tell(&self) {
        self.context.event(&SyncEvent::Progress {
            source: &self.context.source.name,
            stream: &self.progress.stream,
            rows: self.staging.rows,
            bytes: self.bytes,
        });
    }
}
