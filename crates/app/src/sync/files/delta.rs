//! Bringing the changed files of one table into the warehouse: their rows are staged and then take the place of what the same
//! files had before.

use super::listing::Touched;
use super::survey::{Survey, Target, with_filename};
use super::{Stored, guard};
use crate::Error;
use crate::reader::Reader;
use crate::sync::answers::{count, first_row, number};
use crate::sync::apply::{Apply, Staged, StagedStream};
use crate::sync::context::Context;
use crate::sync::ledger::{Ledger, staging_of};
use crate::sync::staging::Writer;
use crate::sync::statements::{self as sql, Compared, LOAD_ID};
use domain::{Column, Disposition, LoadId, TableRef, TableReport, TableSchema};
use warehouse::LoadTx;

/// The load of one table's files.
pub(super) struct TableLoad<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) ledger: &'a Ledger,
    pub(super) reader: &'a mut Reader,
    pub(super) load_id: &'a LoadId,
    pub(super) survey: &'a Survey<'a>,
    pub(super) stored: &'a Stored,
}

impl TableLoad<'_> {
    /// Loads what changed; an unchanged table is left alone.
    pub(super) async fn run(&mut self, writer: &mut Writer<'_>) -> Result<Vec<TableReport>, Error> {
        let survey = self.survey;
        let tx = writer.tx().await?;
        if survey.changed.is_empty() && survey.removed.is_empty() {
            return self.unchanged(tx).await;
        }
        let own = self.table(survey.table.table.name.as_str());
        let is_known = self.stored.existing.contains_key(&own);
        let before = if is_known { count(tx, &own).await? } else { 0 };
        let touched = Touched::write(tx, self.ledger, survey).await?;
        let mut reports = Vec::new();
        for target in &survey.tables {
            reports.append(&mut self.load(tx, target, &touched).await?);
        }
        if is_known {
            let after = count(tx, &own).await?;
            guard(self.context, &own, before, after, survey.is_empty)?;
        }
        touched.remember(tx, self.load_id).await?;
        Ok(reports)
    }

    fn table(&self, name: &str) -> TableRef {
        TableRef::new(self.ledger.schema(), name)
    }

    async fn unchanged(&self, tx: &mut LoadTx) -> Result<Vec<TableReport>, Error> {
        let mut reports = Vec::new();
        for target in &self.survey.tables {
            let table = self.table(&target.name);
            let rows_total = if self.stored.existing.contains_key(&table) {
                count(tx, &table).await?
            } else {
                0
            };
            reports.push(TableReport {
                table: target.name.clone(),
                rows_total,
                ..TableReport::default()
            });
        }
        Ok(reports)
    }

    /// Brings the changed files' rows of one table in.
    async fn load(
        &mut self,
        tx: &mut LoadTx,
        target: &Target,
        touched: &Touched<'_>,
    ) -> Result<Vec<TableReport>, Error> {
        let table = self.table(&target.name);
        let old = self.stored.existing.get(&table);
        let staging = self.stage(tx, target, &table, touched).await?;
        let staged = Staged {
            parent: target.parent.as_deref().map(|parent| self.table(parent)),
            target: table,
            staging: Some(staging.clone()),
            columns: with_filename(&target.columns()),
            primary_key: Vec::new(),
            is_numbered: false,
        };
        let stream = StagedStream {
            disposition: Disposition::Replace,
            cursor: None,
            may_repeat: false,
            // A changed file need not have every column of the table.
            is_described: false,
            tables: vec![staged.clone()],
        };
        let Some(old) = old.filter(|_| !self.survey.reload) else {
            self.read(tx, target, &staging).await?;
            return self.apply(tx).stream(&stream).await;
        };
        let mut report = TableReport {
            table: target.name.clone(),
            ..TableReport::default()
        };
        if touched.is_new() && !self.context.permits().discards() {
            // Nothing is to be replaced or left out, so the rows go where they belong at once.
            let mut apply = self.apply(tx);
            apply.agree(&stream, &staged, old, &mut report).await?;
            report.rows_inserted = self.read(tx, target, &staged.target).await?;
        } else {
            self.read(tx, target, &staging).await?;
            let mut apply = self.apply(tx);
            let columns = apply.agree(&stream, &staged, old, &mut report).await?;
            replace(tx, &staged, &columns, old, touched, &mut report).await?;
        }
        tx.execute(&format!("DROP TABLE {}", staging.to_sql()))
            .await?;
        report.rows_total = count(tx, &staged.target).await?;
        Ok(vec![report])
    }

    /// Makes the staging table of a table; when everything is read again, with the rows that stay of files that are gone.
    async fn stage(
        &self,
        tx: &mut LoadTx,
        target: &Target,
        table: &TableRef,
        touched: &Touched<'_>,
    ) -> Result<TableRef, Error> {
        let staging = staging_of(table);
        let columns = with_filename(&target.columns());
        tx.execute(&format!("DROP TABLE IF EXISTS {}", staging.to_sql()))
            .await?;
        tx.execute(&sql::create_table(&staging, &columns)).await?;
        let (parent, stored) = (target.parent.as_deref(), self.stored);
        if let Some(name) = parent.filter(|_| stored.tables.parent(&target.name) != parent) {
            self.ledger.set_parent(tx, &target.name, name).await?;
        }
        let keeps_rows = self.survey.reload && self.survey.keeps_absent;
        if let Some(old) = stored.existing.get(table).filter(|_| keeps_rows) {
            let kept: Vec<_> = (old.columns.iter().map(|column| column.name.as_str()))
                .filter(|name| *name == LOAD_ID || columns.iter().any(|c| c.name == *name))
                .collect();
            let names = sql::names(kept);
            let copy = format!(
                "INSERT INTO {} ({names}) SELECT {names} FROM {} WHERE {}",
                staging.to_sql(),
                table.to_sql(),
                touched.is_not_from()
            );
            tx.execute(&copy).await?;
        }
        Ok(staging)
    }

    fn apply<'t>(&'t self, tx: &'t mut LoadTx) -> Apply<'t> {
        Apply {
            tx,
            ledger: self.ledger,
            existing: &self.stored.existing,
            tables: &self.stored.tables,
            permits: self.context.permits(),
        }
    }
}

/// Puts the staged rows in the place of what the same files had before, unless they are the same.
async fn replace(
    tx: &mut LoadTx,
    staged: &Staged,
    columns: &[Column],
    old: &TableSchema,
    touched: &Touched<'_>,
    report: &mut TableReport,
) -> Result<(), Error> {
    let (table, staging) = (staged.target.to_sql(), staging_of(&staged.target));
    let is_only_old = |c: &&Column| !columns.iter().any(|new| new.name == c.name);
    let mut old_columns = columns.to_vec();
    old_columns.extend(old.columns.iter().filter(is_only_old).cloned());
    let is_earlier = touched.is_from();
    let compared = Compared {
        old: &format!("(SELECT * FROM {table} WHERE {is_earlier})"),
        old_columns: &old_columns,
        new: &staging.to_sql(),
        new_columns: columns,
    };
    let deltas = first_row(tx, &compared.deltas(&[])).await?;
    report.rows_inserted = number(&deltas, "inserted")?;
    report.rows_deleted = number(&deltas, "deleted")?;
    if report.rows_inserted > 0 || report.rows_deleted > 0 {
        tx.execute(&format!("DELETE FROM {table} WHERE {is_earlier}"))
            .await?;
        tx.execute(&sql::insert_all(&staged.target, &staging, columns))
            .await?;
    }
    Ok(())
}
