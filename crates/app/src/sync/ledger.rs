//! The bookkeeping tables of a source's schema: dlt's own, so that tools written for dlt find them, and ours.
//!
//! `_dlt_loads`, `_dlt_version`, `_dlt_pipeline_state` have dlt's columns; the state is plain JSON in dlt's shape.
//! `_dango_progress` remembers where an unfinished load stands, `_dango_loads` what each load changed, `_dango_files` which
//! files are loaded. All of them change in the transaction that changes the rows they speak of.

use super::apply::number;
use crate::Error;
use domain::names::{quote_identifier, quote_literal};
use domain::{LoadId, LoadReport, SourceName, TableRef, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use warehouse::LoadTx;

/// dlt's engine versions of schema and state that our rows are written like.
const SCHEMA_ENGINE: i64 = 11;
const STATE_ENGINE: i64 = 4;

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

/// Where an unfinished stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) load_id: LoadId,
    pub(crate) stream: String,
    pub(crate) resume: String,
    pub(crate) cursor: Option<String>,
    pub(crate) schema_hash: String,
    pub(crate) rows: u64,
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

    fn table(&self, name: &str) -> String {
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

    /// Returns how far an unfinished load came, one entry for each of its resumable streams.
    pub(crate) async fn progress(&self, tx: &mut LoadTx) -> Result<Vec<Progress>, Error> {
        let rows = tx
            .select(&format!(
                "SELECT load_id, stream, resume, cursor, schema_hash, rows FROM {}",
                self.table("_dango_progress")
            ))
            .await?;
        Ok(rows
            .iter()
            .map(|row| Progress {
                load_id: LoadId::from_stored(text(row, "load_id").unwrap_or_default()),
                stream: text(row, "stream").unwrap_or_default(),
                resume: text(row, "resume").unwrap_or_default(),
                cursor: text(row, "cursor"),
                schema_hash: text(row, "schema_hash").unwrap_or_default(),
                rows: number(row, "rows"),
            })
            .collect())
    }

    /// Remembers how far a stream came.
    pub(crate) async fn set_progress(
        &self,
        tx: &mut LoadTx,
        progress: &Progress,
    ) -> Result<(), Error> {
        self.forget_progress(tx, Some(&progress.stream)).await?;
        tx.execute(&format!(
            "INSERT INTO {} VALUES ({}, {}, {}, {}, {}, {})",
            self.table("_dango_progress"),
            quote_literal(progress.load_id.as_str()),
            quote_literal(&progress.stream),
            quote_literal(&progress.resume),
            literal(progress.cursor.as_deref()),
            quote_literal(&progress.schema_hash),
            progress.rows
        ))
        .await?;
        Ok(())
    }

    /// Forgets the progress of one stream, or of all.
    pub(crate) async fn forget_progress(
        &self,
        tx: &mut LoadTx,
        stream: Option<&str>,
    ) -> Result<(), Error> {
        let only = stream.map_or(String::new(), |s| {
            format!(" WHERE stream = {}", quote_literal(s))
        });
        tx.execute(&format!(
            "DELETE FROM {}{only}",
            self.table("_dango_progress")
        ))
        .await?;
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

    /// Returns the highest cursor value of each stream.
    pub(crate) async fn cursors(&self, tx: &mut LoadTx) -> Result<BTreeMap<String, String>, Error> {
        let rows = tx
            .select(&format!(
                "SELECT state FROM {} ORDER BY version DESC LIMIT 1",
                self.table("_dlt_pipeline_state")
            ))
            .await?;
        let Some(state) = rows.first().and_then(|row| text(row, "state")) else {
            return Ok(BTreeMap::new());
        };
        let state: Value = serde_json::from_str(&state).unwrap_or_default();
        let resources = state
            .pointer(&format!("/sources/{}/resources", self.source))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        Ok(resources
            .into_iter()
            .filter_map(|(stream, resource)| Some((stream, last_value(&resource)?)))
            .collect())
    }

    /// Writes the cursors as a new version of the state, unless nothing changed.
    pub(crate) async fn set_cursors(
        &self,
        tx: &mut LoadTx,
        cursors: &BTreeMap<String, (String, String)>,
        load_id: &LoadId,
        at: Timestamp,
    ) -> Result<(), Error> {
        let resources: Map<String, Value> = cursors
            .iter()
            .map(|(stream, (column, value))| {
                (
                    stream.clone(),
                    json!({"incremental": {column.as_str(): {"last_value": value}}}),
                )
            })
            .collect();
        let name = self.source.as_str();
        let state = json!({"sources": {name: {"resources": resources}}}).to_string();
        let hash = hash_text(&state);
        let latest = tx
            .select(&format!(
                "SELECT version, version_hash FROM {} ORDER BY version DESC LIMIT 1",
                self.table("_dlt_pipeline_state")
            ))
            .await?;
        let latest = latest.first();
        if latest.and_then(|row| text(row, "version_hash")).as_deref() == Some(hash.as_str()) {
            return Ok(());
        }
        let version = latest.map_or(0, |row| number(row, "version")) + 1;
        tx.execute(&format!(
            "INSERT INTO {} VALUES ({version}, {STATE_ENGINE}, {}, {}, {}, {}, {}, {})",
            self.table("_dlt_pipeline_state"),
            quote_literal(name),
            quote_literal(&state),
            instant(at),
            quote_literal(&hash),
            quote_literal(load_id.as_str()),
            quote_literal(hash.get(..14).unwrap_or(&hash))
        ))
        .await?;
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
        let known = tx
            .select(&format!(
                "SELECT count(*) FILTER (version_hash = {}) AS same, coalesce(max(version), 0) AS version FROM {}",
                quote_literal(&hash),
                self.table("_dlt_version")
            ))
            .await?;
        let known = known.into_iter().next().unwrap_or_default();
        if number(&known, "same") == 0 {
            tx.execute(&format!(
                "INSERT INTO {} VALUES ({}, {SCHEMA_ENGINE}, {}, {}, {}, {})",
                self.table("_dlt_version"),
                number(&known, "version") + 1,
                instant(at),
                quote_literal(self.source.as_str()),
                quote_literal(&hash),
                quote_literal(&schema)
            ))
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
        tx.execute(&format!(
            "INSERT INTO {} VALUES ({}, {})",
            self.table("_dango_loads"),
            quote_literal(load_id.as_str()),
            quote_literal(&report)
        ))
        .await?;
        Ok(())
    }

    /// Returns the query for the report of a load, empty when the load was never committed.
    pub(crate) fn report_query(&self, load_id: &LoadId) -> String {
        format!(
            "SELECT report FROM {} WHERE load_id = {}",
            self.table("_dango_loads"),
            quote_literal(load_id.as_str())
        )
    }

    /// Returns the loaded files of a table: path and content hash.
    pub(crate) async fn files(
        &self,
        tx: &mut LoadTx,
        table: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let rows = tx
            .select(&format!(
                "SELECT path, hash FROM {} WHERE table_name = {}",
                self.table("_dango_files"),
                quote_literal(table)
            ))
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| Some((text(row, "path")?, text(row, "hash")?)))
            .collect())
    }

    /// Replaces what is remembered of one file of a table; `None` forgets it.
    pub(crate) async fn set_file(
        &self,
        tx: &mut LoadTx,
        table: &str,
        path: &str,
        loaded: Option<(&str, u64, u64, &LoadId)>,
    ) -> Result<(), Error> {
        let files = self.table("_dango_files");
        let (path, table) = (quote_literal(path), quote_literal(table));
        tx.execute(&format!(
            "DELETE FROM {files} WHERE path = {path} AND table_name = {table}"
        ))
        .await?;
        if let Some((hash, bytes, rows, load_id)) = loaded {
            tx.execute(&format!(
                "INSERT INTO {files} VALUES ({path}, {table}, {}, {bytes}, {rows}, {})",
                quote_literal(hash),
                quote_literal(load_id.as_str())
            ))
            .await?;
        }
        Ok(())
    }
}

fn last_value(resource: &Value) -> Option<String> {
    let incremental = resource.get("incremental")?.as_object()?;
    match incremental.values().next()?.get("last_value")? {
        Value::String(value) => Some(value.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn literal(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".into(), quote_literal)
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
