//! The warehouse file: what is in it, what it takes, and how to make it smaller.

use crate::sync::ledger::{is_bookkeeping, text};
use crate::{App, Result};
use security::permissions::{HealthView, PlatformManage, SourceView};
use security::{Allow, Event};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::Act;

/// The warehouse as `dango db status` shows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct DatabaseStatus {
    pub path: PathBuf,
    /// False before the first sync; then everything else is zero.
    pub exists: bool,
    pub file_bytes: u64,
    pub wal_bytes: u64,
    /// Space inside the file that holds nothing.
    pub free_bytes: u64,
    pub schemas: Vec<SchemaStatus>,
}

/// A schema of the warehouse.
#[derive(Debug, Serialize, Deserialize)]
pub struct SchemaStatus {
    pub schema: String,
    /// When the last load of this source was committed, RFC 3339; `None` for a schema that is not a source's.
    pub last_load_at: Option<String>,
    pub tables: Vec<TableStatus>,
}

/// A table of the warehouse.
#[derive(Debug, Serialize, Deserialize)]
pub struct TableStatus {
    pub table: String,
    pub rows: u64,
    pub columns: u64,
}

/// What compacting saved.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Compacted {
    pub bytes_before: u64,
    pub bytes_after: u64,
}

/// Returns what the warehouse holds and takes.
pub async fn status(app: &App, allow: &Allow<HealthView>) -> Result<DatabaseStatus> {
    let path = app.settings.platform.warehouse_file.clone();
    if !path.exists() {
        return Ok(DatabaseStatus {
            path,
            exists: false,
            file_bytes: 0,
            wal_bytes: 0,
            free_bytes: 0,
            schemas: Vec::new(),
        });
    }
    let view = app.also::<_, SourceView>(allow).await?;
    let sizes = app.warehouse.status(allow).await?;
    let rows = app
        .warehouse
        .select(
            &view,
            "SELECT schema_name, table_name, estimated_size AS rows, column_count AS columns FROM duckdb_tables() \
             WHERE NOT internal ORDER BY schema_name, table_name",
        )
        .await?;
    let mut schemas: BTreeMap<String, SchemaStatus> = BTreeMap::new();
    let mut loaded = Vec::new();
    for row in &rows {
        let (Some(schema), Some(table)) = (text(row, "schema_name"), text(row, "table_name"))
        else {
            continue;
        };
        if table == "_dlt_loads" {
            loaded.push(schema.clone());
        }
        let entry = schemas
            .entry(schema.clone())
            .or_insert_with(|| SchemaStatus {
                schema,
                last_load_at: None,
                tables: Vec::new(),
            });
        if !is_bookkeeping(&table) {
            let number = |column: &str| crate::sync::number(row, column);
            entry.tables.push(TableStatus {
                rows: number("rows")?,
                columns: number("columns")?,
                table,
            });
        }
    }
    for schema in loaded {
        let query = format!(
            "SELECT strftime(max(inserted_at) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS at FROM {}._dlt_loads",
            domain::names::quote_identifier(&schema)
        );
        let rows = app.warehouse.select(&view, &query).await?;
        if let Some(entry) = schemas.get_mut(&schema) {
            entry.last_load_at = rows.first().and_then(|row| text(row, "at"));
        }
    }
    // Bookkeeping alone is a load that is to go on, or one that failed: nothing that anybody could look at.
    schemas.retain(|_, schema| !schema.tables.is_empty() || schema.last_load_at.is_some());
    Ok(DatabaseStatus {
        path,
        exists: true,
        file_bytes: sizes.file_bytes,
        wal_bytes: sizes.wal_bytes,
        free_bytes: sizes.free_bytes,
        schemas: schemas.into_values().collect(),
    })
}

/// Rewrites the warehouse without its free space. The old file is replaced only by a complete one.
pub async fn compact(app: &App, allow: &Allow<PlatformManage>) -> Result<Compacted> {
    let act = Act::new(Event::WarehouseCompacted);
    let report = app
        .effect(allow, act, async |_| {
            Ok(app.warehouse.compact(allow).await?)
        })
        .await?;
    Ok(Compacted {
        bytes_before: report.bytes_before,
        bytes_after: report.bytes_after,
    })
}
