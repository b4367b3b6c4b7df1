//! Merging: staged rows replace those with the same key, and lists are what their records have now.

use super::{Apply, Staged, StagedStream, Step};
use crate::Error;
use crate::sync::statements::{self as sql, ROW_ID};
use domain::TableRef;

impl Apply<'_> {
    /// Merges staged rows by key; child rows that their parents no longer have go.
    pub(super) async fn merge(
        &mut self,
        stream: &StagedStream,
        step: &mut Step<'_>,
    ) -> Result<(), Error> {
        let staged = step.staged;
        if let Some(parent) = &staged.parent {
            step.report.rows_deleted = self.delete_vanished(stream, staged, parent).await?;
        }
        let Some(staging) = &staged.staging else {
            return Ok(());
        };
        let (target, key) = (&staged.target, &staged.primary_key);
        let changed = sql::delete_changed(target, staging, key, &step.columns);
        step.report.rows_updated = self.tx.execute(&changed).await?;
        let missing = sql::insert_missing(target, staging, key, &step.columns);
        let inserted = self.tx.execute(&missing).await?;
        step.report.rows_inserted = inserted.saturating_sub(step.report.rows_updated);
        Ok(())
    }

    /// Deletes the rows of a child table that hang from no row any more: those that a staged parent no longer has, and those
    /// whose parent went, also where the parent's table itself got no row.
    async fn delete_vanished(
        &mut self,
        stream: &StagedStream,
        staged: &Staged,
        parent: &TableRef,
    ) -> Result<u64, Error> {
        let is_staged = |table: &Staged| table.staging.is_some();
        if !stream.tables.first().is_some_and(is_staged) {
            return Ok(0);
        }
        let mut deleted = 0;
        let of_parent = stream.tables.iter().find(|table| table.target == *parent);
        if let Some(of_parent) = of_parent
            && of_parent.columns.iter().any(|c| c.name == ROW_ID)
            && let Some(parent_staging) = &of_parent.staging
        {
            let staging = staged.staging.as_ref();
            let vanished = sql::delete_vanished_children(&staged.target, staging, parent_staging);
            deleted += self.tx.execute(&vanished).await?;
        }
        let orphans = sql::delete_orphans(&staged.target, parent);
        Ok(deleted + self.tx.execute(&orphans).await?)
    }
}
