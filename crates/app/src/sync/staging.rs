//! Writing pages into staging tables, chunk by chunk.

use super::apply::Staged;
use super::before::Before;
use super::ledger::{Ledger, Progress, staging_of};
use super::statements::{self as sql, LOAD_ID};
use crate::Error;
use connect::{Page, RECORD_COLUMN, RecordBatch, StreamTable, TableBatch};
use domain::names::quote_literal;
use domain::{Column, TableRef};
use security::Allow;
use security::permissions::SourceSync;
use std::collections::BTreeMap;
use std::sync::Arc;
use warehouse::{Inserter, LoadTx, Warehouse};

/// The transaction a load writes through. A dry run keeps one open from beginning to end and never commits it, so that it
/// can say exactly what a sync would change.
pub(crate) struct Writer<'a> {
    warehouse: &'a Warehouse,
    allow: &'a Allow<SourceSync>,
    tx: Option<LoadTx>,
    dry_run: bool,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(
        warehouse: &'a Warehouse,
        allow: &'a Allow<SourceSync>,
        dry_run: bool,
    ) -> Self {
        Self {
            warehouse,
            allow,
            tx: None,
            dry_run,
        }
    }

    /// Returns the open transaction, beginning one when there is none.
    pub(crate) async fn tx(&mut self) -> Result<&mut LoadTx, Error> {
        let tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.warehouse.begin(self.allow).await?,
        };
        Ok(self.tx.insert(tx))
    }

    /// Commits what was written so far; in a dry run, nothing.
    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        if self.dry_run {
            return Ok(());
        }
        if let Some(tx) = self.tx.take() {
            domain::fault::point("sync.before_commit");
            tx.commit().await?;
            domain::fault::point("sync.after_commit");
        }
        Ok(())
    }

    /// Ends the load: commits its last transaction, or undoes it in a dry run.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        if self.dry_run {
            self.rollback().await;
            return Ok(());
        }
        self.commit().await
    }

    /// Undoes what was not committed.
    pub(crate) async fn rollback(&mut self) {
        if let Some(tx) = self.tx.take() {
            // What cannot be undone on request is undone by the worker's end.
            let _ = tx.rollback().await;
        }
    }
}

struct StagedTable {
    table: Arc<StreamTable>,
    /// The staging table's columns, in the order they were added.
    columns: Vec<Column>,
    /// Whether the staging table exists in the warehouse.
    created: bool,
}

impl StagedTable {
    /// Gives the staging table the columns that it lacks, and types that hold what comes now too.
    async fn grow(
        &mut self,
        tx: &mut LoadTx,
        staging: &TableRef,
        columns: &[Column],
    ) -> Result<(), Error> {
        for column in columns {
            let known = self.columns.iter_mut().find(|c| c.name == column.name);
            match known {
                None => {
                    tx.execute(&sql::add_column(staging, column)).await?;
                    self.columns.push(column.clone());
                }
                Some(known) if known.kind != column.kind => {
                    let wide = known.kind.widen(column.kind);
                    tx.execute(&sql::alter_type(staging, &column.name, wide))
                        .await?;
                    known.kind = wide;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// The staging tables of one stream.
pub(crate) struct Staging<'a> {
    ledger: &'a Ledger,
    before: &'a Before,
    tables: BTreeMap<String, StagedTable>,
    /// The order in which tables were first seen: parents before children.
    order: Vec<String>,
    pub(crate) rows: u64,
}

impl<'a> Staging<'a> {
    pub(crate) const fn new(ledger: &'a Ledger, before: &'a Before) -> Self {
        Self {
            ledger,
            before,
            tables: BTreeMap::new(),
            order: Vec::new(),
            rows: 0,
        }
    }

    /// Takes over a staging table that an interrupted load left.
    pub(crate) fn adopt(&mut self, table: StreamTable) {
        let name = table.schema.table.table.clone();
        self.order.push(name.clone());
        let columns = table.schema.columns.clone();
        self.tables.insert(
            name,
            StagedTable {
                table: Arc::new(table),
                columns,
                created: true,
            },
        );
    }

    /// Opens an insert into the staging table of `table`, which is made, or given further columns, as needed.
    pub(crate) async fn insert<'w>(
        &mut self,
        writer: &'w mut Writer<'_>,
        table: &Arc<StreamTable>,
    ) -> Result<Inserter<'w>, Error> {
        let tx = writer.tx().await?;
        self.prepare(tx, table).await?;
        let load_id = (
            LOAD_ID.to_owned(),
            quote_literal(self.before.load_id.as_str()),
        );
        let staging = staging_of(&table.schema.table);
        Ok(tx
            .insert(&staging, &table.schema.columns, &[load_id])
            .await?)
    }

    /// Writes collected pages, all batches of one table after the other.
    pub(crate) async fn write(
        &mut self,
        writer: &mut Writer<'_>,
        pages: Vec<Page>,
    ) -> Result<(), Error> {
        let mut groups: Vec<(Arc<StreamTable>, Vec<RecordBatch>)> = Vec::new();
        for TableBatch { table, batch } in pages.into_iter().flat_map(|page| page.batches) {
            if table.parent.is_none() {
                self.rows += batch.num_rows() as u64;
            }
            match groups.iter_mut().find(|(known, _)| *known == table) {
                Some((_, batches)) => batches.push(batch),
                None => groups.push((table, vec![batch])),
            }
        }
        for (table, batches) in groups {
            let mut inserter = self.insert(writer, &table).await?;
            for batch in batches {
                inserter.write(batch).await?;
            }
            inserter.finish().await?;
        }
        Ok(())
    }

    /// Makes the staging table exist with every column of `table`.
    async fn prepare(&mut self, tx: &mut LoadTx, table: &Arc<StreamTable>) -> Result<(), Error> {
        let staging = staging_of(&table.schema.table);
        let name = &table.schema.table.table;
        if !self.order.contains(name) {
            self.order.push(name.clone());
        }
        let staged = self
            .tables
            .entry(name.clone())
            .or_insert_with(|| StagedTable {
                table: Arc::clone(table),
                columns: Vec::new(),
                created: false,
            });
        if staged.created {
            staged.grow(tx, &staging, &table.schema.columns).await?;
        } else {
            tx.execute(&sql::drop_table(&staging)).await?;
            tx.execute(&sql::create_table(&staging, &table.schema.columns))
                .await?;
            staged.columns.clone_from(&table.schema.columns);
            staged.created = true;
            let known = self.before.tables.parent(name);
            if let Some(parent) = table.parent.as_deref().filter(|p| known != Some(*p)) {
                self.ledger.set_parent(tx, name, parent).await?;
            }
        }
        staged.table = Arc::clone(table);
        Ok(())
    }

    /// Writes down how far the stream came, with the rows that are written but not committed.
    pub(crate) async fn set_progress(
        &self,
        writer: &mut Writer<'_>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let tx = writer.tx().await?;
        self.ledger.set_progress(tx, progress).await
    }

    /// Returns the staged tables for the last transaction, with those that exist from earlier loads and of which this one gave
    /// no row.
    pub(crate) fn into_staged(self, primary_key: &[String], own: &TableRef) -> Vec<Staged> {
        let mut staged = Vec::new();
        if !self.order.contains(&own.table) {
            staged.push(self.absent(own, None, primary_key));
        }
        for name in &self.order {
            let Some(entry) = self.tables.get(name) else {
                continue;
            };
            let target = entry.table.schema.table.clone();
            let parent = entry.table.parent.as_ref();
            let parent = parent.map(|p| TableRef::new(&target.schema, p));
            let is_record = |column: &&Column| column.name == RECORD_COLUMN;
            let columns = entry.columns.iter().filter(|c| !is_record(c));
            staged.push(Staged {
                staging: entry.created.then(|| staging_of(&target)),
                columns: columns.cloned().collect(),
                primary_key: super::apply::key_of(primary_key, parent.is_some()),
                is_numbered: entry.columns.iter().any(|c| is_record(&c)),
                parent,
                target,
            });
        }
        for (child, parent) in self.before.children(own) {
            if !staged.iter().any(|table| table.target == child) {
                staged.push(self.absent(&child, Some(parent), &[]));
            }
        }
        staged
    }

    /// Returns a table of which this load gave no row.
    fn absent(&self, table: &TableRef, parent: Option<TableRef>, key: &[String]) -> Staged {
        let known = self.before.existing.get(table);
        Staged {
            target: table.clone(),
            staging: None,
            columns: known.map_or_else(Vec::new, |known| known.columns.clone()),
            primary_key: super::apply::key_of(key, parent.is_some()),
            parent,
            is_numbered: false,
        }
    }
}
