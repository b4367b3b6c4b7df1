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
/// Takes pages and writes them in chunks.
pub(super) struct Intake<'a, 'b> {
    pub(super) context: &'a Context<'a>,
    pub(super) staging: &'a mut Staging<'b>,
    pub(super) progress: &'a mut Progress,
    pub(super) pages: mpsc::Receiver<Page>,
    pub(super) peeked: Option<Page>,
    /// Whether a chunk may only end where the stream can go on: a commit elsewhere would double the rows between.
    pub(super) must_resume: bool,
    /// From where a later attempt could go on after the last page.
    pub(super) resume: Option<String>,
    pub(super) chunk_rows: u64,
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

impl Intake<'_, '_> {
    /// Writes pages of one table as they come: a database is fast enough to hold the writer meanwhile.
    pub(super) async fn stream(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        while let Some(table) = self.peek_table().await {
            let mut inserter = self.staging.insert(writer, &table).await?;
            while let Some(page) = self.next_of(&table).await {
                self.account(&page)?;
                for TableBatch { batch, .. } in page.batches {
                    self.staging.rows += batch.num_rows() as u64;
                    inserter.write(batch).await?;
                }
                self.tell();
            }
            inserter.finish().await?;
            if self.is_chunk_full() {
                self.end_chunk(writer).await?;
            }
        }
        Ok(())
    }

    /// Collects pages before the warehouse is asked for its one writer, so that a slow API holds nobody up.
    pub(super) async fn collect(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let (mut waiting, mut waiting_bytes) = (Vec::new(), 0);
        while let Some(page) = self.pages.recv().await {
            self.account(&page)?;
            waiting_bytes += page.bytes;
            waiting.push(page);
            if waiting_bytes >= COLLECTED_BYTES_MAX || self.chunk_rows >= COLLECTED_ROWS_MAX {
                waiting_bytes = 0;
                self.staging
                    .write(writer, std::mem::take(&mut waiting))
                    .await?;
                if self.may_end_chunk(0) {
                    self.end_chunk(writer).await?;
                }
            }
            self.tell();
        }
        self.staging.write(writer, waiting).await?;
        self.tell();
        Ok(())
    }

    /// Returns the table of the next page without taking it; `None` after the last page.
    async fn peek_table(&mut self) -> Option<Arc<StreamTable>> {
        loop {
            if self.peeked.is_none() {
                self.peeked = Some(self.pages.recv().await?);
            }
            match self.peeked.as_ref().and_then(|page| page.batches.first()) {
                Some(first) => return Some(Arc::clone(&first.table)),
                // A page without rows only says how far the source has come.
                None => {
                    if let Some(page) = self.peeked.take() {
                        self.account(&page).ok()?;
                    }
                }
            }
        }
    }

    /// Returns the next page while the chunk has room and the page is for `table`.
    async fn next_of(&mut self, table: &Arc<StreamTable>) -> Option<Page> {
        if self.is_chunk_full() || self.peek_table().await.as_ref() != Some(table) {
            return None;
        }
        self.peeked.take()
    }

    /// Returns whether a chunk of a database's rows is to be committed. A stream that cannot go on has one transaction: its
    /// chunks would be dropped after a crash anyway.
    fn is_chunk_full(&self) -> bool {
        self.must_resume && self.may_end_chunk(CHUNK_ROWS)
    }

    /// Returns whether the chunk has `rows_min` rows and may end after the last page.
    fn may_end_chunk(&self, rows_min: u64) -> bool {
        self.chunk_rows >= rows_min.max(1) && (!self.must_resume || self.resume.is_some())
    }

    /// Counts a page.
    fn account(&mut self, page: &Page) -> Result<(), Error> {
        self.context.check_cancelled()?;
        self.bytes += page.bytes;
        self.warnings.extend(page.warnings.iter().cloned());
        if page.cursor.is_some() {
            self.progress.cursor.clone_from(&page.cursor);
        }
        self.chunk_rows += page
            .batches
            .iter()
            .map(|b| b.batch.num_rows() as u64)
            .sum::<u64>();
        self.resume.clone_from(&page.resume);
        Ok(())
    }

    async fn end_chunk(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.progress.rows = self.staging.rows;
        let progress = self.resume.take().map(|resume| {
            self.progress.resume = resume;
            &*self.progress
        });
        self.staging.end_chunk(writer, progress).await?;
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
