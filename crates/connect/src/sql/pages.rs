//! Full batches on their way out, each with the place where the stream stands after it.

use super::batch::Batch;
use super::mark::Mark;
use super::passes::{Attempt, Position};
use super::plan::Plan;
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, StreamTable};
use domain::{ColumnType, Disposition, SourceName};
use tokio::sync::mpsc::Sender;

/// The outgoing side of one stream.
pub(super) struct Pages<'a> {
    out: &'a Sender<Page>,
    pub(super) batch: Batch,
    key: Vec<(usize, ColumnType)>,
    cursor: Option<(usize, ColumnType)>,
    highest: Option<Mark>,
    /// What the last load ended with, and what is too far ahead to go on from.
    last: Option<Mark>,
    horizon: Option<Mark>,
    is_ahead: bool,
    is_merged: bool,
    position: Option<Position>,
    /// Whether rows come in the key's order, so that the last one's key is where the stream stands.
    pub(super) is_ordered: bool,
    name: String,
    warnings: Vec<String>,
    is_silent: bool,
}

impl<'a> Pages<'a> {
    /// Returns the outgoing side of `plan`, which stands where `attempt` says.
    pub(super) fn new<W>(
        source: &SourceName,
        plan: &Plan<W>,
        attempt: &Attempt,
        out: &'a Sender<Page>,
    ) -> Self {
        let kind = |index: &usize| {
            plan.table
                .columns
                .get(*index)
                .map(|column| (*index, column.kind))
        };
        let cursor = plan.cursor.as_ref().and_then(kind);
        let position = attempt.position.clone();
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
            last: attempt.last.clone(),
            horizon: attempt.horizon.clone(),
            is_ahead: false,
            is_merged: plan.stream.disposition == Disposition::Merge,
            position,
            is_ordered: false,
            name: plan.stream.name.clone(),
            warnings: Vec::new(),
            is_silent: true,
            out,
        }
    }

    /// Adds what the user should know to the last page.
    pub(super) fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Adds sentences about this stream, without its name.
    pub(super) fn warn_of(&mut self, warnings: impl IntoIterator<Item = String>) {
        let name = &self.name;
        self.warnings.extend(
            warnings
                .into_iter()
                .map(|warning| format!("`{name}` {warning}")),
        );
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
        if self.is_ahead && self.is_merged {
            self.warn_of([
                "has cursor values more than two days ahead of now: they are not remembered, and their rows come again at \
                 every sync until then"
                    .into(),
            ]);
        }
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
        if let Some((index, kind)) = self.cursor
            && let Some(array) = array(index)
        {
            let mut highest = Mark::highest(array, kind, None);
            if self.horizon.is_some() && highest >= self.horizon {
                self.is_ahead = true;
                highest = Mark::highest(array, kind, self.horizon.as_ref());
            }
            self.highest = self.highest.take().max(highest);
        }
        if let Some(position) = &mut self.position {
            position.highest = self.highest.as_ref().map(Mark::write);
        }
        // Rows that are read again may all lie below what is remembered.
        let highest = self.highest.as_ref().max(self.last.as_ref());
        let cursor = highest.filter(|_| self.highest.is_some()).map(Mark::write);
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
            cursor,
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
