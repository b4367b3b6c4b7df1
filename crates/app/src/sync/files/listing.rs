//! Which files of a table are loaded, and the list of those that a load touches.
//!
//! The list is a staging table, because no statement has room for the paths of many files: what is to be done with their rows
//! is said by joining it.

use super::survey::Survey;
use crate::Error;
use crate::sync::context::Context;
use crate::sync::ledger::{Ledger, staging_of, text, text_rows};
use connect::files::FILENAME_COLUMN;
use domain::limits::BATCH_ROWS;
use domain::names::{quote_identifier, quote_literal};
use domain::{Column, ColumnType, LoadId, TableRef, TableSchema};
use std::collections::BTreeMap;
use warehouse::LoadTx;

const FILES: &str = "_dango_files";
/// Loaded files that are asked for at once; a read may have ten times as many rows.
const PAGE_ROWS: usize = 1_000;

/// Returns the loaded files of a table: path and content hash.
pub(super) async fn loaded(
    context: &Context<'_>,
    ledger: &Ledger,
    existing: &BTreeMap<TableRef, TableSchema>,
    table: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    // A source that was never loaded has no bookkeeping yet.
    if !existing.contains_key(&TableRef::new(ledger.schema(), FILES)) {
        return Ok(files);
    }
    loop {
        let after = files
            .last_key_value()
            .map_or(String::new(), |(path, _): (&String, _)| {
                format!(" AND path > {}", quote_literal(path))
            });
        let query = format!(
            "SELECT path, hash FROM {} WHERE table_name = {}{after} ORDER BY path LIMIT {PAGE_ROWS}",
            ledger.table(FILES),
            quote_literal(table)
        );
        let view = context.allow.narrow();
        let rows = context.app.warehouse.select(&view, &query).await?;
        files.extend(
            rows.iter()
                .filter_map(|row| Some((text(row, "path")?, text(row, "hash")?))),
        );
        if rows.len() < PAGE_ROWS {
            return Ok(files);
        }
    }
}

/// The files that a load touches: those that it reads, and those that are gone.
pub(super) struct Touched<'a> {
    ledger: &'a Ledger,
    table: &'a str,
    list: String,
    is_new: bool,
}

impl<'a> Touched<'a> {
    /// Writes the list; it lives until [`Touched::remember`].
    pub(super) async fn write(
        tx: &mut LoadTx,
        ledger: &'a Ledger,
        survey: &'a Survey<'_>,
    ) -> Result<Self, Error> {
        let staging = staging_of(&TableRef::new(ledger.schema(), FILES));
        let list = staging.to_sql();
        let names = ["path", "hash", "bytes", "rows"];
        tx.execute(&format!(
            "CREATE OR REPLACE TABLE {list} (path VARCHAR, hash VARCHAR, bytes VARCHAR, rows VARCHAR)"
        ))
        .await?;
        let gone = survey
            .removed
            .iter()
            .map(|path| [Some(path.clone()), None, None, None]);
        let read = survey.changed.iter().map(|changed| {
            let found = &changed.inspection;
            [
                Some(changed.file.path.clone()),
                Some(found.hash.clone()),
                Some(found.bytes.to_string()),
                Some(found.rows().to_string()),
            ]
        });
        let rows: Vec<_> = gone.chain(read).collect();
        let columns = names.map(|name| Column::new(name, ColumnType::Text));
        let mut insert = tx.insert(&staging, &columns, &[]).await?;
        for some in rows.chunks(BATCH_ROWS) {
            let some: Vec<_> = some
                .iter()
                .map(|row| row.each_ref().map(Option::as_deref))
                .collect();
            insert.write(text_rows(names, &some)?).await?;
        }
        insert.finish().await?;
        Ok(Self {
            ledger,
            table: survey.table.table.name.as_str(),
            list,
            is_new: survey.removed.is_empty() && survey.changed.iter().all(|c| !c.is_loaded),
        })
    }

    /// Returns whether none of the files was loaded before.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns the condition that a row came from one of the files.
    pub(super) fn is_from(&self) -> String {
        self.rows("IN")
    }

    /// Returns the condition that a row came from another file.
    pub(super) fn is_not_from(&self) -> String {
        self.rows("NOT IN")
    }

    fn rows(&self, within: &str) -> String {
        let name = quote_identifier(FILENAME_COLUMN);
        format!("{name} {within} (SELECT path FROM {})", self.list)
    }

    /// Writes down which files are loaded now.
    pub(super) async fn remember(self, tx: &mut LoadTx, load_id: &LoadId) -> Result<(), Error> {
        let (files, list) = (self.ledger.table(FILES), &self.list);
        let (table, load_id) = (quote_literal(self.table), quote_literal(load_id.as_str()));
        for statement in [
            format!(
                "DELETE FROM {files} WHERE table_name = {table} AND path IN (SELECT path FROM {list})"
            ),
            format!(
                "INSERT INTO {files} (path, table_name, hash, bytes, rows, load_id) \
                 SELECT path, {table}, hash, bytes::BIGINT, rows::BIGINT, {load_id} FROM {list} WHERE hash IS NOT NULL"
            ),
            format!("DROP TABLE {list}"),
        ] {
            tx.execute(&statement).await?;
        }
        Ok(())
    }
}
