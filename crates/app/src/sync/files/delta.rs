//! Bringing the changed files of one table into the warehouse.

use super::guard;
use super::survey::{Survey, Target, is_ours, with_filename};
use crate::Error;
use crate::reader::{ReadRequest, Reader, ReaderFile};
use crate::sync::apply::{self, Staged, StagedStream, count, number};
use crate::sync::context::Context;
use crate::sync::contract::{self, Change};
use crate::sync::ledger::{Ledger, staging_of};
use crate::sync::request::SyncEvent;
use crate::sync::staging::Writer;
use crate::sync::statements::{self as sql, Compared, LOAD_ID};
use connect::files::FILENAME_COLUMN;
use domain::names::{quote_identifier, quote_literal};
use domain::{Contract, Disposition, LoadId, TableRef, TableReport, TableSchema};
use std::collections::BTreeMap;
use warehouse::{LoadTx, WarehouseError};

/// The load of one table's files.
pub(super) struct TableLoad<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) ledger: &'a Ledger,
    pub(super) reader: &'a mut Reader,
    pub(super) load_id: &'a LoadId,
    pub(super) survey: &'a Survey<'a>,
}

impl TableLoad<'_> {
    /// Loads what changed; an unchanged table is left alone.
    pub(super) async fn run(
        &mut self,
        writer: &mut Writer<'_>,
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Vec<TableReport>, Error> {
        let survey = self.survey;
        let tx = writer.tx().await?;
        let own = self.target(survey.table.table.name.as_str());
        let is_known = existing.contains_key(&own);
        if survey.changed.is_empty() && survey.removed.is_empty() {
            return self.unchanged(tx, existing).await;
        }
        let before = if is_known { count(tx, &own).await? } else { 0 };
        let reports = if is_known && survey.reload {
            self.reload(tx, existing).await?
        } else {
            let mut reports = self.evolve(tx, existing).await?;
            self.change(tx, &mut reports).await?;
            reports
        };
        if is_known {
            guard(
                self.context,
                &own,
                before,
                count(tx, &own).await?,
                survey.is_empty,
            )?;
        }
        self.remember(tx).await?;
        Ok(reports)
    }

    fn target(&self, table: &str) -> TableRef {
        TableRef::new(self.ledger.schema(), table)
    }

    async fn unchanged(
        &self,
        tx: &mut LoadTx,
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Vec<TableReport>, Error> {
        let mut reports = Vec::new();
        for target in &self.survey.tables {
            let table = self.target(&target.name);
            let rows_total = if existing.contains_key(&table) {
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

    /// Reads every file into staging tables and swaps them in, as a replacing stream does.
    async fn reload(
        &mut self,
        tx: &mut LoadTx,
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Vec<TableReport>, Error> {
        let mut tables = Vec::new();
        for target in &self.survey.tables {
            let table = self.target(&target.name);
            let columns = with_filename(&target.columns());
            let staging = staging_of(&table);
            tx.execute(&format!("DROP TABLE IF EXISTS {}", staging.to_sql()))
                .await?;
            tx.execute(&sql::create_table(&staging, &columns)).await?;
            tables.push(Staged {
                parent: target.parent.as_deref().map(|parent| self.target(parent)),
                target: table,
                staging: Some(staging),
                columns,
                primary_key: Vec::new(),
            });
        }
        for changed in 0..self.survey.changed.len() {
            self.read(tx, changed, staging_of).await?;
        }
        let stream = StagedStream {
            disposition: Disposition::Replace,
            cursor: None,
            may_repeat: false,
            tables,
        };
        apply::apply(tx, existing, &stream, self.context.permits()).await
    }

    /// Makes the tables exist with every column they need, and starts their reports.
    async fn evolve(
        &self,
        tx: &mut LoadTx,
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Vec<TableReport>, Error> {
        let permits = self.context.permits();
        let mut reports = Vec::new();
        for target in &self.survey.tables {
            let table = self.target(&target.name);
            let mut report = TableReport {
                table: target.name.clone(),
                ..TableReport::default()
            };
            match existing.get(&table) {
                None => {
                    tx.execute(&sql::create_table(
                        &table,
                        &with_filename(&target.columns()),
                    ))
                    .await?;
                    report.schema_changes.push("table created".into());
                }
                Some(old) => {
                    let old: Vec<_> = old
                        .columns
                        .iter()
                        .filter(|c| !is_ours(&c.name))
                        .cloned()
                        .collect();
                    // A changed file need not have every column of the table.
                    let mut changes = contract::changes(&old, &target.columns());
                    changes.retain(|change| !matches!(change, Change::Removed(_)));
                    contract::check(&table, &changes, permits.contract, permits.accept_schema)?;
                    if permits.contract == Contract::Discard && !permits.accept_schema {
                        report
                            .warnings
                            .extend(changes.iter().map(Change::discarded));
                    } else {
                        for change in &changes {
                            self.apply_change(tx, &table, change).await?;
                            report.schema_changes.push(change.describe());
                        }
                    }
                }
            }
            reports.push(report);
        }
        Ok(reports)
    }

    async fn apply_change(
        &self,
        tx: &mut LoadTx,
        table: &TableRef,
        change: &Change,
    ) -> Result<(), Error> {
        let statement = match change {
            Change::Added(column) => sql::add_column(table, column),
            Change::Retyped { name, from, to } => sql::alter_type(table, name, from.widen(*to)),
            Change::Removed(_) => return Ok(()),
        };
        tx.execute(&statement).await?;
        Ok(())
    }

    /// Adds new files, replaces changed ones and removes those that are gone.
    async fn change(&mut self, tx: &mut LoadTx, reports: &mut [TableReport]) -> Result<(), Error> {
        let replaced: Vec<_> = (self.survey.changed.iter())
            .filter(|changed| changed.is_loaded)
            .map(|changed| changed.file.path.as_str())
            .collect();
        if !replaced.is_empty() {
            for target in &self.survey.tables {
                let staging = staging_of(&self.target(&target.name));
                tx.execute(&format!("DROP TABLE IF EXISTS {}", staging.to_sql()))
                    .await?;
                tx.execute(&sql::create_table(
                    &staging,
                    &with_filename(&target.columns()),
                ))
                .await?;
            }
        }
        for (index, changed) in self.survey.changed.iter().enumerate() {
            let into = if changed.is_loaded {
                staging_of
            } else {
                TableRef::clone
            };
            for (table, rows) in self.read(tx, index, into).await? {
                if let Some(report) = reports.iter_mut().find(|report| report.table == table)
                    && !changed.is_loaded
                {
                    report.rows_inserted += rows;
                }
            }
        }
        for (target, report) in self.survey.tables.iter().zip(reports) {
            let table = self.target(&target.name);
            if !replaced.is_empty() {
                self.replace(tx, target, &replaced, report).await?;
            }
            if !self.survey.removed.is_empty() {
                let gone: Vec<_> = self.survey.removed.iter().map(String::as_str).collect();
                let delete = format!(
                    "DELETE FROM {} WHERE {}",
                    table.to_sql(),
                    filename_in(&gone)
                );
                report.rows_deleted += tx.execute(&delete).await?;
            }
            report.rows_total = count(tx, &table).await?;
        }
        Ok(())
    }

    /// Puts the staged rows of changed files in the place of their earlier rows, unless they are the same.
    async fn replace(
        &self,
        tx: &mut LoadTx,
        target: &Target,
        replaced: &[&str],
        report: &mut TableReport,
    ) -> Result<(), Error> {
        let table = self.target(&target.name);
        let staging = staging_of(&table);
        let columns = with_filename(&target.columns());
        let filter = filename_in(replaced);
        let compared = Compared {
            old: &format!("(SELECT * FROM {} WHERE {filter})", table.to_sql()),
            old_columns: &columns,
            new: &staging.to_sql(),
            new_columns: &columns,
        };
        let deltas = tx
            .select(&compared.deltas(&[]))
            .await?
            .into_iter()
            .next()
            .unwrap_or_default();
        let (inserted, deleted) = (number(&deltas, "inserted"), number(&deltas, "deleted"));
        if inserted > 0 || deleted > 0 {
            tx.execute(&format!("DELETE FROM {} WHERE {filter}", table.to_sql()))
                .await?;
            let mut all = columns;
            all.push(domain::Column::new(LOAD_ID, domain::ColumnType::Text));
            tx.execute(&sql::insert_all(&table, &staging, &all)).await?;
        }
        report.rows_inserted += inserted;
        report.rows_deleted += deleted;
        tx.execute(&format!("DROP TABLE {}", staging.to_sql()))
            .await?;
        Ok(())
    }

    /// Adds `rows` rows that have nothing but the constants: an empty file has none, one of `{}` objects some.
    async fn hollow(
        &self,
        tx: &mut LoadTx,
        table: &TableRef,
        constants: &[(String, String)],
        rows: u64,
    ) -> Result<u64, Error> {
        let (names, values): (Vec<_>, Vec<_>) = (constants.iter())
            .map(|(name, value)| (quote_identifier(name), value.as_str()))
            .unzip();
        let insert = format!(
            "INSERT INTO {} ({}) SELECT {} FROM range({rows})",
            table.to_sql(),
            names.join(", "),
            values.join(", ")
        );
        Ok(tx.execute(&insert).await?)
    }

    /// Streams one file from the reader into the tables that `into` names, and returns the rows of each table.
    async fn read(
        &mut self,
        tx: &mut LoadTx,
        index: usize,
        into: impl Fn(&TableRef) -> TableRef,
    ) -> Result<Vec<(String, u64)>, Error> {
        let survey = self.survey;
        let Some(changed) = survey.changed.get(index) else {
            return Ok(Vec::new());
        };
        let path = &changed.file.path;
        let constants = [
            (FILENAME_COLUMN.to_owned(), quote_literal(path)),
            (LOAD_ID.to_owned(), quote_literal(self.load_id.as_str())),
        ];
        let file = ReaderFile::new(changed.file, &survey.table.table.options);
        let tables = survey.known(self.ledger.schema());
        let mut counts = Vec::new();
        for found in &changed.inspection.tables {
            self.context.check_cancelled()?;
            let Some(wanted) = tables.iter().position(|t| t.table.table == found.name) else {
                continue;
            };
            let Some(schema) = tables.get(wanted) else {
                continue;
            };
            if schema.columns.is_empty() {
                // DuckDB takes no rows without a column: they are made of what we add to them, if there are any.
                let rows = self
                    .hollow(tx, &into(&schema.table), &constants, found.rows)
                    .await?;
                counts.push((found.name.clone(), rows));
                continue;
            }
            let (ours, theirs) =
                sandbox::pair().map_err(|error| Error::from(WarehouseError::from(error)))?;
            let target = into(&schema.table);
            let insert = tx
                .insert_from(&target, &schema.columns, &constants, theirs)
                .await?;
            let request = ReadRequest {
                inspection: changed.inspection.clone(),
                tables: tables.clone(),
                wanted,
            };
            let reading = self.reader.read(&file, request, ours, |_| {});
            let (read, inserted) = tokio::join!(reading, insert.finish());
            // The reader knows better than the worker why a stream broke off.
            read?;
            let rows = inserted?;
            domain::fault::point("sync.file_read");
            counts.push((found.name.clone(), rows));
            self.context.event(&SyncEvent::Progress {
                source: &self.context.source.name,
                stream: survey.table.table.name.as_str(),
                rows,
                bytes: changed.inspection.bytes,
            });
        }
        Ok(counts)
    }

    /// Writes down which files are loaded.
    async fn remember(&self, tx: &mut LoadTx) -> Result<(), Error> {
        let table = self.survey.table.table.name.as_str();
        for path in &self.survey.removed {
            self.ledger.set_file(tx, table, path, None).await?;
        }
        for changed in &self.survey.changed {
            let found = &changed.inspection;
            let loaded = (found.hash.as_str(), found.bytes, found.rows(), self.load_id);
            self.ledger
                .set_file(tx, table, &changed.file.path, Some(loaded))
                .await?;
        }
        Ok(())
    }
}

fn filename_in(paths: &[&str]) -> String {
    let list: Vec<_> = paths.iter().map(|path| quote_literal(path)).collect();
    format!(
        "{} IN ({})",
        quote_identifier(FILENAME_COLUMN),
        list.join(", ")
    )
}
