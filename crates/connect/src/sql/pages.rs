//! Full batches on their way out, each with the place where the stream stands after it.

use super::batch::Batch;
use super::mark::Mark;
use super::passes::Position;
use super::plan::Plan;
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, StreamTable};
use domain::{ColumnType, SourceName};
use tokio::sync::mpsc::Sender;

/// The outgoing side of one stream.
pub(super) struct Pages<'a> {
    out: &'a Sender<Page>,
    pub(super) batch: Batch,
    key: Vec<(usize, ColumnType)>,
    cursor: Option<(usize, ColumnType)>,
    highest: Option<Mark>,
    position: Option<Position>,
    /// Whether rows come in the key's order, so that the last one's key is where the stream stands.
    pub(super) is_ordered: bool,
    warnings: Vec<String>,
    is_silent: bool,
}

impl<'a> Pages<'a> {
    /// Returns the outgoing side of `plan`, which stands at `position`.
    pub(super) fn new<W>(
        source: &SourceName,
        plan: &Plan<W>,
        position: Option<Position>,
        out: &'a Sender<Page>,
    ) -> Self {
        let kind = |index: &usize| {
            plan.table
                .columns
                .get(*index)
                .map(|column| (*index, column.kind))
        };
        let cursor = plan.cursor.as_ref().and_then(kind);
        let highest = position
            .as_ref()
            .and_then(|position| position.highest.as_deref());
        Self {
            batch: Batch::new(StreamTable {
                schema: plan.schema(source),
                parent: None,
            }),
            key: plan.key.iter().filter_map(kind).collect(),
            highest: highest
                .zip(cursor)
                .and_then(|(text, (_, kind))| Mark::read(text, kind)),
            cursor,
            position,
            is_ordered: false,
            warnings: Vec::new(),
            is_silent: true,
            out,
        }
    }

    /// Adds what the user should know to the last page.
    pub(super) fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Hands on the rows gathered so far.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let page = self.page()?;
        self.send(page).await
    }

    /// Hands on the last rows of a pass: they must not stand in one page with those of the next, which are in another place.
    pub(super) async fn end_pass(&mut self) -> Result<(), Failure> {
        if self.batch.rows == 0 {
            Ok(())
        } else {
            self.flush().await
        }
    }

    /// Hands on the last rows. A stream without rows hands on an empty batch, so that its table comes into being.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        let mut page = self.page()?;
        page.warnings.append(&mut self.warnings);
        page.warnings.extend(self.batch.warnings());
        let is_empty = page.batches.iter().all(|batch| batch.batch.num_rows() == 0);
        if is_empty && page.warnings.is_empty() && !self.is_silent {
            return Ok(());
        }
        self.send(page).await
    }

    fn page(&mut self) -> Result<Page, Failure> {
        let (batch, bytes) = self.batch.finish()?;
        let rows = batch.batch.num_rows();
        let array = |index: usize| batch.batch.columns().get(index);
        if let Some((index, kind)) = self.cursor {
            let highest = array(index).and_then(|array| Mark::highest(array, kind));
            self.highest = self.highest.take().max(highest);
        }
        let highest = self.highest.as_ref().map(Mark::write);
        if let Some(position) = &mut self.position {
            position.highest.clone_from(&highest);
        }
        if self.is_ordered && rows > 0 {
            let last = |(index, kind): &(usize, ColumnType)| {
                array(*index)
                    .and_then(|array| Mark::at(array, *kind, rows - 1))
                    .map(|mark| mark.write())
            };
            let after: Option<Vec<String>> = self.key.iter().map(last).collect();
            // A key that cannot be written down (an infinite time) is passed over: the page before it is resumed at.
            if let (Some(position), Some(after)) = (&mut self.position, after) {
                position.after = after;
            }
        }
        let is_somewhere = |position: &&Position| !position.after.is_empty();
        Ok(Page {
            resume: self
                .position
                .as_ref()
                .filter(is_somewhere)
                .and_then(Position::write),
            cursor: highest,
            bytes,
            batches: vec![batch],
            warnings: Vec::new(),
        })
    }

    async fn send(&mut self, page: Page) -> Result<(), Failure> {
        self.is_silent = false;
        self.out
            .send(page)
            .await
            .map_err(|_| Failure::new(FailureKind::Failed, "the load stopped taking rows"))
    }
}
