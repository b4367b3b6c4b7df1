//! The last transaction of a load: staged tables become what users see, or nothing does.

mod columns;
mod guards;
mod merge;

pub(crate) use guards::guard_shrink;

use super::answers::{count, first_row, number};
use super::contract::{self, Change};
use super::ledger::{Ledger, Tables};
use super::statements::{self as sql, Compared, LOAD_ID, ROW_ID};
use crate::Error;
use domain::{Column, ColumnType, Contract, Disposition, TableRef, TableReport, TableSchema};
use guards::check_keys;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use warehouse::LoadTx;

/// A staged table of a stream: its own, or a child's.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub(crate) target: TableRef,
    /// `None` when the stream gave no row for it.
    pub(crate) staging: Option<TableRef>,
    /// The staged columns that are the source's; for a table without staging, those of the target.
    pub(crate) columns: Vec<Column>,
    pub(crate) parent: Option<TableRef>,
    pub(crate) primary_key: Vec<String>,
    /// Whether the staging table says for each row which record it came with.
    pub(crate) is_numbered: bool,
}

/// A stream whose rows are staged: its own table first, parents before children.
#[derive(Debug, Clone)]
pub(crate) struct StagedStream {
    pub(crate) disposition: Disposition,
    pub(crate) cursor: Option<String>,
    /// Whether a row may have been staged twice.
    pub(crate) may_repeat: bool,
    /// Whether the source says which columns there are; the records of an API have only the fields that are filled.
    pub(crate) is_described: bool,
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

impl Permits {
    /// Returns whether the columns stay as they are, and what does not fit them is discarded.
    pub(crate) fn discards(self) -> bool {
        self.contract == Contract::Discard && !self.accept_schema
    }
}

/// Brings staged streams into their tables, within one transaction.
pub(crate) struct Apply<'a> {
    pub(crate) tx: &'a mut LoadTx,
    pub(crate) ledger: &'a Ledger,
    pub(crate) existing: &'a BTreeMap<TableRef, TableSchema>,
    pub(crate) tables: &'a Tables,
    pub(crate) permits: Permits,
}

/// One table of a stream on its way.
struct Step<'a> {
    staged: &'a Staged,
    old: Option<&'a TableSchema>,
    /// The columns that the table takes from the staged rows.
    columns: Vec<Column>,
    report: TableReport,
}

impl Apply<'_> {
    /// Brings one stream into its tables and reports what changed.
    pub(crate) async fn stream(
        &mut self,
        stream: &StagedStream,
    ) -> Result<Vec<TableReport>, Error> {
        // Columns first: DuckDB cannot commit that a table was altered after rows of it were deleted.
        let mut steps = Vec::new();
        for staged in &stream.tables {
            if staged.staging.is_some() || self.existing.contains_key(&staged.target) {
                steps.push(self.begin(stream, staged).await?);
            }
        }
        self.keep_newest(stream).await?;
        let mut reports = Vec::new();
        for mut step in steps {
            self.table(stream, &mut step).await?;
            step.report.rows_total = count(self.tx, &step.staged.target).await?;
            reports.push(step.report);
        }
        for staging in stream.tables.iter().filter_map(|t| t.staging.as_ref()) {
            self.tx.execute(&sql::drop_table(staging)).await?;
        }
        Ok(reports)
    }

    async fn begin<'s>(
        &mut self,
        stream: &StagedStream,
        staged: &'s Staged,
    ) -> Result<Step<'s>, Error>
    where
        Self: 's,
    {
        let mut report = TableReport {
            table: staged.target.table.clone(),
            ..TableReport::default()
        };
        let old = self.existing.get(&staged.target);
        let columns = match old {
            Some(old) if stream.disposition != Disposition::Replace || self.permits.discards() => {
                self.agree(stream, staged, old, &mut report).await?
            }
            _ => staged.columns.clone(),
        };
        Ok(Step {
            staged,
            old,
            columns,
            report,
        })
    }

    /// Leaves one row of those with the same key, the newest, and of its lists the rows that came with it: a record that was
    /// read twice may have had longer lists before.
    async fn keep_newest(&mut self, stream: &StagedStream) -> Result<(), Error> {
        let Some((own, children)) = stream.tables.split_first() else {
            return Ok(());
        };
        let may_repeat = match stream.disposition {
            Disposition::Merge => true,
            Disposition::Replace => stream.may_repeat && !own.primary_key.is_empty(),
            Disposition::Append => false,
        };
        let Some(staging) = own.staging.as_ref().filter(|_| may_repeat) else {
            return Ok(());
        };
        if stream.disposition == Disposition::Merge {
            check_keys(self.tx, own, staging).await?;
        }
        let cursor = stream
            .cursor
            .as_deref()
            .filter(|cursor| own.columns.iter().any(|column| column.name == **cursor));
        let newest = sql::keep_newest(staging, &own.primary_key, cursor);
        if self.tx.execute(&newest).await? == 0 {
            return Ok(());
        }
        for child in children.iter().filter(|child| child.is_numbered) {
            if let Some(child) = &child.staging {
                let outdated = sql::delete_outdated_children(child, staging);
                self.tx.execute(&outdated).await?;
            }
        }
        Ok(())
    }

    async fn table(&mut self, stream: &StagedStream, step: &mut Step<'_>) -> Result<(), Error> {
        let target = &step.staged.target;
        match (&step.staged.staging, step.old, stream.disposition) {
            (None, None, _) | (None, Some(_), Disposition::Append) => Ok(()),
            (Some(staging), None, _) => {
                step.report.schema_changes.push("table created".into());
                self.swap(step.staged, staging).await?;
                step.report.rows_inserted = count(self.tx, target).await?;
                Ok(())
            }
            (None, Some(_), Disposition::Replace) => self.empty(step).await,
            (Some(staging), Some(old), Disposition::Replace) => {
                self.replace(step, staging, old).await
            }
            (_, Some(_), Disposition::Merge) => self.merge(stream, step).await,
            (Some(staging), Some(_), Disposition::Append) => {
                let insert = sql::insert_all(target, staging, &step.columns);
                step.report.rows_inserted = self.tx.execute(&insert).await?;
                Ok(())
            }
        }
    }

    /// Replaces a table by its staged successor, unless both hold the same rows.
    async fn replace(
        &mut self,
        step: &mut Step<'_>,
        staging: &TableRef,
        old: &TableSchema,
    ) -> Result<(), Error> {
        let (target, columns) = (&step.staged.target, &step.columns);
        let keeps_columns = self.permits.discards();
        let changes = if keeps_columns {
            Vec::new()
        } else {
            contract::changes_of_swap(&old.columns, columns)
        };
        // What is discarded is not compared either: it would make every row another in every sync.
        let is_compared = |c: &&Column| !keeps_columns || columns.iter().any(|n| n.name == c.name);
        let old_columns: Vec<_> = old.columns.iter().filter(is_compared).cloned().collect();
        let compared = Compared {
            old: &target.to_sql(),
            old_columns: &old_columns,
            new: &staging.to_sql(),
            new_columns: columns,
        };
        let row = first_row(self.tx, &compared.sameness()).await?;
        if step.staged.parent.is_none() {
            let (before, after) = (number(&row, "old_rows")?, number(&row, "new_rows")?);
            guard_shrink(target, before, after, self.permits)?;
        }
        self.check(step.staged, &changes)?;
        if changes.is_empty() && row.get("same") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        let deltas = first_row(self.tx, &compared.deltas(&step.staged.primary_key)).await?;
        step.report.rows_inserted = number(&deltas, "inserted")?;
        step.report.rows_updated = number(&deltas, "updated")?;
        step.report.rows_deleted = number(&deltas, "deleted")?;
        if keeps_columns {
            let delete = format!("DELETE FROM {}", target.to_sql());
            self.tx.execute(&delete).await?;
            let insert = sql::insert_all(target, staging, columns);
            self.tx.execute(&insert).await?;
            return Ok(());
        }
        let described = changes.iter().map(Change::describe);
        step.report.schema_changes.extend(described);
        self.remember_gone(&target.table, BTreeSet::new()).await?;
        self.swap(step.staged, staging).await
    }

    /// Empties a table of which the stream gave no row.
    async fn empty(&mut self, step: &mut Step<'_>) -> Result<(), Error> {
        let target = &step.staged.target;
        let rows = count(self.tx, target).await?;
        if step.staged.parent.is_none() {
            guard_shrink(target, rows, 0, self.permits)?;
        }
        step.report.rows_deleted = rows;
        let delete = format!("DELETE FROM {}", target.to_sql());
        self.tx.execute(&delete).await?;
        Ok(())
    }

    /// Puts a staging table in the place of its target. One that says which record a row came with is copied without that.
    async fn swap(&mut self, staged: &Staged, staging: &TableRef) -> Result<(), Error> {
        let target = &staged.target;
        if staged.is_numbered {
            let mut columns = staged.columns.clone();
            columns.push(Column::new(LOAD_ID, ColumnType::Text));
            self.tx.execute(&sql::drop_table(target)).await?;
            self.tx
                .execute(&sql::create_table(target, &columns))
                .await?;
            let insert = sql::insert_all(target, staging, &columns);
            self.tx.execute(&insert).await?;
            return Ok(());
        }
        for statement in sql::swap(staging, target) {
            self.tx.execute(&statement).await?;
        }
        Ok(())
    }

    fn check(&self, staged: &Staged, changes: &[Change]) -> Result<(), Error> {
        let Permits {
            contract,
            accept_schema,
            ..
        } = self.permits;
        contract::check(&staged.target, changes, contract, accept_schema)
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
