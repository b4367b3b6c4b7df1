//! Writing pages into staging tables, chunk by chunk.

use super::apply::Staged;
use super::ledger::{Ledger, Progress, staging_of};
use super::statements::{self as sql, LOAD_ID};
use crate::Error;
use connect::{Page, RecordBatch, StreamTable, TableBatch};
use domain::names::quote_literal;
use domain::{Column, LoadId, TableRef};
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

/// The staging tables of one stream.
pub(crate) struct Staging<'a> {
    ledger: &'a Ledger,
    load_id: &'a LoadId,
    tables: BTreeMap<String, StagedTable>,
    /// The order in which tables were first seen: parents before children.
    order: Vec<String>,
    pub(crate) rows: u64,
}

impl<'a> Staging<'a> {
    pub(crate) const fn new(ledger: &'a Ledger, load_id: &'a LoadId) -> Self {
        Self {
            ledger,
            load_id,
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
        let load_id = (LOAD_ID.to_owned(), quote_literal(self.load_id.as_str()));
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
            for column in &table.schema.columns {
                match staged
                    .columns
                    .iter_mut()
                    .find(|known| known.name == column.name)
                {
                    None => {
                        tx.execute(&sql::add_column(&staging, column)).await?;
                        staged.columns.push(column.clone());
                    }
                    Some(known) if known.kind != column.kind => {
                        let wide = known.kind.widen(column.kind);
                        tx.execute(&sql::alter_type(&staging, &column.name, wide))
                            .await?;
                        known.kind = wide;
                    }
                    Some(_) => {}
                }
            }
        } else {
            tx.execute(&format!("DROP TABLE IF EXISTS {}", staging.to_sql()))
                .await?;
            tx.execute(&sql::create_table(&staging, &table.schema.columns))
                .await?;
            staged.columns.clone_from(&table.schema.columns);
            staged.created = true;
        }
        staged.table = Arc::clone(table);
        Ok(())
    }

    /// Ends a chunk: everything written so far is committed together with where the stream stands.
    pub(crate) async fn end_chunk(
        &mut self,
        writer: &mut Writer<'_>,
        progress: Option<&Progress>,
    ) -> Result<(), Error> {
        if let Some(progress) = progress {
            self.ledger
                .set_progress(writer.tx().await?, progress)
                .await?;
        }
        writer.commit().await
    }

    /// Returns the staged tables for the last transaction; `children` are tables that exist from earlier loads and of
    /// which this one gave no row.
    pub(crate) fn into_staged(
        self,
        primary_key: &[String],
        own: &TableRef,
        children: &[(TableRef, TableRef)],
    ) -> Vec<Staged> {
        let mut staged = Vec::new();
        if !self.order.contains(&own.table) {
            staged.push(Staged {
                target: own.clone(),
                staging: None,
                columns: Vec::new(),
                parent: None,
                primary_key: primary_key.to_vec(),
            });
        }
        for name in &self.order {
            let Some(entry) = self.tables.get(name) else {
                continue;
            };
            let target = entry.table.schema.table.clone();
            let parent = entry
                .table
                .parent
                .as_ref()
                .map(|p| TableRef::new(&target.schema, p));
            staged.push(Staged {
                staging: entry.created.then(|| staging_of(&target)),
                columns: entry.columns.clone(),
                primary_key: super::apply::key_of(primary_key, parent.is_some()),
                parent,
                target,
            });
        }
        for (child, parent) in children {
            if !staged.iter().any(|table| table.target == *child) {
                staged.push(Staged {
                    target: child.clone(),
                    staging: None,
                    columns: Vec::new(),
                    parent: Some(parent.clone()),
                    primary_key: super::apply::key_of(&[], true),
                });
            }
        }
        staged
    }
}
