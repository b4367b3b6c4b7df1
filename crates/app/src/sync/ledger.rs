//! The bookkeeping tables of a source's schema: dlt's own, so that tools written for dlt find them, and ours.
//!
//! `_dlt_loads`, `_dlt_version`, `_dlt_pipeline_state` have dlt's columns; the state is plain JSON in dlt's shape.
//! `_dango_progress` remembers where an unfinished load stands, `_dango_loads` what each load changed, `_dango_files` which
//! files are loaded, `_dango_tables` what a table's columns do not say. All of them change in the transaction that changes
//! the rows they speak of.

mod cursors;
mod progress;
mod tables;

pub(crate) use cursors::Cursors;
pub(crate) use progress::Progress;
pub(crate) use tables::Tables;

use super::answers::{first_row, number};
use crate::Error;
use connect::{RecordBatch, arrow_types};
use domain::names::{quote_identifier, quote_literal};
use domain::{Column, ColumnType, LoadId, LoadReport, SourceName, TableRef, Timestamp};
use serde_json::{Map, Value};
use warehouse::LoadTx;

/// dlt's engine version of schemas that our rows are written like.
const SCHEMA_ENGINE: i64 = 11;

/// Returns whether a table is bookkeeping, not data.
pub(crate) fn is_bookkeeping(table: &str) -> bool {
    table.starts_with("_dlt_") || table.starts_with("_dango_")
}

const STAGING_PREFIX: &str = "_dango_staging_";

/// Returns the staging table of a table.
pub(crate) fn staging_of(table: &TableRef) -> TableRef {
    TableRef::new(&table.schema, format!("{STAGING_PREFIX}{}", table.table))
}

/// Returns the name of the table that a staging table is for.
pub(crate) fn target_of(staging: &str) -> Option<&str> {
    staging.strip_prefix(STAGING_PREFIX)
}

/// The bookkeeping of one source.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    source: SourceName,
    schema: String,
}

impl Ledger {
    pub(crate) fn new(source: &SourceName) -> Self {
        Self {
            source: source.clone(),
            schema: source.schema(),
        }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Returns a bookkeeping table, as SQL names it.
    pub(crate) fn table(&self, name: &str) -> String {
        TableRef::new(&self.schema, name).to_sql()
    }

    /// Creates the schema and the tables where they are missing.
    pub(crate) async fn create(&self, tx: &mut LoadTx) -> Result<(), Error> {
        tx.execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {}",
            quote_identifier(&self.schema)
        ))
        .await?;
        let tables = [
            (
                "_dlt_loads",
                "load_id VARCHAR, schema_name VARCHAR, status BIGINT, inserted_at TIMESTAMP WITH TIME ZONE, \
                 schema_version_hash VARCHAR",
            ),
            (
                "_dlt_version",
                "version BIGINT, engine_version BIGINT, inserted_at TIMESTAMP WITH TIME ZONE, schema_name VARCHAR, \
                 version_hash VARCHAR, schema VARCHAR",
            ),
            (
                "_dlt_pipeline_state",
                "version BIGINT, engine_version BIGINT, pipeline_name VARCHAR, state VARCHAR, \
                 created_at TIMESTAMP WITH TIME ZONE, version_hash VARCHAR, _dlt_load_id VARCHAR, _dlt_id VARCHAR",
            ),
            (
                "_dango_progress",
                "load_id VARCHAR, stream VARCHAR, resume VARCHAR, cursor VARCHAR, schema_hash VARCHAR, rows BIGINT",
            ),
            ("_dango_loads", "load_id VARCHAR, report VARCHAR"),
            (
                "_dango_files",
                "path VARCHAR, table_name VARCHAR, hash VARCHAR, bytes BIGINT, rows BIGINT, load_id VARCHAR",
            ),
            (
                tables::TABLES,
                "table_name VARCHAR, parent VARCHAR, gone VARCHAR",
            ),
        ];
        for (name, columns) in tables {
            tx.execute(&format!(
                "CREATE TABLE IF NOT EXISTS {} ({columns})",
                self.table(name)
            ))
            .await?;
        }
        Ok(())
    }

    /// Drops staging tables but those whose target `keep` wants: leftovers of a load that will not go on.
    pub(crate) async fn drop_staging(
        &self,
        tx: &mut LoadTx,
        keep: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let rows = tx
            .select(&format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = {} \
                 AND starts_with(table_name, '_dango_staging_')",
                quote_literal(&self.schema)
            ))
            .await?;
        for name in rows.iter().filter_map(|row| text(row, "table_name")) {
            let table = TableRef::new(&self.schema, &name);
            if !keep(target_of(&name).unwrap_or_default()) {
                tx.execute(&format!("DROP TABLE {}", table.to_sql()))
                    .await?;
            }
        }
        Ok(())
    }

    /// Records a finished load: its schema, its report, and dlt's row that says it is complete.
    pub(crate) async fn record(
        &self,
        tx: &mut LoadTx,
        load_id: &LoadId,
        at: Timestamp,
        schema: &Value,
        report: &LoadReport,
    ) -> Result<(), Error> {
        let schema = schema.to_string();
        let hash = hash_text(&schema);
        let query = format!(
            "SELECT count(*) FILTER (version_hash = {}) AS same, coalesce(max(version), 0) AS version FROM {}",
            quote_literal(&hash),
            self.table("_dlt_version")
        );
        let known = first_row(tx, &query).await?;
        if number(&known, "same")? == 0 {
            let row = [
                ("version", (number(&known, "version")? + 1).to_string()),
                ("engine_version", SCHEMA_ENGINE.to_string()),
                ("inserted_at", instant(at)),
                ("schema_name", quote_literal(self.source.as_str())),
                ("version_hash", quote_literal(&hash)),
            ];
            self.insert_text(tx, "_dlt_version", &row, ("schema", &schema))
                .await?;
        }
        tx.execute(&format!(
            "INSERT INTO {} VALUES ({}, {}, 0, {}, {})",
            self.table("_dlt_loads"),
            quote_literal(load_id.as_str()),
            quote_literal(self.source.as_str()),
            instant(at),
            quote_literal(&hash)
        ))
        .await?;
        let report = serde_json::to_string(report).unwrap_or_default();
        let row = [("load_id", quote_literal(load_id.as_str()))];
        self.insert_text(tx, "_dango_loads", &row, ("report", &report))
            .await
    }

    /// Returns the query for the report of a load, empty when the load was never committed.
    pub(crate) fn report_query(&self, load_id: &LoadId) -> String {
        format!(
            "SELECT report FROM {} WHERE load_id = {}",
            self.table("_dango_loads"),
            quote_literal(load_id.as_str())
        )
    }

    /// Inserts a row of SQL literals and one text. The text travels beside the statement, which has no room for a long one.
    async fn insert_text(
        &self,
        tx: &mut LoadTx,
        table: &str,
        row: &[(&str, String)],
        (column, text): (&str, &str),
    ) -> Result<(), Error> {
        let table = TableRef::new(&self.schema, table);
        let columns = [Column::new(column, ColumnType::Text)];
        let literals: Vec<_> = row
            .iter()
            .map(|(name, literal)| ((*name).to_owned(), literal.clone()))
            .collect();
        let mut insert = tx.insert(&table, &columns, &literals).await?;
        insert.write(text_rows([column], &[[Some(text)]])?).await?;
        insert.finish().await?;
        Ok(())
    }
}

/// Returns rows of texts, which need no statement with room for them.
pub(crate) fn text_rows<const N: usize>(
    names: [&str; N],
    rows: &[[Option<&str>; N]],
) -> Result<RecordBatch, Error> {
    arrow_types::texts(names, rows).map_err(|error| {
        Error::bug("rows of the bookkeeping could not be put together").caused_by(error)
    })
}

fn instant(at: Timestamp) -> String {
    format!(
        "{}::TIMESTAMP WITH TIME ZONE",
        quote_literal(&at.to_rfc3339())
    )
}

pub(crate) fn text(row: &Map<String, Value>, column: &str) -> Option<String> {
    row.get(column)?.as_str().map(str::to_owned)
}

/// Returns the content hash by which schemas and states are told apart.
pub(crate) fn hash_text(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
